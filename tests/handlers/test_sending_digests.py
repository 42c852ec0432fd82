"""A digest goes to its schedule's chat once, late ones say so, and what cannot be sent is told to who can help."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from domain.digests import DigestKind, DigestPart
from domain.events import DigestDue
from domain.messages import Destination, Message, as_text
from domain.roles import Role
from domain.schedules import SENDER, WORKDAYS, Schedule
from domain.work import WorkItem
from handlers.desk import Desk
from handlers.digests.buttons import off_button
from handlers.digests.pipeline import send_digest
from handlers.digests.services import DigestServices
from storage.codec import loads
from storage.models import posts, users
from storage.schedules import ScheduleStore
from tests.calls.world import Crash
from tests.ground import HandClock
from tests.handlers.chat import OWNER, PRIVATE_CHAT
from tests.handlers.conftest import MOSCOW, Stage
from tests.handlers.office import GROUP, StoredWrites, open_office
from tests.handlers.paper import draw
from tests.handlers.seed import put

SILENT, PERSON = -2002, 777


async def due(desk: Desk, destination: int = GROUP, *, picture: bool = False, **changes: Any) -> WorkItem[DigestDue]:
    """A schedule, and the work of its slot of just now."""
    now = desk.clock.now()
    new = Schedule(
        id=0, account_id=1, kind=DigestKind.DAILY, days=WORKDAYS, at=now.time(), zone="",
        parts=frozenset({DigestPart.CALLS, DigestPart.DEBTS}), destination=Destination(chat_id=destination), picture=picture,
        enabled=True, obstacle=None, handled_at=now, missed=0,
    )  # fmt: skip
    schedule = await ScheduleStore(desk.database).add(OWNER, new, now)
    event = DigestDue(vendor=SENDER, external_id=f"{schedule.id}:slot", occurred_at=now, schedule_id=schedule.id)
    return WorkItem(
        id=1, account_id=1, kind="digest", object="schedule:1:slot", generation=1, event=replace(event, **changes),
        source="tick", delivery_id=None, heard_at=now, failures=0,
    )  # fmt: skip


def services(desk: Desk, stage: Stage) -> DigestServices:
    async def admins(_: int) -> list[Destination]:
        return [Destination(chat_id=PRIVATE_CHAT)]

    async def run_cpu(fn: Any) -> object:
        return fn()

    return DigestServices(
        schedules=ScheduleStore(desk.database), gather=stage.paper, chat=cast("Any", desk.posts), clock=desk.clock,
        texts=desk.texts, timezone=MOSCOW, data_dir=desk.data_dir, catchup_max_age=timedelta(hours=24), admins=admins,
        run_cpu=run_cpu, posted=lambda: None,
    )  # fmt: skip


async def told(desk: Desk) -> list[tuple[int, str, Message]]:
    async with desk.database.read() as connection:
        rows = await connection.execute(select(posts.c.chat_id, posts.c.key, posts.c.content).order_by(posts.c.id))
        return [(row.chat_id, row.key, loads(Message, row.content)) for row in rows]


async def test_a_digest_is_posted_once_whatever_breaks(desk: Desk, stage: Stage) -> None:
    await open_office(desk)
    stage.paper.drawn = (draw, "png")
    item = await due(desk, picture=True)
    whole = StoredWrites(desk)
    await send_digest(item, whole, services(desk, stage))
    assert list(whole.results) == ["schedule", "post", "draw", "picture"]
    first = await told(desk)
    key = f"digest:{item.event.external_id}"
    assert [(chat, key) for chat, key, _ in first] == [(GROUP, key), (GROUP, f"{key}#file:дайджест-2026-11-20.png")]
    (file,) = first[1][2].files
    assert (desk.data_dir / file.path).read_bytes() == b"png"
    assert (file.kind, first[1][2].reply_to) == ("photo", first[0][1])
    for place in range(len(whole.results)):
        steps = StoredWrites(desk, die_after=place)
        steps.results = dict(list(whole.results.items())[:place])
        with pytest.raises(Crash):
            await send_digest(item, steps, services(desk, stage))
        again = StoredWrites(desk)
        again.results = steps.results
        await send_digest(item, again, services(desk, stage))
        assert list(again.results) == list(whole.results)
    assert await told(desk) == first


async def test_a_picture_that_cannot_be_drawn_takes_nothing_away(desk: Desk, stage: Stage) -> None:
    await open_office(desk)
    stage.paper.drawn = (draw, "broken")
    steps = StoredWrites(desk)
    await send_digest(await due(desk, picture=True), steps, services(desk, stage))
    assert list(steps.results) == ["schedule", "post", "draw"]
    assert len(await told(desk)) == 1


async def test_a_late_one_says_so_and_its_button_opens_the_same(desk: Desk, stage: Stage, clock: HandClock) -> None:
    await open_office(desk)
    since = clock.now() - timedelta(minutes=20)
    item = await due(desk, late_since=since)
    clock.forward(3 * 3600)
    await send_digest(item, StoredWrites(desk), services(desk, stage))
    ((_, _, message),) = await told(desk)
    assert as_text(message) == "daily 2026-11-20 12:00 разделов 2 с опозданием, нет с 11:40"
    opened = off_button(message.buttons[-1][0].target.partition(":")[2])
    assert opened is not None
    assert (opened.kind, opened.parts, opened.now, opened.late_since) == (
        DigestKind.DAILY, {DigestPart.CALLS, DigestPart.DEBTS}, item.event.occurred_at, since,
    )  # fmt: skip


async def test_what_is_too_old_or_deleted_is_not_sent(desk: Desk, stage: Stage, clock: HandClock) -> None:
    await open_office(desk)
    item, store = await due(desk), ScheduleStore(desk.database)
    clock.forward(25 * 3600)
    await send_digest(item, StoredWrites(desk), services(desk, stage))
    schedule = await store.find(1, item.event.schedule_id)
    assert schedule is not None
    assert schedule.missed == 1
    other = await due(desk)
    await store.drop(OWNER, other.event.schedule_id, clock.now())
    await send_digest(other, StoredWrites(desk), services(desk, stage))
    assert await told(desk) == []


async def test_a_silent_chat_is_told_silently(desk: Desk, stage: Stage) -> None:
    await open_office(desk)
    await desk.destinations.bind(1, Destination(chat_id=SILENT), silent=True)
    await send_digest(await due(desk, SILENT), StoredWrites(desk), services(desk, stage))
    ((_, _, message),) = await told(desk)
    assert message.silent


async def test_nobody_who_was_shut_out_gets_figures_and_an_admin_hears_of_it_once(desk: Desk, stage: Stage) -> None:
    await open_office(desk)
    row = {
        "account_id": 1,
        "telegram_id": PERSON,
        "role": Role.MANAGER.value,
        "name": "Олег",
        "created_at": desk.clock.now(),
    }
    await put(desk.database, users, row)
    item = await due(desk, PERSON)
    gone = update(users).where(users.c.telegram_id == PERSON).values(disabled_at=desk.clock.now())
    await desk.database.write(lambda tx: tx.execute(gone))
    for _ in range(2):
        await send_digest(item, StoredWrites(desk), services(desk, stage))
    ((chat, _, message),) = await told(desk)
    assert chat == PRIVATE_CHAT
    assert as_text(message) == (
        "Дайджест больше не приходит: этого человека отключили от бота. Куда его присылать — /digest, «Настроить»."
    )
    schedule = await ScheduleStore(desk.database).find(1, item.event.schedule_id)
    assert schedule is not None
    assert not schedule.active
