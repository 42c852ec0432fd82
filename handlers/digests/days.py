"""Which days a digest tells of, and with which days before them it compares. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from domain.digests import DigestKind
from handlers.calls.periods import Period
from handlers.digests.usual import LEAST, LEAST_WEEKS
from storage.queries.company import Span, span_of

EVENING = time(15)  # from here on a daily digest tells of today
LAST_MINUTE = time(23, 59)  # of a day: the whole of it is told of, and no day besides
WEEKS_OF_DAYS, WEEKS_OF_WEEKS = 8, 4
LOOKED_BACK = 28
QUIET = 0.2  # of the busiest day of the week: nobody works
MOST_QUIET = 3
WEEKEND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``span`` of a day that is not over ends when it is told of, and so do the days it is compared with."""

    period: Period
    span: Span
    so_far: bool = False

    @property
    def one_day(self) -> bool:
        return self.period.first == self.period.last


def told_of(kind: DigestKind, now: datetime, zone: ZoneInfo, busy: Sequence[int], *, so_far: bool = False) -> Told:
    """``busy``: what happened on each of the days before today, the last of them yesterday.

    In the morning a daily digest tells of yesterday; after days on which nobody works, of the last working day and of them.
    ``so_far``: somebody asks how today goes, whatever the hour.
    """
    local = now.astimezone(zone)
    today, day = local.date(), timedelta(days=1)
    if kind is DigestKind.WEEKLY:
        return _whole(today - 7 * day, today - day, zone)
    if local.time() >= LAST_MINUTE:
        return _whole(today, today, zone)
    if so_far or local.time() >= EVENING:
        begin = span_of(today, today, zone).since
        return Told(period=Period(first=today, last=today), span=Span(begin, now.astimezone(UTC)), so_far=True)
    quiet = _quiet_before(today, busy)
    return _whole(today - (quiet + 1) * day, today - day, zone)


def compared_with(kind: DigestKind, told: Told, zone: ZoneInfo, begun: date | None) -> tuple[Span, ...]:
    """The same days of the weeks before, newest first, back to the day after ``begun``; of a team that is new here, days
    of the same sort. Nothing where these are too few.
    """
    if begun is None:
        return ()
    weeks = WEEKS_OF_WEEKS if kind is DigestKind.WEEKLY else WEEKS_OF_DAYS
    known = [span for week in range(1, weeks + 1) if _day(span := told.span.earlier(7 * week, zone), zone) > begun]
    if len(known) >= (LEAST_WEEKS if kind is DigestKind.WEEKLY else LEAST):
        return tuple(known)
    if not told.one_day:
        return ()
    back = (told.span.earlier(days, zone) for days in range(1, LOOKED_BACK + 1))
    weekend = told.period.first.weekday() >= WEEKEND
    alike = [span for span in back if (day := _day(span, zone)) > begun and (day.weekday() >= WEEKEND) == weekend]
    return tuple(alike) if len(alike) >= LEAST else ()


def _whole(first: date, last: date, zone: ZoneInfo) -> Told:
    return Told(period=Period(first=first, last=last), span=span_of(first, last, zone))


def _day(span: Span, zone: ZoneInfo) -> date:
    return span.since.astimezone(zone).date()


def _quiet_before(today: date, busy: Sequence[int]) -> int:
    """How many days just before today nobody works on, by what is usual for their days of the week.

    None of them where the days before were quiet as well: there is nothing to go back to.
    """
    usual = {weekday: median(counts) for weekday in range(7) if (counts := _of_weekday(today, busy, weekday))}
    least = QUIET * max(usual.values(), default=0)
    if not least:
        return 0
    before = (today - timedelta(days=back) for back in range(1, MOST_QUIET + 2))
    return next((back for back, day in enumerate(before) if usual.get(day.weekday(), 0) >= least), 0)


def _of_weekday(today: date, busy: Sequence[int], weekday: int) -> list[int]:
    """What happened on these days, the newest last."""
    days = (today - timedelta(days=back) for back in range(len(busy), 0, -1))
    return [count for day, count in zip(days, busy, strict=True) if day.weekday() == weekday]
