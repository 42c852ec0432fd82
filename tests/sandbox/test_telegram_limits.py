"""The limits and the faults: who is refused, for how long, and what is counted."""

import asyncio

import aiohttp
import pytest

from sandbox.telegram import Clocks, Limits, Role, TelegramDouble
from sandbox.telegram.clock import Pulse
from sandbox.telegram.limits import Gate
from sandbox.telegram.wire import Refusal

from .conftest import Scene, Serve, build_scene


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0


def retry_after(gate: Gate, chat: int, now: float, *, group: bool = False) -> int:
    """0 when taken, else the seconds of the 429."""
    try:
        gate.check(chat, group=group, now=now)
    except Refusal as refusal:
        return int(str((refusal.parameters or {})["retry_after"])) if refusal.status == 429 else -1
    return 0


def test_thirty_in_any_second() -> None:
    gate = Gate()
    gate.set(Limits())
    assert [retry_after(gate, number, 0.5) for number in range(31)] == [0] * 30 + [1]
    assert retry_after(gate, 99, 1.49) == 1, "refused while the ban lasts"
    assert retry_after(gate, 99, 1.6) == 0


def test_a_chat_takes_one_a_second_after_a_short_burst() -> None:
    gate = Gate()
    gate.set(Limits(chat_burst=3))
    assert [retry_after(gate, 1, 0.0) for _ in range(4)] == [0, 0, 0, 1]
    assert [retry_after(gate, 1, float(second)) for second in range(1, 50)] == [0] * 49
    assert retry_after(gate, 2, 49.0) == 0
    gate.set(Limits(chat_burst=1))
    assert [retry_after(gate, 1, at) for at in (0.0, 0.2, 1.3)] == [0, 1, 0]


def test_twenty_in_any_minute_of_a_group() -> None:
    gate = Gate()
    gate.set(Limits())
    assert [retry_after(gate, 1, second * 2.0, group=True) for second in range(20)] == [0] * 20
    assert retry_after(gate, 1, 40.0, group=True) == 20
    assert retry_after(gate, 1, 60.1, group=True) == 0
    gate.set(None)
    assert not any(retry_after(gate, 1, 0.0, group=True) for _ in range(100))


async def test_limits_over_the_wire(serve: Serve) -> None:
    time = Time()
    double = TelegramDouble(clocks=Clocks(monotonic=lambda: time.now))
    url = await serve(double.build_app())
    async with aiohttp.ClientSession() as http:
        scene = build_scene(double, url, http)
        double.keep_limits(Limits(chat_burst=1))
        await scene.ok("sendMessage", chat_id=scene.ivan.id, text="раз")
        number = double.sent[0].message.message_id
        status, body = await scene.call("editMessageText", chat_id=scene.ivan.id, message_id=number, text="два")
        assert (status, body) == (
            429,
            {
                "ok": False,
                "error_code": 429,
                "description": "Too Many Requests: retry after 1",
                "parameters": {"retry_after": 1},
            },
        )
        assert not double.edits, "edits count towards the chat"
        assert (await scene.call("sendMessage", chat_id=scene.ivan.id, text="ещё"))[0] == 429
        time.now += 2
        await scene.ok("sendMessage", chat_id=scene.ivan.id, text="три")
        assert double.sent[1].message.message_id == number + 1, "a refused message uses no number"
        assert double.per_second() == {1000: 1, 1002: 1}
        assert (double.busiest(1.0), double.busiest(3.0), double.busiest(3.0, scene.team)) == (1, 2, 0)
        double.keep_limits(None)
        double.flood(5, scene.team)
        assert (await scene.call("sendMessage", chat_id=scene.team.id, text="a"))[1]["parameters"] == {"retry_after": 5}
        await scene.ok("sendMessage", chat_id=scene.ivan.id, text="a")
        double.flood(5)
        assert (await scene.call("sendMessage", chat_id=scene.ivan.id, text="a"))[0] == 429
        assert [call.status for call in double.calls_of("sendMessage")] == [200, 429, 200, 429, 200, 429]


async def test_faults_choose_their_calls(scene: Scene) -> None:
    double = scene.double
    double.refuse(500, None, method="send*", chat=scene.team, times=2)
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="a")
    await scene.ok("getMe")
    for _ in range(2):
        assert await scene.call("sendMessage", chat_id=scene.team.id, text="a") == (500, {"ok": False, "error_code": 500})
    await scene.ok("sendMessage", chat_id=scene.team.id, text="a")
    fault = double.refuse(400, "Bad Request: x", method="getMe", times=9)
    assert await scene.no("getMe") == "Bad Request: x"
    assert (fault.hits, fault.reached.is_set()) == (1, True)
    double.clear_faults()
    await scene.ok("getMe")


async def test_a_dropped_connection_is_in_the_journal(scene: Scene) -> None:
    scene.double.drop()
    with pytest.raises(aiohttp.ClientError):
        await scene.call("sendMessage", chat_id=scene.ivan.id, text="a")
    assert [(call.method, call.status) for call in scene.double.calls] == [("sendMessage", 0)]
    assert len(scene.double.sent) == 1


async def test_waiting_for_the_bot(scene: Scene) -> None:
    with pytest.raises(TimeoutError, match="in time"):
        await scene.double.until(lambda: False, 0.01)
    waiting = asyncio.create_task(scene.double.sent_next(2))
    await asyncio.sleep(0)
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="раз")
    await scene.ok("sendMessage", chat_id=scene.ivan.id, text="два")
    assert [one.text for one in await waiting] == ["раз", "два"]


async def test_a_pulse_wakes_everybody_once() -> None:
    pulse = Pulse()
    waits = [asyncio.create_task(pulse.wait(5)) for _ in range(2)]
    await asyncio.sleep(0)
    waits[0].cancel()
    pulse.beat()
    assert await waits[1] is True
    assert await pulse.wait(0.001) is False


async def test_groups_count_by_the_minute(scene: Scene) -> None:
    small = scene.double.group("Малая", {scene.ivan: Role.CREATOR}, supergroup=False)
    scene.double.keep_limits(Limits(group_per_minute=2))
    statuses = [(await scene.call("sendMessage", chat_id=small.id, text="a"))[0] for _ in range(3)]
    assert statuses == [200, 200, 429]
