"""Crashes: what was running goes on, and what brings the process down is found and put aside."""

import asyncio

from sqlalchemy import select

from bot.work import Route, Runner
from domain.events import CallEnded
from domain.ports import Steps, Tx
from domain.work import WorkItem
from storage.arrivals import Arrival, WorkSeed
from storage.engine import Database
from storage.inbox import Inbox, new_delivery_id
from storage.models import inbox
from storage.steps import StoredSteps
from storage.work import POISON_CRASHES, WorkStore
from tests.ground import HandClock, until
from tests.storage.bench import Bench, add, claim_all, rows, settled


async def test_what_ran_at_three_crashes_is_poison(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    for crash in (1, 2):
        assert len(await claim_all(store, clock)) == 1
        assert await store.recover(clock.now()) == (1, 0)
        assert (await rows(database))[0]["crashes"] == crash
    await claim_all(store, clock)
    async with Bench(database, clock, []) as bench:
        await settled(database, "dead")
        await until(lambda: bench.watch.told)  # told after it is stored
    assert bench.tries == 0
    assert bench.watch.told == [("poisoned", 1)]
    assert (await rows(database))[0]["error_code"] == "poison"


async def test_an_orderly_stop_counts_no_crash(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    (row,) = await store.claim(clock.now(), 5)
    await store.release([row.id], clock.now())
    assert await store.recover(clock.now()) == (0, 0)
    assert [again.id for again in await store.claim(clock.now(), 5)] == [row.id]


async def test_a_crash_after_a_new_step_is_not_counted(database: Database, store: WorkStore, clock: HandClock) -> None:
    """Somebody who kills the process again and again stops no call: each run remembers a little more."""
    await add(store, clock)
    for number in range(2 * POISON_CRASHES):
        (row,) = await claim_all(store, clock)
        clock.forward(1)
        steps = await StoredSteps.load(database, clock, row.id, fresh=row.fresh)
        await steps.write(f"step {number}", _nothing, bool)
        assert await store.recover(clock.now()) == (1, 0)
        clock.forward(1)
    for _ in range(POISON_CRASHES - 1):
        await claim_all(store, clock)
        assert await store.recover(clock.now()) == (1, 0)
    await claim_all(store, clock)
    assert await store.recover(clock.now()) == (0, 1)


async def _nothing(_: Tx) -> bool:
    return True


async def test_a_delivery_whose_work_is_poison_is_dead_with_it(
    database: Database, store: WorkStore, clock: HandClock
) -> None:
    seed = WorkSeed(kind="call", object="bitrix24:1", payload="{}")
    arrival = Arrival(
        id=new_delivery_id(), account_id=1, connection_id=1, vendor="bitrix24", kind="X", dedup_key="x",
        body_sha256="0" * 64, request=b"e", received_at=clock.now(), seeds=(seed,),
    )  # fmt: skip
    await Inbox(database).add(arrival)
    for _ in range(POISON_CRASHES):
        assert await claim_all(store, clock)
        await store.recover(clock.now())
    async with database.read() as connection:
        assert list(await connection.scalars(select(inbox.c.state))) == ["dead"]


async def test_suspects_are_run_one_at_a_time(database: Database, store: WorkStore, clock: HandClock) -> None:
    for name in "abc":
        await add(store, clock, name)
    for _ in range(2):
        await store.claim(clock.now(), 5)
        await store.recover(clock.now())
    await add(store, clock, "fresh")
    running: list[str] = []
    most = 0
    go_on = asyncio.Event()

    async def run(item: WorkItem[CallEnded], steps: Steps) -> None:
        nonlocal most
        running.append(item.event.external_id)
        most = max(most, len([name for name in running if name in "abc"]))
        if item.event.external_id != "fresh":
            await go_on.wait()
            go_on.clear()
            running.remove(item.event.external_id)

    bench = Bench(database, clock, [])
    bench.run = run  # type: ignore[method-assign]
    routes = {"call": Route(kind="call", event=CallEnded, run=run)}
    bench.runner = Runner(database, store, routes, clock, bench.watch)
    async with bench:
        await until(lambda: len(running) == 2)
        assert sorted(running) == ["a", "fresh"]
        for _ in range(300):
            go_on.set()
            await asyncio.sleep(0.01)
            if {row["state"] for row in await rows(database)} == {"done"}:
                break
        await settled(database, "done")
    assert most == 1


async def test_an_end_of_its_own_clears_the_suspicion(database: Database, store: WorkStore, clock: HandClock) -> None:
    await add(store, clock)
    for _ in range(2):
        await store.claim(clock.now(), 5)
        await store.recover(clock.now())
    (row,) = await store.claim(clock.now(), 5, suspects=True)
    assert row.suspect
    await store.put_off(row, due_at=clock.now(), waiting_for="recording", failed=False)
    (row,) = await store.claim(clock.now(), 5)
    assert not row.suspect
