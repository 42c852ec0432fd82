"""One database, one writer: every write of the process goes through a queue whose jobs share commits.

A write job is a coroutine function that gets a connection inside an open transaction. Jobs that wait while a commit is
under way are run together and committed once (group commit, synchronous=FULL), which is what makes a durable
acknowledgement cheap. If a shared transaction fails, its jobs are run again one by one, so a bad neighbour harms nobody;
therefore a job may run twice and must await nothing but its connection. On SQLite a whole transaction, commit included, is
one trip to its connection's thread.
"""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage import postgres, sqlite
from storage.commits import UnknownCommitError, commit_once

T = TypeVar("T")
Job = Callable[[AsyncConnection], Awaitable[T]]
Whole = Callable[[sqlite3.Connection], T]

log = logging.getLogger(__name__)

BATCH_JOBS = 128
BATCH_SECONDS = 0.010  # a write transaction holds SQLite's only writer this long at most, plus its last job
BATCH_SECONDS_WAITED_FOR = 0.003  # the same while somebody outside waits for his turn
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "cache_size=-8000",  # KiB: the indexes of a busy day stay in memory
    "wal_autocheckpoint=4000",  # pages: a checkpoint costs two more syncs and writes each changed page once
)


@dataclass(slots=True)
class _Queued:
    """A job, or what makes a commit of its own."""

    job: Job[Any] | None
    future: asyncio.Future[Any]
    alone: Callable[[], Awaitable[Any]] | None = None


class _Lanes:
    """Jobs in two lines: those that somebody outside waits for, and all others. Where both wait, they take turns."""

    def __init__(self) -> None:
        self._lanes: tuple[deque[_Queued], deque[_Queued]] = (deque(), deque())  # usual, urgent
        self._last = False
        self._arrived = asyncio.Event()
        self._left = 0
        self._none_left = asyncio.Event()

    def put(self, queued: _Queued, *, urgent: bool) -> None:
        self._lanes[urgent].append(queued)
        self._left += 1
        self._arrived.set()
        self._none_left.clear()

    async def take(self) -> list[_Queued]:
        """The next jobs of one line, when there are any."""
        await self._arrived.wait()
        usual, urgent = self._lanes
        self._last = bool(urgent) and not (self._last and usual)
        lane = self._lanes[self._last]
        return [lane.popleft() for _ in range(min(len(lane), BATCH_JOBS))]

    def __len__(self) -> int:
        return self._left

    @property
    def pressed(self) -> bool:
        """Whether somebody outside waits while our own jobs are done."""
        return not self._last and bool(self._lanes[True])

    def settled(self, count: int, rest: list[_Queued]) -> None:
        """So many of what was taken are done; the rest goes back to the front of its line."""
        self._lanes[self._last].extendleft(reversed(rest))
        self._left -= count
        if not any(self._lanes):
            self._arrived.clear()
        if not self._left:
            self._none_left.set()

    async def drained(self) -> None:
        """Return when all that was put in is done."""
        if self._left:
            await self._none_left.wait()


def normalise_url(url: str) -> URL:
    """``postgres://`` and ``postgresql://`` mean psycopg 3, ``sqlite://`` means aiosqlite."""
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    return parsed


class Database:
    """The main database. ``open`` before use, ``close`` at the end; both belong to the event loop that uses it."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = normalise_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._reader = _build_engine(self.url, pool_size=pool_size, begin="")
        self._writer = _build_engine(self.url, pool_size=1, begin="BEGIN IMMEDIATE")
        self._whole: sqlite.Connection | None = None
        self._at_once = postgres.Connection(self.url)
        self._glances = postgres.Connection(self.url)
        self._lanes = _Lanes()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.commits = 0

    @property
    def dialect_name(self) -> str:
        return self._writer.dialect.name

    @property
    def pending(self) -> int:
        """Writes that were asked for and are not committed yet."""
        return len(self._lanes)

    def open(self) -> None:
        """Start the writer. Nothing is connected yet."""
        if self._task is None:
            self._task = asyncio.create_task(self._drain(), name="database-writer")

    async def close(self) -> None:
        """Finish what was queued, then let the connections go."""
        self._closed = True
        if self._task is not None:
            await self._lanes.drained()
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._whole is not None:
            await self._whole.close()
            self._whole = None
        await self._at_once.close()
        await self._glances.close()
        await self._writer.dispose()
        await self._reader.dispose()

    async def write(self, job: Job[T], *, urgent: bool = False) -> T:
        """Run ``job`` in a write transaction and return its result after the commit.

        Whatever the job or the commit raises comes out here, with nothing written (but for UnknownCommitError, when
        PostgreSQL broke off a commit and could not be asked about it). A caller that is cancelled while it
        waits does not stop the job. ``urgent``: somebody outside waits for the commit, so it goes past what our own work
        has queued.
        """
        if self._closed or self._task is None:
            raise RuntimeError("the database is not open")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes.put(_Queued(job, future), urgent=urgent)
        return await future

    async def write_whole(self, work: Whole[T]) -> T:
        """SQLite only: like an urgent ``write``, with ``work`` and its commit in one trip to a connection's thread.

        ``work`` is one statement, which commits by itself, or goes through ``sqlite.in_one_transaction``.
        """
        return await self._write_alone(partial(self._in_one_trip, work))

    async def write_at_once(self, sql: str, values: postgres.Values) -> postgres.Rows:
        """PostgreSQL only: like an urgent ``write`` of one statement, commit and answer in one trip to the server.

        It may run twice: a connection that broke under it is opened anew.
        """
        return await self._write_alone(partial(self._in_one_statement, sql, values))

    async def _write_alone(self, write: Callable[[], Awaitable[T]]) -> T:
        if self._closed or self._task is None:
            raise RuntimeError("the database is not open")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._lanes.put(_Queued(None, future, write), urgent=True)
        return await future

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading: each statement sees what is committed then, and never waits for the writer (WAL)."""
        async with self._reader.connect() as connection:
            yield connection

    async def glance(self, sql: str, values: postgres.Values) -> postgres.Rows:
        """PostgreSQL only: the rows of a small read that somebody outside waits for, in one trip; see sets.glance."""
        return await self._glances.run(sql, values)

    async def ping(self) -> None:
        """Raise whatever the database raises when it is gone."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def _drain(self) -> None:
        while True:
            batch, rest = await self._lanes.take(), []
            try:
                rest = await self._run(batch)
            except asyncio.CancelledError:
                _fail(batch, RuntimeError("the database was closed"))
                raise
            except Exception:  # the writer must outlive anything
                log.exception("database writer")
                _fail(batch, RuntimeError("the write failed"))
            self._lanes.settled(len(batch) - len(rest), rest)

    async def _run(self, batch: list[_Queued]) -> list[_Queued]:
        """One transaction; what did not fit into it comes back."""
        taken, results, error = await self._together(batch)
        if error is None:
            for queued, result in zip(batch[:taken], results, strict=True):
                _settle(queued.future, result)
        elif taken == 1 or isinstance(error, UnknownCommitError):
            _fail(batch[:taken], error)
        else:
            for queued in batch[:taken]:
                await self._run([queued])
        return batch[taken:]

    async def _together(self, batch: list[_Queued]) -> tuple[int, list[Any], Exception | None]:
        """Run as many jobs as fit into one transaction: how many were taken, their results, or what went wrong."""
        results: list[Any] = []
        try:
            if batch[0].alone is not None:
                results.append(await batch[0].alone())
                return 1, results, None
            async with self._writer.connect() as connection:
                jobs = partial(self._do, connection, batch, results)
                if self.is_sqlite:
                    await driver_of(connection).aboard(partial(_commit, connection, jobs))
                else:
                    await commit_once(connection, self._reader, jobs)
            self.commits += 1
        except UnknownCommitError as error:  # all that ran, and no neighbour that did not
            return len(results), [], error
        except Exception as error:
            return min(len(results) + 1, len(batch)), [], error
        return len(results), results, None

    async def _do(self, connection: AsyncConnection, batch: list[_Queued], results: list[Any]) -> None:
        """As many jobs as fit; their results are added to ``results``."""
        started = time.monotonic()
        for queued in batch:
            if queued.job is None:
                break
            results.append(await queued.job(connection))
            if time.monotonic() - started > (BATCH_SECONDS_WAITED_FOR if self._lanes.pressed else BATCH_SECONDS):
                break

    async def _in_one_trip(self, work: Whole[T]) -> T:
        """The second connection that writes; both are used by the writer's task alone, so neither waits for the other."""
        if self._whole is None:
            opened = sqlite.connect(str(self.url.database), timeout=5, isolation_level=None)
            await opened
            await opened.trip(_set_pragmas)
            self._whole = opened
        result = await self._whole.trip(work)
        self.commits += 1
        return result

    async def _in_one_statement(self, sql: str, values: postgres.Values) -> postgres.Rows:
        rows = await self._at_once.run(sql, values)
        self.commits += 1
        return rows


async def _commit(connection: AsyncConnection, jobs: Callable[[], Awaitable[None]]) -> None:
    async with connection.begin():
        await jobs()


def driver_of(connection: AsyncConnection | Connection) -> sqlite.Connection:
    """The driver's connection under a connection to SQLite."""
    inner = connection if isinstance(connection, Connection) else connection.sync_connection
    driver = inner.connection.driver_connection if inner is not None else None
    assert isinstance(driver, sqlite.Connection)  # noqa: S101 - our engines have no other
    return driver


def _settle(future: "asyncio.Future[Any]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _raise(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _fail(batch: list[_Queued], error: Exception) -> None:
    for queued in batch:
        _raise(queued.future, error)


def _build_engine(url: URL, *, pool_size: int, begin: str) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=pool_size, max_overflow=5, pool_pre_ping=True, hide_parameters=True)
    options = {"timeout": 5, "async_creator_fn": sqlite.connect}
    # No overflow: its connections, threads with them, would be opened and closed with each burst of reads.
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_use_lifo=True, connect_args=options, hide_parameters=True
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)

    def start(connection: Connection) -> None:
        driver_of(connection).begin(begin)

    event.listen(engine.sync_engine, "begin", start)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, so that a write begins as a write
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_pragmas(raw: sqlite3.Connection) -> None:
    for pragma in _PRAGMAS:
        raw.execute(f"PRAGMA {pragma}")
