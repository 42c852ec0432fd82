"""Statements over whole sets of values, one text for both databases and past SQLAlchemy: a third of the cost of its own."""

import json
import re
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database, driver_of

Row = tuple[Any, ...]
Value = str | int | float | bool | datetime | None
MOST_VALUES = 20_000  # in one statement; SQLite takes 32,766
MOST_ROWS = 500

_SETS = {
    "texts": ("(SELECT value FROM json_each(:{0}))", "(SELECT unnest(CAST(:{0} AS text[])))"),
    "ids": ("(SELECT value FROM json_each(:{0}))", "(SELECT unnest(CAST(:{0} AS bigint[])))"),
}
_SET = re.compile(r"\{(texts|ids)(?::(\w+))?\}")
_NAME = re.compile(r":(\w+)")


async def fetch(connection: AsyncConnection, sql: str, values: dict[str, Any]) -> Sequence[Row]:
    """The rows of ``sql`` as the driver gives them: on SQLite times are text, see ``moment``.

    ``:name`` is a value, ``{texts}`` and ``{ids}`` the set called so (``{ids:people}`` the one called people), for IN.
    """
    if connection.dialect.name != "sqlite":
        return (await connection.exec_driver_sql(_for_psycopg(sql), values)).all()
    ready = {name: json.dumps(list(value)) if _is_set(value) else value for name, value in values.items()}
    statement = _for_sqlite(sql)
    return await driver_of(connection).trip(lambda raw: raw.execute(statement, ready).fetchall())


async def glance(database: Database, sql: str, values: dict[str, Any]) -> Sequence[Row]:
    """``fetch`` of a few rows, without sets, for somebody outside who waits: on PostgreSQL a seventh of the usual cost."""
    if database.is_sqlite:
        async with database.read() as connection:
            return await fetch(connection, sql, values)
    return await database.glance(_for_psycopg(sql), values)


async def fetch_slices(
    connection: AsyncConnection, sql: str, values: dict[str, Any], *, size: int
) -> AsyncGenerator[Sequence[Row]]:
    """The rows of ``fetch``, without sets, so many at a time: no moment is spent on all of them, and no memory."""
    if connection.dialect.name == "sqlite":
        driver = driver_of(connection)
        cursor = await driver.trip(lambda raw: raw.execute(sql, values))
        try:
            while rows := await driver.trip(lambda _: cursor.fetchmany(size)):
                yield rows
        finally:
            await driver.trip(lambda _: cursor.close())
        return
    result = await connection.stream(text(sql), values, execution_options={"yield_per": size})
    try:
        async for some in result.partitions(size):
            yield some
    finally:
        await result.close()


async def execute(connection: AsyncConnection, sql: str, values: dict[str, Any]) -> int:
    """How many rows were changed; written as for ``fetch``."""
    if connection.dialect.name != "sqlite":
        return (await connection.exec_driver_sql(_for_psycopg(sql), values)).rowcount
    ready = {name: json.dumps(list(value)) if _is_set(value) else value for name, value in values.items()}
    statement = _for_sqlite(sql)
    return await driver_of(connection).trip(lambda raw: raw.execute(statement, ready).rowcount)


async def execute_each(connection: AsyncConnection, sql: str, rows: Sequence[dict[str, Any]]) -> None:
    """``sql`` once for each of ``rows``, in one trip; written as for ``fetch``, without sets."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        await connection.exec_driver_sql(_for_psycopg(sql), list(rows))
        return
    await driver_of(connection).trip(lambda raw: raw.executemany(sql, rows))


def moment(value: Any) -> datetime | None:
    """A time of ``fetch`` as aware UTC."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def storable(given: str) -> str:
    """Without what a database refuses: a zero byte, half a surrogate pair."""
    if "\0" in given:
        given = given.replace("\0", "")
    try:
        given.encode()
    except UnicodeEncodeError:
        return given.encode("utf-8", "replace").decode()
    return given


def _is_set(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


@lru_cache(maxsize=256)
def _for_sqlite(sql: str) -> str:
    return _SET.sub(lambda found: _SETS[found[1]][0].format(found[2] or found[1]), sql)


@lru_cache(maxsize=256)
def _for_psycopg(sql: str) -> str:
    sets = _SET.sub(lambda found: _SETS[found[1]][1].format(found[2] or found[1]), sql)
    return _NAME.sub(r"%(\1)s", sets.replace("%", "%%"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkWrite:
    """Many rows, each a tuple in the order of ``columns``, written in few statements.

    ``types`` are PostgreSQL's, one a column. ``conflict`` is what follows ON CONFLICT: what to do with rows that are there.
    The first ``alike`` columns have one value for all rows of a run: they are given once, and the rows begin after them.
    """

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    conflict: str
    alike: int = 0

    async def run(self, connection: AsyncConnection, rows: Sequence[tuple[Value, ...]], same: tuple[Value, ...] = ()) -> int:
        """How many rows were added or changed. Times are as ``driver_time`` gives them. ``same``: what is alike in all."""
        if not rows:
            return 0
        if connection.dialect.name != "sqlite":
            values = (*same, *map(list, zip(*rows, strict=True)))
            columns = dict(zip(self.columns, values, strict=True))
            return max((await connection.exec_driver_sql(_unnesting(self), columns)).rowcount, 0)
        statements = list(self._statements(rows, same))
        return await driver_of(connection).trip(lambda raw: sum(raw.execute(*one).rowcount for one in statements))

    def _statements(
        self, rows: Sequence[tuple[Value, ...]], same: tuple[Value, ...]
    ) -> Iterator[tuple[str, tuple[Value, ...]]]:
        """In as few steps as can be: for each the thread gives up the interpreter and may wait 5 ms to have it back.

        All but the last are of one size, so that each text is prepared once.
        """
        most = min(MOST_ROWS, MOST_VALUES // len(self.columns))
        for start in range(0, len(rows), most):
            taken = rows[start : start + most]
            yield _listing(self, len(taken)), tuple(chain(same, chain.from_iterable(taken)))


@lru_cache(maxsize=256)
def _listing(write: BulkWrite, rows: int) -> str:
    same = [f"?{place}" for place in range(1, write.alike + 1)]
    marks = f"({', '.join([*same, *'?' * (len(write.columns) - write.alike)])})"
    return _insert(write, f"VALUES {', '.join([marks] * rows)}")


@lru_cache(maxsize=64)
def _unnesting(write: BulkWrite) -> str:
    given = [f"%({name})b::{kind}" for name, kind in zip(write.columns, write.types, strict=True)]
    same, arrays = "".join(f"{one}, " for one in given[: write.alike]), ", ".join(f"{one}[]" for one in given[write.alike :])
    return _insert(write, f"SELECT {same}rest.* FROM unnest({arrays}) AS rest")  # noqa: S608 - all of it our own names


def _insert(write: BulkWrite, rows: str) -> str:
    return f"INSERT INTO {write.table} AS t ({', '.join(write.columns)}) {rows} ON CONFLICT {write.conflict}"
