"""Tasks and meetings are read from the CRM when they are asked for, and kept for when it does not answer."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.errors import VendorRefused, VendorUnavailable
from handlers.tasks.services import TaskServices
from storage.queries.tasks import BoardRead, EmployeeLink, TaskLine, board_read, links, open_tasks

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)
AT_ONCE = timedelta(seconds=5)  # for who asks again: pressed twice it is asked once
PATIENCE_S = 8.0  # a person waits no longer for what we have read before


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What somebody has before them. ``read_at``: as of when, None: it could never be read; ``old``: the CRM is away.

    ``problem`` and ``meetings_problem``: what the CRM refused, and what to press.
    """

    link: EmployeeLink
    tasks: tuple[TaskLine, ...]
    read: BoardRead
    old: bool
    day: date

    @property
    def read_at(self) -> datetime | None:
        return self.read.tasks_at


async def board_of(
    services: TaskServices, account_id: int, link: EmployeeLink, *, now: datetime, within: timedelta | None = FRESH
) -> Board:
    """Read within this time; None: as it was read last, however long ago."""
    day = now.astimezone(services.timezone).date()
    if within is not None:
        await refresh(services, account_id, link.employee_id, day=day, now=now, within=within)
    read = await board_read(services.database, account_id, link.employee_id)
    tasks = await open_tasks(services.database, account_id, link.employee_id)
    return Board(link=link, tasks=tasks, read=read, old=_is_old(read.tasks_at, now, FRESH), day=day)


async def refresh(
    services: TaskServices, account_id: int, employee_id: str, *, day: date, now: datetime, within: timedelta = FRESH
) -> None:
    """Ask for what is older. What the CRM does not give, or not in time, stays as it was."""
    read = await board_read(services.database, account_id, employee_id)
    asked = []
    if _is_old(read.tasks_at, now, within):
        asked.append(_read_tasks(services, account_id, employee_id))
    if _is_old(read.meetings_at, now, within) or read.meetings_day != day:
        asked.append(_read_meetings(services, account_id, employee_id, day))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(_or_as_before(one) for one in asked))
    except TimeoutError:
        log.info("tasks of an employee as they were read before: %s has not answered in time", services.vendor)


async def refresh_all(services: TaskServices, account_id: int) -> None:
    """By the clock: everybody of the team who is known in the CRM, one after the other."""
    now = services.clock.now()
    day = now.astimezone(services.timezone).date()
    for employee_id in dict.fromkeys(link.employee_id for link in (await links(services.database, account_id)).values()):
        await refresh(services, account_id, employee_id, day=day, now=now)


async def _or_as_before(asked: Awaitable[None]) -> None:
    try:
        await asked
    except VendorUnavailable as error:
        log.info("tasks of an employee as they were read before: %s", error)


async def _read_tasks(services: TaskServices, account_id: int, employee_id: str) -> None:
    try:
        tasks = await services.board.open_tasks(employee_id)
    except VendorRefused as refusal:
        await services.store.keep_problem(account_id, employee_id, tasks=refusal.hint)
        return
    await services.store.keep_tasks(account_id, employee_id, tasks, now=services.clock.now())


async def _read_meetings(services: TaskServices, account_id: int, employee_id: str, day: date) -> None:
    try:
        meetings = await services.board.meetings(employee_id, day, services.timezone)
    except VendorRefused as refusal:
        await services.store.keep_problem(account_id, employee_id, meetings=refusal.hint)
        return
    await services.store.keep_meetings(account_id, employee_id, day, meetings, now=services.clock.now())


def _is_old(at: datetime | None, now: datetime, within: timedelta) -> bool:
    return at is None or at < now - within
