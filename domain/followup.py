"""What became of calling a webinar's people: how many were talked to, how soon, and what came of it by how soon. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from statistics import median

HOUR = time(18)  # of the day after: the calls of a whole day are in it, and there is time left to go on
SOONEST = timedelta(hours=6)  # a report that came later than that before is summed up a day later


class Speed(StrEnum):
    """How soon after the report somebody was talked to."""

    HALF_HOUR = "half_hour"
    TWO_HOURS = "two_hours"
    DAY = "day"
    LATER = "later"


_LIMITS = ((Speed.HALF_HOUR, 30 * 60), (Speed.TWO_HOURS, 2 * 3600), (Speed.DAY, 24 * 3600))


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """Somebody to call. ``called_at``: the first talk since the webinar, aware UTC; ``agreed``: a next step came of one."""

    phone: str
    manager: str = ""
    taken: bool = False
    called_at: datetime | None = None
    agreed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Those talked to this soon."""

    speed: Speed
    contacted: int
    agreed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``name`` of a manager, "" for the leads that have none."""

    name: str
    contacted: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Followup:
    """``total`` in the queue, ``taken`` of them without a talk yet; ``median_s`` None where nobody was talked to.

    ``bands`` hold those only that have somebody, the soonest first; ``managers`` with the most people first.
    """

    total: int = 0
    contacted: int = 0
    agreed: int = 0
    taken: int = 0
    no_phone: int = 0
    median_s: int | None = None
    bands: tuple[Band, ...] = ()
    managers: tuple[Share, ...] = ()


def followup_of(queue: Sequence[Queued], since: datetime) -> Followup:
    """``since``: when the list of whom to call was there. A talk before it was as soon as can be."""
    talked = [one for one in queue if one.called_at is not None]
    waits = [_wait(one, since) for one in talked]
    speeds = [_speed(wait) for wait in waits]
    bands = [_band(speed, [one for one, own in zip(talked, speeds, strict=True) if own is speed]) for speed in Speed]
    return Followup(
        total=len(queue),
        contacted=len(talked),
        agreed=sum(one.agreed for one in talked),
        taken=sum(one.taken and one.called_at is None for one in queue),
        no_phone=sum(not one.phone for one in queue),
        median_s=round(median(waits)) if waits else None,
        bands=tuple(band for band in bands if band.contacted),
        managers=tuple(_shares(queue)),
    )


def summary_due(ended_at: datetime, now: datetime, zone: tzinfo) -> datetime:
    """When it is summed up: the day after the webinar at HOUR of ``zone``, a day later for a report that came late."""
    day = ended_at.astimezone(zone).date() + timedelta(days=1)
    due = datetime.combine(day, HOUR, tzinfo=zone)
    if due - now < SOONEST:
        day = max(day, now.astimezone(zone).date()) + timedelta(days=1)
        due = datetime.combine(day, HOUR, tzinfo=zone)
    return due


def _wait(one: Queued, since: datetime) -> float:
    return max((one.called_at - since).total_seconds(), 0.0) if one.called_at is not None else 0.0


def _speed(seconds: float) -> Speed:
    return next((speed for speed, limit in _LIMITS if seconds <= limit), Speed.LATER)


def _band(speed: Speed, people: Sequence[Queued]) -> Band:
    return Band(speed=speed, contacted=len(people), agreed=sum(one.agreed for one in people))


def _shares(queue: Iterable[Queued]) -> list[Share]:
    """Nothing where no lead has a manager."""
    of: dict[str, list[Queued]] = {}
    for one in queue:
        of.setdefault(one.manager, []).append(one)
    if set(of) <= {""}:
        return []
    shares = [
        Share(name=name, contacted=sum(one.called_at is not None for one in people), total=len(people))
        for name, people in of.items()
    ]
    return sorted(shares, key=lambda share: (-share.total, share.name))
