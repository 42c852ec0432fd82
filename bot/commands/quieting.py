"""After a restore: nothing old may be told, asked or paid for a second time, because it may have been done since.

What was on its way when the copy was made is put aside for a person to decide about; what the vendor lists from the time
between the copy and now is written down as done, so that neither a poll nor the daily reconciliation finds it new.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.held import HELD, HeldPost, as_held
from storage.models import (
    audit,
    calls,
    connections,
    inbox,
    invitations,
    notices,
    posts,
    requests,
    telegram_updates,
    work,
)
from storage.models.core import RESTORED
from storage.posts import GONE

REOPENED_WITHIN = timedelta(hours=72)  # the daily reconciliation looks 48 hours back
_READ_ANEW = ("directory",)  # its next reading comes with the hour, and nobody misses this one
_WHY = "база восстановлена из копии: могло быть сделано после неё"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedWork:
    """Work that goes on only when a person replays it. ``delivery_id`` is what `svodka replay` takes; None from a poll."""

    kind: str
    object: str
    delivery_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quieted:
    """What was put aside, oldest first. ``stray_paths``: recordings that were said to lie outside their folder."""

    posts: tuple[HeldPost, ...]
    works: tuple[StoppedWork, ...]
    stray_paths: int


async def quiet(database: Database, now: datetime, *, made_at: datetime | None) -> Quieted:
    """Put aside all that the restored data would still do, in one transaction. ``made_at``: of the copy, where known."""

    async def job(connection: AsyncConnection) -> Quieted:
        stopped = await _stop_works(connection, now)
        held = await _hold_posts(connection)
        await _drop_questions(connection, now)
        await _forget_openings(connection, now)
        stray = await _forget_stray_paths(connection)
        detail = "" if made_at is None else made_at.isoformat()
        await connection.execute(delete(notices).where(notices.c.key == RESTORED))
        await connection.execute(insert(notices).values(key=RESTORED, active=True, since=now, detail=detail))
        await connection.execute(insert(audit).values(account_id=1, at=now, action="restore", detail=detail))
        return Quieted(posts=held, works=stopped, stray_paths=stray)

    return await database.write(job)


async def _stop_works(connection: AsyncConnection, now: datetime) -> tuple[StoppedWork, ...]:
    unfinished = work.c.state.in_(("ready", "running"))
    over = {"state": "done", "finished_at": now, "waiting_for": ""}
    await connection.execute(update(work).where(unfinished, work.c.kind.in_(_READ_ANEW)).values(**over))
    rows = (await connection.execute(select(work).where(unfinished).order_by(work.c.id))).all()
    values = {"state": "dead", "error_code": RESTORED, "error": _WHY, "finished_at": now, "waiting_for": ""}
    await connection.execute(update(work).where(unfinished).values(**values))
    await connection.execute(update(inbox).where(inbox.c.state == "received").values(state="dead"))
    return tuple(StoppedWork(kind=row.kind, object=row.object, delivery_id=row.delivery_id) for row in rows)


async def _hold_posts(connection: AsyncConnection) -> tuple[HeldPost, ...]:
    """Wanted, on their way, or kept for a chat that could not be written to and may have got them since."""
    unsent = or_(posts.c.state.in_(("wanted", "sending")), (posts.c.state == "dead") & (posts.c.error == GONE))
    rows = (await connection.execute(select(posts).where(unsent).order_by(posts.c.id))).all()
    await connection.execute(update(posts).where(unsent).values(state=HELD, error=RESTORED))
    return as_held(rows)


async def _forget_stray_paths(connection: AsyncConnection) -> int:
    """Nothing would open them (domain.files); but a list of recordings must not name what is no recording."""
    path = calls.c.recording_path
    stray = (path != "") & (~path.startswith("recordings/") | path.contains(".."))
    return int((await connection.execute(update(calls).where(stray).values(recording_path=""))).rowcount)


async def _drop_questions(connection: AsyncConnection, now: datetime) -> None:
    """What people and the command line asked before: answered then, or too late to answer now."""
    asked = or_(telegram_updates.c.state.startswith("received"), telegram_updates.c.state.startswith("running"))
    await connection.execute(update(telegram_updates).where(asked).values(state="dropped"))
    answer = json.dumps({"error": RESTORED})
    await connection.execute(
        update(requests).where(requests.c.state == "asked").values(state="failed", answer=answer, answered_at=now)
    )


async def _forget_openings(connection: AsyncConnection, now: datetime) -> None:
    """Polls begin at now; calls without a recording stay so; invitations that may have been used open nothing."""
    await connection.execute(update(connections).values(cursor=""))
    late = (calls.c.state == "no_recording") & (calls.c.started_at > now - REOPENED_WITHIN)
    await connection.execute(update(calls).where(late).values(state="old"))
    unused = invitations.c.used_at.is_(None) & (invitations.c.expires_at > now)
    await connection.execute(update(invitations).where(unused).values(expires_at=now))
