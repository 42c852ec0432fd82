"""One leader: a file lock beside SQLite, a session advisory lock on PostgreSQL."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from storage.engine import Database

if TYPE_CHECKING:
    import psycopg  # a twentieth of a second that a start on SQLite need not spend

_LOCK_KEY = 0x53564F444B41  # "SVODKA"
_CHECK_SECONDS = 2.0
_ANSWER_SECONDS = 5.0


class Leadership(Protocol):
    """Exclusive right to run work, send, poll and schedule."""

    stands_by: bool

    async def try_acquire(self) -> bool:
        """True when the lock is ours now."""
        ...

    async def hold(self, on_wake: Callable[[], None]) -> None:
        """Return when the lock is lost; call ``on_wake`` once it listens, and when another node has stored work."""
        ...

    async def release(self) -> None: ...


def build_leadership(database: Database, data_dir: Path) -> Leadership:
    return FileLeadership(data_dir / "leader.lock") if database.is_sqlite else SessionLeadership(database)


class FileLeadership:
    """flock on a file in DATA_DIR; the kernel lets go when the process dies, whatever killed it."""

    stands_by = False  # a second process on the same SQLite data has nothing to wait for

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    async def try_acquire(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle
        return True

    async def hold(self, on_wake: Callable[[], None]) -> None:
        """The lock of a living process cannot be lost: waits until cancelled. Nobody else writes, so nothing wakes."""
        del on_wake
        await asyncio.Event().wait()

    async def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class SessionLeadership:
    """pg_try_advisory_lock on a connection of its own, which also listens for work stored by other nodes."""

    stands_by = True

    def __init__(self, database: Database) -> None:
        url = database.url.set(drivername="postgresql")
        self._conninfo = url.render_as_string(hide_password=False)
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None

    async def try_acquire(self) -> bool:
        import psycopg

        connection = self._connection
        if connection is None or connection.closed:
            connection = await psycopg.AsyncConnection.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=5,
                keepalives_idle=2,
                keepalives_interval=1,
                keepalives_count=3,
            )
            self._connection = connection
        async with asyncio.timeout(_ANSWER_SECONDS):
            row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,))).fetchone()
        return bool(row and row[0])

    async def hold(self, on_wake: Callable[[], None]) -> None:
        import psycopg

        connection = self._connection
        if connection is None:
            return
        with suppress(psycopg.Error, OSError, TimeoutError):
            await connection.execute("LISTEN svodka_work")
            on_wake()  # what was stored before we listened
            while True:
                async for _ in connection.notifies(timeout=_CHECK_SECONDS, stop_after=1):
                    on_wake()
                async with asyncio.timeout(_CHECK_SECONDS):
                    await connection.execute("SELECT 1")

    async def release(self) -> None:
        import psycopg

        if self._connection is not None:
            with suppress(psycopg.Error, OSError):
                await self._connection.close()
            self._connection = None
