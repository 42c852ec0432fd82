"""What the sending of digests works with, per account; built by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.digests import DigestKind, DigestPart
from domain.messages import Destination, Message, Texts
from domain.ports import Clock, Tx
from domain.schedules import Obstacle, Schedule
from handlers.wording import Reader

Drawn = tuple[object, ...]  # what ``draw_apart`` is given: a function of a module, and what it draws


class Told(Protocol):
    """What a digest tells, gathered once and shown as a message and as a picture."""

    def card(self, reader: Reader, *, full: bool, late_since: datetime | None, key: str) -> Message: ...
    def picture(self, reader: Reader) -> Drawn | None:
        """None where there is nothing to draw."""
        ...


class Gather(Protocol):
    """Counts what a digest tells. ``now``: of when it tells; ``webinar_id`` is of our table, for that kind alone.

    ``so_far``: of today until now, whatever the hour.
    """

    async def __call__(
        self, account_id: int, *, kind: DigestKind, parts: frozenset[DigestPart], now: datetime, webinar_id: int = 0,
        so_far: bool = False,
    ) -> Told: ...  # fmt: skip


class Gates(Protocol):
    """Whether something may be sent to a place, and whether without a sound."""

    @property
    def open(self) -> bool: ...
    @property
    def silent(self) -> bool: ...


class Schedules(Protocol):
    """The schedules; storage.schedules.ScheduleStore is the real one."""

    async def find(self, account_id: int, schedule_id: int) -> Schedule | None: ...
    async def miss(self, tx: Tx, schedule: Schedule) -> None: ...
    async def gate(self, tx: Tx, account_id: int, place: Destination) -> Gates: ...
    async def shut(self, tx: Tx, schedule: Schedule, why: Obstacle) -> bool: ...


class OneChat(Protocol):
    """Messages to one chat, bound or not."""

    async def post_to(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, *, priority: int = ...
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestServices:
    """``admins``: the private chats of those who run the bot. ``posted`` is called after a message was committed.

    ``run_cpu`` takes what blocks off the loop. ``quiet_before``: the database was brought back from a copy then; what was
    due before has been sent, or never will. ``vendors``: their names as people know them.
    """

    schedules: Schedules
    gather: Gather
    chat: OneChat
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    data_dir: Path
    catchup_max_age: timedelta
    admins: Callable[[int], Awaitable[Sequence[Destination]]]
    run_cpu: Callable[[Callable[[], object]], Awaitable[object]]
    posted: Callable[[], None]
    quiet_before: datetime | None = None
    vendors: Mapping[str, str] = field(default_factory=dict)
