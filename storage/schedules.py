"""Digests that people have set: kept, changed, and settled slot by slot."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.digests import DigestKind, DigestPart
from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Person
from domain.schedules import Due, Obstacle, Schedule
from storage.engine import Database
from storage.models import audit, destinations, notices, schedules, users
from storage.upsert import upsert

ALIVE = "schedules"  # the notice that keeps when schedules were last looked at: since then we may have been down


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether something may be sent to a place, and whether without a sound."""

    open: bool
    silent: bool = False


class ScheduleStore:
    """Schedules of all accounts. Those that were deleted are not there for anybody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, account_id: int) -> list[Schedule]:
        """In the order they were set."""
        async with self._database.read() as connection:
            return await _all(connection, account_id)

    async def find(self, account_id: int, schedule_id: int) -> Schedule | None:
        async with self._database.read() as connection:
            return await _find(connection, account_id, schedule_id)

    async def watched(self, account_id: int) -> tuple[list[Schedule], datetime | None]:
        """All there are, and when ``watching`` was last called."""
        async with self._database.read() as connection:
            alive: datetime | None = await connection.scalar(select(notices.c.since).where(notices.c.key == ALIVE))
            return await _all(connection, account_id), alive

    async def watching(self, tx: Tx, now: datetime) -> None:
        values = {"active": False, "since": now, "detail": ""}
        row = upsert(self._database, notices).values(key=ALIVE, **values)
        await cast("AsyncConnection", tx).execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    async def add(self, by: Person, new: Schedule, now: datetime) -> Schedule:
        """``new`` with the number it gets. Slots before now are none of its own."""
        row = _values(new) | {"account_id": by.account_id, "changed_by": by.telegram_id}
        row |= {"handled_at": now, "created_at": now}

        async def job(connection: AsyncConnection) -> Schedule:
            added = (await connection.execute(insert(schedules).values(**row).returning(*schedules.c))).one()
            await _note(connection, by, f"{added.id}: set", now)
            return _schedule(added)

        return await self._database.write(job)

    async def change(
        self, by: Person, schedule_id: int, alter: Callable[[Schedule], Schedule], now: datetime
    ) -> Schedule | None:
        """What ``alter`` makes of it as it is in this very write; None when it is gone.

        Changed times count from now on: slots before are settled. A changed place is tried anew.
        """

        async def job(connection: AsyncConnection) -> Schedule | None:
            old = await _find(connection, by.account_id, schedule_id)
            if old is None:
                return None
            new = alter(old)
            values = _values(new) | {"changed_by": by.telegram_id}
            if _times(new) != _times(old):
                values["handled_at"] = now
            changed = update(schedules).where(_mine(by.account_id, schedule_id)).values(**values).returning(*schedules.c)
            await _note(connection, by, f"{schedule_id}: changed", now)
            return _schedule((await connection.execute(changed)).one())

        return await self._database.write(job)

    async def drop(self, by: Person, schedule_id: int, now: datetime) -> bool:
        """False when it is gone already."""
        gone = update(schedules).where(_mine(by.account_id, schedule_id)).values(deleted_at=now)

        async def job(connection: AsyncConnection) -> bool:
            dropped = bool((await connection.execute(gone)).rowcount)
            if dropped:
                await _note(connection, by, f"{schedule_id}: deleted", now)
            return dropped

        return await self._database.write(job)

    async def settle(self, tx: Tx, schedule: Schedule, due: Due) -> bool:
        """Slots up to ``due.handled_at`` are settled; False when somebody has changed the schedule meanwhile."""
        same = _mine(schedule.account_id, schedule.id) & (schedules.c.handled_at == schedule.handled_at)
        values = {"handled_at": due.handled_at, "missed": schedules.c.missed + due.missed}
        return bool((await cast("AsyncConnection", tx).execute(update(schedules).where(same).values(**values))).rowcount)

    async def miss(self, tx: Tx, schedule: Schedule) -> None:
        """One more slot was not sent: it was too old when its turn came."""
        one_more = update(schedules).where(schedules.c.id == schedule.id).values(missed=schedules.c.missed + 1)
        await cast("AsyncConnection", tx).execute(one_more)

    async def of_webinars(self, tx: Tx, account_id: int) -> list[Schedule]:
        """Those that come when a webinar's report is complete."""
        found = await _all(cast("AsyncConnection", tx), account_id)
        return [one for one in found if one.kind is DigestKind.WEBINAR and one.active]

    async def gate(self, tx: Tx, account_id: int, place: Destination) -> Gate:
        """Open for somebody the bot knows, and for a chat that is bound, in whichever of its topics."""
        connection = cast("AsyncConnection", tx)
        if place.chat_id > 0:
            known = (users.c.account_id == account_id) & (users.c.telegram_id == place.chat_id)
            found = await connection.scalar(select(users.c.id).where(known, users.c.disabled_at.is_(None)))
            return Gate(open=found is not None)
        bound = (destinations.c.account_id == account_id) & (destinations.c.chat_id == place.chat_id)
        rows = (await connection.execute(select(destinations.c.topic_id, destinations.c.silent).where(bound))).all()
        return Gate(open=bool(rows), silent=any(row.silent for row in rows if row.topic_id == place.topic_id))

    async def shut(self, tx: Tx, schedule: Schedule, why: Obstacle) -> bool:
        """Nothing can be sent there until somebody acts; False when that is known already."""
        mine = _mine(schedule.account_id, schedule.id) & (schedules.c.obstacle == "")
        shut = update(schedules).where(mine).values(obstacle=why.value)
        return bool((await cast("AsyncConnection", tx).execute(shut)).rowcount)


async def shut_chat(connection: AsyncConnection, chat_id: int) -> int:
    """The chat cannot be written to; how many schedules send there."""
    there = (schedules.c.chat_id == chat_id) & (schedules.c.obstacle == "") & schedules.c.deleted_at.is_(None)
    closed = update(schedules).where(there).values(obstacle=Obstacle.CLOSED.value)
    return int((await connection.execute(closed)).rowcount)


async def open_chat(connection: AsyncConnection, chat_id: int, now: datetime) -> None:
    """It can be again; what was due meanwhile is not sent after it."""
    there = (schedules.c.chat_id == chat_id) & (schedules.c.obstacle != "")
    await connection.execute(update(schedules).where(there).values(obstacle="", handled_at=now))


async def move_chat(connection: AsyncConnection, old: int, new: int) -> None:
    """A group became a supergroup."""
    await connection.execute(update(schedules).where(schedules.c.chat_id == old).values(chat_id=new))


async def leave_topic(connection: AsyncConnection, chat_id: int, topic_id: int) -> None:
    """The topic is gone: what went there goes to General."""
    there = (schedules.c.chat_id == chat_id) & (schedules.c.topic_id == topic_id)
    await connection.execute(update(schedules).where(there).values(topic_id=None))


async def _all(connection: AsyncConnection, account_id: int) -> list[Schedule]:
    kept = (schedules.c.account_id == account_id) & schedules.c.deleted_at.is_(None)
    rows = await connection.execute(select(schedules).where(kept).order_by(schedules.c.id))
    return [_schedule(row) for row in rows]


async def _find(connection: AsyncConnection, account_id: int, schedule_id: int) -> Schedule | None:
    row = (await connection.execute(select(schedules).where(_mine(account_id, schedule_id)))).one_or_none()
    return _schedule(row) if row is not None else None


def _mine(account_id: int, schedule_id: int) -> ColumnElement[bool]:
    return (schedules.c.account_id == account_id) & (schedules.c.id == schedule_id) & schedules.c.deleted_at.is_(None)


def _times(schedule: Schedule) -> tuple[object, ...]:
    return schedule.kind, schedule.days, schedule.at, schedule.zone, schedule.enabled, schedule.obstacle


async def _note(connection: AsyncConnection, by: Person, detail: str, now: datetime) -> None:
    note = {"account_id": by.account_id, "at": now, "actor": by.telegram_id, "action": "schedule", "detail": detail}
    await connection.execute(insert(audit).values(**note))


def _values(schedule: Schedule) -> dict[str, Any]:
    """What people choose, as columns."""
    return {
        "kind": schedule.kind.value,
        "days": "".join(str(day) for day in sorted(schedule.days)),
        "at": f"{schedule.at:%H:%M}",
        "zone": schedule.zone,
        "parts": ",".join(part for part in DigestPart if part in schedule.parts),
        "chat_id": schedule.destination.chat_id,
        "topic_id": schedule.destination.topic_id,
        "picture": schedule.picture,
        "enabled": schedule.enabled,
        "obstacle": schedule.obstacle or "",
    }


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        account_id=row.account_id,
        kind=DigestKind(row.kind),
        days=frozenset(int(day) for day in row.days),
        at=time.fromisoformat(row.at),
        zone=row.zone,
        parts=frozenset(DigestPart(part) for part in row.parts.split(",") if part),
        destination=Destination(chat_id=row.chat_id, topic_id=row.topic_id),
        picture=row.picture,
        enabled=row.enabled,
        obstacle=Obstacle(row.obstacle) if row.obstacle else None,
        handled_at=row.handled_at,
        missed=row.missed,
    )
