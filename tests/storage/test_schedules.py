"""Schedules of digests as rows: each change in one write, slots settled once, and what becomes of them with their chat."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.digests import DigestKind, DigestPart
from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Person, Role
from domain.schedules import WORKDAYS, Due, Obstacle, Schedule
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import audit, users
from storage.schedules import Gate, ScheduleStore
from tests.ground import HandClock
from tests.handlers.seed import put, seed_accounts

ADMIN = Person(user_id=1, account_id=1, telegram_id=10, role=Role.ADMIN, name="Анна")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUP = Destination(chat_id=-1001, topic_id=7)
NEW = Schedule(
    id=0, account_id=1, kind=DigestKind.DAILY, days=WORKDAYS, at=time(9, 5), zone="Europe/Berlin",
    parts=frozenset({DigestPart.CALLS, DigestPart.DEBTS}), destination=GROUP, picture=True, enabled=True, obstacle=None,
    handled_at=NOW, missed=0,
)  # fmt: skip


async def settle(database: Database, store: ScheduleStore, schedule: Schedule, due: Due) -> bool:
    async def job(connection: AsyncConnection) -> bool:
        return await store.settle(cast("Tx", connection), schedule, due)

    return await database.write(job)


async def gate(database: Database, store: ScheduleStore, place: Destination) -> Gate:
    async def job(connection: AsyncConnection) -> Gate:
        return await store.gate(cast("Tx", connection), 1, place)

    return await database.write(job)


async def test_a_schedule_is_kept_changed_settled_and_deleted(database: Database) -> None:
    store = ScheduleStore(database)
    kept = await store.add(ADMIN, NEW, NOW)
    assert kept == replace(NEW, id=kept.id)
    assert await store.all(1) == [kept]
    assert await store.all(2) == []

    due = Due(slot=None, missed=2, handled_at=NOW + timedelta(hours=1))
    assert await settle(database, store, kept, due)
    assert not await settle(database, store, kept, due), "it is settled already"
    settled = await store.find(1, kept.id)
    assert settled == replace(kept, handled_at=due.handled_at, missed=2)

    later = NOW + timedelta(hours=2)
    plain = await store.change(ADMIN, kept.id, lambda old: replace(old, picture=False), later)
    assert plain == replace(settled, picture=False), "slots that wait to be settled are not passed over"
    moved = await store.change(ADMIN, kept.id, lambda old: replace(old, at=time(18)), later)
    assert moved == replace(plain, at=time(18), handled_at=later), "a new time is none for slots before"

    assert await store.drop(ADMIN, kept.id, later)
    assert not await store.drop(ADMIN, kept.id, later)
    assert await store.find(1, kept.id) is None
    assert await store.change(ADMIN, kept.id, lambda old: old, later) is None
    assert (await store.add(ADMIN, NEW, NOW)).id != kept.id, "work is named by it"
    async with database.read() as connection:
        notes = list(await connection.scalars(select(audit.c.detail).where(audit.c.action == "schedule")))
    assert len(notes) == 5


async def test_schedules_go_with_their_chat(database: Database) -> None:
    await seed_accounts(database)
    store, places = ScheduleStore(database), Destinations(database, HandClock(NOW + timedelta(days=1)))
    kept = await store.add(ADMIN, NEW, NOW)
    assert await gate(database, store, GROUP) == Gate(open=False), "nobody bound the chat"
    await places.bind(1, GROUP, silent=True)
    assert await gate(database, store, GROUP) == Gate(open=True, silent=True)
    assert await gate(database, store, Destination(chat_id=GROUP.chat_id)) == Gate(open=True, silent=False)

    assert await places.bury(GROUP.chat_id, "kicked") == 2
    assert await places.bury(GROUP.chat_id, "kicked") == 0
    shut = await store.find(1, kept.id)
    assert shut is not None
    assert (shut.obstacle, shut.active) == (Obstacle.CLOSED, False)
    await places.revive(GROUP.chat_id)
    assert await store.find(1, kept.id) == replace(kept, handled_at=NOW + timedelta(days=1)), "nothing comes after it"

    await places.lose_topic(GROUP.chat_id, 7)
    await places.move(GROUP.chat_id, -1002)
    moved = await store.find(1, kept.id)
    assert moved is not None
    assert moved.destination == Destination(chat_id=-1002)

    assert await gate(database, store, Destination(chat_id=10)) == Gate(open=False)
    row = {"account_id": 1, "telegram_id": 10, "role": "admin", "name": "Анна", "created_at": NOW}
    await put(database, users, row | {"disabled_at": None}, row | {"telegram_id": 11, "disabled_at": NOW})
    assert await gate(database, store, Destination(chat_id=10)) == Gate(open=True)
    assert await gate(database, store, Destination(chat_id=11)) == Gate(open=False), "shut out"
