"""The sender against a strict Telegram: order, edits, files, and what a crash may and may not repeat."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.telegram.courier import BotCourier
from bot.telegram.notices import NoticeKind
from domain.messages import Button, ButtonKind, File, Message
from storage.outbox import UNCERTAIN
from storage.posts import INTERACTIVE
from tests.ground import until
from tests.telegram.bench import Bench, note

Quick = Callable[..., None]


async def test_a_post_arrives_and_its_change_is_an_edit(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", "первый"))
        await bench.state(post_id, "sent")
        await bench.post_to(ivan.id, note("a", "второй"))
        await bench.double.until(lambda: len(bench.double.edits) == 1)
    assert [sent.text for sent in bench.double.sent] == ["первый"]
    assert bench.double.edits[0].after.text == "второй"
    row = await bench.row(post_id)
    assert (row.state, row.revision, row.sent_revision) == ("sent", 2, 2)


async def test_the_same_content_is_not_edited(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        await bench.state(post_id, "sent")
        await bench.post_to(ivan.id, note("a"))
        await asyncio.sleep(0.1)
    assert not bench.double.edits
    assert (await bench.row(post_id)).revision == 1


async def test_edits_coalesce_while_the_chat_rests(bench: Bench, quick: Quick) -> None:
    quick(chat=600.0)
    ivan = bench.double.person("Иван", started=True)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", "0"))
        await bench.state(post_id, "sent")
        for number in range(1, 21):
            await bench.post_to(ivan.id, note("a", str(number)))
        await until(lambda: bench.sender.queued)
        assert not bench.double.edits  # an edit uses up the chat's pace
        bench.pass_seconds(600)
        await bench.state(post_id, "sent")
    assert [edit.after.text for edit in bench.double.edits] == ["20"]


async def test_a_held_post_goes_when_it_is_allowed_and_sooner_when_lifted(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    soon, late = bench.clock.now() + timedelta(minutes=10), bench.clock.now() + timedelta(hours=1)
    async with bench.sending():
        held = await bench.post_to(ivan.id, note("a", "черновик", not_before=soon))
        lifted = await bench.post_to(ivan.id, note("b", "черновик", not_before=late))
        await bench.post_to(ivan.id, note("b", "готово"))
        await bench.state(lifted, "sent")
        assert (await bench.row(held)).state == "wanted"
        bench.pass_seconds(600)
        row = await bench.state(held, "sent")
    assert row.sent_at >= soon
    assert [sent.text for sent in bench.double.sent] == ["готово", "черновик"]


async def test_order_in_a_chat_is_kept_and_an_answer_goes_first(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    for number in range(3):
        await bench.post_to(ivan.id, note(f"card{number}"), wake=False)
    last = await bench.post_to(ivan.id, note("answer"), priority=INTERACTIVE)
    async with bench.sending():
        await bench.double.sent_next(4)
        await bench.state(last, "sent")
    assert [sent.text for sent in bench.double.sent] == ["answer", "card0", "card1", "card2"]


async def test_a_picture_goes_as_a_picture_and_is_exchanged_in_place(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    for name in ("first.png", "second.png"):
        (bench.data_dir / "recordings" / name).write_bytes(b"\x89PNG" + name.encode())
    async with bench.sending():
        for name in ("first.png", "second.png"):
            picture = File(path=f"recordings/{name}", name="Вебинар.png", kind="photo", caption="Кто был")
            await bench.post_to(ivan.id, note("webinar", "карточка", files=(picture,)))
            await bench.double.until(lambda: len(bench.double.calls_of("sendPhoto")) == 1)
        await bench.double.until(lambda: len(bench.double.calls_of("editMessageMedia")) == 1)
    card, picture_sent = (sent.message for sent in bench.double.sent if sent.method.startswith("send"))
    assert picture_sent.file is not None
    assert (picture_sent.file.kind, picture_sent.text, picture_sent.reply_to) == ("photo", "Кто был", card.message_id)


async def test_files_follow_their_message_as_replies(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    (bench.data_dir / "recordings" / "talk.txt").write_text("разговор", encoding="utf-8")
    (bench.data_dir / "recordings" / "talk.mp3").write_bytes(b"ID3" + bytes(100))
    files = (
        File(path="recordings/talk.txt", name="Разговор.txt", caption="весь"),
        File(path="recordings/talk.mp3", name="t.mp3", kind="audio"),
    )
    async with bench.sending():
        await bench.post_to(ivan.id, note("call", "карточка", files=files))
        await bench.double.until(lambda: len(bench.double.sent) == 3)
    card, text, audio = (sent.message for sent in bench.double.sent)
    assert (text.reply_to, audio.reply_to) == (card.message_id, card.message_id)
    assert text.file is not None
    assert text.file.name == "Разговор.txt"
    assert [call.params.get("disable_notification") for call in bench.double.calls_of("sendDocument")] == ["true"]


async def test_a_method_this_server_does_not_know_is_no_word_about_the_token(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    for name in ("one.txt", "two.txt"):
        (bench.data_dir / "recordings" / name).write_text(name, encoding="utf-8")
    bench.double.refuse(404, "Not Found: method not found", method="editMessageMedia")
    async with bench.sending():
        post_id = await bench.post_to(
            ivan.id, Message(key="f", sections=(), files=(File(path="recordings/one.txt", name="f.txt"),))
        )
        await bench.state(await only_file(bench, post_id), "sent")
        await bench.post_to(ivan.id, Message(key="f", sections=(), files=(File(path="recordings/two.txt", name="f.txt"),)))
        await bench.state(post_id, "dead")
        assert not bench.sender.token_refused


async def only_file(bench: Bench, post_id: int) -> int:
    assert (await bench.row(post_id)).key == "f#file:f.txt"
    return post_id


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("recordings/../../secret.txt", 1),
        ("secret_key", 1),
        ("recordings/gone.txt", -1),
        ("recordings/empty.txt", 0),
    ],
)
async def test_a_file_that_cannot_be_read_is_given_up(bench: Bench, quick: Quick, path: str, size: int) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    if size >= 0:
        (bench.data_dir / path).write_bytes(b"x" * size)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, Message(key="f", sections=(), files=(File(path=path, name="f.txt"),)))
        row = await bench.state(post_id, "dead")
    assert row.error.startswith("file")
    assert [notice.kind for notice in bench.notices] == [NoticeKind.POST_REFUSED]
    assert not bench.double.sent


async def test_killed_between_acceptance_and_commit_one_marked_repeat(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    fault = bench.double.hold(method="sendMessage")
    post_id = await bench.post_to(ivan.id, note("a"), wake=False)
    task = asyncio.create_task(bench.sender.run())
    await fault.reached.wait()
    await kill(bench, task)
    assert (await bench.row(post_id)).state == "sending"
    bench.reborn()
    async with bench.sending():
        row = await bench.state(post_id, "sent")
        await asyncio.sleep(0.1)
    assert [sent.text for sent in bench.double.sent] == ["a", "a\n\nвозможен повтор"]
    assert row.possible_repeats == 1


async def test_killed_between_intent_and_sending_sent_once(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    post_id = await bench.post_to(ivan.id, note("a"), wake=False)
    assert await bench.outbox.claim(post_id) is not None  # and the process is gone
    async with bench.sending():
        await bench.state(post_id, "sent")
        await asyncio.sleep(0.1)
    assert len(bench.double.sent) == 1


async def test_killed_with_a_recording_on_its_way_it_is_not_repeated(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    audio = Message(key="f", sections=(), files=(File(path="recordings/talk.mp3", name="t.mp3", kind="audio"),))
    post_id = await bench.post_to(ivan.id, audio, wake=False)
    await bench.outbox.claim(post_id)
    async with bench.sending():
        row = await bench.state(post_id, "dead")
    assert (row.state, row.error) == ("dead", UNCERTAIN)
    assert not bench.double.calls


async def test_an_orderly_stop_waits_for_the_answer(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    fault = bench.double.hold(method="sendMessage")
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        await fault.reached.wait()
        asyncio.get_running_loop().call_later(0.2, fault.release)
    assert (await bench.row(post_id)).state == "sent"


async def test_a_change_while_it_is_on_its_way_follows(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    fault = bench.double.hold(method="sendMessage")
    async with bench.sending():
        await bench.post_to(ivan.id, note("a", "1"))
        await fault.reached.wait()
        await bench.post_to(ivan.id, note("a", "2"))
        fault.release()
        await bench.double.until(lambda: len(bench.double.edits) == 1, 2)
    assert bench.double.edits[0].after.text == "2"


async def test_a_button_of_ours_that_is_too_long_is_a_told_defect(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    button = Button(text="x", kind=ButtonKind.ACTION, target="ж" * 33)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a", buttons=((button,),)))
        await bench.state(post_id, "dead")


async def test_a_broken_database_stops_nobody(bench: Bench, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    quick()
    monkeypatch.setattr("bot.telegram.sender.SWEEP_SECONDS", 0.1)
    ivan = bench.double.person("Иван", started=True)
    claim, due, broken = bench.outbox.claim, bench.outbox.due, {"claim": 1, "due": 1}

    async def claim_once(post_id: int) -> object:
        if broken["claim"]:
            broken["claim"] = 0
            raise OSError("disk")
        return await claim(post_id)

    async def due_once() -> object:
        if broken["due"]:
            broken["due"] = 0
            raise OSError("disk")
        return await due()

    monkeypatch.setattr(bench.outbox, "claim", claim_once)
    monkeypatch.setattr(bench.outbox, "due", due_once)
    async with bench.sending():
        post_id = await bench.post_to(ivan.id, note("a"))
        await bench.state(post_id, "sent")
    assert broken == {"claim": 0, "due": 0}


async def test_a_notice_that_cannot_be_told_harms_nobody(bench: Bench, quick: Quick) -> None:
    quick()

    async def broken(_: object) -> None:
        raise RuntimeError("no")

    from bot.telegram.sender import Sender

    ivan = bench.double.person("Иван", started=True)
    bench.sender = Sender(bench.outbox, bench.destinations, BotCourier(bench.bot, bench.data_dir), bench.clock, broken)
    bench.double.refuse(400, "Bad Request: no", method="sendMessage", times=2)
    async with bench.sending():
        dead = await bench.post_to(ivan.id, note("a"))
        await bench.state(dead, "dead")
        fine = await bench.post_to(ivan.id, note("b"))
        await bench.state(fine, "sent")


async def test_the_counts_of_status(bench: Bench, quick: Quick) -> None:
    quick()
    ivan = bench.double.person("Иван", started=True)
    hour = timedelta(hours=1)
    await bench.post_to(ivan.id, note("held", not_before=bench.clock.now() + hour), wake=False)
    await bench.post_to(ivan.id, note("late", not_before=bench.clock.now() - hour), wake=False)
    counts = await bench.outbox.counts()
    assert (counts.waiting, counts.late, counts.held, counts.dead) == (1, 1, 1, 0)


async def kill(bench: Bench, task: asyncio.Task[None]) -> None:
    """As SIGKILL would: nothing is put back, nothing is committed any more."""
    tasks = [task, *bench.sender._tasks]
    for one in tasks:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
