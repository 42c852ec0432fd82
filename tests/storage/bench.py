"""A runner over scripted outcomes, and what its tests look at."""

import asyncio
from typing import Self

import pytest
from sqlalchemy import select

from bot.work import Route, Runner
from domain.events import CallEnded
from domain.ports import Steps
from domain.work import WorkItem
from storage.codec import dumps
from storage.engine import Database
from storage.models import work
from storage.work import WorkRow, WorkStore
from tests.ground import HandClock


class Watcher:
    """A Watch that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    async def failed(self, row: WorkRow, error: Exception, *, failures: int, error_id: str) -> None:
        assert error_id
        self.told.append(("failed", failures))

    async def died(self, row: WorkRow, error: Exception | None, *, error_id: str) -> None:
        self.told.append(("died", row.attempts))

    async def succeeded(self, row: WorkRow) -> None:
        self.told.append(("succeeded", row.id))

    async def poisoned(self, count: int) -> None:
        self.told.append(("poisoned", count))


@pytest.fixture
def store(database: Database) -> WorkStore:
    return WorkStore(database)


async def add(store: WorkStore, clock: HandClock, name: str = "1") -> None:
    event = CallEnded(vendor="bitrix24", external_id=name, occurred_at=clock.now())
    payload = dumps(CallEnded, event)
    await store.add(account_id=1, kind="call", object_=f"bitrix24:{name}", payload=payload, source="hook", now=clock.now())


async def claim_all(store: WorkStore, clock: HandClock) -> list[WorkRow]:
    """All that is due, suspects as well."""
    return await store.claim(clock.now(), 5) + await store.claim(clock.now(), 5, suspects=True)


async def rows(database: Database) -> list[dict[str, object]]:
    async with database.read() as connection:
        return [dict(row._mapping) for row in await connection.execute(select(work).order_by(work.c.id))]


class Bench:
    """A runner over scripted outcomes: each try takes the next one, None is success."""

    def __init__(self, database: Database, clock: HandClock, outcomes: list[Exception | None]) -> None:
        self.outcomes = outcomes
        self.tries = 0
        self.watch = Watcher()
        self.clock = clock
        self.runner = Runner(
            database, WorkStore(database), {"call": Route(kind="call", event=CallEnded, run=self.run)}, clock, self.watch
        )

    async def run(self, item: WorkItem[CallEnded], steps: Steps) -> None:
        assert item.event.external_id
        self.tries += 1
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.runner.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.runner.stop()


async def settled(database: Database, state: str) -> None:
    for _ in range(6000):
        if {row["state"] for row in await rows(database)} == {state}:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {state}: {await rows(database)}")
