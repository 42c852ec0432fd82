"""SQLite's connection for the engine: one trip to its thread a statement, and to begin a transaction costs none.

A trip wakes two threads and takes the interpreter's lock twice, which is dearer than most statements are. The driver as
it comes makes three or four of them for each: open a cursor, execute, fetch, close. A whole transaction may be taken
``aboard``: then it costs one trip, however many statements it has.
"""

import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Sequence
from threading import get_ident
from typing import Any, Self, TypeAlias, TypeVar, cast

import aiosqlite

T = TypeVar("T")
Parameters: TypeAlias = "Sequence[Any] | dict[str, Any]"


class Connection(aiosqlite.Connection):
    """A connection whose thread is handed whole pieces of work."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # a process that ends without closing does not wait for it
        self._begin = ""

    def begin(self, statement: str) -> None:
        """Let the next trip begin the transaction; one in which nothing happens is never begun."""
        self._begin = statement

    async def trip(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` on the connection's thread; whatever it raises comes out here."""
        begin, self._begin = self._begin, ""
        return await self._execute(_begun, self._conn, begin, work)

    async def aboard(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine to its end on the connection's thread, where its trips need not travel any more.

        It may await this connection and nothing else: there is no event loop to come back to.
        """
        return await self.trip(lambda _: _driven(work()))

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if get_ident() == self._thread.ident:
            return fn(*args, **kwargs)
        done = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        return cast("T", done)

    async def commit(self) -> None:
        if self._open():
            await super().commit()

    async def rollback(self) -> None:
        if self._open():
            await super().rollback()

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)

    def _open(self) -> bool:
        """Whether there is a transaction to end; one that was never begun is forgotten."""
        self._begin = ""
        return self._conn.in_transaction


class Cursor:
    """What SQLAlchemy needs of a cursor. All rows are fetched in the trip that executes the statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def __await__(self) -> Generator[Any, None, "Cursor"]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Parameters = ()) -> "Cursor":
        return await self._run(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Parameters]) -> "Cursor":
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    async def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def close(self) -> None:
        """Nothing is open between two trips."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    async def _run(self, execute: Callable[[sqlite3.Cursor], object]) -> "Cursor":
        def work(raw: sqlite3.Connection) -> None:
            cursor = raw.cursor()
            execute(cursor)
            self.description = cursor.description
            self._rows = deque(cursor.fetchall() if cursor.description else ())
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
            cursor.close()

        await self._connection.trip(work)
        return self


def connect(database: str, **options: Any) -> Connection:
    """For SQLAlchemy's ``async_creator_fn``; ``options`` are those of sqlite3.connect."""
    return Connection(lambda: sqlite3.connect(database, **options))


def in_one_transaction(raw: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Begin, ``work`` and commit, for ``Connection.trip``; nothing stays open when something goes wrong."""
    raw.execute("BEGIN IMMEDIATE")
    try:
        result = work(raw)
        raw.execute("COMMIT")
    except BaseException:
        raw.rollback()
        raise
    return result


def _begun(raw: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    if begin:
        raw.execute(begin)
    return work(raw)


def _driven(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    work.close()
    raise RuntimeError("a write awaits something other than its connection")
