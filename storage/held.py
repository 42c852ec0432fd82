"""Messages put aside by a restore: they may have been sent after the copy, so only a person lets them go, or drops them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.models import audit, posts

HELD = "held"  # the state of such a post
_HELD = text("posts.state = 'held'")  # as the partial index spells it
DROPPED = "dropped"  # the error of one that was given up


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPost:
    """A message that will not go by itself."""

    key: str
    chat_id: int
    created_at: datetime


async def held_posts(database: Database) -> tuple[HeldPost, ...]:
    """All of them, oldest first."""
    async with database.read() as connection:
        return as_held(await connection.execute(select(posts).where(_HELD).order_by(posts.c.account_id, posts.c.id)))


def as_held(rows: Any) -> tuple[HeldPost, ...]:
    return tuple(HeldPost(key=row.key, chat_id=row.chat_id, created_at=row.created_at) for row in rows)


async def count_held(database: Database, account_id: int) -> int:
    statement = select(func.count()).where(_HELD, posts.c.account_id == account_id)
    async with database.read() as connection:
        return int(await connection.scalar(statement) or 0)


async def let_go(database: Database, account_id: int, *, by: int, now: datetime) -> int:
    """Want them all again, a new message marked as a possible repeat; how many there were. ``by``: users.id."""
    repeats = case((posts.c.message_id.is_(None), 1), else_=posts.c.possible_repeats)
    values = {"state": "wanted", "error": "", "attempts": 0, "not_before": now, "possible_repeats": repeats}
    return await _settle(database, account_id, values, action="held.sent", by=by, now=now)


async def drop(database: Database, account_id: int, *, by: int, now: datetime) -> int:
    """Give them all up; how many there were. ``by``: users.id."""
    return await _settle(database, account_id, {"state": "dead", "error": DROPPED}, action="held.dropped", by=by, now=now)


async def _settle(
    database: Database, account_id: int, values: dict[str, Any], *, action: str, by: int, now: datetime
) -> int:
    statement = update(posts).where(_HELD, posts.c.account_id == account_id).values(**values)

    async def job(connection: AsyncConnection) -> int:
        number = int((await connection.execute(statement)).rowcount)
        if number:
            note = {"account_id": account_id, "at": now, "actor": by, "action": action, "detail": str(number)}
            await connection.execute(insert(audit).values(**note))
        return number

    return await database.write(job)
