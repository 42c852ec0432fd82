"""Updates are on disk before anything is done about them; a poisonous one is given up at the third crash."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from storage.engine import Database
from storage.models import telegram_updates
from storage.updates import MalformedUpdateError, Updates, lane_of, parse_update
from tests.ground import HandClock


def written(update_id: int, chat: int = 5, text: str = "/calls") -> dict[str, Any]:
    return {"update_id": update_id, "message": {"chat": {"id": chat}, "from": {"id": 7}, "text": text}}


async def states(database: Database) -> dict[int, str]:
    async with database.read() as connection:
        rows = await connection.execute(select(telegram_updates.c.update_id, telegram_updates.c.state))
        return {row.update_id: row.state for row in rows}


async def test_a_repeat_is_one_update(database: Database, clock: HandClock) -> None:
    updates = Updates(database, clock)
    assert await updates.add([]) == 0
    assert await updates.add([written(2), written(1)]) == 2
    assert await updates.add([written(2), written(3)]) == 1
    assert [item.update_id for item in await updates.waiting(10, familiar=False)] == [1, 2, 3]
    assert [item.update_id for item in await updates.waiting(1, familiar=False)] == [1]


async def test_what_a_database_would_not_take_is_kept(database: Database, clock: HandClock) -> None:
    updates = Updates(database, clock)
    odd = written(1, text="\u0000 \ud83d 👩‍🚀")
    await updates.add([odd])
    assert (await updates.waiting(1, familiar=False))[0].body == odd


async def test_an_update_is_handed_out_once(database: Database, clock: HandClock) -> None:
    updates = Updates(database, clock)
    await updates.add([written(1)])
    (item,) = await updates.waiting(10, familiar=False)
    assert item.lane == 5
    assert await updates.begin(item)
    assert not await updates.begin(item)
    await updates.finish(item, "done")
    assert await updates.waiting(10, familiar=False) == []
    async with database.read() as connection:
        assert await connection.scalar(select(telegram_updates.c.body)) == "{}"  # people's words do not stay


async def test_the_third_crash_is_the_last(database: Database, clock: HandClock) -> None:
    updates = Updates(database, clock)
    await updates.add([written(1), written(2)])
    for crash in (1, 2):
        item = (await updates.waiting(10, familiar=False))[0]
        assert item.crashes == crash - 1
        await updates.begin(item)
        assert await updates.recover() == (1, 0)
    item = (await updates.waiting(10, familiar=False))[0]
    await updates.begin(item)
    assert await updates.recover() == (0, 1)
    assert await states(database) == {1: "dead", 2: "received"}
    assert await updates.counts() == {"received": 1, "running": 0, "dead": 1}


async def test_an_orderly_stop_counts_no_crash(database: Database, clock: HandClock) -> None:
    updates = Updates(database, clock)
    await updates.add([written(1)])
    for _ in range(5):
        (item,) = await updates.waiting(10, familiar=False)
        await updates.begin(item)
        await updates.put_back(item)
    assert (await updates.waiting(10, familiar=False))[0].crashes == 0


async def test_old_updates_are_forgotten(database: Database, clock: HandClock) -> None:
    updates = Updates(database, clock)
    await updates.add([written(1), written(2)])
    (first, _) = await updates.waiting(10, familiar=False)
    await updates.finish(first, "done")
    assert await updates.forget() == 0
    clock.forward(timedelta(days=4).total_seconds())
    assert await updates.forget() == 1
    assert await states(database) == {2: "received"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[1]",
        b"null",
        b"{}",
        b'{"update_id": "1"}',
        b'{"update_id": true}',
        b'{"update_id": -1}',
        b'{"update_id": 9223372036854775808}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_update_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedUpdateError):
        parse_update(body)


def test_lanes() -> None:
    chat, person = {"id": -5}, {"id": 7}
    assert lane_of({"update_id": 1, "message": {"chat": chat, "from": person}}) == -5
    assert lane_of({"update_id": 1, "callback_query": {"from": person, "message": {"chat": chat}}}) == -5
    assert lane_of({"update_id": 1, "callback_query": {"from": person}}) == 7
    assert lane_of({"update_id": 1, "inline_query": {"from": person}}) == 7
    assert lane_of({"update_id": 1, "poll_answer": {"user": person}}) == 7
    assert lane_of({"update_id": 1, "odd": 3, "my_chat_member": {"chat": chat}}) == -5
    assert lane_of({"update_id": 1, "message": {"chat": {"id": True}, "from": {"id": 2**70}}}) == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "chat", "from", "message"]), inner),
    max_leaves=10,
)


@given(body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_update_or_refused(body: bytes) -> None:
    try:
        update = parse_update(body)
    except MalformedUpdateError:
        return
    assert isinstance(lane_of(update), int)


@given(event=json_values)
def test_any_event_has_a_lane(event: object) -> None:
    assert abs(lane_of({"update_id": 1, "message": event})) < 2**63
