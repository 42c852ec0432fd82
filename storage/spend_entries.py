"""Money told of in words: drafts, what is counted of them, and the way back. A table's amounts stay beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import CreativeRow
from domain.spending import Ad, EntryState, SpendEntry, spread
from storage.engine import Database
from storage.leads import TYPED
from storage.models import spend_entries as entries
from storage.models.types import driver_time
from storage.names import Names, add_creatives, add_directions, read_names
from storage.rollups import mark_key, refresh
from storage.sets import BulkWrite, Row, execute, fetch

_SPEND = BulkWrite(
    table="spend",
    columns=(
        "account_id", "entry_id", "currency", "source", "created_at", "key", "day", "direction_id", "creative_id",
        "utm_source", "amount",
    ),
    types=("int", "int", "text", "text", "timestamptz", "text", "text", "int", "int", "text", "bigint"),
    conflict="(account_id, key) DO UPDATE SET amount = excluded.amount",
    alike=5,
)  # fmt: skip
# A creative belongs to its direction, whatever a table says of it.
_BESIDE = """
SELECT s.id, s.entry_id, s.key, s.day, s.amount, s.currency, s.utm_source, coalesce(d.name, ''), coalesce(c.title, ''),
       s.replaced_by
FROM spend AS s LEFT JOIN creatives AS c ON c.id = s.creative_id
LEFT JOIN directions AS d ON d.id = coalesce(s.direction_id, c.direction_id)
WHERE s.account_id = :account AND s.currency = :currency AND s.day BETWEEN :first AND :last ORDER BY s.day, s.id
"""
_REPLACED = """
SELECT entry_id, sum(amount) FROM spend
WHERE account_id = :account AND entry_id IN {ids} AND replaced_by IS NOT NULL GROUP BY 1
"""
_STAND_FOR = "UPDATE spend SET replaced_by = :entry WHERE id IN {ids}"
# What an entry stood for is handed on to whatever stands for the entry itself on that day: it is the same money.
_HAND_ON = """
UPDATE spend SET replaced_by = (
    SELECT gone.replaced_by FROM spend AS gone
    WHERE gone.account_id = :account AND gone.entry_id = :entry AND gone.day = spend.day
)
WHERE account_id = :account AND replaced_by = :entry
"""
_GO_AWAY = "DELETE FROM spend WHERE account_id = :account AND entry_id = :entry"
_SOURCES = """
SELECT DISTINCT key FROM conversion_rollups
WHERE account_id = :account AND dimension = 'source' AND length(period) = 7 AND key <> ''
"""
_PAID_SOURCES = "SELECT DISTINCT utm_source FROM spend WHERE account_id = :account AND utm_source <> ''"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An amount of one day that is stored already, in minor units.

    ``entry_id`` None: a table's. ``replaced_by``: the entry that stands for it, so that it is counted nowhere.
    """

    id: int
    entry_id: int | None
    key: str
    day: date
    amount: int
    currency: str
    ad: Ad
    replaced_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAds:
    """What ads are called so far. Sources as leads and expenses carry them, in lower case."""

    sources: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    creatives: tuple[str, ...] = ()


async def known_ads(database: Database, account_id: int, zone: ZoneInfo) -> KnownAds:
    """``zone``: the account's."""
    await refresh(database, account_id, zone)
    mine = {"account": account_id}
    async with database.read() as connection:
        told = [*await fetch(connection, _SOURCES, mine), *await fetch(connection, _PAID_SOURCES, mine)]
        ours = await fetch(connection, "SELECT name FROM directions WHERE account_id = :account ORDER BY id", mine)
        ads = await fetch(connection, "SELECT title FROM creatives WHERE account_id = :account ORDER BY id", mine)
    sources = sorted({mark_key(row[0]) for row in told} - {""})
    return KnownAds(
        sources=tuple(sources), directions=tuple(row[0] for row in ours), creatives=tuple(row[0] for row in ads)
    )  # fmt: skip


async def spent_between(
    database: Database, account_id: int, currency: str, *, first: date, last: date, without: int | None = None
) -> list[Spent]:
    """All amounts of these days, by day; as if the entry ``without`` were not there."""
    values = {"account": account_id, "currency": currency, "first": first.isoformat(), "last": last.isoformat()}
    async with database.read() as connection:
        spent = [_as_spent(row) for row in await fetch(connection, _BESIDE, values)]
    if without is None:
        return spent
    heirs = {one.day: one.replaced_by for one in spent if one.entry_id == without}
    return [
        replace(one, replaced_by=heirs.get(one.day)) if one.replaced_by == without else one
        for one in spent
        if one.entry_id != without
    ]


def _as_spent(row: Row) -> Spent:
    number, entry_id, key, day, amount, currency, source, direction, creative, replaced_by = row
    return Spent(
        id=number, entry_id=entry_id, key=key, day=date.fromisoformat(day), amount=amount, currency=currency,
        ad=Ad(source=source, direction=direction, creative=creative), replaced_by=replaced_by,
    )  # fmt: skip


def same_money(entry: SpendEntry, spent: Sequence[Spent]) -> list[Spent]:
    """Which of these counted amounts could be the entry's own, told once more."""
    return [one for one in spent if one.replaced_by is None and entry.ad.may_be(one.ad)]


class SpendEntries:
    """Each method is one write or one read. What has been done already gives False."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, account_id: int, entry: SpendEntry, now: datetime) -> int:
        """Its number. Drafts stay: a number that were given once more would be on the buttons of an old message."""
        values = _values(entry) | {"account_id": account_id, "state": EntryState.DRAFT, "changed_at": now}

        async def job(connection: AsyncConnection) -> int:
            return int((await connection.execute(insert(entries).values(**values).returning(entries.c.id))).scalar_one())

        return await self._database.write(job)

    async def get(self, account_id: int, entry_id: int) -> SpendEntry | None:
        async with self._database.read() as connection:
            return await _get(connection, account_id, entry_id)

    async def listed(self, account_id: int, *, limit: int, offset: int = 0) -> tuple[list[SpendEntry], int]:
        """Those that are counted, the newest first; and how many there are."""
        mine = (entries.c.account_id == account_id) & (entries.c.state == EntryState.IN)
        page = select(entries).where(mine).order_by(entries.c.id.desc()).limit(limit).offset(offset)
        async with self._database.read() as connection:
            some = [_entry(row) for row in await connection.execute(page)]
            total = await connection.scalar(select(func.count()).select_from(entries).where(mine))
            return await _with_replaced(connection, account_id, some), int(total or 0)

    async def name(self, account_id: int, entry_id: int, ad: Ad) -> bool:
        """Another ad for a draft."""
        values = {"utm_source": ad.source, "direction": ad.direction, "creative": ad.creative}

        async def job(connection: AsyncConnection) -> bool:
            mine = _mine(account_id, entry_id, EntryState.DRAFT)
            return bool((await connection.execute(update(entries).where(mine).values(**values))).rowcount)

        return await self._database.write(job)

    async def enter(self, account_id: int, entry_id: int, now: datetime, *, instead: bool) -> bool:
        """Count a draft. ``instead``: amounts that could be the same money are counted no more, as long as it stands."""

        async def job(connection: AsyncConnection) -> bool:
            entry = await _get(connection, account_id, entry_id)
            mine = _mine(account_id, entry_id, EntryState.DRAFT)
            if entry is None or not await _move(connection, mine, EntryState.IN, now):
                return False
            if entry.edits is not None:
                await _leave(connection, account_id, entry.edits, now)
            if instead:
                spent = [_as_spent(row) for row in await fetch(connection, _BESIDE, _days_of(account_id, entry))]
                ids = [one.id for one in same_money(entry, spent)]
                await execute(connection, _STAND_FOR, {"entry": entry_id, "ids": ids})
            await _put(connection, account_id, entry, now)
            return True

        return await self._database.write(job)

    async def take_out(self, account_id: int, entry_id: int, now: datetime) -> bool:
        """Count it no more; what it stood for counts again, unless a later entry stands for that too."""

        async def job(connection: AsyncConnection) -> bool:
            return await _leave(connection, account_id, entry_id, now)

        return await self._database.write(job)

    async def again(self, account_id: int, entry_id: int, now: datetime) -> bool:
        """What was taken out is a draft once more."""

        async def job(connection: AsyncConnection) -> bool:
            mine = _mine(account_id, entry_id, EntryState.OUT)
            await connection.execute(update(entries).where(mine).values(edits=None))
            return await _move(connection, mine, EntryState.DRAFT, now)

        return await self._database.write(job)


async def _get(connection: AsyncConnection, account_id: int, entry_id: int) -> SpendEntry | None:
    row = (await connection.execute(select(entries).where(_mine(account_id, entry_id)))).one_or_none()
    return (await _with_replaced(connection, account_id, [_entry(row)]))[0] if row is not None else None


async def _with_replaced(connection: AsyncConnection, account_id: int, some: Sequence[SpendEntry]) -> list[SpendEntry]:
    found = await fetch(connection, _REPLACED, {"account": account_id, "ids": [entry.id for entry in some]})
    sums = {row[0]: int(row[1]) for row in found}
    return [replace(entry, replaced=sums.get(entry.id, 0)) for entry in some]


async def _move(connection: AsyncConnection, mine: Any, to: EntryState, now: datetime) -> bool:
    """False when it was not in the state of ``mine``: somebody else was quicker."""
    return bool((await connection.execute(update(entries).where(mine).values(state=to, changed_at=now))).rowcount)


async def _leave(connection: AsyncConnection, account_id: int, entry_id: int, now: datetime) -> bool:
    """Out of the sums, if it was in them."""
    left = await _move(connection, _mine(account_id, entry_id, EntryState.IN), EntryState.OUT, now)
    for sql in (_HAND_ON, _GO_AWAY) if left else ():
        await execute(connection, sql, {"account": account_id, "entry": entry_id})
    return left


async def _put(connection: AsyncConnection, account_id: int, entry: SpendEntry, now: datetime) -> None:
    """A row for each day that gets a kopeck at least. Names that are new come with it."""
    names = await _named(connection, account_id, entry.ad, now)
    ad = (names.direction(entry.ad.direction), names.creative(entry.ad.creative), entry.ad.source)
    rows = [
        (f"entry:{entry.id}:{day}", day.isoformat(), *ad, amount)
        for day, amount in spread(entry.amount, entry.first, entry.last)
        if amount
    ]
    at = driver_time(now, connection.dialect.name)
    await _SPEND.run(connection, rows, (account_id, entry.id, entry.currency, TYPED, at))


async def _named(connection: AsyncConnection, account_id: int, ad: Ad, now: datetime) -> Names:
    await add_directions(connection, account_id, [ad.direction], now)
    names = await read_names(connection, account_id)
    if ad.creative and names.creative(ad.creative) is None:
        await add_creatives(connection, account_id, [CreativeRow(title=ad.creative, direction=ad.direction)], now)
        names = await read_names(connection, account_id)
    return names


def _mine(account_id: int, entry_id: int, state: EntryState | None = None) -> Any:
    mine = (entries.c.account_id == account_id) & (entries.c.id == entry_id)
    return mine if state is None else mine & (entries.c.state == state)


def _days_of(account_id: int, entry: SpendEntry) -> dict[str, Any]:
    days = {"first": entry.first.isoformat(), "last": entry.last.isoformat()}
    return {"account": account_id, "currency": entry.currency} | days


def _values(entry: SpendEntry) -> dict[str, Any]:
    ad = entry.ad
    return {
        "amount": entry.amount, "currency": entry.currency, "first_day": entry.first.isoformat(),
        "last_day": entry.last.isoformat(), "utm_source": ad.source, "direction": ad.direction, "creative": ad.creative,
        "edits": entry.edits, "told_by": entry.told_by,
    }  # fmt: skip


def _entry(row: Any) -> SpendEntry:
    given = SpendEntry(
        amount=row.amount, currency=row.currency, first=date.fromisoformat(row.first_day),
        last=date.fromisoformat(row.last_day), ad=Ad(source=row.utm_source, direction=row.direction, creative=row.creative),
        edits=row.edits, told_by=row.told_by,
    )  # fmt: skip
    return replace(given, id=row.id, state=EntryState(row.state), changed_at=row.changed_at)
