"""The statements of every call, handed to the driver as they are: a third of the cost of a compiled statement."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database, driver_of
from storage.models import work
from storage.models.types import driver_time

MOST_ROWS = 32  # in one statement of SQLite; all its sizes together stay in the connection's cache of statements
WORK_COLUMNS = (
    "account_id", "kind", "object", "generation", "payload", "source", "delivery_id", "state", "due_at", "created_at",
)  # fmt: skip

Values: TypeAlias = tuple[object, ...]  # of one row, in the order of the insert's columns


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

    async def run(self, connection: AsyncConnection, rows: Sequence[dict[str, object]]) -> int:
        """How many of ``rows`` were new."""
        if not rows:
            return 0
        values = list(map(itemgetter(*self.columns), rows))
        if not self.types:
            return await driver_of(connection).trip(partial(self.insert, values=values))
        result = await connection.exec_driver_sql(self.unnesting, in_columns(values))
        return max(result.rowcount, 0)

    def insert(self, raw: sqlite3.Connection, values: Sequence[Values]) -> int:
        """On SQLite's thread, in as few steps as can be: how many were new.

        The interpreter's lock is let go for each step, and while other work is running it takes up to 5 ms to get it back.
        """
        new = 0
        for start in range(0, len(values), MOST_ROWS):
            some = values[start : start + MOST_ROWS]
            new += raw.execute(_statement(self, len(some)), tuple(chain.from_iterable(some))).rowcount
        return new

    @property
    def unnesting(self) -> str:
        """PostgreSQL's statement for any number of rows, a column an array: psycopg would send a message for each row."""
        return _unnesting(self)


def in_columns(values: Iterable[Values]) -> tuple[list[object], ...]:
    """Rows as the columns that ``BulkInsert.unnesting`` takes."""
    return tuple(map(list, zip(*values, strict=True)))


@lru_cache(maxsize=64)
def _statement(insert: BulkInsert, rows: int) -> str:
    marks = f"({', '.join('?' * len(insert.columns))})"
    return _insert(insert, "VALUES " + ", ".join([marks] * rows))


@lru_cache(maxsize=16)
def _unnesting(insert: BulkInsert) -> str:
    arrays = ", ".join(f"%b::{kind}[]" for kind in insert.types)
    return _insert(insert, f"SELECT * FROM unnest({arrays})")  # noqa: S608 - all of it our own names


def _insert(insert: BulkInsert, rows: str) -> str:
    columns, unique = ", ".join(insert.columns), ", ".join(insert.unique)
    return f"INSERT INTO {insert.table} ({columns}) {rows} ON CONFLICT ({unique}) DO NOTHING"


def bulk_insert(database: Database, table: Table, columns: tuple[str, ...], unique: tuple[str, ...]) -> BulkInsert:
    if database.is_sqlite:
        return BulkInsert(table.name, columns, unique)
    dialect = database.url.get_dialect()()
    types = tuple(table.c[name].type.compile(dialect=dialect) for name in columns)
    return BulkInsert(table.name, columns, unique, types)


def insert_work(database: Database) -> BulkInsert:
    return bulk_insert(database, work, WORK_COLUMNS, ("account_id", "kind", "object", "generation"))


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
