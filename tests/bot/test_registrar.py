"""Asking for a registration that somebody has asked for: it is begun once, and nobody waits for what was told already."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.webinars import Registrar
from domain.messages import Destination
from domain.webinars import PageId, RegistrationRequest
from handlers.webinars.desk import Asking, registration_asked
from storage.engine import Database
from storage.models import work_steps
from storage.vault import Vault
from storage.work import WorkRow, WorkStore
from tests.ground import HandClock, until

REQUEST = RegistrationRequest(page_id=PageId("111:page"), email="a@b.ru", at=datetime(2026, 12, 16, 9, tzinfo=UTC))
FIRST, SECOND = (
    registration_asked("bizon365", REQUEST, title="Урок", asked_by=user, place=Destination(chat_id=user)) for user in (7, 8)
)


class Watched(Registrar):
    """Counts how often it has looked how the work stands."""

    looked = 0

    async def _latest(self, account_id: int, object_: str) -> Any:
        row = await super()._latest(account_id, object_)
        self.looked += 1
        return row


@pytest.fixture
def store(database: Database) -> WorkStore:
    return WorkStore(database)


@pytest.fixture
def registrar(database: Database, store: WorkStore, clock: HandClock) -> Watched:
    return Watched(database, store, Vault(["key"]), clock, lambda: None)


async def begun(registrar: Registrar, store: WorkStore, clock: HandClock) -> WorkRow:
    """The first has asked, and it is being done."""
    assert await registrar.ask(1, FIRST) is Asking.STARTED
    (row,) = await store.claim(clock.now(), 5)
    return row


async def leave_step(database: Database, row: WorkRow, clock: HandClock, name: str, state: str) -> None:
    step = work_steps.insert().values(work_id=row.id, name=name, state=state, started_at=clock.now())
    await database.write(lambda tx: tx.execute(step))


async def test_a_second_asking_waits_with_the_first(registrar: Watched, store: WorkStore, clock: HandClock) -> None:
    row = await begun(registrar, store, clock)
    assert await registrar.ask(1, SECOND) is Asking.RUNNING
    await store.finish(row, clock.now())
    assert await registrar.ask(1, SECOND) is Asking.DONE


async def test_what_is_told_is_done_though_the_work_goes_on(
    registrar: Watched, store: WorkStore, clock: HandClock, database: Database
) -> None:
    row = await begun(registrar, store, clock)
    await leave_step(database, row, clock, "post:done", "done")
    assert await registrar.ask(1, SECOND) is Asking.DONE


async def test_what_has_just_been_refused_is_asked_for_again(
    registrar: Watched, store: WorkStore, clock: HandClock, database: Database
) -> None:
    row = await begun(registrar, store, clock)
    await leave_step(database, row, clock, "register", "failed")
    asking = asyncio.create_task(registrar.ask(1, SECOND))
    await until(lambda: registrar.looked)
    await store.bury(row, now=clock.now(), error_code="bad_time", error="")
    assert await asking is Asking.STARTED
