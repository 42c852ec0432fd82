"""When a digest is due: days of the week and a local time, whatever the clock of the zone does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.digests import DigestKind, DigestPart
from domain.messages import Destination

WORKDAYS = frozenset(range(5))  # Monday is 0
EVERY_DAY = frozenset(range(7))
SENDER = "schedule"  # in the place of a vendor: work is named schedule:<id>:<slot>
LATE_AFTER = timedelta(minutes=5)  # sooner than that nobody notices
_DAY = timedelta(days=1)
_AROUND = 2 * _DAY  # a local date and the UTC one are never further apart, also where a whole day was left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """At ``at`` (hours and minutes) on ``days`` (0 is Monday), by the clocks of ``zone``."""

    days: frozenset[int]
    at: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One time a digest is due: the local date and time it is named by, and the moment (UTC) that is."""

    day: date
    at: time
    moment: datetime

    @property
    def key(self) -> str:
        """«2026-11-29T09:00»: the same however often the clock passes it."""
        return f"{self.day.isoformat()}T{self.at:%H:%M}"


class Obstacle(StrEnum):
    """Why nothing can be sent to a schedule's chat until somebody acts."""

    CLOSED = "closed"  # the bot was removed or blocked there
    STRANGER = "stranger"  # a person who was shut out
    UNBOUND = "unbound"  # a chat that is not bound any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A digest that somebody of the team has set. ``zone`` is the name of one, "" for the account's.

    ``handled_at``: slots up to this moment are settled, sent or not; ``missed``: how many of them were not sent, because
    they were too old by the time we could. ``obstacle``: why nothing can be sent there, None while it can.
    """

    id: int
    account_id: int
    kind: DigestKind
    days: frozenset[int]
    at: time
    zone: str
    parts: frozenset[DigestPart]
    destination: Destination
    picture: bool
    enabled: bool
    obstacle: Obstacle | None
    handled_at: datetime
    missed: int

    def timetable(self, usual: ZoneInfo) -> Timetable:
        """``usual``: the account's zone."""
        return Timetable(days=self.days, at=self.at, zone=ZoneInfo(self.zone) if self.zone else usual)

    @property
    def by_the_clock(self) -> bool:
        """Else it comes when a webinar's report is complete."""
        return self.kind is not DigestKind.WEBINAR

    @property
    def active(self) -> bool:
        return self.enabled and self.obstacle is None


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) of a local time: of two such times the first one, and of none the first moment after it."""
    first = datetime.combine(day, at, zone)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == first.replace(tzinfo=None):
        return first.astimezone(UTC)
    return _leap(first.replace(fold=1).astimezone(UTC), first.astimezone(UTC), zone)


def slots_between(when: Timetable, *, after: datetime, until: datetime) -> Iterator[Slot]:
    """The slots with ``after`` < moment ≤ ``until``, the earliest first."""
    day, last = after.astimezone(when.zone).date() - _AROUND, until.astimezone(when.zone).date() + _AROUND
    while day <= last:
        if day.weekday() in when.days:
            slot = _slot(day, when.at, when.zone)
            if after < slot.moment <= until:
                yield slot
        day += _DAY


def next_slot(when: Timetable, after: datetime) -> Slot | None:
    """The first one later than ``after``; None for a schedule without days."""
    return next(slots_between(when, after=after, until=after + 10 * _DAY), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be done: ``slot`` is sent, ``missed`` slots are past sending, all up to ``handled_at`` are settled."""

    slot: Slot | None
    missed: int
    handled_at: datetime


def settle(when: Timetable, *, handled_at: datetime, now: datetime, oldest: datetime) -> Due | None:
    """Of the slots since ``handled_at`` the newest, unless that was before ``oldest``; None where there is nothing to do.

    A clock that was set back is followed: what was sent in its wrong future is known by its slot, and not sent again.
    """
    if handled_at > now:
        return Due(slot=None, missed=0, handled_at=now)
    slots = list(slots_between(when, after=handled_at, until=now))
    if not slots:
        return None
    newest = slots[-1] if slots[-1].moment >= oldest else None
    return Due(slot=newest, missed=len(slots) - (newest is not None), handled_at=slots[-1].moment)


@lru_cache(maxsize=1024)  # the same few are asked for all day long
def _slot(day: date, at: time, zone: ZoneInfo) -> Slot:
    return Slot(day=day, at=at, moment=moment_of(day, at, zone))


def _leap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second in (before, after] at which the clock of the zone leaps forward."""
    old = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == old
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)
