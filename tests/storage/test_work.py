"""Work rows and the runner: taken once, tried again by the error's type, given up, replayed, never lost."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.work import BEGIN_TOGETHER, PAUSES_SECONDS, Route, Runner
from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.events import CallEnded
from domain.ports import Steps
from domain.work import WorkItem
from storage.engine import Database
from storage.models import work, work_steps
from storage.work import WorkRow, WorkStore
from tests.ground import HandClock, until
from tests.handlers.seed import seed_accounts
from tests.storage.bench import Bench, Watcher, add, rows, settled


async def test_an_object_has_one_work(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    await add(store, clock)
    assert len(await rows(database)) == 1


async def test_work_is_taken_once_and_in_order(database: Database, store: WorkStore, clock: HandClock) -> None:
    for number in range(6):
        await add(store, clock, str(number))
    first, second = await asyncio.gather(store.claim(clock.now(), 4), store.claim(clock.now(), 4))
    taken = [row.object for row in sorted([*first, *second], key=lambda row: row.id)]
    assert taken == [f"bitrix24:{number}" for number in range(6)]
    assert await store.claim(clock.now(), 4) == []


async def test_success_ends_it(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    async with Bench(database, clock, []) as bench:
        bench.runner.wake()
        await settled(database, "done")
    assert bench.tries == 1
    assert bench.watch.told == [("succeeded", 1)]


async def test_an_outage_is_tried_at_0_5_and_35_seconds(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    down = VendorUnavailable("bitrix24", "get", "time-out")
    async with Bench(database, clock, [down, down, None]) as bench:
        for pause in PAUSES_SECONDS[:2]:
            await until(lambda: bench.watch.told and bench.watch.told[-1][0] == "failed")
            tries = bench.tries
            clock.forward(pause - 1)
            bench.runner.wake()
            await asyncio.sleep(0.05)
            assert bench.tries == tries
            clock.forward(1)
            bench.watch.told.append(("moved", 0))
            bench.runner.wake()
        await settled(database, "done")
    assert bench.tries == 3


async def test_waiting_for_something_normal_is_no_failure(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    async with Bench(database, clock, [NotReady("recording", retry_after=15)]) as bench:
        bench.runner.wake()
        await until(lambda: bench.tries == 1)
        await settled(database, "ready")
        (row,) = await rows(database)
        assert (row["state"], row["attempts"], row["waiting_for"]) == ("ready", 0, "recording")
        assert row["due_at"] == clock.now() + timedelta(seconds=15)
        clock.forward(15)
        bench.runner.wake()
        await settled(database, "done")
    assert [told for told, _ in bench.watch.told] == ["succeeded"]


async def test_a_refusal_is_not_tried_again(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    refused = VendorRefused("bitrix24", "get", "insufficient_scope", hint="дайте право")
    async with Bench(database, clock, [refused]) as bench:
        await settled(database, "dead")
        (row,) = await rows(database)
        assert row["error_code"] == "insufficient_scope"
        assert await store.replay(int(str(row["id"])), clock.now()) == row["id"]
        bench.runner.wake()
        await settled(database, "done")
    assert bench.tries == 2


async def test_a_defect_is_tried_a_few_times_then_waits_for_a_person(
    database: Database, store: WorkStore, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    await add(store, clock)
    async with Bench(database, clock, [KeyError("a private thing") for _ in range(9)]) as bench:
        for tries in range(1, 7):
            await until(lambda wanted=tries: bench.tries == len(bench.watch.told) == wanted)
            clock.forward(900)
            bench.runner.wake()
        await settled(database, "dead")
        (row,) = await rows(database)
    assert bench.tries == 6
    assert row["error_code"] == "defect"
    assert "a private thing" not in str(row["error"])
    levels = [record.levelname for record in caplog.records if "failed" in record.message]
    assert levels == ["WARNING", "WARNING", "ERROR", "WARNING", "WARNING"]


async def test_what_waits_for_money_is_asked_again_at_a_start(
    database: Database, store: WorkStore, clock: HandClock
) -> None:
    await add(store, clock)
    async with Bench(database, clock, [NotReady("limit", retry_after=36_000), None]) as bench:
        await until(lambda: bench.tries == 1)
        await settled(database, "ready")
    async with bench:
        await settled(database, "done")
    assert bench.tries == 2


async def test_a_row_nobody_runs_is_taken_back(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock, "lost")
    await add(store, clock, "kept")
    lost, held = await store.claim(clock.now(), 5)
    assert await store.take_back([held.id], clock.now()) == 1
    assert [row.id for row in await store.claim(clock.now(), 5)] == [lost.id]


async def test_a_vendor_that_is_back_hastens_what_waited(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock, "a")
    await add(store, clock, "b")
    for row in await store.claim(clock.now(), 5):
        due = clock.now() + timedelta(hours=1)
        await store.put_off(row, due_at=due, waiting_for="vendor:openai", failed=True, error_code="unavailable")
    assert await store.claim(clock.now(), 5) == []
    assert await store.hasten("vendor:bitrix24", clock.now()) == 0
    assert await store.hasten("vendor:openai", clock.now()) == 2
    clock.forward(1)
    assert [row.object for row in await store.claim(clock.now(), 5)] == ["bitrix24:a", "bitrix24:b"]


async def test_replaying_finished_work_opens_a_generation(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    (row,) = await store.claim(clock.now(), 5)
    assert await store.replay(row.id, clock.now()) is None  # it is running
    await store.finish(row, clock.now())
    again = await store.replay(row.id, clock.now())
    assert again not in (None, row.id)
    states = [(one["generation"], one["state"], one["source"]) for one in await rows(database)]
    assert states == [(1, "done", "hook"), (2, "ready", "replay")]
    assert await store.replay(999, clock.now()) is None


async def test_the_runner_survives_a_database_that_is_away(
    database: Database, store: WorkStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(store, clock)
    bench = Bench(database, clock, [])
    real, failures = bench.runner._store.claim, [OSError("disk"), OSError("disk")]

    async def claim(now: object, limit: int, *, suspects: bool = False) -> list[WorkRow]:
        if failures:
            raise failures.pop()
        return await real(clock.now(), limit, suspects=suspects)

    monkeypatch.setattr(bench.runner._store, "claim", claim)
    async with bench:
        for _ in range(100):
            bench.runner.wake()
            await asyncio.sleep(0.01)
        await settled(database, "done")


async def test_counts_for_people(database: Database, store: WorkStore, clock: HandClock) -> None:
    for name in "abcd":
        await add(store, clock, name)
    first, *_ = await store.claim(clock.now(), 1)
    await store.bury(first, now=clock.now(), error_code="x", error="y")

    async def age(connection: AsyncConnection) -> None:
        old = clock.now() - timedelta(minutes=2)
        await connection.execute(update(work).where(work.c.object == "bitrix24:b").values(due_at=old))

    await database.write(age)
    assert await store.waiting(clock.now()) == {"ready": 3, "dead": 1, "late": 1}
    assert await store.next_due() == clock.now() - timedelta(minutes=2)


async def test_a_work_that_waited_remembers_its_steps(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    seen: list[bool] = []
    for _ in range(2):
        (row,) = await store.claim(clock.now(), 5)
        seen.append(row.fresh)
        await store.put_off(row, due_at=clock.now(), waiting_for="recording", failed=False)
    (row,) = await store.claim(clock.now(), 5)
    await store.release([row.id], clock.now())
    (row,) = await store.claim(clock.now(), 5)
    assert [*seen, row.fresh] == [True, False, False]


async def test_old_journals_go_a_chunk_at_a_time_until_none_is_left(
    database: Database, store: WorkStore, clock: HandClock
) -> None:
    for number in range(5):
        await add(store, clock, str(number))
    for row in await store.claim(clock.now(), 5):
        step = {"work_id": row.id, "name": "look_up", "state": "done", "started_at": clock.now()}
        await database.write(lambda tx, step=step: tx.execute(insert(work_steps).values(**step)))  # type: ignore[misc]
        if row.id != 2:
            await store.finish(row, clock.now())
    clock.forward(10)
    await add(store, clock, "young")
    assert [await store.forget_finished(clock.now(), limit=3) for _ in range(3)] == [3, 1, 0]
    async with database.read() as connection:
        assert list(await connection.scalars(select(work_steps.c.work_id))) == [2]


async def test_journals_of_readings_go_sooner_than_those_of_others(
    database: Database, store: WorkStore, clock: HandClock
) -> None:
    await seed_accounts(database)
    for kind in ("directory", "directory", "call"):
        clock.forward(1)
        now = clock.now()
        await store.add(account_id=1, kind=kind, object_=f"{now}", payload="{}", source="tick", now=now)
    for row in await store.claim(clock.now(), 5):
        steps = [{"work_id": row.id, "name": name, "state": "done", "started_at": clock.now()} for name in ("0", "1")]
        await database.write(lambda tx, steps=steps: tx.execute(insert(work_steps), steps))  # type: ignore[misc]
        if row.id != 2:
            await store.finish(row, clock.now())
    assert await store.forget_pages("directory", clock.now()) == 0
    clock.forward(10)
    assert [await store.forget_pages("directory", clock.now()) for _ in range(2)] == [1, 0]
    async with database.read() as connection:
        assert sorted(await connection.scalars(select(work_steps.c.work_id))) == [2, 2, 3, 3]


async def test_works_that_wait_for_one_vendor_are_due_together(
    database: Database, store: WorkStore, clock: HandClock
) -> None:
    for name in "ab":
        await add(store, clock, name)
    first, second = await store.claim(clock.now(), 5)
    later = clock.now() + timedelta(seconds=30)
    await store.put_off(second, due_at=later, waiting_for="vendor:openai", failed=True)
    await store.put_off(first, due_at=later + timedelta(seconds=3), waiting_for="vendor:openai", failed=True)
    clock.forward(30)
    assert [row.id for row in await store.claim(clock.now(), 5)] == [first.id, second.id]


async def test_no_more_is_begun_while_the_writer_is_behind(
    database: Database, store: WorkStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * BEGIN_TOGETHER):
        await add(store, clock, str(number))
    looks, behind, go_on = 0, True, asyncio.Event()

    def pending(_: Database) -> int:
        nonlocal looks
        looks += 1
        return 1000 if behind else 0

    async def wait(item: WorkItem[CallEnded], steps: Steps) -> None:
        await go_on.wait()

    monkeypatch.setattr(Database, "pending", property(pending))
    runner = Runner(database, store, {"call": Route(kind="call", event=CallEnded, run=wait)}, clock, Watcher())
    running = asyncio.create_task(runner.run())
    await until(lambda: looks >= 5)
    assert runner.running == BEGIN_TOGETHER
    behind = False
    await until(lambda: runner.running == 2 * BEGIN_TOGETHER)
    go_on.set()
    await settled(database, "done")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.stop()
