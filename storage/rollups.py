"""What the ads brought, added up by day and month of the account's zone, so that a year is read in milliseconds.

A day's figures are sums over the leads made on it, so days add up to any period. Writes mark days (storage.dirty); before
reading, marked days are counted anew outside of any write and stored in a short one, if nothing has changed meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dirty import day_of, mark_days
from storage.engine import Database
from storage.hidden import seen, unsettled
from storage.models.types import driver_time
from storage.sets import BulkWrite, Value, execute, fetch

MOST_KEY = 250
_ROUNDS = 5  # a day that changes while it is counted is counted again, but nobody waits for ever
_MARKED_AT_ONCE = 400

Counts = tuple[int, int, int, int, int]  # leads, came, visits, watch_sec, long_visits
Keys = tuple[str, str]  # dimension, key
_ZERO: Counts = (0, 0, 0, 0, 0)


class Dimension(StrEnum):
    """By what leads are told apart; source and partner are those of the first touch, in lower case."""

    DIRECTION = "direction"
    CREATIVE = "creative"
    SOURCE = "source"
    PARTNER = "partner"


_DAY = f"""
SELECT direction_id, creative_id, first_utm_source, first_url_marker,
       count(*), count(*) FILTER (WHERE visits > 0), sum(visits), sum(watched), sum(long)
FROM (
    SELECT l.id, l.direction_id, l.creative_id, l.first_utm_source, l.first_url_marker, count(a.lead_id) AS visits,
           coalesce(sum(a.watch_duration_sec), 0) AS watched,
           count(a.lead_id) FILTER (WHERE a.watch_duration_sec > 1800) AS long
    FROM leads AS l LEFT JOIN webinar_attendees AS a ON a.person_id = l.person_id AND a.lead_id = l.id AND a.attended
        AND a.part_of IS NULL
        AND a.session_id NOT IN (SELECT id FROM webinars WHERE account_id = :account AND state <> 'complete')
    WHERE l.account_id = :account AND l.created_at >= :since AND l.created_at < :until AND l.deleted_at IS NULL
    AND {seen("l")}
    GROUP BY l.id
) AS of_leads GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - our own text
_MARKS = """
SELECT d.day, d.session_id, d.stamp FROM conversion_dirty AS d LEFT JOIN webinars AS w ON w.id = d.session_id
WHERE d.account_id = :account AND (d.session_id = 0 OR w.state = 'complete')
"""
_MINE = "account_id = :account AND zone = :zone AND dimension IN ('direction', 'creative', 'source', 'partner')"
_STORED = f"""
SELECT dimension, key, leads, came, visits, watch_sec, long_visits FROM conversion_rollups WHERE {_MINE} AND period = :period
"""  # noqa: S608 - our own text
_COLUMNS = ("account_id", "zone", "dimension", "period", "key", "leads", "came", "visits", "watch_sec", "long_visits")
_COUNTS = _COLUMNS[5:]
_ADD = BulkWrite(
    table="conversion_rollups",
    columns=_COLUMNS,
    types=("int", "text", "text", "text", "text", "int", "int", "int", "bigint", "int"),
    conflict="(account_id, zone, dimension, period, key) DO UPDATE SET "
    + ", ".join(f"{name} = t.{name} + excluded.{name}" for name in _COUNTS),
)

Marks = dict[tuple[str, int], int]  # (UTC date, session) → stamp


async def refresh(database: Database, account_id: int, zone: ZoneInfo) -> int:
    """Bring the sums up to what is stored; how many days were counted. Quick when nothing changed.

    While visits follow a table that has just become visible, the sums stay as they were before it.
    """
    async with database.read() as connection:
        if await unsettled(connection, account_id):
            return 0
    await _move_to_zone(database, account_id, zone)
    counted = 0
    for _ in range(_ROUNDS):
        async with database.read() as connection:
            marks = await _marks(connection, account_id)
        if not marks:
            break
        for day in _local_days((day for day, _ in marks), zone):
            await _refresh_day(database, account_id, zone, day, marks)
            counted += 1
        await database.write(partial(_clear, account_id=account_id, marks=marks))
    return counted


def bounds_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when to when a local day is, aware UTC, the end not included."""
    start, end = (datetime.combine(one, time.min, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)


async def _refresh_day(database: Database, account_id: int, zone: ZoneInfo, day: date, marks: Marks) -> None:
    since, until = bounds_of(day, zone)
    values: dict[str, Any] = {"account": account_id}
    values |= {name: driver_time(at, database.dialect_name) for name, at in (("since", since), ("until", until))}
    async with database.read() as connection:
        rows = await fetch(connection, _DAY, values)
    counts = _by_dimension(rows)
    dates = {day_of(since), day_of(until - timedelta(microseconds=1))}
    expected = {key: stamp for key, stamp in marks.items() if key[0] in dates}

    async def job(connection: AsyncConnection) -> None:
        now = await _marks(connection, account_id)
        if {key: stamp for key, stamp in now.items() if key[0] in dates} == expected and not await unsettled(
            connection, account_id
        ):
            await _store(connection, account_id, zone.key, day, counts)

    await database.write(job)


def mark_key(mark: str) -> str:
    """A source or partner however its case was typed."""
    return mark.strip().casefold()[:MOST_KEY]


def _by_dimension(rows: Iterable[Any]) -> dict[Keys, Counts]:
    sums: dict[Keys, Counts] = defaultdict(lambda: _ZERO)
    for direction, creative, source, partner, *counts in rows:
        for dimension, key in (
            (Dimension.DIRECTION, str(direction or "")),
            (Dimension.CREATIVE, str(creative or "")),
            (Dimension.SOURCE, mark_key(source)),
            (Dimension.PARTNER, mark_key(partner)),
        ):
            sums[dimension.value, key] = _added(sums[dimension.value, key], counts)
    return dict(sums)


def _added(one: Iterable[int], other: Iterable[int], sign: int = 1) -> Counts:
    leads, came, visits, watched, long = (int(a) + sign * int(b) for a, b in zip(one, other, strict=True))
    return leads, came, visits, watched, long


async def _store(connection: AsyncConnection, account_id: int, zone: str, day: date, counts: Mapping[Keys, Counts]) -> None:
    """The day's new sums in place of the old, and the difference on its month."""
    mine = {"account": account_id, "zone": zone, "period": day.isoformat()}
    old: dict[Keys, Counts] = {(row[0], row[1]): _added(row[2:], _ZERO) for row in await fetch(connection, _STORED, mine)}
    differences = {key: _added(counts.get(key, _ZERO), old.get(key, _ZERO), -1) for key in {*counts, *old}}
    differences = {key: change for key, change in differences.items() if change != _ZERO}
    if not differences:
        return
    for period in (day.isoformat(), f"{day:%Y-%m}"):
        rows: list[tuple[Value, ...]] = [
            (account_id, zone, dimension, period, key, *differences[dimension, key])
            for dimension, key in sorted(differences)
        ]
        await _ADD.run(connection, rows)
        if any(change[0] < 0 for change in differences.values()):
            empty = f"DELETE FROM conversion_rollups WHERE {_MINE} AND period = :period AND leads = 0"  # noqa: S608 - as above
            await execute(connection, empty, mine | {"period": period})


async def _marks(connection: AsyncConnection, account_id: int) -> Marks:
    """Of what may be counted: a session's own wait until it is complete."""
    return {(row[0], row[1]): row[2] for row in await fetch(connection, _MARKS, {"account": account_id})}


async def _clear(connection: AsyncConnection, account_id: int, marks: Marks) -> None:
    """All of them in one write: whoever counts a day at the same time sees either all marks of it or none."""
    if await unsettled(connection, account_id):  # then not all of them were stored
        return
    sql = "DELETE FROM conversion_dirty WHERE account_id = :account AND stamp IN {ids}"
    await execute(connection, sql, {"account": account_id, "ids": list(marks.values())})


def _local_days(dates: Iterable[str], zone: ZoneInfo) -> list[date]:
    """The days of the zone that these UTC dates reach into."""
    days = set()
    for name in set(dates):
        start = datetime.fromisoformat(name).replace(tzinfo=UTC)
        days |= {(start + timedelta(hours=hours)).astimezone(zone).date() for hours in (0, 12)}
        days.add((start + timedelta(days=1, microseconds=-1)).astimezone(zone).date())
    return sorted(days)


async def _move_to_zone(database: Database, account_id: int, zone: ZoneInfo) -> None:
    """Sums by the days of another zone go, and every day is counted again: first the marks, so that none is forgotten."""
    other = "SELECT zone FROM conversion_rollups WHERE account_id = :account AND zone {} :zone LIMIT 1"
    mine = {"account": account_id, "zone": zone.key}
    async with database.read() as connection:
        found = [*await fetch(connection, other.format("<"), mine), *await fetch(connection, other.format(">"), mine)]
        if not found:
            return
        created = await fetch(connection, _LEAD_DAYS[connection.dialect.name], mine)
    days = sorted(row[0] for row in created)
    for start in range(0, len(days), _MARKED_AT_ONCE):
        await database.write(partial(mark_days, account_id=account_id, days=days[start : start + _MARKED_AT_ONCE]))
    for (old,) in found:
        sql = "DELETE FROM conversion_rollups WHERE account_id = :account AND zone = :zone AND period LIKE :month"
        months = sorted({day[:7] for day in days} | {name[:7] for name in await _months(database, account_id, old)})
        for month in months:
            values = {"account": account_id, "zone": old, "month": f"{month}%"}
            await database.write(partial(execute, sql=sql, values=values))


async def _months(database: Database, account_id: int, zone: str) -> list[str]:
    sql = f"SELECT DISTINCT period FROM conversion_rollups WHERE {_MINE} AND length(period) = 7"  # noqa: S608 - as above
    async with database.read() as connection:
        return [row[0] for row in await fetch(connection, sql, {"account": account_id, "zone": zone})]


_LEAD_DAYS = {
    "sqlite": "SELECT DISTINCT substr(created_at, 1, 10) FROM leads WHERE account_id = :account",
    "postgresql": """SELECT DISTINCT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') FROM leads
                     WHERE account_id = :account""",
}
