"""What went wrong, by kind of failure."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from storage.engine import Database
from storage.models import work
from storage.queries.rows import fill

SHOWN_AS_FAILING = 3  # the third failure in a row is shown; the first two mend themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """``code`` of the error; ``dead`` wait for a person, ``trying`` go on alone. ``error`` is the newest one's text."""

    code: str
    dead: int
    trying: int
    last_at: datetime
    error: str

    @property
    def count(self) -> int:
        return self.dead + self.trying


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedWork:
    id: int
    kind: str
    object: str
    state: str
    error: str
    created_at: datetime


async def failure_kinds(database: Database, account_id: int, since: datetime) -> tuple[FailureKind, ...]:
    """Failures given up since then or still tried, the most frequent kind first. Finished work is not read (state index)."""
    last_at = func.max(func.coalesce(work.c.finished_at, work.c.created_at))
    dead = func.count().filter(work.c.state == "dead")
    statement = (
        select(
            work.c.error_code.label("code"),
            dead.label("dead"),
            (func.count() - dead).label("trying"),
            last_at.label("last_at"),
            func.max(work.c.id).label("newest"),
        )
        .where(*_failed(account_id, since))
        .group_by(work.c.error_code)
        .order_by(func.count().desc(), work.c.error_code)
    )
    async with database.read() as connection:
        rows = (await connection.execute(statement)).all()
        texts = await connection.execute(select(work.c.id, work.c.error).where(work.c.id.in_([row.newest for row in rows])))
        errors = {row.id: row.error for row in texts}
    return tuple(fill(FailureKind, row, error=errors[row.newest]) for row in rows)


async def failed_works(
    database: Database, account_id: int, code: str, since: datetime, *, limit: int
) -> tuple[FailedWork, ...]:
    """Works of one kind of failure that wait for a person, the oldest first: the order they are repeated in."""
    statement = (
        select(work)
        .where(*_failed(account_id, since), work.c.error_code == code, work.c.state == "dead")
        .order_by(work.c.id)
        .limit(limit)
    )
    async with database.read() as connection:
        return tuple(fill(FailedWork, row) for row in await connection.execute(statement))


def _failed(account_id: int, since: datetime) -> tuple[ColumnElement[bool], ...]:
    gave_up = (work.c.state == "dead") & (work.c.finished_at >= since)
    trying = work.c.state.in_(("ready", "running")) & (work.c.attempts >= SHOWN_AS_FAILING)
    # "+ 0" keeps SQLite from the unique index of the account, by which it would read all finished work
    return work.c.account_id + 0 == account_id, work.c.state.in_(("ready", "running", "dead")), or_(gave_up, trying)
