"""A batch of deliveries and the work they give as one statement, which commits by itself, on either database."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain
from operator import itemgetter
from typing import Protocol

from storage.bulk import WORK_COLUMNS, Values, bulk_insert, in_columns, insert_work
from storage.engine import Database
from storage.models import inbox
from storage.models.types import driver_time
from storage.sqlite import in_one_transaction

INBOX_COLUMNS = (
    "id", "account_id", "connection_id", "vendor", "kind", "dedup_key", "state", "body_sha256", "request", "received_at",
)  # fmt: skip
MOST_ROWS = 128  # in one statement of SQLite; all its sizes stay in the connection's cache of statements

_DEDUP_KEY = itemgetter(INBOX_COLUMNS.index("dedup_key"))
_OBJECT = itemgetter(WORK_COLUMNS.index("object"))


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


class Arrivals(Protocol):
    async def store(self, arrivals: Sequence[Arrival]) -> set[str]:
        """On disk when this returns: the ids of the deliveries that were new."""
        ...


def build_arrivals(database: Database) -> Arrivals:
    return _OnSqlite(database) if database.is_sqlite else _OnPostgres(database)


class _OnSqlite:
    """Each step of a statement lets the interpreter's lock go, and to get it back from a busy loop costs more than the step.

    So there is one statement with one step: into a view, whose trigger puts each row where it belongs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._prepared: sqlite3.Connection | None = None

    async def store(self, arrivals: Sequence[Arrival]) -> set[str]:
        rows = [row for arrival in arrivals for row in _arrived(arrival)]
        return await self._database.write_whole(partial(self._insert, arrivals, rows))

    def _insert(self, arrivals: Sequence[Arrival], rows: list[Values], raw: sqlite3.Connection) -> set[str]:
        if raw is not self._prepared:
            raw.execute(_VIEW)
            raw.execute(_TRIGGER)
            self._prepared = raw
        before, ids = raw.total_changes, _ids(arrivals)
        if len(rows) <= MOST_ROWS:
            raw.execute(_into_view(len(rows)), tuple(chain.from_iterable(rows)))
        else:
            in_one_transaction(raw, partial(_insert_many, rows))
        if raw.total_changes - before == _count(arrivals):
            return ids
        return {one for one in ids if raw.execute("SELECT 1 FROM inbox WHERE id = ?", (one,)).fetchone()}


class _OnPostgres:
    """Both inserts and the word to the leader, where there is new work, in one statement with one answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        deliveries = bulk_insert(database, inbox, INBOX_COLUMNS, ("connection_id", "dedup_key")).unnesting
        stored, made = f"stored AS ({deliveries} RETURNING 1)", f"made AS ({insert_work(database).unnesting} RETURNING 1)"
        self._alone = f"WITH {stored} SELECT count(*) FROM stored"  # noqa: S608 - all of it our own names
        self._with_work = f"""
            WITH {stored}, {made} SELECT (SELECT count(*) FROM stored) + (SELECT count(*) FROM made),
            CASE WHEN EXISTS (SELECT FROM made) THEN pg_notify('svodka_work', '') END"""  # noqa: S608

    async def store(self, arrivals: Sequence[Arrival]) -> set[str]:
        # One order in every process, or two nodes could wait for each other's keys.
        deliveries = sorted([_delivery(arrival, "postgresql") for arrival in arrivals], key=_DEDUP_KEY)
        works = sorted([_work(arrival, seed) for arrival in arrivals for seed in arrival.seeds], key=_OBJECT)
        sql, ids = self._with_work if works else self._alone, _ids(arrivals)
        (answer,) = await self._database.write_at_once(sql, (*in_columns(deliveries), *in_columns(works)))
        if answer[0] == _count(arrivals):
            return ids
        return {one for (one,) in await self._database.write_at_once(_STORED, (list(ids),))}


_STORED = "SELECT id FROM inbox WHERE id = ANY(%s)"


def _ids(arrivals: Sequence[Arrival]) -> set[str]:
    return {arrival.id for arrival in arrivals}


def _count(arrivals: Sequence[Arrival]) -> int:
    """The rows there are when nothing was there before."""
    return len(arrivals) + sum([len(arrival.seeds) for arrival in arrivals])


def _delivery(arrival: Arrival, dialect_name: str) -> Values:
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
        driver_time(arrival.received_at, dialect_name),
    )


def _work(arrival: Arrival, seed: WorkSeed) -> Values:
    """In the order of WORK_COLUMNS, due at once."""
    now = arrival.received_at
    return (arrival.account_id, seed.kind, seed.object, 1, seed.payload, "hook", arrival.id, "ready", now, now)


_NOTHING = (None,) * (len(INBOX_COLUMNS) - 3)
_VIEWED = (*INBOX_COLUMNS, "work_kind", "work_object", "work_payload")
_VIEW = f"CREATE TEMP VIEW IF NOT EXISTS arrivals AS SELECT {', '.join(f'NULL AS {name}' for name in _VIEWED)}"
_TRIGGER = f"""
CREATE TEMP TRIGGER IF NOT EXISTS arrival INSTEAD OF INSERT ON arrivals BEGIN
    INSERT INTO inbox ({", ".join(INBOX_COLUMNS)}) SELECT {", ".join(f"NEW.{name}" for name in INBOX_COLUMNS)}
    WHERE NEW.dedup_key IS NOT NULL ON CONFLICT (connection_id, dedup_key) DO NOTHING;
    INSERT INTO work ({", ".join(WORK_COLUMNS)})
    SELECT NEW.account_id, NEW.work_kind, NEW.work_object, 1, NEW.work_payload, 'hook', NEW.id, 'ready',
           NEW.received_at, NEW.received_at
    WHERE NEW.work_object IS NOT NULL ON CONFLICT (account_id, kind, object, generation) DO NOTHING;
END"""


def _arrived(arrival: Arrival) -> Iterator[Values]:
    """In the order of _VIEWED: the delivery with the first piece of its work, then the other pieces without a key."""
    delivery = _delivery(arrival, "sqlite")
    if not arrival.seeds:
        yield (*delivery, None, None, None)
    for seed in arrival.seeds:
        yield (*delivery, seed.kind, seed.object, seed.payload)
        delivery = (arrival.id, arrival.account_id, *_NOTHING, delivery[-1])


def _insert_many(rows: list[Values], raw: sqlite3.Connection) -> None:
    for start in range(0, len(rows), MOST_ROWS):
        some = rows[start : start + MOST_ROWS]
        raw.execute(_into_view(len(some)), tuple(chain.from_iterable(some)))


@lru_cache(maxsize=MOST_ROWS)
def _into_view(rows: int) -> str:
    marks = f"({', '.join('?' * len(_VIEWED))})"
    return "INSERT INTO arrivals VALUES " + ", ".join([marks] * rows)  # noqa: S608
