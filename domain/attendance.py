"""Who was at a webinar: records of presence joined into people, and what each of them did, in the account's words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.webinars import Interval, Marks, Viewer


class Presence(StrEnum):
    """How much of it somebody saw."""

    STAYED = "stayed"  # to the end, or 90 % of it
    ATTENDED = "attended"  # long enough to count
    LEFT_EARLY = "left_early"  # attended, gone before half of it
    LOOKED_IN = "looked_in"  # less than that
    UNKNOWN = "unknown"  # was there; how long cannot be told


class Warmth(StrEnum):
    """How soon to call."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"  # looked in only
    NO_SHOW = "no_show"  # registered and never seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """Words that are figures. Seconds; shares of the webinar's length, 0 … 1."""

    attended_s: int = 120
    stayed_share: float = 0.9
    early_share: float = 0.5
    hot_share: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """All records of one person at one webinar as one.

    ``watched_s`` is the length of the union of their intervals, None when no record says it; ``joined_at`` and ``left_at``
    are its ends. ``raws`` keeps every record whole, in the order they came.
    """

    person: str
    phone: str
    phone_raw: str
    email: str
    name: str
    joined_at: datetime | None
    left_at: datetime | None
    watched_s: int | None
    finished: bool
    messages: int
    clicked: bool
    ordered: bool
    marks: Marks
    link_ids: tuple[str, ...]
    city: str
    country: str
    intervals: tuple[Interval, ...]
    raws: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnout:
    """The figures of one webinar: people, each counted once, however often they came in.

    ``came`` is ``matched`` and ``unmatched`` together; ``no_phone`` are those among them who left none. ``long`` watched
    more than 30 minutes. ``registered`` is 0 where no registration is known, and then so is ``no_show``. ``skipped`` are
    records of the report that could not be read.
    """

    registered: int = 0
    came: int = 0
    attended: int = 0
    stayed: int = 0
    long: int = 0
    matched: int = 0
    unmatched: int = 0
    no_phone: int = 0
    hot: int = 0
    warm: int = 0
    no_show: int = 0
    skipped: int = 0


def united(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The union, in order: what overlaps or touches is one."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=lambda one: one.start):
        if merged and interval.start <= merged[-1].end:
            if interval.end > merged[-1].end:
                merged[-1] = Interval(start=merged[-1].start, end=interval.end)
        else:
            merged.append(interval)
    return tuple(merged)


def seconds_of(intervals: Sequence[Interval]) -> int | None:
    """The whole seconds of a union; None for none at all: the time is unknown, not zero."""
    if not intervals:
        return None
    return int(sum((one.end - one.start).total_seconds() for one in intervals))


def presence_of(visit: Visit, length_s: int, yardstick: Yardstick) -> Presence:
    """``length_s`` is the webinar's, 0 when unknown: then nobody stayed but who finished, and nobody left early."""
    if visit.watched_s is None:
        return Presence.STAYED if visit.finished else Presence.UNKNOWN
    share = visit.watched_s / length_s if length_s > 0 else None
    if visit.finished or (share is not None and share >= yardstick.stayed_share):
        return Presence.STAYED if visit.watched_s >= yardstick.attended_s else Presence.LOOKED_IN
    if visit.watched_s < yardstick.attended_s:
        return Presence.LOOKED_IN
    return Presence.LEFT_EARLY if share is not None and share < yardstick.early_share else Presence.ATTENDED


def warmth_of(visit: Visit, length_s: int, yardstick: Yardstick) -> Warmth:
    """Hot: stayed, watched ``hot_share`` of it, clicked, asked or ordered. Warm: attended, or nobody knows how long."""
    presence = presence_of(visit, length_s, yardstick)
    acted = visit.clicked or visit.ordered or visit.messages > 0
    enough = visit.watched_s is not None and length_s > 0 and visit.watched_s / length_s >= yardstick.hot_share
    if presence is Presence.STAYED or acted or (enough and presence is not Presence.LOOKED_IN):
        return Warmth.HOT
    return Warmth.COLD if presence is Presence.LOOKED_IN else Warmth.WARM


def attended(visit: Visit, yardstick: Yardstick) -> bool:
    """Watched long enough, by the account's word for it."""
    return visit.watched_s is not None and visit.watched_s >= yardstick.attended_s


def person_key(viewer: Viewer, phone: str) -> str:
    """What records of one person share: the phone, else the e-mail, else the platform's id of them; "" for nobody's."""
    if phone:
        return f"phone:{phone}"
    email = viewer.email.strip().casefold()
    if email:
        return f"email:{email}"
    return f"user:{viewer.chat_user_id}" if viewer.chat_user_id else ""
