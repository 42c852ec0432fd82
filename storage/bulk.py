"""The statements of every call, handed to the driver as they are: a third of the cost of a compiled statement."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database, driver_of
from storage.models import inbox, work
from storage.models.types import driver_time

MOST_ROWS = 64  # in one statement of SQLite; all its sizes together stay in the connection's cache of statements
INBOX_COLUMNS = (
    "id", "account_id", "connection_id", "vendor", "kind", "dedup_key", "state", "body_sha256", "request", "received_at",
)  # fmt: skip
WORK_COLUMNS = (
    "account_id", "kind", "object", "generation", "payload", "source", "delivery_id", "state", "due_at", "created_at",
)  # fmt: skip


Rows = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL of our own with ``:names``. Values go past SQLAlchemy's types: times through ``driver_time``."""

    sql: str

    async def run(self, connection: AsyncConnection, values: dict[str, object]) -> int:
        """How many rows were changed."""
        if connection.dialect.name != "sqlite":
            return (await connection.exec_driver_sql(_for_psycopg(self.sql), values)).rowcount
        return await driver_of(connection).trip(lambda raw: raw.execute(self.sql, values).rowcount)

    async def rows(self, connection: AsyncConnection, values: dict[str, object]) -> list[tuple[Any, ...]]:
        """What it gives, as the driver gives it: on SQLite times are text and booleans numbers."""
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in await connection.exec_driver_sql(_for_psycopg(self.sql), values)]
        return await driver_of(connection).trip(lambda raw: raw.execute(self.sql, values).fetchall())


@lru_cache(maxsize=64)
def _for_psycopg(sql: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", sql)


@dataclass(frozen=True, slots=True)
class BulkInsert:
    """Values go past SQLAlchemy's types: times through ``driver_time``."""

    table: str
    columns: tuple[str, ...]
    unique: tuple[str, ...]
    types: tuple[str, ...] = ()  # PostgreSQL's, one a column; none on SQLite

    async def run(self, connection: AsyncConnection, rows: Rows) -> int:
        """How many of ``rows`` were new."""
        return (await insert_together(connection, (self, rows)))[0]

    def statements(self, rows: Rows) -> Iterator[tuple[str, tuple[object, ...]]]:
        """For SQLite, in as few steps as there are bits in the number of rows.

        The interpreter's lock is let go for each step, and while other work is running it takes up to 5 ms to get it back.
        """
        values, start = itemgetter(*self.columns), 0
        while start < len(rows):
            size = min(MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
            taken = rows[start : start + size]
            yield _statement(self, size), tuple(chain.from_iterable(map(values, taken)))
            start += size


async def insert_together(connection: AsyncConnection, *inserts: tuple[BulkInsert, Rows]) -> list[int]:
    """The inserts one after another, on SQLite in one trip to its thread: how many rows of each were new."""
    if inserts[0][0].types:
        return [await _run_many(connection, insert, rows) for insert, rows in inserts]
    return await driver_of(connection).trip(inserting(*inserts))


def inserting(*inserts: tuple[BulkInsert, Rows]) -> Callable[[sqlite3.Connection], list[int]]:
    """The inserts as work for SQLite's thread: how many rows of each were new."""
    statements = [list(insert.statements(rows)) for insert, rows in inserts]

    def work(raw: sqlite3.Connection) -> list[int]:
        return [sum(raw.execute(sql, values).rowcount for sql, values in listed) for listed in statements]

    return work


async def _run_many(connection: AsyncConnection, insert: BulkInsert, rows: Rows) -> int:
    if not rows:
        return 0
    result = await connection.exec_driver_sql(
        _unnesting(insert), {name: [row[name] for row in rows] for name in insert.columns}
    )
    return max(result.rowcount, 0)


@lru_cache(maxsize=64)
def _statement(insert: BulkInsert, rows: int) -> str:
    marks = f"({', '.join('?' * len(insert.columns))})"
    return _insert(insert, "VALUES " + ", ".join([marks] * rows))


@lru_cache(maxsize=16)
def _unnesting(insert: BulkInsert) -> str:
    """One statement for any number of rows, a column an array: psycopg would send a message for each row."""
    arrays = ", ".join(f"%({name})b::{kind}[]" for name, kind in zip(insert.columns, insert.types, strict=True))
    return _insert(insert, f"SELECT * FROM unnest({arrays})")  # noqa: S608 - all of it our own names


def _insert(insert: BulkInsert, rows: str) -> str:
    columns, unique = ", ".join(insert.columns), ", ".join(insert.unique)
    return f"INSERT INTO {insert.table} ({columns}) {rows} ON CONFLICT ({unique}) DO NOTHING"


def insert_inbox(database: Database) -> BulkInsert:
    return _bulk_insert(database, inbox, INBOX_COLUMNS, ("connection_id", "dedup_key"))


def insert_work(database: Database) -> BulkInsert:
    return _bulk_insert(database, work, WORK_COLUMNS, ("account_id", "kind", "object", "generation"))


def new_work(
    database: Database,
    *,
    account_id: int,
    kind: str,
    object_: str,
    payload: str,
    source: str,
    delivery_id: str | None,
    now: datetime,
) -> dict[str, object]:
    """A row of ``work`` for ``insert_work``, due at once."""
    moment = driver_time(now, database.dialect_name)
    return {
        "account_id": account_id,
        "kind": kind,
        "object": object_,
        "generation": 1,
        "payload": payload,
        "source": source,
        "delivery_id": delivery_id,
        "state": "ready",
        "due_at": moment,
        "created_at": moment,
    }


def _bulk_insert(database: Database, table: Table, columns: tuple[str, ...], unique: tuple[str, ...]) -> BulkInsert:
    if database.is_sqlite:
        return BulkInsert(table.name, columns, unique)
    dialect = database.url.get_dialect()()
    types = tuple(table.c[name].type.compile(dialect=dialect) for name in columns)
    return BulkInsert(table.name, columns, unique, types)
