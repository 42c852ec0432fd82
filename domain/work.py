"""A piece of work as a pipeline sees it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from domain.events import Event
from domain.ports import Steps

E = TypeVar("E", bound=Event)
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem(Generic[E]):
    """One object to work on. ``heard_at``: when we first heard of it, aware UTC; ``failures``: how many in a row.

    ``source``: hook, poll, replay, rehearsal or tick. A replay is a new ``generation`` of the same object.
    """

    id: int
    account_id: int
    kind: str
    object: str
    generation: int
    event: E
    source: str
    delivery_id: str | None
    heard_at: datetime
    failures: int


Pipeline = Callable[[WorkItem[E], Steps, S], Awaitable[None]]
