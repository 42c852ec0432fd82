"""The ground for tests: a migrated database of each kind, and clocks that are moved by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.engine import Database
from storage.migrate import migrate
from tests.postgres import Postgres


class HandClock:
    """Starts at noon UTC of a fixed day and moves only when told."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)) -> None:
        self.moment = start
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated, open database: the same tests on SQLite and PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/svodka.db"
        await migrate(url)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = await server.fresh_database(migrate)
    opened = Database(url)
    opened.open()
    yield opened
    await opened.close()
    if request.param == "postgresql":
        await server.drop(url)


async def until(condition: object, *, seconds: float = 30.0) -> None:
    """Wait until ``condition()`` is true; AssertionError when it never is."""
    assert callable(condition)
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0.005)
