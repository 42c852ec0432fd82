"""The sender and everything Telegram may say to it: each refusal has its own ending, and no message is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.telegram.notices import NoticeKind
from domain.messages import Button, ButtonKind, Destination, File, Message
from sandbox.telegram import Role
from storage.models import posts
from storage.outbox import UNCERTAIN
from storage.posts import GONE
from storage.schedules import ScheduleStore
from tests.ground import until
from tests.storage.test_schedules import ADMIN, NEW
from tests.telegram.bench import Bench, note

Quick = Callable[..., None]


PAUSE = 600  # seconds that Telegram asks for; they pass when the test says so
OVER = 700  # it, and what the sender adds to it


async def test_a_flooded_chat_rests_and_the_others_go_on(bench: Bench, quick: Quick) -> None:
    quick()
    ivan, olga = bench.double.person("Иван", started=True), bench.double.person("Ольга", started=True)
    bench.double.flood(PAUSE, bench.double.private(ivan))
    async with bench.sending():
        slow = await bench.post_to(ivan.id, note("a"))
        await bench.flooded(slow)
        await bench.state(await bench.post_to(olga.id, note("b")), "sent")
        assert (await bench.row(slow)).state == "wanted"
        bench.pass_seconds(OVER)
        await bench.state(slow, "sent")
    refused = [call for call in bench.double.calls if call.status == 429]
    assert len(refused) == 1  # retry_after was obeyed: nobody knocked meanwhile
    assert (await bench.row(slow)).possible_repeats == 0


async def test_a_flood_is_known_after_a_restart(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.flood(PAUSE, bench.double.private(ivan))
    async with bench.sending():
        await bench.flooded(await bench.post_to(ivan.id, note("a")))
    bench.reborn()
    async with bench.sending():
        other = await bench.post_to(ivan.id, note("b"))
        await until(lambda: bench.sender.queued)
        bench.pass_seconds(OVER)
        await bench.state(other, "sent")
    assert len([call for call in bench.double.calls if call.status == 429]) == 1


async def test_several_flooded_chats_mean_everybody_rests(
    bench: Bench, quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick()
    monkeypatch.setattr("bot.telegram.settling.FLOOD_WINDOW", 60.0)  # the three may come slowly on a busy machine
    people = [bench.double.person(f"Ч{number}", started=True) for number in range(4)]
    bench.double.flood(PAUSE)
    async with bench.sending():
        await bench.flooded(*[await bench.post_to(person.id, note("a")) for person in people[:3]])
        last = await bench.post_to(people[3].id, note("b"))
        await until(lambda: bench.sender.queued)
        bench.pass_seconds(OVER)
        await bench.state(last, "sent")
    assert len([call for call in bench.double.calls if call.status == 429]) == 3


async def test_a_migrated_group_is_followed_everywhere(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    group = bench.double.group("Продажи", {ivan: Role.CREATOR}, supergroup=False)
    await bench.destinations.bind(1, Destination(chat_id=group.id))
    new = bench.double.migrate(group, ivan)
    async with bench.sending():
        await bench.post(note("a"))
        await bench.double.until(lambda: bool(bench.double.messages(new)))
        await bench.told(NoticeKind.MOVED)
    assert [place.chat_id for place in await bench.destinations.all(1)] == [new.id]
    assert [notice.kind for notice in bench.notices] == [NoticeKind.MOVED]
    kept = await bench.destinations.set_from_environment(1, Destination(chat_id=group.id))
    assert kept is not None
    assert kept.chat_id == new.id  # .env still names the old number


async def test_a_person_who_stopped_the_bot_gets_no_digest_until_they_start_it(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    store = ScheduleStore(bench.database)
    kept = await store.add(ADMIN, replace(NEW, destination=Destination(chat_id=ivan.id)), bench.clock.now())
    bench.double.block_bot(ivan)
    async with bench.sending():
        await bench.post_to(ivan.id, note("дайджест"))
        await bench.told(NoticeKind.CHAT_LOST)
    (notice,) = bench.notices
    assert notice.text.startswith(f"Человек {ivan.id} больше не принимает сообщения бота: дайджест туда не приходит")
    stopped = await store.find(1, kept.id)
    assert stopped is not None
    assert not stopped.active
    await bench.destinations.revive(ivan.id)
    again = await store.find(1, kept.id)
    assert again is not None
    assert again.active


async def test_a_blocked_chat_dies_and_comes_back_with_what_it_missed(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    group = bench.double.group("Продажи", {ivan: Role.CREATOR})
    await bench.destinations.bind(1, Destination(chat_id=group.id))
    bench.double.remove_bot(group, ivan)
    async with bench.sending():
        assert await bench.post(note("a")) == 1
        async with asyncio.timeout(20):
            while (await bench.destinations.all(1))[0].state != "dead":
                await asyncio.sleep(0.01)
        assert await bench.post(note("b")) == 1
        await bench.told(NoticeKind.CHAT_LOST)
        assert [notice.kind for notice in bench.notices] == [NoticeKind.CHAT_LOST]
        bench.double.add_bot(group, ivan)
        assert await bench.destinations.revive(group.id) == 2
        bench.sender.wake()
        await bench.double.sent_next(0)
        await bench.double.until(lambda: len(bench.double.sent) == 2)
    assert [sent.text for sent in bench.double.sent] == ["a", "b"]


async def test_what_is_older_than_a_day_does_not_come_back(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    group = bench.double.group("Продажи", {ivan: Role.CREATOR}, bot=None)
    async with bench.sending():
        post_id = await bench.post_to(group.id, note("a"))
        row = await bench.state(post_id, "dead")
    assert row.error == GONE

    async def age(connection: object) -> None:
        statement = update(posts).values(created_at=bench.clock.now() - timedelta(hours=25))
        await connection.execute(statement)  # type: ignore[attr-defined]

    await bench.database.write(age)
    assert await bench.destinations.revive(group.id) == 0


async def test_a_deleted_topic_becomes_general(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    forum = bench.double.group("Форум", {ivan: Role.CREATOR}, forum=True)
    topic = bench.double.topic(forum, "Звонки")
    await bench.destinations.bind(1, Destination(chat_id=forum.id, topic_id=topic))
    async with bench.sending():
        await bench.post(note("a"))
        await bench.double.until(lambda: len(bench.double.sent) == 1)
        bench.double.delete_topic(forum, topic)
        await bench.post(note("b"))
        await bench.double.until(lambda: len(bench.double.sent) == 2)
        await bench.told(NoticeKind.TOPIC_LOST)
    assert [sent.message.thread_id for sent in bench.double.sent] == [topic, None]
    assert [notice.kind for notice in bench.notices] == [NoticeKind.TOPIC_LOST]
    kept = await bench.destinations.set_from_environment(1, Destination(chat_id=forum.id, topic_id=topic))
    assert kept is not None
    assert kept.topic_id is None


async def test_an_edit_that_nobody_asked_for_is_not_sent_anew(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", "было"))
        await bench.state(post_id, "sent")
        bench.double.erase(bench.double.sent[0].message)
        await bench.post_to(ivan.id, replace(note("a", "стало"), only_edits=True))
        await bench.state(post_id, "dead")
    assert len(bench.double.sent) == 1


async def test_an_edit_of_a_deleted_message_is_sent_anew(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", "было"))
        await bench.state(post_id, "sent")
        bench.double.erase(bench.double.sent[0].message)
        await bench.post_to(ivan.id, note("a", "стало"))
        await bench.double.until(lambda: len(bench.double.sent) == 2)
        row = await bench.state(post_id, "sent")
    assert bench.double.sent[1].text == "стало"
    assert row.message_id == bench.double.sent[1].message.message_id
    assert row.possible_repeats == 0


async def test_refused_markup_goes_once_more_as_bare_text(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    button = Button(text="Открыть", kind=ButtonKind.URL, target="https://example.org/")
    bench.double.refuse(400, "Bad Request: BUTTON_URL_INVALID", method="sendMessage")
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", "карточка", buttons=((button,),)))
        await bench.state(post_id, "sent")
    assert bench.double.sent[0].text == "карточка"
    assert bench.double.sent[0].message.keyboard is None


async def test_a_reply_to_what_is_gone_goes_by_itself(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        first = await bench.post_to(ivan.id, note("a"))
        await bench.state(first, "sent")
        bench.double.refuse(400, "Bad Request: message to be replied not found", method="sendMessage")
        second = await bench.post_to(ivan.id, note("b", reply_to="a"))
        await bench.state(second, "sent")
        bench.double.refuse(400, "Bad Request: message to be replied not found", method="sendMessage", times=2)
        third = await bench.post_to(ivan.id, note("c"))
        await bench.state(third, "dead")
    assert [sent.message.reply_to for sent in bench.double.sent] == [None, None]


async def test_what_telegram_never_takes_is_given_up_and_told_once(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.refuse(400, "Bad Request: something new", method="sendMessage", times=2)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        row = await bench.state(post_id, "dead")
        assert "something new" in row.error
        await bench.told(NoticeKind.POST_REFUSED)
        assert [notice.kind for notice in bench.notices] == [NoticeKind.POST_REFUSED]
        assert [dead.id for dead in await bench.outbox.dead()] == [post_id]
        assert await bench.outbox.retry(post_id)
        bench.sender.wake()
        await bench.state(post_id, "sent")
    assert not await bench.outbox.retry(post_id)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_is_tried_again_unmarked(bench: Bench, quick: Quick, status: int) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.refuse(status, None, method="sendMessage", times=2)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        row = await bench.state(post_id, "sent")
    assert [sent.text for sent in bench.double.sent] == ["a"]
    assert (row.possible_repeats, row.attempts) == (0, 0)


async def test_a_gateway_page_is_tried_again_and_says_it_may_be_a_repeat(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.bad_gateway(method="sendMessage", times=3)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        await bench.state(post_id, "sent")
    assert [sent.text for sent in bench.double.sent] == ["a\n\nвозможен повтор"]


async def test_a_lost_answer_is_repeated_once_and_marked(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.drop(method="sendMessage", accepted=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        row = await bench.state(post_id, "sent")
    assert [sent.text for sent in bench.double.sent] == ["a", "a\n\nвозможен повтор"]
    assert row.possible_repeats == 1


async def test_a_text_whose_answer_is_lost_twice_is_not_sent_a_third_time(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.drop(method="sendMessage", accepted=True, times=2)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        row = await bench.state(post_id, "dead")
        await bench.told(NoticeKind.POST_UNCERTAIN)
    assert row.error == UNCERTAIN
    assert len(bench.double.sent) == 2
    assert [notice.kind for notice in bench.notices if notice.kind is NoticeKind.POST_UNCERTAIN]


async def test_a_recording_whose_answer_is_lost_is_never_repeated(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    (bench.data_dir / "recordings" / "talk.mp3").write_bytes(b"ID3" + bytes(100))
    bench.double.drop(method="sendAudio", accepted=True)
    audio = Message(key="f", sections=(), files=(File(path="recordings/talk.mp3", name="t.mp3", kind="audio"),))
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, audio)
        await bench.state(post_id, "dead")
        await asyncio.sleep(0.1)
    assert len(bench.double.sent) == 1


async def test_an_edit_whose_answer_is_lost_is_made_again_unmarked(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", "1"))
        await bench.state(post_id, "sent")
        bench.double.drop(method="editMessageText", accepted=True)
        await bench.post_to(ivan.id, note("a", "2"))
        await bench.double.until(lambda: len(bench.double.calls_of("editMessageText")) == 2)
        row = await bench.state(post_id, "sent")
    assert bench.double.messages(bench.double.private(ivan))[-1].text == "2"
    assert row.possible_repeats == 0


async def test_an_unreadable_200_is_not_repeated(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    bench.double.garble(method="sendMessage")
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        row = await bench.state(post_id, "sent")
        await asyncio.sleep(0.1)
        assert len(bench.double.sent) == 1
        assert (row.message_id, row.error) == (None, UNCERTAIN)
        await bench.post_to(ivan.id, note("a", "b"))  # nothing to edit: a new message, and it says so
        await bench.double.until(lambda: len(bench.double.sent) == 2)
    assert bench.double.sent[1].text == "b\n\nвозможен повтор"


async def test_a_refused_token_keeps_everything(bench: Bench, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    quick()
    monkeypatch.setattr("bot.telegram.settling.TOKEN_PAUSE", 0.2)
    ivan = bench.double.person("Иван", started=True)
    bench.double.refuse(401, "Unauthorized", method="sendMessage", times=2)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        async with asyncio.timeout(20):
            while not bench.sender.token_refused:
                await asyncio.sleep(0.01)
        await bench.state(post_id, "sent")
        assert not bench.sender.token_refused
