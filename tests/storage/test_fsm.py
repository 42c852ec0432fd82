"""Conversations: every part of the key counts, nothing is lost between two quick answers, and they end by themselves."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.engine import Database
from storage.fsm import Conversation, ConversationKey, Conversations, move_conversations
from tests.ground import HandClock

KEY = ConversationKey(bot_id=1, chat_id=-10, user_id=5)


async def test_state_and_data_come_back(database: Database, clock: HandClock) -> None:
    talks = Conversations(database, clock)
    assert await talks.read(KEY) == Conversation()
    await talks.set_state(KEY, "Wizard:name")
    await talks.set_data(KEY, {"имя": "Иван", "n": [1, None]})
    assert await talks.read(KEY) == Conversation(state="Wizard:name", data={"имя": "Иван", "n": [1, None]})
    await talks.set_state(KEY, None)
    await talks.set_data(KEY, {})
    assert await talks.read(KEY) == Conversation()


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, bot_id=2),
        replace(KEY, chat_id=-11),
        replace(KEY, user_id=6),
        replace(KEY, thread_id=3),
        replace(KEY, business_connection_id="b"),
        replace(KEY, destiny="scenes"),
    ],
)
async def test_every_part_of_the_key_counts(database: Database, clock: HandClock, other: ConversationKey) -> None:
    talks = Conversations(database, clock)
    await talks.set_state(KEY, "here")
    assert (await talks.read(other)).state is None


async def test_concurrent_updates_lose_nothing(database: Database, clock: HandClock) -> None:
    talks = Conversations(database, clock)
    await asyncio.gather(*(talks.update_data(KEY, {str(number): number}) for number in range(20)))
    assert len((await talks.read(KEY)).data) == 20
    assert (await talks.update_data(KEY, {"20": 20}))["0"] == 0


async def test_what_is_not_json_is_refused(database: Database, clock: HandClock) -> None:
    talks = Conversations(database, clock)
    with pytest.raises(TypeError):
        await talks.set_data(KEY, {"x": object()})
    with pytest.raises(TypeError):
        await talks.update_data(KEY, {"x": object()})
    assert await talks.read(KEY) == Conversation()


async def test_a_conversation_ends_by_age_and_by_version(database: Database, clock: HandClock) -> None:
    talks = Conversations(database, clock, ttl=timedelta(minutes=5))
    await talks.set_state(KEY, "here")
    assert (await Conversations(database, clock, version=2).read(KEY)).state is None
    clock.forward(301)
    assert (await talks.read(KEY)).state is None
    assert await talks.forget_expired() == 1
    assert await talks.forget_expired() == 0


async def test_a_moved_group_takes_its_conversations_along(database: Database, clock: HandClock) -> None:
    talks = Conversations(database, clock)
    await talks.set_state(KEY, "old")
    await talks.set_state(replace(KEY, chat_id=-100), "in the way")
    about_ten = replace(KEY, chat_id=7, user_id=-10)
    await talks.set_state(about_ten, "stays")
    await database.write(lambda connection: move_conversations(connection, -10, -100))
    assert (await talks.read(replace(KEY, chat_id=-100))).state == "old"
    assert (await talks.read(KEY)).state is None
    assert (await talks.read(about_ten)).state == "stays"
