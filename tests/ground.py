"""The ground for tests: a migrated database of each kind, and clocks that are moved by hand."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.clock import SystemClock
from storage.engine import Database
from storage.migrate import migrate
from tests.postgres import Postgres


class HandClock:
    """Starts at noon UTC of a fixed day and moves only when told, or by somebody's ``sleep``."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)) -> None:
        self.moment = start
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.forward(seconds)
        await asyncio.sleep(0)


class ShiftedClock(SystemClock):
    """The real clock, with hours that pass in no time."""

    def __init__(self) -> None:
        self.shift = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.shift)

    def monotonic(self) -> float:
        return super().monotonic() + self.shift


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


_migrated: list[bytes] = []


async def lay(path: Path) -> str:
    """A migrated SQLite database in a new file, and its address. It is migrated once a process, and copied."""
    if not _migrated:
        with TemporaryDirectory() as folder:
            made = Path(folder) / "svodka.db"
            await migrate(f"sqlite:///{made}")
            with closing(sqlite3.connect(made)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")  # as the first to open it would have it
            _migrated.append(made.read_bytes())
    path.write_bytes(_migrated[0])
    return f"sqlite:///{path}"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    database.open()
    yield database
    await database.close()


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Database]:
    """SQLite alone, where the question is not about SQL."""
    async with opened(await lay(tmp_path / "svodka.db")) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated, open database: the same tests on SQLite and PostgreSQL."""
    if request.param == "sqlite":
        async with opened(await lay(tmp_path / "svodka.db")) as database:
            yield database
        return
    server: Postgres = request.getfixturevalue("postgres")
    async with server.lent(migrate) as url, opened(url) as database:
        yield database


async def until(condition: object, *, seconds: float = 60.0) -> None:
    """Wait until ``condition()`` is true; AssertionError when it never is."""
    assert callable(condition)
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0.005)
