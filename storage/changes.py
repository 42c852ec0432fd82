"""Webinars that something was heard of after their cards were written: marked in the write that did it, taken up later."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.webinars import AUTOMATIC_APART, LIVE_APART
from storage.engine import Database
from storage.models import webinar_changes, webinars
from storage.models.types import driver_time
from storage.sets import BulkWrite, fetch

_MARK = BulkWrite(
    table="webinar_changes",
    columns=("session_id", "account_id", "stamp"),
    types=("int", "int", "bigint"),
    conflict="(session_id) DO UPDATE SET stamp = excluded.stamp",
)

_APART = max(LIVE_APART, AUTOMATIC_APART)  # which of them it is for is told when the card is counted
_NEAR = """
SELECT id FROM webinars WHERE account_id = :account AND started_at BETWEEN :since AND :until AND state = 'complete'
AND (room_id = '' OR :room = '' OR room_id = :room)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something about a complete webinar: whose its people are, or who registered.

    ``started_at`` aware UTC, None when nobody knows it.
    """

    session_id: int
    stamp: int
    started_at: datetime | None


async def mark_changed(connection: AsyncConnection, account_id: int, sessions: Iterable[int]) -> None:
    """In order: two writers that mark the same webinars wait for one another, and never for ever."""
    await _MARK.run(connection, [(session, account_id, secrets.randbits(62)) for session in sorted(set(sessions))])


async def mark_registered(connection: AsyncConnection, account_id: int, room: str, session_at: datetime) -> None:
    """Somebody has registered for this session; a webinar that is over by then has its card counted anew."""
    dialect = connection.dialect.name
    times = {"since": driver_time(session_at - _APART, dialect), "until": driver_time(session_at + _APART, dialect)}
    near = await fetch(connection, _NEAR, {"account": account_id, "room": room, **times})
    if near:
        await mark_changed(connection, account_id, [row[0] for row in near])


async def changed_webinars(database: Database, account_id: int) -> tuple[Change, ...]:
    """Those that are complete; what is still being loaded has its card written at the end."""
    statement = (
        select(webinar_changes.c.session_id, webinar_changes.c.stamp, webinars.c.started_at)
        .join(webinars, webinars.c.id == webinar_changes.c.session_id)
        .where(webinar_changes.c.account_id == account_id, webinars.c.state == "complete")
        .order_by(webinar_changes.c.session_id)
    )
    async with database.read() as connection:
        rows = await connection.execute(statement)
        return tuple(Change(session_id=row.session_id, stamp=row.stamp, started_at=row.started_at) for row in rows)


async def settle_change(connection: AsyncConnection, change: Change) -> None:
    """Taken up; what has happened since keeps its mark."""
    mine = (webinar_changes.c.session_id == change.session_id) & (webinar_changes.c.stamp == change.stamp)
    await connection.execute(delete(webinar_changes).where(mine))
