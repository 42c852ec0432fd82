"""What ads cost over some days and what one lead, registration and visit came to: the figures of /conversions, by money."""

from collections.abc import Iterator
from datetime import date

from domain.messages import Button, Line, Message, Section, Span, Style, bold, plain
from handlers.analytics.ask import period_on_button
from handlers.analytics.catalogue import Counted, Figure, name_of, period_of, prices_of
from handlers.calls.periods import Period
from handlers.calls.screens import ANSWER, action
from handlers.spend.names import Kind, Known
from handlers.spend.reading import Told
from handlers.wording import Reader, shortened
from storage.queries.conversions import ConversionRow

FIGURES = (Figure.SOURCE, Figure.DIRECTION, Figure.CREATIVE)
MOST_ROWS = 12
NAME = 48


def this_month(today: date) -> Period:
    return Period(first=today.replace(day=1), last=today)


def month_screen(reader: Reader, counted: Counted) -> Message:
    """All of it, then what each ad cost, the dearest first; money of different currencies is never compared."""
    title = Line(spans=(Span(reader.say("spend.month"), Style.BOLD), Span(f" · {period_of(reader, counted)}")))
    paid = sorted((row for row in counted.rows if counted.costs(row)), key=lambda row: _dear(counted, row), reverse=True)
    if not paid or counted.total is None:
        lines: tuple[Line, ...] = (plain(reader.say("spend.no_spend")),)
    else:
        lines = (bold(_money(reader, counted, counted.total)), *_prices(reader, counted, counted.total))
    sections = [Section(title=title, lines=lines), *(_row(reader, counted, row) for row in paid[:MOST_ROWS])]
    if len(paid) > MOST_ROWS:
        sections.append(Section(lines=(plain(reader.say("figures.more", rows=reader.count(len(paid) - MOST_ROWS, "row"))),)))
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(_buttons(reader, counted, paid=bool(paid))))


def asked_of(told: Told, known: Known) -> Figure | None:
    """Where one known ad is named and no sum: the figure it is a row of."""
    named = [(figure, kind, name) for figure, kind, name in zip(FIGURES, Kind, told.ad.parts, strict=True) if name]
    if told.minor is not None or told.faults or told.left or len(named) != 1:
        return None
    figure, kind, name = named[0]
    return figure if known.exact(kind, name) is not None else None


def ad_screen(reader: Reader, counted: Counted, name: str) -> Message:
    """What went to one ad; the next message may be a sum for it."""
    title = Line(spans=(Span(reader.say("spend.month"), Style.BOLD), Span(f" · {period_of(reader, counted)}")))
    row = next((row for row in counted.rows if row.name.casefold() == name.casefold() and counted.costs(row)), None)
    ad, here = shortened(name, NAME), period_on_button(counted.period, reader.today)
    spent = _row(reader, counted, row) if row is not None else Section(lines=(plain(reader.say("spend.none_on", ad=ad)),))
    add = Section(lines=(plain(reader.say("spend.add_to", ad=ad)),))
    everything = action(reader.say("spend.button.all"), f"spm:{counted.figure}:{here}")
    buttons = ((everything, action(reader.say("spend.button.list"), "spl:0")),)
    return Message(key=ANSWER, sections=(Section(title=title), spent, add), buttons=buttons)


def _dear(counted: Counted, row: ConversionRow) -> tuple[int, int]:
    costs = counted.costs(row)
    return max((cost.amount for cost in costs if cost.currency == "RUB"), default=0), max(cost.amount for cost in costs)


def _row(reader: Reader, counted: Counted, row: ConversionRow) -> Section:
    name = Span(shortened(name_of(reader, counted.figure, row), NAME), Style.BOLD)
    title = Line(spans=(name, Span(f" — {_money(reader, counted, row)}")))
    return Section(title=title, lines=tuple(_prices(reader, counted, row)))


def _money(reader: Reader, counted: Counted, row: ConversionRow) -> str:
    """«40 000 ₽ · 300 $»: of each currency, never a sum of them."""
    return " · ".join(reader.money(cost.amount, cost.currency) for cost in counted.costs(row))


def _prices(reader: Reader, counted: Counted, row: ConversionRow) -> Iterator[Line]:
    """A line for each currency."""
    lines = [" · ".join(prices_of(reader, counted, row, cost)) for cost in counted.costs(row)]
    lines = lines if row.leads else [*lines, reader.say("spend.cost_none")]
    yield from (plain(line) for line in lines if line)


def _buttons(reader: Reader, counted: Counted, *, paid: bool) -> Iterator[tuple[Button, ...]]:
    here = period_on_button(counted.period, reader.today)
    shown = [(one, reader.say(f"spend.button.{one.texts}")) for one in FIGURES]
    yield tuple(action(f"· {text} ·" if one is counted.figure else text, f"spm:{one}:{here}") for one, text in shown)
    yield tuple(_months(reader, counted))
    last = [action(reader.say("figures.button.how"), f"fhow:{counted.figure}:{here}")]
    last += [action(reader.say("figures.button.csv"), f"fcsv:{counted.figure}:{here}")] if paid else []
    yield tuple(last)
    yield (action(reader.say("spend.button.new"), "spnew:0"), action(reader.say("spend.button.list"), "spl:0"))


def _months(reader: Reader, counted: Counted) -> Iterator[Button]:
    """The whole month before, and the one after as far as it has come."""
    period = counted.period or this_month(reader.today)
    last = period.first.replace(day=1) - date.resolution
    yield _month(reader, counted, Period(first=last.replace(day=1), last=last), "earlier")
    after = (period.last.replace(day=28) + 4 * date.resolution).replace(day=1)
    if after <= reader.today:
        end = (after.replace(day=28) + 4 * date.resolution).replace(day=1) - date.resolution
        yield _month(reader, counted, Period(first=after, last=min(end, reader.today)), "later")


def _month(reader: Reader, counted: Counted, period: Period, name: str) -> Button:
    called = reader.say("time.months").split("|")[period.first.month - 1]
    text = reader.say(f"spend.button.{name}", month=called)
    return action(text, f"spm:{counted.figure}:{period_on_button(period, reader.today)}")
