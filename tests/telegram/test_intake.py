"""Updates from the wire to their handlers: confirmed after the commit, in order within a chat, each to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.clock import SystemClock
from bot.telegram.lateness import Lateness
from bot.telegram.polling import Poller
from bot.telegram.webhook import UpdateDoor
from bot.telegram.worker import Worker
from domain.messages import Destination
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import telegram_updates
from storage.people import People
from storage.updates import StoredUpdate, Updates
from tests.telegram.bench import Bench

Quick = Callable[..., None]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def written(update_id: int, chat: int = 5, text: str = "привет") -> dict[str, Any]:
    return {"update_id": update_id, "message": {"chat": {"id": chat}, "from": {"id": 7}, "text": text}}


async def state_of(database: Database) -> dict[int, str]:
    async with database.read() as connection:
        rows = await connection.execute(select(telegram_updates.c.update_id, telegram_updates.c.state))
        return {row.update_id: row.state for row in rows}


@dataclass(slots=True)
class Desk:
    """A worker and what its handlers were given."""

    updates: Updates
    worker: Worker
    handled: list[int]


@asynccontextmanager
async def working(database: Database, feed: Any = None, lateness: Lateness | None = None) -> AsyncIterator[Desk]:
    handled: list[int] = []

    async def note(item: StoredUpdate) -> None:
        handled.append(item.update_id)
        if feed is not None:
            await feed(item)

    clock = SystemClock()
    updates = Updates(database, clock)
    worker = Worker(updates, note, lateness or Lateness(), clock)
    task = asyncio.create_task(worker.run())
    yield Desk(updates, worker, handled)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await worker.stop(0.2)


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def test_order_within_a_chat_and_several_chats_at_once(database: Database) -> None:
    running: dict[int, int] = {}
    most, together = {"same": 0, "all": 0}, asyncio.Event()

    async def feed(item: StoredUpdate) -> None:
        running[item.lane] = running.get(item.lane, 0) + 1
        most["same"] = max(most["same"], running[item.lane])
        most["all"] = max(most["all"], sum(running.values()))
        if most["all"] > 1:
            together.set()
        await together.wait()  # the first chat waits for another: they go on at once, or never
        running[item.lane] -= 1

    async with working(database, feed) as desk:
        await desk.updates.add([written(number, chat=number % 3) for number in range(12)])
        desk.worker.wake()
        await until(lambda: desk.worker.handled == 12)
        for lane in range(3):
            mine = [number for number in desk.handled if number % 3 == lane]
            assert mine == sorted(mine)
    assert most["same"] == 1
    assert most["all"] > 1
    assert set((await state_of(database)).values()) == {"done"}


async def test_a_feed_that_breaks_ends_its_update_only(database: Database) -> None:
    async def feed(item: StoredUpdate) -> None:
        if item.update_id == 1:
            raise RuntimeError("внутри")

    async with working(database, feed) as desk:
        await desk.updates.add([written(1), written(2)])
        desk.worker.wake()
        await until(lambda: desk.worker.handled == 2)
    assert await state_of(database) == {1: "dead", 2: "done"}


async def test_a_stop_lets_handlers_finish_and_keeps_the_rest(database: Database) -> None:
    begun, end = set[int](), asyncio.Event()

    async def feed(item: StoredUpdate) -> None:
        begun.add(item.update_id)
        await (end.wait() if item.lane == 1 else asyncio.sleep(600))

    async with working(database, feed) as desk:
        await desk.updates.add([written(1, chat=1), written(2, chat=2), written(3, chat=1), written(4, chat=2)])
        desk.worker.wake()
        await until(lambda: begun == {1, 2})
        stopping = asyncio.create_task(desk.worker.stop(600))
        await asyncio.sleep(0)
        end.set()
        await until(lambda: desk.worker.handled == 1)
        stopping.cancel()  # what does not finish is left to the second stop, whose time is short
        await asyncio.gather(stopping, return_exceptions=True)
    states = await state_of(database)
    assert begun == {1, 2}
    assert (states[1], states[3]) == ("done", "received")
    assert (states[2], states[4]) == ("received", "received")  # no crash is counted
    async with working(database) as desk:
        await until(lambda: desk.worker.handled == 3)


async def test_a_crash_over_an_update_is_counted(database: Database) -> None:
    updates = Updates(database, SystemClock())
    await updates.add([written(1)])
    for _ in range(2):
        (item,) = await updates.waiting(1, familiar=False)
        await updates.begin(item)
        await updates.recover()
    (item,) = await updates.waiting(1, familiar=False)
    await updates.begin(item)
    async with working(database) as desk:
        await asyncio.sleep(0.1)
        assert desk.handled == []
    assert await state_of(database) == {1: "dead"}


async def test_a_broken_database_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.worker.SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("bot.telegram.worker.SETTLE_SECONDS", 0.01)
    async with working(database) as desk:
        real, begin, broken = desk.updates.waiting, desk.updates.begin, {"waiting": 2, "begin": 1}

        async def waiting(limit: int, *, familiar: bool) -> list[StoredUpdate]:
            if broken["waiting"]:
                broken["waiting"] -= 1
                raise OSError("disk")
            return await real(limit, familiar=familiar)

        async def begin_(item: StoredUpdate) -> bool:
            if broken["begin"]:
                broken["begin"] -= 1
                raise OSError("disk")
            return await begin(item)

        monkeypatch.setattr(desk.updates, "waiting", waiting)
        monkeypatch.setattr(desk.updates, "begin", begin_)
        await desk.updates.add([written(1)])
        desk.worker.wake()
        await until(lambda: desk.worker.handled == 1)


async def test_more_than_fits_into_memory_is_taken_in_turns(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.worker.STRANGE_TAKEN", 3)
    async with working(database) as desk:
        await desk.updates.add([written(number, chat=number) for number in range(10)])
        desk.worker.wake()
        await until(lambda: desk.worker.handled == 10)


async def test_a_crowd_of_strangers_keeps_no_colleague_waiting(database: Database) -> None:
    """However many strangers wait, and were they never done with."""
    release = asyncio.Event()
    colleague, group = 5, -100500

    async def feed(item: StoredUpdate) -> None:
        if item.lane not in {colleague, group}:
            await release.wait()

    await People(database, SystemClock()).let_in(1, (colleague,))
    await Destinations(database, SystemClock()).set_from_environment(1, Destination(chat_id=group))
    async with working(database, feed) as desk:
        await desk.updates.add([written(number, chat=1000 + number) for number in range(700)])
        await desk.updates.add([written(701, chat=colleague), written(702, chat=group), written(703, chat=colleague)])
        desk.worker.wake()
        await until(lambda: {701, 702, 703} <= set(desk.handled))
        assert [number for number in desk.handled if number != 702 and number > 700] == [701, 703]
        assert len(desk.handled) == 5  # two strangers have begun
        release.set()
        await until(lambda: desk.worker.handled == 703)


async def test_who_is_let_in_meanwhile_is_answered_in_order(database: Database) -> None:
    newcomer = 7
    many = 120  # more than is taken of strangers at once

    async def feed(item: StoredUpdate) -> None:
        if item.update_id == 1:
            await People(database, SystemClock()).let_in(1, (newcomer,))

    async with working(database, feed) as desk:
        await desk.updates.add([written(number, chat=newcomer) for number in range(many)])
        desk.worker.wake()
        await until(lambda: desk.worker.handled == many)
        assert desk.handled == list(range(many))


def late(body: dict[str, Any], seconds: float, **more: Any) -> bool:
    stored = StoredUpdate(update_id=1, lane=1, body=body, received_at=NOW, crashes=0)
    return Lateness(**more).too_late(stored, NOW + timedelta(seconds=seconds))


def test_questions_grow_old_and_decisions_do_not() -> None:
    command = written(1, text="/calls@svodka_bot 7д")
    assert not late(command, 599)
    assert late(command, 601)
    assert late(written(1, text="/"), 601)
    assert not late(written(1, text="/start abc"), 9999)
    assert not late(written(1, text="Иван"), 9999)
    assert not late(written(1, text="/spend 5"), 9999, writing_commands=("spend",))
    inline = {"update_id": 1, "inline_query": {"from": {"id": 1}, "query": "x"}}
    assert not late(inline, 14)
    assert late(inline, 16)
    tap = {"update_id": 1, "callback_query": {"data": "call:42"}}
    assert not late(tap, 9999)
    assert late(tap, 16, reading_buttons=("call",))
    assert not late(tap, 14, reading_buttons=("call",))
    assert not late({"update_id": 1, "my_chat_member": {}}, 9999)


def test_a_message_that_waited_at_telegram_is_as_old_as_it_says() -> None:
    body = written(1, text="/calls")
    body["message"]["date"] = int((NOW - timedelta(minutes=11)).timestamp())
    assert late(body, 0)
    body["message"]["date"] = int((NOW + timedelta(days=1)).timestamp())  # a clock that is wrong
    assert not late(body, 0)


async def test_late_questions_are_dropped(database: Database) -> None:
    updates = Updates(database, SystemClock())
    old = written(1, text="/calls")
    old["message"]["date"] = 1_700_000_000
    await updates.add([old, written(2)])
    async with working(database) as desk:
        await until(lambda: desk.worker.handled == 1)
        assert desk.handled == [2]
    assert await state_of(database) == {1: "dropped", 2: "done"}


async def test_the_door(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    updates = Updates(database, SystemClock())
    stored: list[int] = []
    door = UpdateDoor(updates, "a-secret")
    assert await door.accept_update(b'{"update_id": 1}', "a-secret") == 200
    door.on_stored = lambda: stored.append(1)
    assert await door.accept_update(b'{"update_id": 1}', "a-secret") == 200  # again: still one
    for wrong in (None, "", "A-secret", "a-secret ", "пароль", "\udcff"):
        assert await door.accept_update(b'{"update_id": 2}', wrong) == 401
    assert door.rejected == 6
    for body in (b"", b"[1]", b"{}", b"\xff"):
        assert await door.accept_update(body, "a-secret") == 400
    assert await UpdateDoor(updates, None).accept_update(b'{"update_id": 3}', None) == 404

    async def broken(_bodies: object) -> int:
        raise OSError("disk")

    monkeypatch.setattr(updates, "add", broken)
    assert await door.accept_update(b'{"update_id": 4}', "a-secret") == 503
    assert await state_of(database) == {1: "received"}
    assert stored == [1]


def build_poller(bench: Bench, woken: list[int]) -> Poller:
    updates = Updates(bench.database, bench.clock)
    allowed = ["message", "my_chat_member"]
    return Poller(
        bench.bot,
        bench.session,
        updates,
        bench.clock,
        allowed_updates=allowed,
        on_stored=lambda: woken.append(1),
        poll_seconds=1,
    )


@asynccontextmanager
async def polling(poller: Poller) -> AsyncIterator[None]:
    task = asyncio.create_task(poller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_update_is_confirmed_after_its_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.polling.PAUSES", (0.05,))
    ivan = bench.double.person("Иван", started=True)
    woken: list[int] = []
    poller = build_poller(bench, woken)
    real, broken = poller._updates.add, {"times": 2}

    async def add(bodies: Any) -> int:
        if broken["times"]:
            broken["times"] -= 1
            raise OSError("disk")
        return await real(bodies)

    monkeypatch.setattr(poller._updates, "add", add)
    async with polling(poller):
        bench.double.say(ivan, "раз")
        await until(lambda: bool(woken))
        await bench.double.until(lambda: bool(bench.double.calls_of("getUpdates")))
        offsets = [call.params.get("offset") for call in bench.double.calls_of("getUpdates")]
        assert offsets == [None] * len(offsets)  # nothing was confirmed before the commit
        bench.double.say(ivan, "два")
        await until(lambda: len(woken) == 2)
        assert poller.last_answer is not None
    assert len(await state_of(bench.database)) == 2
    assert bench.double.calls_of("getUpdates")[-1].params.get("allowed_updates")


async def test_another_copy_is_named_and_outlived(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.polling.PAUSES", (0.05,))
    bench.double.refuse(409, "Conflict: terminated by other getUpdates request", method="getUpdates", times=2)
    poller = build_poller(bench, [])
    async with polling(poller):
        await until(lambda: poller.conflict)
        await until(lambda: not poller.conflict)


async def test_a_webhook_set_by_somebody_is_taken_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.polling.PAUSES", (0.05,))
    bench.double.refuse(500, None, method="deleteWebhook")
    bench.double.refuse(409, "Conflict: can't use getUpdates method while webhook is active", method="getUpdates")
    poller = build_poller(bench, [])
    async with polling(poller):
        await bench.double.until(lambda: len(bench.double.calls_of("deleteWebhook")) == 3)
        assert not poller.conflict


async def test_polling_outlives_floods_and_nonsense(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.polling.PAUSES", (0.05,))
    bench.double.too_many(1, method="getUpdates")
    bench.double.garble(method="getUpdates")
    ivan = bench.double.person("Иван", started=True)
    woken: list[int] = []
    poller = build_poller(bench, woken)
    real = bench.session.get_updates

    async def with_nonsense(*args: Any, **more: Any) -> list[object]:
        return ["nonsense", *(await real(*args, **more))]

    monkeypatch.setattr(bench.session, "get_updates", with_nonsense)
    async with polling(poller):
        bench.double.say(ivan, "раз")
        await until(lambda: bool(woken))
