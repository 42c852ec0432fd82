"""Figures as people see them in a chat: a phone's width, counts beside every rate. Pure functions."""

from collections.abc import Iterator

from domain.messages import Button, Line, Message, Section, Span, Style, bold, bullet, plain
from handlers.analytics.ask import period_on_button
from handlers.analytics.catalogue import (
    CONVERSIONS,
    FEW,
    Counted,
    Figure,
    costs_of,
    definition,
    minutes,
    name_of,
    period_of,
    rate,
)
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, shortened
from storage.queries.conversions import ConversionRow

MOST_ROWS = 12
NAME = 48
DAYS = (7, 30, 90)


def figure_screen(reader: Reader, counted: Counted, *, admin: bool = False, puzzled: str = "") -> Message:
    """Row by row, the most leads first, with the buttons that lead on. ``puzzled``: words that were not understood."""
    sections = [Section(title=_title(reader, counted), lines=tuple(_head(reader, counted, admin=admin)))]
    if puzzled:
        sections.insert(0, Section(lines=(plain(reader.say("figures.puzzled", words=shortened(puzzled, NAME))),)))
    sections += [_row(reader, counted, row) for row in counted.rows[:MOST_ROWS]]
    left = len(counted.rows) - MOST_ROWS
    if left > 0:
        sections.append(Section(lines=(plain(reader.say("figures.more", rows=reader.count(left, "row"))),)))
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(_buttons(reader, counted)))


def _title(reader: Reader, counted: Counted) -> Line:
    name = counted.figure.texts
    title = Span(f"{reader.say(f'figures.icon.{name}')} {reader.say(f'figures.title.{name}')}", Style.BOLD)
    return Line(spans=(title, Span(f" · {period_of(reader, counted)}")))


def _head(reader: Reader, counted: Counted, *, admin: bool) -> Iterator[Line]:
    if not counted.rows:
        name = "figures.no_visits" if counted.figure is Figure.TOP else "figures.no_leads"
        yield plain(reader.say(name))
        if admin:
            yield plain(reader.say("figures.no_leads_hint"))
    elif counted.total is not None:
        counts = _counts(reader, counted.total, reader.say("figures.all"))
        yield plain(counts if counted.total.leads else reader.say("figures.no_leads"))
        yield from _costs(reader, counted, counted.total)
    if counted.loading:
        yield plain(reader.say("figures.loading"))


def _row(reader: Reader, counted: Counted, row: ConversionRow) -> Section:
    figure = counted.figure
    name = shortened(name_of(reader, figure, row), NAME)
    if figure is Figure.TOP:
        long = reader.say("figures.long", count=row.long_visits)
        parts = (reader.count(row.visits, "visit"), minutes(reader, row), long)
        return Section(title=bold(name), lines=(plain(" · ".join(part for part in parts if part)),))
    title = Line(spans=(Span(name, Style.BOLD), Span(f" — {rate(reader, row)}")))
    visits = reader.count(row.visits, "visit") if row.visits else ""
    told = " · ".join(part for part in (_came(reader, row), visits, minutes(reader, row)) if part)
    lines = (plain(told),) if row.leads else ()  # without leads there is their cost alone
    return Section(title=title, lines=(*lines, *_costs(reader, counted, row)))


def _costs(reader: Reader, counted: Counted, row: ConversionRow) -> Iterator[Line]:
    """One line, where money was spent at all."""
    if told := costs_of(reader, counted, row):
        yield plain(" · ".join(told))


def _came(reader: Reader, row: ConversionRow) -> str:
    return reader.say("figures.came", came=row.came, leads=reader.count(row.leads, "lead_of"))


def _counts(reader: Reader, row: ConversionRow, name: str) -> str:
    return f"{name} {rate(reader, row)}: {_came(reader, row)}"


def _buttons(reader: Reader, counted: Counted) -> Iterator[tuple[Button, ...]]:
    """Days, then by what, then what can be done with it."""
    figure, here = counted.figure, period_on_button(counted.period, reader.today)
    days = [(str(number), reader.say("figures.button.days", days=number)) for number in DAYS]
    days = [("0", reader.say("figures.button.ever")), *days[1:]] if figure is Figure.TOP else days
    yield tuple(action(_marked(text, chosen=name == here), f"fig:{figure}:{name}") for name, text in days)
    if figure is not Figure.TOP:
        others = [(other, reader.say(f"figures.button.{other.texts}")) for other in CONVERSIONS]
        shown = [action(_marked(text, chosen=other is figure), f"fig:{other}:{here}") for other, text in others]
        yield from (tuple(shown[:2]), tuple(shown[2:]))
    how = action(reader.say("figures.button.how"), f"fhow:{figure}:{here}")
    if not counted.rows:
        yield (how,)
        return
    yield (how, action(reader.say("figures.button.pic"), f"fpic:{figure}:{here}"))
    csv = action(reader.say("figures.button.csv"), f"fcsv:{figure}:{here}")
    yield (csv, action(reader.say("export.button.excel"), f"expn:{figure.export}:{here}:xlsx"))


def _marked(text: str, *, chosen: bool) -> str:
    return f"· {text} ·" if chosen else text


def how_screen(reader: Reader, counted: Counted, *, attended_s: int) -> Message:
    """«Как посчитано»."""
    title = Line(spans=(Span(reader.say("figures.how_title"), Style.BOLD),))
    lines = tuple(bullet(line) for line in definition(reader, counted, attended_s=attended_s))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),))


def inline_items(reader: Reader, counted: Counted) -> list[tuple[str, str, Message]]:
    """For inline mode: title, description and message of the whole figure, then of its rows one by one."""
    whole = figure_screen(reader, counted)
    title = f"{reader.say(f'figures.title.{counted.figure.texts}')} · {period_of(reader, counted)}"
    total = counted.total
    about = _counts(reader, total, reader.say("figures.all")) if total is not None and total.leads else ""
    items = [(title, about, Message(key=ANSWER, sections=whole.sections))]
    for row in counted.rows[:MOST_ROWS]:
        section = _row(reader, counted, row)
        name = name_of(reader, counted.figure, row)
        shown = Message(key=ANSWER, sections=(Section(lines=(_title(reader, counted),)), section))
        texts = ("".join(span.text for span in line.spans) for line in section.lines if isinstance(line, Line))
        told = " · ".join(texts)
        items.append((f"{name} — {rate(reader, row)}" if counted.figure is not Figure.TOP else name, told, shown))
    return items


def caption(reader: Reader, counted: Counted) -> str:
    return f"{reader.say(f'figures.title.{counted.figure.texts}')} · {period_of(reader, counted)}"


def bars(reader: Reader, counted: Counted) -> list[tuple[str, float, str]]:
    """What the picture shows: name, length of the bar, and what stands beside it. Small samples have no bar."""
    if counted.figure is Figure.TOP:
        return [(name_of(reader, counted.figure, row), float(row.visits), str(row.visits)) for row in counted.rows]
    return [
        (name_of(reader, counted.figure, row), float(row.percent or 0) if row.leads >= FEW else 0.0, rate(reader, row))
        for row in counted.rows[:MOST_ROWS]
    ]
