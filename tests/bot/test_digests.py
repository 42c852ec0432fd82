"""Slots become work: once each, whoever looks at the clock, however long nobody did, and never those of before."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.digests import begin_due, build_gather, webinar_digests
from domain.digests import DigestKind, DigestPart
from domain.events import DigestDue
from domain.messages import Destination, as_text
from domain.ports import Tx
from domain.roles import Person, Role
from domain.schedules import EVERY_DAY, Obstacle, Schedule
from handlers.digests.content import DigestSources
from handlers.digests.services import DigestServices
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.codec import loads
from storage.engine import Database
from storage.models import work
from storage.schedules import ScheduleStore
from tests.ground import HandClock

ADMIN = Person(user_id=1, account_id=1, telegram_id=10, role=Role.ADMIN, name="Анна")
HOUR, DAY = 3600.0, 86400.0
Make = Callable[..., Any]


@pytest.fixture
def services(lite: Database, clock: HandClock) -> DigestServices:
    """What the tick looks at of them; the clock stands at 15:00 in Moscow."""
    return cast("Any", DigestServices)(
        schedules=ScheduleStore(lite), gather=None, chat=None, clock=clock, texts=load_texts(), data_dir=None, admins=None,
        timezone=ZoneInfo("Europe/Moscow"), catchup_max_age=timedelta(hours=24), run_cpu=None, posted=None,
    )  # fmt: skip


@pytest.fixture
async def make(lite: Database, clock: HandClock) -> Make:
    async def make(**changes: Any) -> Schedule:
        new = Schedule(
            id=0, account_id=1, kind=DigestKind.DAILY, days=EVERY_DAY, at=time(16), zone="", parts=frozenset(DigestPart),
            destination=Destination(chat_id=-1), picture=False, enabled=True, obstacle=None, handled_at=clock.now(),
            missed=0,
        )  # fmt: skip
        return await ScheduleStore(lite).add(ADMIN, replace(new, **changes), clock.now())

    return make


async def made(database: Database) -> list[DigestDue]:
    async with database.read() as connection:
        rows = await connection.scalars(select(work.c.payload).where(work.c.kind == "digest").order_by(work.c.id))
        return [loads(DigestDue, row) for row in rows]


async def test_a_slot_is_one_work_for_two_processes_and_after_a_restart(
    lite: Database, services: DigestServices, clock: HandClock, make: Make
) -> None:
    one = await make()
    assert await begin_due(lite, 1, services) == 0
    clock.forward(HOUR + 5)
    begun = await asyncio.gather(*(begin_due(lite, 1, services) for _ in range(3)))
    assert sorted(begun) == [0, 0, 1]
    clock.forward(60)
    assert await begin_due(lite, 1, services) == 0
    (event,) = await made(lite)
    assert event == DigestDue(
        vendor="schedule", external_id=f"{one.id}:2026-11-20T16:00", occurred_at=datetime(2026, 11, 20, 13, tzinfo=UTC),
        schedule_id=one.id,
    )  # fmt: skip
    async with lite.read() as connection:
        assert await connection.scalar(select(work.c.object)) == f"schedule:{one.id}:2026-11-20T16:00"


async def test_a_clock_that_is_set_back_sends_no_second_one_and_none_too_few(
    lite: Database, services: DigestServices, clock: HandClock, make: Make
) -> None:
    await make()
    for seconds in (HOUR + 5, -HOUR, HOUR, DAY, -30 * 60, 30 * 60):
        clock.forward(seconds)
        await begin_due(lite, 1, services)
    keys = [event.external_id.partition(":")[2] for event in await made(lite)]
    assert keys == ["2026-11-20T16:00", "2026-11-21T16:00"]


async def test_the_newest_missed_one_comes_late_and_says_since_when_nobody_worked(
    lite: Database, services: DigestServices, clock: HandClock, make: Make
) -> None:
    one = await make()
    await begin_due(lite, 1, services)
    last_seen = clock.now()
    clock.forward(3 * DAY + 2 * HOUR)
    assert await begin_due(lite, 1, services) == 1
    (event,) = await made(lite)
    assert (event.external_id, event.late_since) == (f"{one.id}:2026-11-23T16:00", last_seen)
    assert [schedule.missed for schedule in await ScheduleStore(lite).all(1)] == [3]


async def test_what_is_past_sending_is_only_counted(
    lite: Database, services: DigestServices, clock: HandClock, make: Make
) -> None:
    await make()
    short = replace(services, catchup_max_age=timedelta(hours=1))
    clock.forward(DAY + 3 * HOUR)
    assert await begin_due(lite, 1, short) == 0
    assert await made(lite) == []
    assert [schedule.missed for schedule in await ScheduleStore(lite).all(1)] == [2]


async def test_slots_of_before_a_change_or_a_restore_are_nobodys(
    lite: Database, services: DigestServices, clock: HandClock, make: Make
) -> None:
    one, store = await make(), ScheduleStore(lite)
    clock.forward(2 * HOUR)
    await store.change(ADMIN, one.id, lambda old: replace(old, at=time(16, 30)), clock.now())
    assert await begin_due(lite, 1, services) == 0
    clock.forward(DAY)
    assert await begin_due(lite, 1, replace(services, quiet_before=clock.now())) == 0
    assert await made(lite) == []


async def test_paused_broken_and_deleted_ones_do_not_come(
    lite: Database, services: DigestServices, clock: HandClock, make: Make
) -> None:
    await make(enabled=False)
    await make(obstacle=Obstacle.CLOSED)
    gone = await make()
    await ScheduleStore(lite).drop(ADMIN, gone.id, clock.now())
    await make(kind=DigestKind.WEBINAR)
    clock.forward(DAY)
    assert await begin_due(lite, 1, services) == 0


async def test_it_is_told_with_the_real_figures(lite: Database, clock: HandClock) -> None:
    gather, moscow = build_gather(DigestSources(database=lite), ZoneInfo("Europe/Moscow")), ZoneInfo("Europe/Moscow")
    told = await gather(1, kind=DigestKind.DAILY, parts=frozenset(DigestPart), now=clock.now() - timedelta(hours=6))
    reader = Reader(texts=load_texts(), now=clock.now(), zone=moscow)
    card = as_text(told.card(reader, full=False, late_since=clock.now() - timedelta(hours=7), key="k"))
    assert "За 09:00, с опозданием: Сводка не работала с 08:00." in card
    assert "Звонков не было" in card
    assert told.picture(reader) is None


async def test_a_webinar_is_told_once_by_each_schedule_that_waits_for_one(
    lite: Database, clock: HandClock, make: Make
) -> None:
    first, _, _ = await make(kind=DigestKind.WEBINAR), await make(), await make(kind=DigestKind.WEBINAR, enabled=False)
    plan = webinar_digests(lite, clock)

    async def job(connection: AsyncConnection) -> int:
        return await plan(cast("Tx", connection), 1, 7)

    assert [await lite.write(job), await lite.write(job)] == [1, 0]
    (event,) = await made(lite)
    assert (event.external_id, event.webinar_id) == (f"{first.id}:webinar:7", 7)
