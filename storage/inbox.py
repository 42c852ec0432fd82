"""Deliveries on disk before they are answered, and the work they give, in one commit."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.bulk import BulkInsert, Rows, insert_inbox, insert_together, insert_work, inserting, new_work
from storage.engine import Database
from storage.models import inbox
from storage.models.types import driver_time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(70, -1, -10)
_LOW_BITS = 35
_numbers = count(secrets.randbits(_LOW_BITS))  # two processes do not count alike

NOTIFY = "NOTIFY svodka_work"


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
        self._insert_inbox = insert_inbox(database)
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
        inbox_rows = [self._inbox_row(arrival) for arrival in sorted(arrivals, key=lambda arrival: arrival.dedup_key)]
        # One order in every process, or two nodes on PostgreSQL could wait for each other's keys.
        work_rows = sorted((row for arrival in arrivals for row in self._work_rows(arrival)), key=_object)

        ids = [arrival.id for arrival in arrivals]
        inserts = (self._insert_inbox, inbox_rows), (self._insert_work, work_rows)
        if self._database.is_sqlite:
            new = await self._database.write_whole(partial(_inserted, work=inserting(*inserts), ids=ids))
        else:
            new = await self._on_postgres(inserts, ids)
        self.accepted += len(new)
        self.duplicates += len(arrivals) - len(new)
        return new

    async def _on_postgres(self, inserts: tuple[tuple[BulkInsert, Rows], ...], ids: list[str]) -> set[str]:
        async def job(connection: AsyncConnection) -> set[str]:
            stored, _ = await insert_together(connection, *inserts)
            if inserts[1][1]:
                await connection.exec_driver_sql(NOTIFY)
            if stored == len(ids):
                return set(ids)
            return set(await connection.scalars(select(inbox.c.id).where(inbox.c.id.in_(ids))))

        return await self._database.write(job, urgent=True)

    def _inbox_row(self, arrival: Arrival) -> dict[str, object]:
        return {
            "id": arrival.id,
            "account_id": arrival.account_id,
            "connection_id": arrival.connection_id,
            "vendor": arrival.vendor,
            "kind": arrival.kind[:64],
            "dedup_key": arrival.dedup_key,
            "state": "received" if arrival.seeds else "ignored",
            "body_sha256": arrival.body_sha256,
            "request": arrival.request,
            "received_at": driver_time(arrival.received_at, self._database.dialect_name),
        }

    def _work_rows(self, arrival: Arrival) -> list[dict[str, object]]:
        return [
            new_work(
                self._database,
                account_id=arrival.account_id,
                kind=seed.kind,
                object_=seed.object,
                payload=seed.payload,
                source="hook",
                delivery_id=arrival.id,
                now=arrival.received_at,
            )
            for seed in arrival.seeds
        ]


def _inserted(raw: sqlite3.Connection, *, work: Callable[[sqlite3.Connection], list[int]], ids: list[str]) -> set[str]:
    """Insert; the ids of the deliveries that were new."""
    if work(raw)[0] == len(ids):
        return set(ids)
    return {one for one in ids if raw.execute("SELECT 1 FROM inbox WHERE id = ?", (one,)).fetchone()}


def _object(row: dict[str, object]) -> str:
    return str(row["object"])
