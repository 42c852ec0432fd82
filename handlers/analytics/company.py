"""The company's figures, each once: its name, how it is counted, and the one count that every surface shows."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from statistics import fmean, median
from zoneinfo import ZoneInfo

from domain.hours import CLOSES, OPENS, working_time
from domain.plural import spaced
from handlers.analytics.catalogue import FEW
from handlers.calls.periods import Period
from handlers.wording import Reader
from storage.engine import Database
from storage.queries.audience import hot_waiting
from storage.queries.company import Span, call_counts, lead_counts, models_cost, span_of
from storage.queries.spend import Costs, spending
from storage.queries.tasks import overdue
from storage.queries.waiting import Waited, missed_calls, new_leads
from storage.queries.webinars import WebinarLine, list_webinars, turnout
from storage.rollups import Dimension

MOST_WEBINARS = 1000
REHEARSAL = "rehearsal"
NOTHING = "—"


class Unit(StrEnum):
    COUNT = "count"
    PERCENT = "percent"
    MINUTES = "minutes"
    MONEY = "money"  # of each currency
    DOLLARS = "dollars"  # micro-dollars


class Indicator(StrEnum):
    """A figure of the company; the name of its texts, and of its column in files and answers of the API."""

    CALLS = "calls"
    INCOMING = "incoming"
    OUTGOING = "outgoing"
    MISSED = "missed"
    MISSED_SHARE = "missed_share"
    NOT_CALLED_BACK = "not_called_back"
    BACK_MEDIAN = "back_median"
    BACK_AVERAGE = "back_average"
    TALK = "talk"
    SUMMARIES = "summaries"
    NEGATIVE = "negative"
    LEADS = "leads"
    LEADS_WAITING = "leads_waiting"
    CONTACT_MEDIAN = "contact_median"
    WEBINARS = "webinars"
    REGISTERED = "registered"
    CAME = "came"
    ATTENDED = "attended"
    HOT = "hot"
    HOT_WAITING = "hot_waiting"
    OVERDUE = "overdue"
    ADS = "ads"
    MODELS = "models"

    @property
    def unit(self) -> Unit:
        return _UNITS.get(self, Unit.COUNT)


_UNITS = {
    Indicator.MISSED_SHARE: Unit.PERCENT,
    Indicator.BACK_MEDIAN: Unit.MINUTES,
    Indicator.BACK_AVERAGE: Unit.MINUTES,
    Indicator.TALK: Unit.MINUTES,
    Indicator.CONTACT_MEDIAN: Unit.MINUTES,
    Indicator.ADS: Unit.MONEY,
    Indicator.MODELS: Unit.DOLLARS,
}


# How figures are grouped wherever they are listed; the name of a group's texts.
GROUPS: Mapping[str, tuple[Indicator, ...]] = {
    "calls": (
        Indicator.CALLS, Indicator.INCOMING, Indicator.OUTGOING, Indicator.MISSED, Indicator.MISSED_SHARE,
        Indicator.NOT_CALLED_BACK, Indicator.BACK_MEDIAN, Indicator.BACK_AVERAGE, Indicator.TALK, Indicator.SUMMARIES,
        Indicator.NEGATIVE,
    ),
    "leads": (Indicator.LEADS, Indicator.LEADS_WAITING, Indicator.CONTACT_MEDIAN),
    "webinars": (
        Indicator.WEBINARS, Indicator.REGISTERED, Indicator.CAME, Indicator.ATTENDED, Indicator.HOT, Indicator.HOT_WAITING,
    ),
    "tasks": (Indicator.OVERDUE,),
    "money": (Indicator.ADS, Indicator.MODELS),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """``number`` in the figure's unit, None: nobody knows. ``sample``: of how many a share, median or average is.

    ``money`` of a figure of money, one of each currency.
    """

    number: Decimal | int | None = None
    sample: int | None = None
    money: Costs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFigures:
    """All figures of a period, local days of ``zone``, as they stood at ``counted_at`` (aware UTC)."""

    period: Period
    zone: str
    counted_at: datetime
    short_s: int
    values: Mapping[Indicator, Measured]

    def __getitem__(self, indicator: Indicator) -> Measured:
        return self.values[indicator]

    def number(self, indicator: Indicator) -> Decimal | int:
        """0 where nobody knows."""
        return self.values[indicator].number or 0


async def count_company(
    database: Database, account_id: int, period: Period, *, zone: ZoneInfo, now: datetime, short_s: int,
    until: datetime | None = None,
) -> CompanyFigures:  # fmt: skip
    """``short_s``: a call must be longer than this to be a talk. Tasks are those that are late ``now``.

    ``until``: what came later is left out, of a day that is told of before it is over; of what ads cost a day is the least.
    """
    span = span_of(period.first, period.last, zone)
    if until is not None:
        span = Span(span.since, min(span.until, until))
    values = {
        **await _calls(database, account_id, span, zone),
        **await _leads(database, account_id, span, zone, short_s),
        **await _webinars(database, account_id, span),
        **await _money(database, account_id, period, span),
        Indicator.OVERDUE: Measured(number=await overdue(database, account_id, now=now)),
    }
    ordered = {indicator: values[indicator] for indicator in Indicator}
    return CompanyFigures(period=period, zone=zone.key, counted_at=now, short_s=short_s, values=ordered)


async def _calls(database: Database, account_id: int, span: Span, zone: ZoneInfo) -> dict[Indicator, Measured]:
    counts = (await call_counts(database, account_id, (span,)))[0]
    waits, waiting = await _waited(missed_calls(database, account_id, span), zone)
    return {
        Indicator.CALLS: Measured(number=counts.calls),
        Indicator.INCOMING: Measured(number=counts.incoming),
        Indicator.OUTGOING: Measured(number=counts.outgoing),
        Indicator.MISSED: Measured(number=counts.missed),
        Indicator.MISSED_SHARE: share(counts.missed, counts.incoming),
        Indicator.NOT_CALLED_BACK: Measured(number=waiting),
        Indicator.BACK_MEDIAN: Measured(number=_rounded(median(waits)) if waits else None, sample=len(waits)),
        Indicator.BACK_AVERAGE: Measured(number=_rounded(fmean(waits)) if waits else None, sample=len(waits)),
        Indicator.TALK: Measured(number=_rounded(counts.talk_s / 60)),
        Indicator.SUMMARIES: Measured(number=counts.summaries),
        Indicator.NEGATIVE: Measured(number=counts.negative),
    }


async def _leads(
    database: Database, account_id: int, span: Span, zone: ZoneInfo, short_s: int
) -> dict[Indicator, Measured]:  # fmt: skip
    leads = (await lead_counts(database, account_id, (span,)))[0]
    waits, waiting = await _waited(new_leads(database, account_id, span, short_s=short_s), zone)
    return {
        Indicator.LEADS: Measured(number=leads),
        Indicator.LEADS_WAITING: Measured(number=waiting),
        Indicator.CONTACT_MEDIAN: Measured(number=_rounded(median(waits)) if waits else None, sample=len(waits)),
    }


async def _waited(slices: AsyncIterator[list[Waited]], zone: ZoneInfo) -> tuple[list[float], int]:
    """The waits that are over, in minutes of working time, and how many clients wait still: whoever came twice is one."""
    waits: list[float] = []
    waiting: set[str] = set()
    async for some in slices:
        waits += [working_time(one.since, one.until, zone).total_seconds() / 60 for one in some if one.until is not None]
        waiting |= {one.key for one in some if one.waiting}
    return waits, len(waiting)


async def webinars_of(database: Database, account_id: int, span: Span) -> tuple[WebinarLine, ...]:
    """Those that began in a span and whose report is read whole, newest first; without rehearsals."""
    held = await list_webinars(database, account_id, limit=MOST_WEBINARS, since=span.since, until=span.until)
    return tuple(one for one in held if one.source != REHEARSAL)


async def _webinars(database: Database, account_id: int, span: Span) -> dict[Indicator, Measured]:
    held = await webinars_of(database, account_id, span)
    turnouts = [await turnout(database, one.id) for one in held]
    waiting = [await hot_waiting(database, account_id, one.id) for one in held]
    return {
        Indicator.WEBINARS: Measured(number=len(held)),
        Indicator.REGISTERED: Measured(number=sum(one.registered for one in turnouts)),
        Indicator.CAME: Measured(number=sum(one.came for one in turnouts)),
        Indicator.ATTENDED: Measured(number=sum(one.attended for one in turnouts)),
        Indicator.HOT: Measured(number=sum(one.hot for one in turnouts)),
        Indicator.HOT_WAITING: Measured(number=sum(waiting)),
    }


async def _money(database: Database, account_id: int, period: Period, span: Span) -> dict[Indicator, Measured]:
    spent = await spending(database, account_id, Dimension.SOURCE, first=period.first, last=period.last)
    return {
        Indicator.ADS: Measured(money=spent.total),
        Indicator.MODELS: Measured(number=await models_cost(database, account_id, span)),
    }


def share(part: int, whole: int) -> Measured:
    """Percent, exact to a hundredth; None of nothing."""
    return Measured(number=_rounded(part * 100 / whole, 2) if whole else None, sample=whole)


def _rounded(number: float, digits: int = 1) -> Decimal:
    return Decimal(str(round(number, digits)))


def shown(reader: Reader, indicator: Indicator, measured: Measured) -> str:
    """«1 204», «7,5 %», «12 мин», «мало данных (3)», «—» for what nobody knows."""
    if indicator.unit is Unit.MONEY:
        return " · ".join(reader.money(cost.amount, cost.currency) for cost in measured.money) or NOTHING
    if measured.number is None:
        return NOTHING
    if measured.sample is not None and measured.sample < FEW:
        return reader.say("figures.few", count=measured.sample)
    return _in_words(reader, indicator.unit, measured.number)


def _in_words(reader: Reader, unit: Unit, number: Decimal | int) -> str:
    if unit is Unit.DOLLARS:
        return reader.dollars(int(number))
    if unit is Unit.PERCENT:
        return f"{spaced(round(Decimal(number), 1).normalize() + 0)}\u00a0%"
    return minutes(reader, number) if unit is Unit.MINUTES else spaced(number)


def minutes(reader: Reader, number: Decimal | int) -> str:
    """«12 мин», «4 ч 12 мин»."""
    hours, rest = divmod(round(number), 60)
    short = reader.say("company.minutes", number=rest)
    if not hours:
        return short
    long = reader.say("company.hours", number=spaced(hours))
    return f"{long} {short}" if rest else long


def name_of(reader: Reader, indicator: Indicator) -> str:
    return reader.say(f"company.name.{indicator}")


def definition(reader: Reader, figures: CompanyFigures, indicator: Indicator, *, attended_s: int) -> str:
    """How a figure is counted."""
    values = {
        "short": figures.short_s,
        "minimum": spaced(round(Decimal(attended_s) / 60, 1).normalize() + 0),
        "opens": f"{OPENS:%H:%M}",
        "closes": f"{CLOSES:%H:%M}",
        "few": FEW,
    }
    return reader.say(f"company.how.{indicator}", **values)
