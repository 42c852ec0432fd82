"""Models: what is paid for, what stands without them, and what is never paid twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.calls import CallContext, CallKind, Summary, SummarySource, Transcript
from domain.errors import UNHEARABLE, NotReady, VendorRefused, VendorUnavailable
from domain.messages import as_text
from handlers.calls.pipeline import summarise_call
from tests.calls.world import DOWN, SUMMARY, TRANSCRIPT, Crash, Drafts, MemorySteps, World, card


@pytest.mark.parametrize("effect", ["transcribe", "summarise"])
async def test_a_payment_that_may_have_happened_twice_is_marked(world: World, effect: str) -> None:
    world.dies = effect
    steps = MemorySteps()
    with pytest.raises(Crash):
        await summarise_call(world.item(), steps, world.services())
    await summarise_call(world.item(), steps, world.services())
    assert [repeat for _, _, repeat in world.calls.charges].count(True) == 1
    assert "Возможен повтор" in card(world)


async def test_an_answering_machine_is_not_worth_a_model(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def voicemail(self: Drafts, transcript: Transcript, context: CallContext) -> Summary:
        return replace(SUMMARY, source=SummarySource.DRAFT, kind=CallKind.VOICEMAIL, meaningful=False, costs=())

    monkeypatch.setattr(Drafts, "summarise", voicemail)
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert world.seen["summarise"] == 0
    assert [kind for kind, _, _ in world.calls.charges] == ["stt"]
    assert "автоответчик" in card(world)


async def test_tries_that_ended_unknown_are_booked_one_by_one(world: World) -> None:
    cut = VendorUnavailable("openai", "ask", "time-out", uncertain=True)
    world.fails["transcribe"] = [cut, cut, cut]
    steps = MemorySteps()
    for booked in range(3):
        with pytest.raises(VendorUnavailable):
            await summarise_call(world.item(), steps, world.services())
        assert world.calls.charges == [("stt", 1000, True)] * booked
    await summarise_call(world.item(), steps, world.services())
    assert world.calls.charges == [*[("stt", 1000, True)] * 3, ("stt", 13_500, False), ("llm", 900, False)]


async def test_without_recognition_the_card_stands_and_completes_itself(world: World) -> None:
    world.fails["transcribe"] = [DOWN, DOWN]
    steps = MemorySteps()
    for _ in range(2):
        with pytest.raises(VendorUnavailable):
            await summarise_call(world.item(), steps, world.services())
    assert "Расшифровка появится здесь позже" in card(world)
    assert len(world.revisions) == 2
    await summarise_call(world.item(), steps, world.services())
    assert "Саммари:" in card(world)
    assert world.seen["transcribe"] == 1


async def test_without_the_model_a_draft_stands_and_is_replaced(world: World) -> None:
    world.fails["summarise"] = [DOWN]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await summarise_call(world.item(), steps, world.services())
    assert "Черновик без модели" in card(world)
    assert world.comments == {}
    await summarise_call(world.item(), steps, world.services())
    assert "Черновик" not in card(world)
    assert world.seen["transcribe"] == 1
    assert len(world.comments) == 1


async def test_a_model_that_gives_no_summary_is_not_paid_again(world: World) -> None:
    world.fails["summarise"] = [VendorRefused("openai", "chat", "bad_summary", hint="…")]
    world.fails["add_comment"] = [DOWN]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await summarise_call(world.item(), steps, world.services())
    await summarise_call(world.item(), steps, world.services())
    assert "Черновик без модели" in card(world)
    assert world.seen["summarise"] == 0
    assert [kind for kind, _, _ in world.calls.charges] == ["stt", "llm"]
    assert "Черновик без модели" in world.comments["1"]


async def test_a_refused_key_leaves_a_draft_and_is_raised(world: World) -> None:
    world.fails["summarise"] = [VendorRefused("openai", "chat", "bad_key", hint="замените ключ")]
    with pytest.raises(VendorRefused):
        await summarise_call(world.item(), MemorySteps(), world.services())
    assert "Модель отказала" in card(world)


async def test_refused_recognition_leaves_the_recording(world: World) -> None:
    world.fails["transcribe"] = [VendorRefused("openai", "stt", "bad_key", hint="замените ключ")]
    with pytest.raises(VendorRefused):
        await summarise_call(world.item(), MemorySteps(), world.services())
    (message,) = world.posts.values()
    assert "Распознавание речи отказало" in as_text(message)
    assert [button.target for row in message.buttons for button in row] == ["rec:1", "more:1"]


async def test_with_recognition_off_the_card_has_the_recording(world: World) -> None:
    world.hearing_off = True
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert "Распознавание речи выключено" in card(world)


async def test_with_the_model_off_the_draft_is_the_summary(world: World) -> None:
    world.model_off = True
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert "Черновик без модели" in card(world)
    assert "⏳" not in card(world)
    assert len(world.comments) == 1


async def test_at_the_limit_nothing_is_paid_until_it_frees(world: World) -> None:
    world.free_again = world.clock.now() + timedelta(hours=3)
    steps = MemorySteps()
    with pytest.raises(NotReady) as waiting:
        await summarise_call(world.item(), steps, world.services())
    assert waiting.value.retry_after == 3 * 3600
    assert world.seen["transcribe"] == 0
    assert "Лимит трат" in card(world)
    world.free_again = None
    await summarise_call(world.item(), steps, world.services())
    assert "Саммари:" in card(world)


async def test_a_replay_buys_nothing_again(world: World) -> None:
    await summarise_call(world.item(), MemorySteps(), world.services())
    await summarise_call(world.item(source="replay", generation=2), MemorySteps(), world.services())
    assert (world.seen["transcribe"], world.seen["summarise"]) == (1, 1)
    assert world.calls.charges == [("stt", 13_500, False), ("llm", 900, False)]
    assert len(world.comments) == 1
    assert world.seen["update_comment"] == 1


async def test_what_is_paid_already_is_shown_at_the_limit_and_on_a_full_disk(world: World) -> None:
    world.fails["summarise"] = [DOWN]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await summarise_call(world.item(), steps, world.services())
    world.free_again = world.clock.now() + timedelta(hours=3)
    world.room = False
    with pytest.raises(NotReady):
        await summarise_call(world.item(), steps, world.services())
    assert "Никто не моет" in card(world)
    assert "Саммари заменит черновик" in card(world)
    assert "post:limit" not in steps.results
    assert "post:no_room" not in steps.results


async def test_the_price_is_held_until_the_charge_is_written(world: World) -> None:
    held: list[int] = []
    kept = world.calls.charge

    async def charge(*arguments: Any, **named: Any) -> None:
        held.append(world.held)
        await kept(*arguments, **named)

    world.calls.charge = charge  # type: ignore[method-assign]
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert held == [1000, 1000]
    assert world.held == 0


async def test_at_the_limit_a_free_recogniser_steps_in(world: World) -> None:
    world.free_again = world.clock.now() + timedelta(hours=3)
    spare = World(clock=world.clock, data_dir=world.data_dir, transcript=replace(TRANSCRIPT, costs=(), model="whisper-base"))
    spare.paid = False
    with pytest.raises(NotReady):  # the summary waits for the limit, the draft does not
        await summarise_call(world.item(), MemorySteps(), replace(world.services(), spare=spare))
    assert (world.seen["transcribe"], spare.seen["transcribe"]) == (0, 1)
    assert world.calls.charges == []
    assert "Черновик без модели" in card(world)


@pytest.mark.parametrize("code", sorted(UNHEARABLE))
async def test_one_bad_recording_ends_with_its_card(world: World, code: str) -> None:
    world.fails["transcribe"] = [VendorRefused("openai", "transcribe", code, hint="…")]
    await summarise_call(world.item(), MemorySteps(), world.services())
    assert world.calls.row["state"] == "unheard"
    assert "распознать не удалось" in card(world)
