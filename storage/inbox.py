"""Deliveries on disk before they are answered, and the work they give, in one commit."""

import asyncio
import secrets
import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count
from operator import itemgetter

from sqlalchemy import select

from storage.bulk import WORK_COLUMNS, BulkInsert, Values, bulk_insert, in_columns, insert_work
from storage.engine import Database
from storage.models import inbox
from storage.models.types import driver_time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(70, -1, -10)
_LOW_BITS = 35
_numbers = count(secrets.randbits(_LOW_BITS))  # two processes do not count alike

NOTIFY = "NOTIFY svodka_work"
INBOX_COLUMNS = (
    "id", "account_id", "connection_id", "vendor", "kind", "dedup_key", "state", "body_sha256", "request", "received_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSeed:
    """Work to be made from a delivery. ``object`` is the vendor's object ("bitrix24:CALL_ID"), ``payload`` the event."""

    kind: str
    object: str
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A verified, redacted, encrypted delivery with the work it gives. ``id`` comes from ``new_delivery_id``."""

    id: str
    account_id: int
    connection_id: int
    vendor: str
    kind: str
    dedup_key: str
    body_sha256: str
    request: bytes
    received_at: datetime
    seeds: tuple[WorkSeed, ...]


def new_delivery_id() -> str:
    """16 characters that sort by time: milliseconds, then a count."""
    value = (int(time.time() * 1000) << _LOW_BITS) | (next(_numbers) & ((1 << _LOW_BITS) - 1))
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


class Inbox:
    """Takes deliveries. Those that arrive while a commit is under way go into the next one together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._insert_inbox = bulk_insert(database, inbox, INBOX_COLUMNS, ("connection_id", "dedup_key"))
        self._insert_work = insert_work(database)
        self.accepted = 0
        self.duplicates = 0

    async def add(self, arrival: Arrival) -> bool:
        """Returns when the delivery is on disk: False for a repeat of one that was already there.

        Raises what the database raised if it could not be stored.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pending.append((arrival, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="inbox-flush")
        return await future

    async def _flush(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                new = await self._store([arrival for arrival, _ in batch])
            except Exception:
                await self._one_by_one(batch)
            else:
                for arrival, future in batch:
                    if not future.done():
                        future.set_result(arrival.id in new)

    async def _one_by_one(self, batch: list[tuple[Arrival, "asyncio.Future[bool]"]]) -> None:
        for arrival, future in batch:
            try:
                new = await self._store([arrival])
            except Exception as error:
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(arrival.id in new)

    async def _store(self, arrivals: list[Arrival]) -> set[str]:
        """Commit them; the ids of those that were new."""
        deliveries, works = self._rows(arrivals)
        ids = {arrival.id for arrival in arrivals}
        new = await (self._on_sqlite if self._database.is_sqlite else self._on_postgres)(deliveries, works, ids)
        self.accepted += len(new)
        self.duplicates += len(ids) - len(new)
        return new

    def _rows(self, arrivals: list[Arrival]) -> tuple[list[Values], list[Values]]:
        deliveries: list[Values] = []
        works: list[Values] = []
        for arrival in arrivals:
            moment = driver_time(arrival.received_at, self._database.dialect_name)
            deliveries.append(_delivery(arrival, moment))
            works += [_work(arrival, seed, moment) for seed in arrival.seeds]
        # One order in every process, or two nodes on PostgreSQL could wait for each other's keys.
        deliveries.sort(key=_DEDUP_KEY)
        works.sort(key=_OBJECT)
        return deliveries, works

    async def _on_sqlite(self, deliveries: list[Values], works: list[Values], ids: set[str]) -> set[str]:
        def insert(raw: sqlite3.Connection) -> set[str]:
            stored = self._insert_inbox.insert(raw, deliveries)
            self._insert_work.insert(raw, works)
            if stored == len(ids):
                return ids
            return {one for one in ids if raw.execute("SELECT 1 FROM inbox WHERE id = ?", (one,)).fetchone()}

        return await self._database.write_whole(insert)

    async def _on_postgres(self, deliveries: list[Values], works: list[Values], ids: set[str]) -> set[str]:
        sql = _with_work(self._insert_inbox, self._insert_work) if works else _without_work(self._insert_inbox)
        (counted,) = await self._database.write_at_once(sql, (*in_columns(deliveries), *in_columns(works)))
        if counted[0] == len(ids):
            return ids
        async with self._database.read() as connection:
            return set(await connection.scalars(select(inbox.c.id).where(inbox.c.id.in_(ids))))


_DEDUP_KEY = itemgetter(INBOX_COLUMNS.index("dedup_key"))
_OBJECT = itemgetter(WORK_COLUMNS.index("object"))


def _delivery(arrival: Arrival, received_at: str | datetime) -> Values:
    """In the order of INBOX_COLUMNS."""
    return (
        arrival.id,
        arrival.account_id,
        arrival.connection_id,
        arrival.vendor,
        arrival.kind[:64],
        arrival.dedup_key,
        "received" if arrival.seeds else "ignored",
        arrival.body_sha256,
        arrival.request,
        received_at,
    )


def _work(arrival: Arrival, seed: WorkSeed, now: str | datetime) -> Values:
    """In the order of WORK_COLUMNS: due at once."""
    return (arrival.account_id, seed.kind, seed.object, 1, seed.payload, "hook", arrival.id, "ready", now, now)


@lru_cache(maxsize=4)
def _with_work(deliveries: BulkInsert, works: BulkInsert) -> str:
    """Both inserts on PostgreSQL, and the word to the leader that there is something new to do."""
    return f"""
    WITH stored AS ({deliveries.unnesting} RETURNING 1), made AS ({works.unnesting} RETURNING 1)
    SELECT (SELECT count(*) FROM stored), CASE WHEN EXISTS (SELECT FROM made) THEN pg_notify('svodka_work', '') END
    """  # noqa: S608 - all of it our own names


@lru_cache(maxsize=4)
def _without_work(deliveries: BulkInsert) -> str:
    return f"WITH stored AS ({deliveries.unnesting} RETURNING 1) SELECT count(*) FROM stored"  # noqa: S608
