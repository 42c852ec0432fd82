"""Every figure once: what it is called, how it is counted, and the function that counts it for whoever asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.plural import spaced
from handlers.calls.periods import Period
from handlers.wording import Reader
from storage.engine import Database
from storage.imports import ImportStore
from storage.queries.conversions import ConversionRow, conversions, top_creatives
from storage.queries.registered import Registered, registered
from storage.queries.spend import Cost, Costs, Spending, spending
from storage.rollups import Dimension

FEW = 5  # a rate of fewer leads than this is not shown: one more or less would change it by a fifth
USUAL_DAYS = 30
LONG_VISIT_MINUTES = 30


class Figure(StrEnum):
    """Its letter on buttons; the name of its texts is the member's."""

    DIRECTION = "d"
    CREATIVE = "c"
    SOURCE = "s"
    PARTNER = "p"
    TOP = "t"  # creatives by visits

    @property
    def texts(self) -> str:
        return self.name.lower()

    @property
    def dimension(self) -> Dimension:
        return Dimension.CREATIVE if self is Figure.TOP else Dimension[self.name]

    @property
    def export(self) -> str:
        """What it is called among the lists that are exported."""
        return "top" if self is Figure.TOP else f"{self.texts}s"


CONVERSIONS = (Figure.DIRECTION, Figure.CREATIVE, Figure.SOURCE, Figure.PARTNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A figure as it was counted; every surface shows this and nothing else.

    ``period``: local days of ``zone`` on which the leads were made, None: all there are. ``total`` is of all rows, None
    where not all are listed. ``counted_at`` aware UTC. ``loading``: a table is under way whose leads are not in it yet.
    """

    figure: Figure
    period: Period | None
    zone: str
    rows: tuple[ConversionRow, ...]
    total: ConversionRow | None
    counted_at: datetime
    loading: bool = False
    spending: Spending = field(default_factory=Spending)
    registered: Registered = field(default_factory=Registered)

    def costs(self, row: ConversionRow) -> Costs:
        """What the ads of a row cost in the period, of all rows for the total."""
        return self.spending.total if row is self.total else self.spending.by.get(row.key, ())

    def paid_for(self, row: ConversionRow) -> dict[str, int]:
        """How many of each thing that money is divided by, in the order in which people come that far."""
        registered = self.registered.total if row is self.total else self.registered.by.get(row.key, 0)
        return {"lead": row.leads, "registration": registered, "came": row.came, "long": row.long_visits}


async def count(
    database: Database, account_id: int, figure: Figure, period: Period | None, *, zone: ZoneInfo, now: datetime
) -> Counted:
    """``figure`` of an account. A conversion has a period: without one it is the usual days up to ``now``."""
    loading = await ImportStore(database).loading(account_id)
    if figure is Figure.TOP:
        first, last = (None, None) if period is None else (period.first, period.last)
        rows = await top_creatives(database, account_id, zone=zone, first=first, last=last)
        return Counted(
            figure=figure, period=period, zone=zone.key, rows=rows, total=None, counted_at=now, loading=loading
        )  # fmt: skip
    period = period or last_days(USUAL_DAYS, now.astimezone(zone).date())
    found = await conversions(database, account_id, figure.dimension, first=period.first, last=period.last, zone=zone)
    spent = await spending(database, account_id, figure.dimension, first=period.first, last=period.last)
    made = Registered()
    if spent.total:
        made = await registered(
            database, account_id, figure.dimension, first=period.first, last=period.last, zone=zone
        )  # fmt: skip
    rows = (*found.rows, *_without_leads(found.rows, spent))
    return Counted(
        figure=figure, period=period, zone=zone.key, rows=rows, total=found.total, counted_at=now, loading=loading,
        spending=spent, registered=made,
    )  # fmt: skip


def _without_leads(rows: Sequence[ConversionRow], spent: Spending) -> Iterator[ConversionRow]:
    """What money went to and nobody came from: it must not be missing from the list."""
    known = {row.key for row in rows}
    for key in sorted(spent.by.keys() - known, key=lambda key: spent.names[key]):
        yield ConversionRow(key=key, name=spent.names[key], leads=0, came=0, visits=0, watch_sec=0, long_visits=0)


def costs_of(reader: Reader, counted: Counted, row: ConversionRow) -> list[str]:
    """«расход 40 000 ₽», then what one of each of ``paid_for`` cost; of each currency."""
    told = []
    for cost in counted.costs(row):
        told.append(reader.say("figures.spent", money=reader.money(cost.amount, cost.currency)))
        told += prices_of(reader, counted, row, cost)
    return told


def prices_of(reader: Reader, counted: Counted, row: ConversionRow, cost: Cost) -> list[str]:
    """«лид 800 ₽», «запись 600 ₽», …: those that there are."""
    prices = [(name, cost.per(number)) for name, number in counted.paid_for(row).items()]
    return [
        reader.say(f"figures.cost.{name}", money=reader.money(each.amount, each.currency))
        for name, each in prices
        if each is not None
    ]


def last_days(days: int, today: date) -> Period:
    """So many days, today the last of them."""
    return Period(first=today - timedelta(days=days - 1), last=today)


def rate(reader: Reader, row: ConversionRow) -> str:
    """«66,67 %», or that there are too few leads to say, or none."""
    percent = row.percent
    if percent is None:
        return reader.say("figures.nobody")
    if row.leads < FEW:
        return reader.say("figures.few", count=row.leads)
    return f"{percent:.2f}".replace(".", ",") + "\u00a0%"


def name_of(reader: Reader, figure: Figure, row: ConversionRow) -> str:
    """«Ремонт», «Без направления»."""
    return row.name or reader.say(f"figures.none.{figure.dimension}")


def minutes(reader: Reader, row: ConversionRow) -> str:
    """«15,5 мин» of a visit on the average, "" of none."""
    average = row.avg_watch_minutes
    return "" if average is None else reader.say("figures.minutes", minutes=spaced(round(average, 1).normalize() + 0))


def definition(reader: Reader, counted: Counted, *, attended_s: int) -> list[str]:
    """How it was counted: what each word means, the period and zone, what is left out, and of how much."""
    figure, total = counted.figure, counted.total
    values = {
        "period": period_of(reader, counted),
        "zone": counted.zone,
        "minimum": spaced(round(attended_s / 60, 1)),
        "few": FEW,
        "at": reader.moment(counted.counted_at),
    }
    names = ["leads", "visits", "average", "left_out"]
    names[1:1] = ["long", "top"] if figure is Figure.TOP else ["came", "rate"]
    names += ["touch"] if figure in {Figure.SOURCE, Figure.PARTNER} else []
    names += ["spent"] if counted.spending.total else []
    lines = [reader.say(f"figures.how.{name}", **values) for name in names]
    if total is not None:
        lines.append(reader.say("figures.how.size", leads=reader.count(total.leads, "lead")))
    return [*lines, reader.say("figures.how.at", **values)]


def period_of(reader: Reader, counted: Counted) -> str:
    """«30 октября – 28 ноября», «всё время»."""
    if counted.period is None:
        return reader.say("figures.ever")
    return reader.period(counted.period.first, counted.period.last)
