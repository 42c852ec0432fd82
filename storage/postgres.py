"""A connection to PostgreSQL on which a statement, its commit and its answer are one trip to the server."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy.engine import URL

if TYPE_CHECKING:
    import psycopg  # a twentieth of a second that a start on SQLite need not spend

Values: TypeAlias = Sequence[Any] | Mapping[str, Any]
Rows: TypeAlias = list[tuple[Any, ...]]


class Connection:
    """A connection of the driver's own, past SQLAlchemy's. Every statement is prepared, and a transaction by itself."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._opening = asyncio.Lock()

    async def run(self, sql: str, values: Values) -> Rows:
        """The rows of the statement, committed. Where the connection turns out to be broken it runs again on a new one."""
        reused, connection = self._connection, await self._opened()
        try:
            return await _rows(connection, sql, values)
        except Exception:
            if not connection.broken or connection is not reused:
                raise
        return await _rows(await self._opened(), sql, values)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _opened(self) -> "psycopg.AsyncConnection[tuple[Any, ...]]":
        import psycopg

        async with self._opening:
            if self._connection is None or self._connection.closed:
                arguments, options = self._url.get_dialect()().create_connect_args(self._url)
                self._connection = await psycopg.AsyncConnection.connect(*arguments, autocommit=True, **options)
            return self._connection


async def _rows(connection: "psycopg.AsyncConnection[tuple[Any, ...]]", sql: str, values: Values) -> Rows:
    cursor = await connection.execute(sql, values, prepare=True)
    return await cursor.fetchall()
