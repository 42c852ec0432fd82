"""How the process does: what came, what was done of it and in what time, what waits. For /metrics and /queue."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select

from storage.engine import Database
from storage.models import inbox, work
from storage.queries.rows import fill

NEWEST = 5000  # finished works that the times are taken of


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Deliveries of one kind of a vendor, repeats not counted."""

    vendor: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Works of a kind that were done. Seconds from their being accepted to their end, waiting included: the middle one
    (``usual_s``), and what 95 of 100 did not exceed (``slow_s``)."""

    kind: str
    count: int
    usual_s: float
    slow_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """Works of a kind that are not done. ``due_at``: the next of those that wait, None where none does."""

    kind: str
    ready: int
    running: int
    dead: int
    due_at: datetime | None


async def accepted_kinds(database: Database, account_id: int, since: datetime) -> tuple[Accepted, ...]:
    """By the time index of the inbox, the most frequent first."""
    count = func.count().label("count")
    statement = (
        select(inbox.c.vendor, inbox.c.kind, count)
        .where(inbox.c.received_at >= since, inbox.c.account_id == account_id)
        .group_by(inbox.c.vendor, inbox.c.kind)
        .order_by(count.desc(), inbox.c.vendor, inbox.c.kind)
    )
    async with database.read() as connection:
        return tuple(fill(Accepted, row) for row in await connection.execute(statement))


async def finished_kinds(database: Database, account_id: int, since: datetime) -> tuple[Finished, ...]:
    """Of the NEWEST works done since then, by the index (state, finished_at)."""
    statement = (
        select(work.c.kind, work.c.created_at, work.c.finished_at)
        .where(work.c.state == "done", work.c.finished_at >= since, work.c.account_id + 0 == account_id)
        .order_by(work.c.finished_at.desc())
        .limit(NEWEST)
    )
    async with database.read() as connection:
        rows = await connection.execute(statement)
        times = sorted((row.kind, (row.finished_at - row.created_at).total_seconds()) for row in rows)
    return tuple(
        _finished(kind, [seconds for _, seconds in some]) for kind, some in groupby(times, key=lambda time: time[0])
    )


def _finished(kind: str, seconds: list[float]) -> Finished:
    """``seconds`` in order."""
    last = len(seconds) - 1
    return Finished(kind=kind, count=len(seconds), usual_s=seconds[last // 2], slow_s=seconds[-(-last * 95 // 100)])


async def unfinished_kinds(database: Database, account_id: int) -> tuple[Unfinished, ...]:
    """Neither done work is read (index on state); most that is not done first."""
    ready, running, dead = (func.count().filter(work.c.state == state) for state in ("ready", "running", "dead"))
    due = func.min(work.c.due_at).filter(work.c.state == "ready")
    statement = (
        select(work.c.kind, ready.label("ready"), running.label("running"), dead.label("dead"), due.label("due_at"))
        .where(work.c.state.in_(("ready", "running", "dead")), work.c.account_id + 0 == account_id)
        .group_by(work.c.kind)
        .order_by(func.count().desc(), work.c.kind)
    )
    async with database.read() as connection:
        return tuple(fill(Unfinished, row) for row in await connection.execute(statement))
