"""The trip of a webinar: a late report, pages that come slowly, a crash after every step, and webinars nobody waits for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.attendance import Turnout
from domain.errors import NotReady, VendorUnavailable
from domain.messages import as_text
from domain.ports import Tx
from handlers.drawing import NotDrawnError
from handlers.webinars.pipeline import REPORT_LOOKS_SECONDS, webinar_ended
from tests.calls.world import Crash, MemorySteps
from tests.webinars.world import REPORT, TURNOUT, World

PAGES = ["page:0", "page:1", "page:2", "page:3"]
STEPS = [
    "look_up", "sort", "register", *PAGES, "load", "match", "count", "store", "plan", "post:figures", "draw", "post:ready",
    "registered", "digests",
]  # fmt: skip


def card(world: World) -> str:
    (message,) = world.posts.values()
    return as_text(message)


async def test_a_webinar_becomes_rows_and_a_card_with_a_picture(world: World) -> None:
    steps = MemorySteps()
    await webinar_ended(world.item(), steps, world.services())
    assert list(steps.results) == STEPS
    assert len(world.webinars.viewers) == world.webinars.matched == 2350
    assert (world.webinars.row["state"], world.webinars.row["skipped"]) == ("complete", 1)
    assert "Как выбрать квартиру" in card(world)
    (message,) = world.posts.values()
    (picture,) = message.files
    assert picture.kind == "photo"
    assert (world.data_dir / picture.path).read_bytes().startswith(b"\x89PNG")


async def test_the_card_grows_while_records_come_in(world: World) -> None:
    world.page_takes_s = 2.0
    world.sizes = (1000,) * 6
    await webinar_ended(world.item(), MemorySteps(), world.services())
    grown = [as_text(message) for message in world.revisions]
    assert "Загружено 1\N{NO-BREAK SPACE}000 из 6\N{NO-BREAK SPACE}000." in grown[0]
    assert "Загружено" in grown[1]
    assert sum("Загружено" in text for text in grown) == 3
    assert "Загружено" not in grown[-1]
    assert [bool(message.files) for message in world.revisions[-2:]] == [False, True]


@pytest.mark.parametrize("kept", range(len(STEPS)))
async def test_a_crash_after_any_step_changes_nothing(world: World, kept: int) -> None:
    steps = MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await webinar_ended(world.item(), steps, world.services())
    steps.die_after = None
    await webinar_ended(world.item(), steps, world.services())
    assert list(steps.results) == STEPS
    assert len(world.posts) == 1
    assert len(world.webinars.viewers) == 2350
    assert "Пришли: 1\N{NO-BREAK SPACE}402" in card(world)
    broke_off = STEPS[kept] in PAGES
    assert world.seen["viewers"] == 1 + broke_off
    assert sum(world.seen[f"viewers:{number}"] for number in range(3)) == 3 + (broke_off and STEPS[kept] != PAGES[-1])


async def test_a_late_report_is_waited_for_and_the_card_says_when(world: World) -> None:
    world.report_ = None
    steps, item = MemorySteps(), world.item()
    for at in REPORT_LOOKS_SECONDS[:5]:
        with pytest.raises(NotReady) as waiting:
            await webinar_ended(item, steps, world.services())
        world.clock.forward(waiting.value.retry_after)
        assert (world.clock.now() - item.heard_at).total_seconds() == at
    assert "Отчёт ещё не готов, следующая попытка в 17:00." in card(world)
    world.report_ = REPORT
    await webinar_ended(item, steps, world.services())
    assert "Пришли" in card(world)
    assert len(world.posts) == 1


async def test_viewers_that_are_not_there_yet_are_waited_for_too(world: World) -> None:
    world.fails["viewers"] = [NotReady("viewers", retry_after=1.0)] * 2
    steps, item = MemorySteps(), world.item()
    for _ in range(2):
        with pytest.raises(NotReady) as waiting:
            await webinar_ended(item, steps, world.services())
        world.clock.forward(waiting.value.retry_after)
    await webinar_ended(item, steps, world.services())
    assert "Пришли" in card(world)


async def test_a_report_that_never_comes_ends_the_wait_and_says_what_to_press(world: World) -> None:
    world.report_ = None
    steps, item = MemorySteps(), world.item()
    for _ in REPORT_LOOKS_SECONDS:
        with pytest.raises(NotReady) as waiting:
            await webinar_ended(item, steps, world.services())
        world.clock.forward(waiting.value.retry_after)
    await webinar_ended(item, steps, world.services())
    assert "Отчёта так и нет" in card(world)
    world.report_ = REPORT
    await webinar_ended(world.item(source="replay", generation=2), MemorySteps(), world.services())
    assert "Пришли" in card(world)


@pytest.mark.parametrize("source", ["hook", "poll"])
async def test_an_old_webinar_is_stored_without_a_card(world: World, source: str) -> None:
    world.report_ = replace(REPORT, started_at=world.clock.now() - timedelta(hours=26))
    await webinar_ended(world.item(source=source), MemorySteps(), world.services())
    assert world.posts == {}
    assert len(world.webinars.viewers) == 2350
    assert world.webinars.row["state"] == "complete"
    assert world.seen["draw"] == 0


async def test_who_waits_for_its_digest_is_told_of_after_the_card_and_never_of_an_old_one(world: World) -> None:
    heard, known = list[str](), set[int]()

    async def digests(_tx: Tx, _account_id: int, webinar_id: int) -> int:
        heard.append(f"digest of {webinar_id} beside {len(world.posts)} card")
        begun = webinar_id not in known
        known.add(webinar_id)
        return int(begun)

    services = replace(world.services(), digests=digests, begun=lambda: heard.append("begun"))
    await webinar_ended(world.item(), MemorySteps(), services)
    row_id = min(known)
    assert heard == [f"digest of {row_id} beside 1 card", "begun"]
    await webinar_ended(world.item(generation=2), MemorySteps(), services)
    assert heard[2:] == [f"digest of {row_id} beside 1 card"], "its report was made anew: nothing has begun"
    world.quiet_before = world.clock.now()
    await webinar_ended(world.item(generation=3), MemorySteps(), replace(world.services(), digests=digests))
    assert len(heard) == 3


async def test_after_a_restore_what_ended_before_it_is_quiet(world: World) -> None:
    world.quiet_before = world.clock.now()
    await webinar_ended(world.item(), MemorySteps(), world.services())
    assert world.posts == {}
    await webinar_ended(world.item(source="replay", generation=2), MemorySteps(), world.services())
    assert "Пришли" in card(world)


async def test_an_empty_report_says_so_and_draws_nothing(world: World) -> None:
    world.sizes = (0,)
    world.webinars.figures = Turnout()
    await webinar_ended(world.item(), MemorySteps(), world.services())
    assert "В отчёте нет ни одного зрителя." in card(world)
    assert world.seen["draw"] == 0


async def test_a_picture_that_is_not_drawn_keeps_nobody_from_the_card(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def out_of_memory(_: object) -> object:
        raise NotDrawnError("OSError")

    monkeypatch.setattr(world, "run_cpu", out_of_memory)
    await webinar_ended(world.item(), MemorySteps(), world.services())
    assert "Пришли" in card(world)
    assert not any(message.files for message in world.posts.values())


async def test_a_platform_that_goes_away_halfway_is_gone_on_with(world: World) -> None:
    world.fails["viewers"] = [VendorUnavailable("bizon365", "getviewers", "503")]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await webinar_ended(world.item(), steps, world.services())
    await webinar_ended(world.item(), steps, world.services())
    assert len(world.webinars.viewers) == 2350


async def test_an_old_report_made_anew_changes_the_card_there_is_and_makes_none(world: World) -> None:
    world.report_ = replace(REPORT, started_at=world.clock.now() - timedelta(hours=26))
    await webinar_ended(world.item(source="remade", generation=2), MemorySteps(), world.services())
    assert world.posts == {}
    assert world.webinars.row["state"] == "complete"
    assert world.seen["draw"] == 0
    await webinar_ended(world.item(source="replay", generation=3), MemorySteps(), world.services())
    world.webinars.figures = replace(TURNOUT, came=77)
    world.clock.forward(86400)
    await webinar_ended(world.item(source="remade", generation=4), MemorySteps(), world.services())
    assert "Пришли: 77" in card(world)


async def test_of_an_old_webinar_without_a_report_nothing_is_said(world: World) -> None:
    world.report_ = None
    item = world.item(heard_at=world.clock.now() - timedelta(hours=7))
    old = replace(item, event=replace(item.event, occurred_at=world.clock.now() - timedelta(hours=50)))
    await webinar_ended(old, MemorySteps(), world.services())
    assert world.posts == {}
    await webinar_ended(item, MemorySteps(), world.services())
    assert "Отчёта так и нет" in card(world)
