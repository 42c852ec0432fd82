"""How many leads came to a webinar: by direction, creative, source or partner, for any period of the account's zone."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.models.types import driver_time
from storage.rollups import Dimension, refresh
from storage.sets import fetch

MOST_CREATIVES = 10
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRow:
    """Leads made in the period and what came of them since, until now.

    ``key`` is the id of a direction or creative, or the text of a source or partner; "" for leads that have none, ``name``
    is "" then too. ``leads`` is also the size of the sample. ``came``: leads with at least one attended visit, each once, so
    never more than ``leads``. ``visits``: attended visits, several of one lead too. ``long_visits``: of more than 1800 s.
    """

    key: str
    name: str
    leads: int
    came: int
    visits: int
    watch_sec: int
    long_visits: int

    @property
    def percent(self) -> Decimal | None:
        """Leads that came, of all leads, with two digits; None of no leads."""
        return _rounded(100 * self.came, self.leads)

    @property
    def avg_watch_minutes(self) -> Decimal | None:
        """Minutes of an attended visit on the average, with two digits; None of no visits."""
        return _rounded(self.watch_sec, 60 * self.visits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversions:
    """``rows`` by leads, most first, ``total`` all of them. ``first`` and ``last`` are days of ``zone``, both included."""

    dimension: Dimension
    first: date
    last: date
    zone: str
    rows: tuple[ConversionRow, ...]
    total: ConversionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """Days of a period as they are summed: months (YYYY-MM) that it holds whole, stretches of days (both included)."""

    months: list[str] = field(default_factory=list)
    stretches: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRow:
    """Visits by what brought the viewer (their own utm, else their lead's): people there, and those of them who attended."""

    key: str
    people: int
    attended: int
    watch_sec: int

    @property
    def avg_watch_minutes(self) -> Decimal | None:
        return _rounded(self.watch_sec, 60 * self.attended)


async def conversions(
    database: Database, account_id: int, dimension: Dimension, *, first: date, last: date, zone: ZoneInfo
) -> Conversions:
    """Leads made from ``first`` to ``last`` and how many of them have come. Days that changed are counted anew before."""
    await refresh(database, account_id, zone)
    async with database.read() as connection:
        found = await _sums(connection, account_id, dimension, zone.key, _days(first, last))
        names = await _names(connection, account_id, dimension)
    rows = [_row(row, names) for row in found]
    rows.sort(key=lambda row: (-row.leads, row.name, row.key))
    sums = [sum(column) for column in zip(*(row[1:] for row in found), strict=True)] or [0] * 5
    total = _row(("", *sums), {})
    return Conversions(dimension=dimension, first=first, last=last, zone=zone.key, rows=tuple(rows), total=total)


async def top_creatives(
    database: Database, account_id: int, *, zone: ZoneInfo, first: date | None = None, last: date | None = None,
    limit: int = MOST_CREATIVES,
) -> tuple[ConversionRow, ...]:  # fmt: skip
    """Creatives by attended visits, most first, of leads made from ``first`` to ``last``; without them of all times."""
    await refresh(database, account_id, zone)
    async with database.read() as connection:
        if first is None or last is None:
            days = await _all_times(connection, account_id, Dimension.CREATIVE, zone.key)
        else:
            days = _days(first, last)
        found = await _sums(connection, account_id, Dimension.CREATIVE, zone.key, days)
        names = await _names(connection, account_id, Dimension.CREATIVE)
    rows = sorted((_row(row, names) for row in found if row[3]), key=lambda row: (-row.visits, row.name, row.key))
    return tuple(rows[:limit])


async def visits_by_mark(
    database: Database, account_id: int, *, partner: bool, since: datetime, until: datetime
) -> tuple[MarkRow, ...]:
    """Visits of complete webinars begun in [since, until) by utm_source, or by the partner's mark; most people first.

    The rows of the period are read: a month of ten thousand viewers a week takes a few tens of milliseconds.
    """
    column = "url_marker" if partner else "utm_source"
    sql = f"""
        SELECT a.{column}, count(*), count(*) FILTER (WHERE a.attended),
               coalesce(sum(a.watch_duration_sec) FILTER (WHERE a.attended), 0)
        FROM webinars AS w JOIN webinar_attendees AS a ON a.session_id = w.id
        WHERE w.account_id = :account AND w.state = 'complete' AND w.started_at >= :since AND w.started_at < :until
        AND a.part_of IS NULL GROUP BY 1
    """  # noqa: S608 - one of two names of ours
    times = {name: driver_time(at, database.dialect_name) for name, at in (("since", since), ("until", until))}
    async with database.read() as connection:
        rows = await fetch(connection, sql, {"account": account_id, **times})
    sums: dict[str, tuple[int, int, int]] = {}
    for mark, people, attended, watched in rows:  # SQLite folds the case of Latin letters only
        old = sums.get(key := mark.strip().casefold(), (0, 0, 0))
        sums[key] = old[0] + people, old[1] + attended, old[2] + int(watched)
    listed = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(MarkRow(key=key, people=count[0], attended=count[1], watch_sec=count[2]) for key, count in listed)


async def _sums(connection: AsyncConnection, account_id: int, dimension: Dimension, zone: str, days: _Days) -> list[Any]:
    """(key, counts …). Months are named one by one: their range in the index holds all days between them as well."""
    rollups = """SELECT key, leads, came, visits, watch_sec, long_visits FROM conversion_rollups
                 WHERE account_id = :account AND zone = :zone AND dimension = :dimension AND """
    values: dict[str, Any] = {"account": account_id, "zone": zone, "dimension": dimension.value}
    values |= {f"month{place}": month for place, month in enumerate(days.months)}
    months = ", ".join(f":month{place}" for place in range(len(days.months)))
    parts = [f"{rollups} period IN ({months})"] if months else []
    for place, (first, last) in enumerate(days.stretches):
        values |= {f"first{place}": first, f"last{place}": last}
        parts.append(f"{rollups} period BETWEEN :first{place} AND :last{place} AND length(period) = 10")
    if not parts:
        return []
    sql = f"""SELECT key, sum(leads), sum(came), sum(visits), sum(watch_sec), sum(long_visits)
              FROM ({" UNION ALL ".join(parts)}) AS parts GROUP BY key"""  # noqa: S608 - our own text
    return [(row[0], *map(int, row[1:])) for row in await fetch(connection, sql, values)]


async def _all_times(connection: AsyncConnection, account_id: int, dimension: Dimension, zone: str) -> _Days:
    sql = """SELECT min(period), max(period) FROM conversion_rollups
             WHERE account_id = :account AND zone = :zone AND dimension = :dimension"""
    first, last = (await fetch(connection, sql, {"account": account_id, "zone": zone, "dimension": dimension.value}))[0]
    return _Days(months=_months(first[:7], last[:7]) if first else [])


def _days(first: date, last: date) -> _Days:
    """Whole months as months, the days before and after them as days."""
    month = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    after = (last + timedelta(days=1)).replace(day=1)  # the first month that is not whole
    if month >= after:
        return _Days(stretches=[(first.isoformat(), last.isoformat())])
    stretches = []
    if first < month:
        stretches.append((first.isoformat(), (month - timedelta(days=1)).isoformat()))
    if after <= last:
        stretches.append((after.isoformat(), last.isoformat()))
    return _Days(months=_months(f"{month:%Y-%m}", f"{after - timedelta(days=1):%Y-%m}"), stretches=stretches)


def _months(first: str, last: str) -> list[str]:
    """From one YYYY-MM to the other, both included."""
    begin, end = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(begin, end + 1)]


async def _names(connection: AsyncConnection, account_id: int, dimension: Dimension) -> dict[str, str]:
    tables = {Dimension.DIRECTION: "SELECT id, name FROM directions", Dimension.CREATIVE: "SELECT id, title FROM creatives"}
    if dimension not in tables:
        return {}
    rows = await fetch(connection, f"{tables[dimension]} WHERE account_id = :account", {"account": account_id})
    return {str(row[0]): row[1] for row in rows}


def _row(row: Any, names: dict[str, str]) -> ConversionRow:
    key, leads, came, visits, watched, long = row
    name = names.get(key, "") if names else key
    return ConversionRow(key=key, name=name, leads=leads, came=came, visits=visits, watch_sec=watched, long_visits=long)


def _rounded(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(_CENT, ROUND_HALF_UP) if whole else None
