"""The trip of a call, with every outage on the way and a crash after every step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.calls import Transcript, VoiceVerdict
from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.events import CallOutcome
from domain.messages import as_text
from handlers.calls.pipeline import RECORDING_LOOKS_SECONDS, summarise_call
from tests.calls.world import DOWN, FACTS, TRANSCRIPT, Crash, MemorySteps, World, card

STEPS = [
    "look_up", "sort", "register", "parties", "save_parties", "post:facts", "recording_ready", "download", "save_recording",
    "gate", "transcribe", "summarise", "post:full", "comment_target", "comment",
]  # fmt: skip


async def test_a_call_becomes_a_card_and_a_comment(world: World) -> None:
    steps = MemorySteps()
    await summarise_call(world.item(), steps, world.services())
    assert list(steps.results) == STEPS
    assert "Входящий звонок" in card(world)
    assert "2м 15с" in card(world)
    assert "Никто не моет <b>полы</b>." in card(world)
    assert len(world.comments) == 1
    assert "Перезвонить клиенту" in world.comments["1"]
    assert world.calls.charges == [("stt", 13_500, False), ("llm", 900, False)]
    assert world.calls.row["state"] == "carded"


async def test_the_first_message_is_held_back_and_the_finished_one_is_not(world: World) -> None:
    await summarise_call(world.item(), MemorySteps(), world.services())
    held, full = world.revisions
    assert held.not_before == world.clock.now() + timedelta(seconds=45)
    assert full.not_before is None


@pytest.mark.parametrize("kept", range(len(STEPS)))
async def test_a_crash_after_any_step_repeats_no_effect(world: World, kept: int) -> None:
    steps = MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await summarise_call(world.item(), steps, world.services())
    steps.die_after = None
    await summarise_call(world.item(), steps, world.services())
    assert list(steps.results) == STEPS
    assert len(world.posts) == 1
    assert len(world.comments) == 1
    # A result that was not kept may have been paid: then, and only then, it is asked again, and counted.
    assert world.seen["transcribe"] == 1 + steps.repeats["transcribe"]
    assert world.seen["summarise"] == 1 + steps.repeats["summarise"]
    assert world.seen["add_comment"] == 1
    assert steps.repeats["comment"] == 0


@pytest.mark.parametrize("kept", range(len(STEPS)))
async def test_what_is_free_is_no_possible_repeat(world: World, kept: int) -> None:
    world.paid = False
    steps = MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await summarise_call(world.item(), steps, world.services())
    steps.die_after = None
    await summarise_call(world.item(), steps, world.services())
    assert steps.possible_repeats == 0
    assert "Возможен повтор" not in as_text(next(iter(world.posts.values())))


async def test_a_comment_that_was_added_before_the_crash_is_found(world: World) -> None:
    world.dies = "add_comment"
    steps = MemorySteps()
    with pytest.raises(Crash):
        await summarise_call(world.item(), steps, world.services())
    await summarise_call(world.item(), steps, world.services())
    assert len(world.comments) == 1
    assert world.seen["find_comment"] == 1
    assert steps.possible_repeats == 0


@pytest.mark.parametrize(("seconds", "state"), [(9, "short"), (10, "short"), (11, "carded")])
async def test_only_longer_than_ten_seconds(world: World, seconds: int, state: str) -> None:
    world.facts = replace(FACTS, duration_s=seconds)
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert world.calls.row["state"] == state
    assert bool(world.posts) == (state == "carded")
    assert bool(world.seen["transcribe"]) == (state == "carded")


async def test_a_missed_call_has_a_card_of_its_own_and_costs_nothing(world: World) -> None:
    world.facts = replace(FACTS, outcome=CallOutcome.MISSED, failed_code="304", duration_s=0, recording_ref="")
    await summarise_call(world.item(), MemorySteps(), world.services())
    (message,) = world.posts.values()
    assert message.kind == "missed"
    assert "Пропущенный звонок" in as_text(message)
    assert world.calls.charges == []
    assert world.comments == {}


async def test_an_old_call_is_stored_quietly(world: World) -> None:
    world.facts = replace(FACTS, started_at=world.clock.now() - timedelta(hours=25))
    await summarise_call(world.item(source="poll"), MemorySteps(), world.services())
    assert world.calls.row["state"] == "old"
    assert world.posts == {}
    assert world.seen["download"] == 0


async def test_a_call_heard_in_time_is_not_old_because_the_vendor_was_away(world: World) -> None:
    heard = world.clock.now()
    world.clock.forward(48 * 3600)
    await summarise_call(world.item(heard_at=heard), MemorySteps(), world.services())
    assert world.calls.row["state"] == "carded"


async def test_a_late_recording_is_waited_for(world: World) -> None:
    world.facts = replace(FACTS, recording_ref="")
    steps, item = MemorySteps(), world.item()
    for at in RECORDING_LOOKS_SECONDS[:3]:
        with pytest.raises(NotReady) as waiting:
            await summarise_call(item, steps, world.services())
        world.clock.forward(waiting.value.retry_after)
        assert (world.clock.now() - item.heard_at).total_seconds() == at
    assert "Запись ещё не готова, проверяем до 15:40" in card(world)
    world.facts = FACTS
    await summarise_call(item, steps, world.services())
    assert "Саммари" in card(world)
    assert world.seen["transcribe"] == 1


async def test_a_recording_that_never_comes_ends_the_wait_at_no_cost(world: World) -> None:
    world.facts = replace(FACTS, recording_ref="")
    steps, item = MemorySteps(), world.item()
    for _ in RECORDING_LOOKS_SECONDS:
        with pytest.raises(NotReady) as waiting:
            await summarise_call(item, steps, world.services())
        world.clock.forward(waiting.value.retry_after)
    await summarise_call(item, steps, world.services())
    assert world.calls.row["state"] == "no_recording"
    assert "Записи нет" in card(world)
    assert world.calls.charges == []


@pytest.mark.parametrize("code", ["too_large", "foreign_host"])
async def test_a_recording_that_cannot_be_used_is_no_recording(world: World, code: str) -> None:
    world.fails["download"] = [VendorRefused("bitrix24", "download", code, hint="…")]
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert world.calls.row["state"] == "no_recording"


@pytest.mark.parametrize("code", ["not_audio", "gone"])
async def test_a_page_instead_of_the_recording_is_looked_at_again(world: World, code: str) -> None:
    world.fails["download"] = [VendorRefused("bitrix24", "download", code, hint="…")]
    steps, item = MemorySteps(), world.item()
    with pytest.raises(NotReady) as waiting:
        await summarise_call(item, steps, world.services())
    world.clock.forward(waiting.value.retry_after)
    await summarise_call(item, steps, world.services())
    assert world.calls.row["state"] == "carded"


@pytest.mark.parametrize("code", ["not_audio", "gone"])
async def test_a_recording_that_is_never_one_ends_the_wait(world: World, code: str) -> None:
    world.fails["download"] = [VendorRefused("bitrix24", "download", code, hint="…")]
    item = world.item()
    world.clock.forward(RECORDING_LOOKS_SECONDS[-1])
    await summarise_call(item, MemorySteps(), world.services())
    assert world.calls.row["state"] == "no_recording"


async def test_a_missing_right_is_not_taken_for_a_missing_recording(world: World) -> None:
    world.fails["download"] = [VendorRefused("bitrix24", "download", "insufficient_scope", hint="…")]
    with pytest.raises(VendorRefused):
        await summarise_call(world.item(), MemorySteps(), world.services())


async def test_a_call_the_vendor_announced_and_does_not_list_is_told_of(world: World) -> None:
    world.facts, world.proven = None, True
    item = world.item(heard_at=world.clock.now() - timedelta(hours=1))
    with pytest.raises(VendorRefused) as refused:
        await summarise_call(item, MemorySteps(), world.services())
    assert (refused.value.code, str(refused.value)) == ("unlisted", "bitrix24 call A1.1 of 20.11 14:00: unlisted")
    assert (world.posts, world.calls.row) == ({}, {})


async def test_a_call_nobody_lists_is_given_up_after_the_last_look(world: World) -> None:
    world.facts = None
    item = world.item()
    with pytest.raises(NotReady):
        await summarise_call(item, MemorySteps(), world.services())
    world.clock.forward(RECORDING_LOOKS_SECONDS[-1])
    await summarise_call(item, MemorySteps(), world.services())
    assert world.posts == {}


@pytest.mark.parametrize("verdict", [VoiceVerdict.NO_SPEECH, VoiceVerdict.UNREADABLE])
async def test_no_speech_costs_nothing(world: World, verdict: VoiceVerdict) -> None:
    world.verdict = verdict
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert world.calls.charges == []
    assert "Речь не найдена" in card(world)


async def test_invented_text_ends_as_no_speech(world: World) -> None:
    world.transcript = replace(TRANSCRIPT, segments=())
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert "Речь не найдена" in card(world)
    assert world.seen["summarise"] == 0


async def test_a_crm_that_is_away_costs_the_names_and_not_the_card(world: World) -> None:
    world.fails["parties"] = [DOWN]
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert "Анна" not in card(world)
    assert "Саммари:" in card(world)


async def test_a_long_transcript_goes_into_a_file(world: World) -> None:
    words = "слово " * 400
    world.transcript = Transcript(
        segments=(replace(TRANSCRIPT.segments[0], text=words),), language="ru", model="m", timed=True, duration_s=135,
        quality=TRANSCRIPT.quality,
    )  # fmt: skip
    await summarise_call(world.item(), MemorySteps(), world.services())
    (message,) = world.posts.values()
    (file,) = message.files
    assert words.strip() in (world.data_dir / file.path).read_text(encoding="utf-8")
    assert words not in as_text(message)


async def test_without_room_on_the_disk_the_recording_waits(world: World) -> None:
    world.room = False
    steps = MemorySteps()
    with pytest.raises(NotReady):
        await summarise_call(world.item(), steps, world.services())
    assert world.seen["download"] == 0
    assert "нет места" in card(world)
    world.room = True
    await summarise_call(world.item(), steps, world.services())
    assert "Саммари:" in card(world)


async def test_another_recording_is_listened_to_anew(world: World) -> None:
    await summarise_call(world.item(), MemorySteps(), world.services())
    world.audio = b"ID3 the whole of it this time"
    await summarise_call(world.item(source="replay", generation=2), MemorySteps(), world.services())
    assert world.seen["transcribe"] == 2


async def test_a_recording_left_on_another_nodes_disk_is_fetched_again(world: World) -> None:
    world.fails["gate"] = [DOWN]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await summarise_call(world.item(), steps, world.services())
    for file in world.data_dir.rglob("recordings/*/*"):
        file.unlink()
    await summarise_call(world.item(), steps, world.services())
    assert "Саммари:" in card(world)
    assert world.seen["download"] == 2


async def test_a_rehearsal_is_heard_whatever_length_is_asked_for(world: World) -> None:
    world.min_duration = 600
    item = world.item(source="rehearsal")
    await summarise_call(replace(item, event=replace(item.event, rehearsal=True)), MemorySteps(), world.services())
    assert "Саммари:" in card(world)


@pytest.mark.parametrize(("after_s", "state"), [(0, "carded"), (1, "old")])
async def test_after_a_restore_what_ended_before_it_is_quiet(world: World, after_s: int, state: str) -> None:
    services = world.services()
    ended = FACTS.started_at + timedelta(seconds=FACTS.duration_s)
    policy = replace(services.policy, quiet_before=ended + timedelta(seconds=after_s))
    await summarise_call(world.item(), MemorySteps(), replace(services, policy=policy))
    assert world.calls.row["state"] == state
    await summarise_call(world.item(source="replay", generation=2), MemorySteps(), replace(services, policy=policy))
    assert world.calls.row["state"] == "carded"
