"""Steps are remembered by name; an outward effect that may have happened is looked up or counted."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.ports import Attempt, Tx
from storage.engine import Database
from storage.models import counters, work_steps
from storage.steps import StoredSteps
from storage.work import WorkStore
from tests.ground import HandClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    at: datetime
    names: tuple[str, ...]


@pytest.fixture
async def work_id(database: Database, clock: HandClock) -> int:
    store = WorkStore(database)
    await store.add(account_id=1, kind="call", object_="bitrix24:1", payload="{}", source="hook", now=clock.now())
    (row,) = await store.claim(clock.now(), 5)
    return row.id


async def steps_of(database: Database, clock: HandClock, work_id: int) -> StoredSteps:
    return await StoredSteps.load(database, clock, work_id, fresh=False)


async def test_a_result_is_remembered_by_its_type(database: Database, clock: HandClock, work_id: int) -> None:
    result = Found(at=datetime(2026, 11, 20, 9, tzinfo=UTC), names=("Анна",))
    calls = 0

    async def look() -> Found:
        nonlocal calls
        calls += 1
        return result

    first = await steps_of(database, clock, work_id)
    assert await first.run("look", look, Found) == result
    assert await first.run("look", look, Found) == result
    later = await steps_of(database, clock, work_id)
    assert await later.run("look", look, Found) == result
    assert calls == 1


async def test_rows_and_result_are_one_commit(database: Database, clock: HandClock, work_id: int) -> None:
    async def broken(tx: Tx) -> int:
        assert isinstance(tx, AsyncConnection)
        await tx.execute(insert(counters).values(day="d", name="half", value=1))
        raise LookupError("after the row")

    steps = await steps_of(database, clock, work_id)
    with pytest.raises(LookupError):
        await steps.write("save", broken, int)
    async with database.read() as connection:
        assert (await connection.execute(select(counters))).all() == []
        assert (await connection.execute(select(work_steps))).all() == []


async def kept(_: Tx, value: str) -> str:
    return value


async def test_the_intent_is_committed_before_the_effect(database: Database, clock: HandClock, work_id: int) -> None:
    seen: list[str] = []

    async def effect(attempt: Attempt) -> str:
        async with database.read() as connection:
            seen.append(str(await connection.scalar(select(work_steps.c.state))))
        assert attempt == Attempt(number=1, uncertain=False)
        return "id-1"

    steps = await steps_of(database, clock, work_id)
    assert await steps.outward("comment", effect, kept, str) == "id-1"
    assert seen == ["intent"]
    assert steps.possible_repeats == 0


async def test_a_crash_in_the_effect_is_a_possible_repeat(database: Database, clock: HandClock, work_id: int) -> None:
    started = asyncio.Event()

    async def hangs(_: Attempt) -> str:
        started.set()
        await asyncio.Event().wait()
        return "never"

    steps = await steps_of(database, clock, work_id)
    run = asyncio.create_task(steps.outward("pay", hangs, kept, str))
    await started.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    async def again(attempt: Attempt) -> str:
        assert attempt == Attempt(number=2, uncertain=True)
        return "paid"

    after = await steps_of(database, clock, work_id)
    assert await after.outward("pay", again, kept, str) == "paid"
    assert after.possible_repeats == 1
    assert (await steps_of(database, clock, work_id)).possible_repeats == 1


async def crash(steps: StoredSteps) -> None:
    async def cut(_: Attempt) -> str:
        raise VendorUnavailable("v", "add", "time-out", uncertain=True)

    with pytest.raises(VendorUnavailable):
        await steps.outward("comment", cut, kept, str)


async def test_what_a_lookup_finds_is_not_done_again(database: Database, clock: HandClock, work_id: int) -> None:
    steps = await steps_of(database, clock, work_id)
    await crash(steps)

    async def never(_: Attempt) -> str:
        raise AssertionError("it was there already")

    async def found() -> str | None:
        return "id-7"

    assert await steps.outward("comment", never, kept, str, lookup=found) == "id-7"
    assert steps.possible_repeats == 0


async def test_a_lookup_that_finds_nothing_settles_the_doubt(database: Database, clock: HandClock, work_id: int) -> None:
    steps = await steps_of(database, clock, work_id)
    await crash(steps)

    async def add(attempt: Attempt) -> str:
        assert not attempt.uncertain
        return "id-8"

    async def nothing() -> str | None:
        return None

    assert await steps.outward("comment", add, kept, str, lookup=nothing) == "id-8"
    assert steps.possible_repeats == 0


@pytest.mark.parametrize(
    "error",
    [
        VendorUnavailable("v", "add", "connect"),
        VendorRefused("v", "add", "denied", hint="дайте право"),
        NotReady("limit", retry_after=5),
    ],
)
async def test_a_certain_failure_leaves_no_doubt(
    database: Database, clock: HandClock, work_id: int, error: Exception
) -> None:
    async def fails(_: Attempt) -> str:
        raise error

    async def works(attempt: Attempt) -> str:
        assert attempt == Attempt(number=2, uncertain=False)
        return "done"

    steps = await steps_of(database, clock, work_id)
    with pytest.raises(type(error)):
        await steps.outward("pay", fails, kept, str)
    assert await steps.outward("pay", works, kept, str) == "done"


async def test_an_old_doubt_survives_a_certain_failure(database: Database, clock: HandClock, work_id: int) -> None:
    steps = await steps_of(database, clock, work_id)
    await crash(steps)

    async def refused(_: Attempt) -> str:
        raise VendorUnavailable("v", "add", "connect")

    with pytest.raises(VendorUnavailable):
        await steps.outward("comment", refused, kept, str)

    async def works(attempt: Attempt) -> str:
        assert attempt.uncertain
        return "done"

    again = await steps_of(database, clock, work_id)
    assert await again.outward("comment", works, kept, str) == "done"
    assert again.possible_repeats == 1


@pytest.mark.parametrize(("kind", "left"), [("registration", [None]), ("register", [None]), ("call", ['"79990000001"'])])
async def test_work_about_a_person_keeps_nothing_of_them_once_it_is_done(
    database: Database, store: WorkStore, clock: HandClock, kind: str, left: list[str | None]
) -> None:
    await store.add(account_id=1, kind=kind, object_="x", payload="sealed", source="hook", now=clock.now())
    (row,) = await store.claim(clock.now(), 1)
    steps = await StoredSteps.load(database, clock, row.id, fresh=True)

    async def phone() -> str:
        return "79990000001"

    await steps.run("keep", phone, str)
    again = await StoredSteps.load(database, clock, row.id, fresh=False)
    assert await again.run("keep", phone, str) == "79990000001"
    await store.finish(row, clock.now())
    async with database.read() as connection:
        assert list(await connection.scalars(select(work_steps.c.result))) == left
