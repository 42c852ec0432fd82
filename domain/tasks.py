"""Tasks and meetings of the team as its CRM keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo


class BoardState(StrEnum):
    """How far a task is. REVIEW: its performer has done it, and whoever set it has still to agree."""

    OPEN = "open"
    DEFERRED = "deferred"
    REVIEW = "review"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardTask:
    """A task of somebody. ``deadline`` and ``changed_at`` aware UTC, None where there is none; ``url``: its page.

    ``may_move``: its performer may change the deadline by the task's own settings.
    """

    external_id: str
    title: str
    employee_id: str = ""
    state: BoardState = BoardState.OPEN
    deadline: datetime | None = None
    changed_at: datetime | None = None
    may_move: bool = True
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be set. ``bound_to``: cards of the CRM, as ("deal", "42"); ``marker`` is how it is found again."""

    title: str
    employee_id: str
    marker: str
    deadline: datetime | None = None
    description: str = ""
    bound_to: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """An event of somebody's calendar, one of a row for those that recur. ``begins`` and ``ends`` are aware UTC.

    One that takes whole days has no times: it is there from ``first_day`` to ``last_day``, wherever one is.
    ``unanswered``: they were invited and have said neither yes nor no.
    """

    external_id: str
    title: str
    begins: datetime | None = None
    ends: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None
    place: str = ""
    unanswered: bool = False


class TaskBoard(Protocol):
    """Tasks and calendars of a CRM's people. Every method: VendorUnavailable, VendorRefused (with the missing right)."""

    async def open_tasks(self, employee_id: str) -> Sequence[BoardTask]:
        """What they have still to do, the nearest deadline first."""
        ...

    async def task(self, task_id: str) -> BoardTask | None: ...
    async def complete(self, task_id: str) -> BoardTask:
        """As it is afterwards: done, or in REVIEW. Not repeated inside."""
        ...

    async def postpone(self, task_id: str, deadline: datetime) -> BoardTask:
        """As it is afterwards. Done twice it is where it was once."""
        ...

    async def add(self, new: NewTask) -> BoardTask:
        """Not repeated inside; ``uncertain`` after a time-out: ``find`` first."""
        ...

    async def find(self, marker: str, *, since: datetime) -> BoardTask | None:
        """The task of ours that carries ``marker``, made after ``since``."""
        ...

    async def meetings(self, employee_id: str, day: date, zone: ZoneInfo) -> Sequence[Meeting]:
        """What touches this day in ``zone``, in its order; what they declined or cancelled is left out."""
        ...
