"""What handlers send themselves keeps to the chat's pace, obeys 429 and follows a moved group."""

import asyncio
from collections.abc import Callable

import pytest
from aiogram.exceptions import TelegramMigrateToChat, TelegramRetryAfter

from bot.telegram.direct import DirectCalls
from domain.messages import Destination
from sandbox.telegram import Role
from tests.ground import until
from tests.telegram.bench import Bench, note

Quick = Callable[..., None]


async def test_answers_and_posts_share_a_pace_and_answers_go_first(bench: Bench, quick: Quick) -> None:
    quick(chat=600.0)
    bench.session.middleware(DirectCalls(bench.sender))
    ivan = bench.double.person("Иван", started=True)
    for number in range(3):
        await bench.post_to(ivan.id, note(f"card{number}"), wake=False)
    async with bench.sending():
        await bench.double.sent_next(0)
        bench.sender.wake()
        await until(lambda: len(bench.double.sent) == 1 and bench.sender.queued == 2)
        answer = asyncio.create_task(bench.bot.send_message(ivan.id, "ответ"))
        for sent in (1, 2):
            await until(lambda left=4 - sent: bench.sender.queued == left)
            assert len(bench.double.sent) == sent
            bench.pass_seconds(600)
            await until(lambda sent=sent: len(bench.double.sent) == sent + 1)
        await answer
    assert [sent.text for sent in bench.double.sent] == ["card0", "ответ", "card1"]


async def test_without_a_sender_nobody_waits(bench: Bench) -> None:
    bench.session.middleware(DirectCalls(bench.sender))
    ivan = bench.double.person("Иван", started=True)
    for _ in range(3):
        await bench.bot.send_message(ivan.id, "x")
    assert len(bench.double.sent) == 3


async def test_a_flooded_answer_waits_and_goes_once_more(bench: Bench, quick: Quick) -> None:
    quick()
    bench.session.middleware(DirectCalls(bench.sender))
    ivan = bench.double.person("Иван", started=True)
    bench.double.too_many(10, method="sendMessage")
    async with bench.sending():
        await until(lambda: bench.sender._running)
        answer = asyncio.create_task(bench.bot.send_message(ivan.id, "x"))
        await until(lambda: bench.sender.pacer.frozen_chats(bench.clock.monotonic()) and bench.sender.queued)
        assert not bench.double.sent
        bench.pass_seconds(12)
        await answer
        bench.double.too_many(600, method="sendMessage")
        with pytest.raises(TelegramRetryAfter):
            await bench.bot.send_message(ivan.id, "y")
        assert bench.sender.pacer.frozen_chats(bench.clock.monotonic()) == [ivan.id]


async def test_an_answer_follows_a_moved_group(bench: Bench, quick: Quick) -> None:
    quick()
    bench.session.middleware(DirectCalls(bench.sender))
    ivan = bench.double.person("Иван", started=True)
    group = bench.double.group("Продажи", {ivan: Role.CREATOR}, supergroup=False)
    await bench.destinations.bind(1, Destination(chat_id=group.id))
    new = bench.double.migrate(group, ivan)
    await bench.bot.send_message(group.id, "x")
    assert [sent.chat_id for sent in bench.double.sent] == [new.id]
    assert [place.chat_id for place in await bench.destinations.all(1)] == [new.id]
    bench.double.refuse(400, "moved", method="sendMessage", times=2, parameters={"migrate_to_chat_id": new.id})
    with pytest.raises(TelegramMigrateToChat):
        await bench.bot.send_message(group.id, "y")


async def test_who_gives_up_waiting_leaves_no_trace(bench: Bench, quick: Quick) -> None:
    quick(chat=600.0)
    bench.session.middleware(DirectCalls(bench.sender))
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        await bench.post_to(ivan.id, note("a"))
        await bench.double.until(lambda: len(bench.double.sent) == 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await bench.bot.send_message(ivan.id, "x")
        answer = asyncio.create_task(bench.bot.send_message(ivan.id, "y"))
        await until(lambda: bench.sender.queued)
        bench.pass_seconds(600)
        await answer
    assert [sent.text for sent in bench.double.sent] == ["a", "y"]
