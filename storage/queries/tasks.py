"""Tasks, meetings and who is who in the CRM, as they were read last."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.tasks import BoardState, Meeting
from storage.board import STILL_OPEN
from storage.codec import loads
from storage.engine import Database
from storage.models import board_reads, board_tasks, employee_links, users
from storage.queries.rows import fill


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeLink:
    """Who somebody of the team is in the CRM. ``user_id`` is ours."""

    user_id: int
    employee_id: str
    employee_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """An open task. ``asked``: "done" or "move" while that is on its way; ``problem``: why the CRM refused it."""

    external_id: str
    employee_id: str
    title: str
    state: BoardState
    deadline: datetime | None
    changed_at: datetime | None
    may_move: bool
    url: str
    asked: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRead:
    """When somebody's board was read (aware UTC, None: never), and what the CRM said instead of an answer since."""

    tasks_at: datetime | None = None
    tasks_problem: str = ""
    meetings_at: datetime | None = None
    meetings_day: date | None = None
    meetings: tuple[Meeting, ...] = ()
    meetings_problem: str = ""


async def links(database: Database, account_id: int) -> dict[int, EmployeeLink]:
    """By our number of the person; who was shut out is nobody there."""
    joined = employee_links.join(users, users.c.id == employee_links.c.user_id)
    statement = (
        select(employee_links)
        .select_from(joined)
        .where(employee_links.c.account_id == account_id, users.c.account_id == account_id, users.c.disabled_at.is_(None))
        .order_by(employee_links.c.user_id)
    )
    async with database.read() as connection:
        return {row.user_id: fill(EmployeeLink, row) for row in await connection.execute(statement)}


async def link_of(database: Database, account_id: int, user_id: int) -> EmployeeLink | None:
    mine = (employee_links.c.account_id == account_id) & (employee_links.c.user_id == user_id)
    async with database.read() as connection:
        row = (await connection.execute(select(employee_links).where(mine))).one_or_none()
    return fill(EmployeeLink, row) if row is not None else None


async def open_tasks(database: Database, account_id: int, employee_id: str) -> tuple[TaskLine, ...]:
    """The nearest deadline first, those without one last."""
    async with database.read() as connection:
        return await tasks_within(connection, account_id, employee_id)


async def tasks_within(connection: AsyncConnection, account_id: int, employee_id: str) -> tuple[TaskLine, ...]:
    """As ``open_tasks``, seen from inside a read or a write under way."""
    mine = (board_tasks.c.account_id == account_id) & (board_tasks.c.employee_id == employee_id)
    order = (board_tasks.c.deadline.is_(None), board_tasks.c.deadline, board_tasks.c.external_id)
    rows = (await connection.execute(select(board_tasks).where(mine).order_by(*order))).all()
    return tuple(fill(TaskLine, row, state=BoardState(row.state)) for row in rows)


async def one_task(database: Database, account_id: int, employee_id: str, task_id: str) -> TaskLine | None:
    """None where it is not theirs, or not open any more."""
    mine = (board_tasks.c.account_id == account_id) & (board_tasks.c.external_id == task_id)
    async with database.read() as connection:
        row = (await connection.execute(select(board_tasks).where(mine))).one_or_none()
    if row is None or row.employee_id != employee_id:
        return None
    return fill(TaskLine, row, state=BoardState(row.state))


async def board_read(database: Database, account_id: int, employee_id: str) -> BoardRead:
    mine = (board_reads.c.account_id == account_id) & (board_reads.c.employee_id == employee_id)
    async with database.read() as connection:
        row = (await connection.execute(select(board_reads).where(mine))).one_or_none()
    if row is None:
        return BoardRead()
    day = date.fromisoformat(row.meetings_day) if row.meetings_day else None
    return fill(BoardRead, row, meetings_day=day, meetings=loads(tuple[Meeting, ...], row.meetings))


async def overdue(database: Database, account_id: int, *, now: datetime) -> int | None:
    """Open tasks of the team whose deadline is over, as they were read last; None where they never were."""
    theirs = {one.employee_id for one in (await links(database, account_id)).values()}
    read = select(func.count()).select_from(board_reads)
    read = read.where(
        board_reads.c.account_id == account_id, board_reads.c.tasks_at.is_not(None), board_reads.c.employee_id.in_(theirs)
    )
    late = select(func.count()).select_from(board_tasks)
    late = late.where(
        board_tasks.c.account_id == account_id,
        board_tasks.c.employee_id.in_(theirs),
        board_tasks.c.state.in_(STILL_OPEN),
        board_tasks.c.deadline < now,
    )
    async with database.read() as connection:
        if not await connection.scalar(read):
            return None
        return int(await connection.scalar(late) or 0)
