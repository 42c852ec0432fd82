"""A rehearsal that takes long: others are answered meanwhile, and a stop ends it with an answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import requests as module
from bot.requests import Requests, answer_of, ask
from bot.services import Services
from storage.engine import Database
from storage.models import requests
from tests.e2e.hour import Hour, open_hour
from tests.ground import until


@pytest.fixture
async def hour(tmp_path: Path) -> AsyncIterator[Hour]:
    async with open_hour(tmp_path) as opened:
        yield opened


class Rehearsals:
    """Stands for the real one, which waits for its call for up to two minutes."""

    def __init__(self) -> None:
        self.begun = 0
        self.over = asyncio.Event()

    async def rehearse(self, _: Services) -> dict[str, object]:
        self.begun += 1
        await self.over.wait()
        return {"state": "done", "number": self.begun}


@pytest.fixture
def rehearsals(monkeypatch: pytest.MonkeyPatch) -> Rehearsals:
    stand_in = Rehearsals()
    monkeypatch.setattr(module, "rehearse", stand_in.rehearse)
    return stand_in


async def asked(hour: Hour, kind: str, **payload: object) -> int:
    return await ask(hour.services.database, kind, payload, hour.clock.now())


async def states(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(select(requests.c.state).order_by(requests.c.id)))


async def test_a_replay_does_not_wait_for_a_rehearsal(hour: Hour, rehearsals: Rehearsals) -> None:
    desk, database = Requests(hour.services), hour.services.database
    first, second = await asked(hour, "rehearse"), await asked(hour, "rehearse")
    await asyncio.wait_for(desk.answer(), 60)
    replay = await asked(hour, "replay", delivery="nobody")
    await asyncio.wait_for(desk.answer(), 60)
    assert await answer_of(database, replay, seconds=1) == {"error": "not found"}
    assert rehearsals.begun == 1  # each costs money: one at a time, and each once
    rehearsals.over.set()
    assert await answer_of(database, first, seconds=60) == {"state": "done", "number": 1}
    await until(lambda: desk._rehearsal is None or desk._rehearsal.done())
    await desk.answer()
    assert await answer_of(database, second, seconds=60) == {"state": "done", "number": 2}
    await desk.stop()


async def test_a_stop_ends_the_rehearsal_and_says_so(hour: Hour, rehearsals: Rehearsals) -> None:
    desk, database = Requests(hour.services), hour.services.database
    number = await asked(hour, "rehearse")
    await desk.answer()
    await until(lambda: rehearsals.begun)
    await asyncio.wait_for(desk.stop(), 60)
    assert await answer_of(database, number, seconds=1) == {"error": "stopped"}
    await Requests(hour.services).answer()
    assert rehearsals.begun == 1


async def test_an_answer_that_cannot_be_written_is_logged(
    hour: Hour, rehearsals: Rehearsals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    desk = Requests(hour.services)
    await asked(hour, "rehearse")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_answer", broken)
        rehearsals.over.set()
        await desk.answer()
        async with asyncio.timeout(60):
            while "could not be answered" not in caplog.text:
                await asyncio.sleep(0.01)
    assert "could not be answered" in caplog.text
    assert await states(hour.services.database) == ["asked"]
    await desk.stop()
