"""The company's figures as people see them in a chat. Pure functions."""

from collections.abc import Iterator, Mapping

from domain.messages import Line, Message, Section, Span, Style, bold, bullet, plain
from domain.plural import spaced
from handlers.analytics.ask import period_on_button
from handlers.analytics.company import GROUPS, CompanyFigures, Indicator, definition, name_of, shown
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, shortened

DAYS = (7, 30, 90)
WORDS = 48


def company_screen(reader: Reader, figures: CompanyFigures, *, puzzled: str = "") -> Message:
    """Group by group. ``puzzled``: words that were not understood."""
    period = reader.period(figures.period.first, figures.period.last)
    head = Line(spans=(Span(reader.say("company.title"), Style.BOLD), Span(f" · {period}")))
    said = (plain(reader.say("figures.puzzled", words=shortened(puzzled, WORDS))),) if puzzled else ()
    groups = (
        Section(title=bold(reader.say(f"company.group.{name}")), lines=tuple(figure_lines(reader, figures, name)))
        for name in GROUPS
    )
    here = period_on_button(figures.period, reader.today)
    days = tuple(action(_marked(reader, days, here), f"cmp:{days}") for days in DAYS)
    how = (action(reader.say("figures.button.how"), f"cmphow:{here}"),)
    return Message(key=ANSWER, sections=(Section(title=head, lines=said), *groups), buttons=(days, how))


def figure_lines(
    reader: Reader, figures: CompanyFigures, group: str, *, usual: Mapping[Indicator, int] | None = None
) -> Iterator[Line]:
    """«Пропущено: 6», «Пропущено: 30, обычно 6»."""
    for indicator in GROUPS[group]:
        told = f"{name_of(reader, indicator)}: {shown(reader, indicator, figures[indicator])}"
        known = None if usual is None else usual.get(indicator)
        yield bullet(told if known is None else f"{told}, {reader.say('company.usual', number=spaced(known))}")


def how_screen(reader: Reader, figures: CompanyFigures, *, attended_s: int) -> Message:
    """«Как посчитано»: each figure, then what is true of all."""
    title = bold(reader.say("figures.how_title"))
    common = reader.say(
        "company.how_all", period=reader.period(figures.period.first, figures.period.last), zone=figures.zone,
        at=reader.moment(figures.counted_at),
    )  # fmt: skip
    groups = (
        Section(
            title=bold(reader.say(f"company.group.{name}")),
            lines=tuple(
                bullet(f"{name_of(reader, one)}: {definition(reader, figures, one, attended_s=attended_s)}")
                for one in indicators
            ),
        )
        for name, indicators in GROUPS.items()
    )
    return Message(key=ANSWER, sections=(Section(title=title, lines=(plain(common),)), *groups))


def _marked(reader: Reader, days: int, here: str) -> str:
    text = reader.say("figures.button.days", days=days)
    return f"· {text} ·" if str(days) == here else text
