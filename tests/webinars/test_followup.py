"""A webinar that people are told of is summed up the day after: planned once with its report, told by remembered steps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.events import FollowUpDue
from domain.followup import Followup
from domain.work import WorkItem
from handlers.webinars.followup import follow_up
from handlers.webinars.pipeline import webinar_ended
from tests.calls.world import Crash, MemorySteps
from tests.webinars.world import REPORT, WEBINAR, World

DUE = datetime(2026, 11, 21, 15, tzinfo=UTC)  # 18:00 in Moscow


async def test_it_is_planned_with_the_report_and_once(world: World) -> None:
    await webinar_ended(world.item(), MemorySteps(), world.services())
    await webinar_ended(world.item(source="replay", generation=2), MemorySteps(), world.services())
    ((event, at),) = world.planned
    assert (event.external_id, event.row_id, event.title, event.started_at) == (WEBINAR, 7, REPORT.title, REPORT.started_at)
    assert at == DUE


async def test_nothing_is_planned_for_what_nobody_is_told_of(world: World) -> None:
    item = world.item()
    rehearsed = replace(item, event=replace(item.event, rehearsal=True))
    await webinar_ended(rehearsed, MemorySteps(), world.services())
    world.clock.forward(3 * 86400)
    await webinar_ended(world.item(source="poll"), MemorySteps(), world.services())
    assert world.planned == []


def due_item(world: World) -> WorkItem[FollowUpDue]:
    event = FollowUpDue(vendor="bizon365", external_id=WEBINAR, occurred_at=DUE - timedelta(hours=27), row_id=7)
    return WorkItem(
        id=2, account_id=1, kind="followup", object=f"bizon365:{WEBINAR}", generation=1, event=event, source="tick",
        delivery_id=None, heard_at=DUE - timedelta(hours=26), failures=0,
    )  # fmt: skip


@pytest.mark.parametrize("kept", range(2))
async def test_a_crash_after_any_step_tells_it_once(world: World, kept: int) -> None:
    world.clock.moment = DUE
    world.webinars.called = Followup(total=40, contacted=31, median_s=1320)
    steps = MemorySteps(die_after=kept)
    with pytest.raises(Crash):
        await follow_up(due_item(world), steps, world.services())
    steps.die_after = None
    await follow_up(due_item(world), steps, world.services())
    assert list(steps.results) == ["count", "post"]
    (message,) = world.posts.values()
    assert (message.key, message.reply_to) == (f"followup:bizon365:{WEBINAR}", f"webinar:bizon365:{WEBINAR}")
    assert len(world.revisions) == 1
