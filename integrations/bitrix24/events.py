"""Calendar events as the portal writes them, and the meetings of a day that they are."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from domain.tasks import Meeting
from integrations.bitrix24.models import Row, Text, moment, number

DAY_S = 24 * 3600
_DECLINED, _UNANSWERED = "N", "Q"
# DATE_FROM is in the portal's own format; DATE_FROM_FORMATTED, where there is one, in JavaScript's, whatever the portal's.
_FORMATS = (
    "%a %b %d %Y %H:%M:%S",
    "%a %b %d %Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d",
)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ROOM = re.compile(r"(?:ECMR|calendar|room)_\d+(?:_\d+)?")  # a meeting room by its number, which tells a person nothing


class EventRow(Row):
    """One event, or one of a recurring row: ``calendar.event.get`` gives each of them for itself."""

    row_id: Text = Field(default="", alias="ID")
    name: Text = Field(default="", alias="NAME")
    deleted: Text = Field(default="", alias="DELETED")
    starts: Text = Field(default="", alias="DATE_FROM")
    formatted: Text = Field(default="", alias="DATE_FROM_FORMATTED")
    zone: Text = Field(default="", alias="TZ_FROM")
    offset: Text = Field(default="", alias="TZ_OFFSET_FROM")
    starts_ts: Text = Field(default="", alias="DATE_FROM_TS_UTC")
    whole_days: Text = Field(default="", alias="DT_SKIP_TIME")
    length: Text = Field(default="", alias="DT_LENGTH")
    status: Text = Field(default="", alias="MEETING_STATUS")
    place: Text = Field(default="", alias="LOCATION")
    rule: object = Field(default=None, alias="RRULE")
    left_out: Text = Field(default="", alias="EXDATE")

    @property
    def recurs(self) -> bool:
        return bool(self.rule)


def meetings_of(rows: Iterable[EventRow], day: date, zone: ZoneInfo) -> Sequence[Meeting]:
    """Those of ``day``: what takes whole days first, then by time. One that is told of twice is there once."""
    wanted = (row for row in rows if row.deleted != "Y" and row.status != _DECLINED)
    found = {
        one
        for row in wanted
        for wall in _walls(row, day)
        if (one := _meeting(row, wall)) is not None and _touches(one, day, zone)
    }
    return sorted(found, key=lambda one: (one.begins is not None, one.begins or datetime.min.replace(tzinfo=UTC), one.title))


def _walls(row: EventRow, day: date) -> Iterator[datetime | None]:
    """When it begins by the clock on its wall. A row of meetings told as one, from its first, is followed to this day."""
    wall = _wall(row)
    yield wall
    if wall is None or not isinstance(row.rule, Mapping) or wall.date() >= day - timedelta(days=1):
        return
    for one in (day - timedelta(days=1), day, day + timedelta(days=1)):
        if recurs_on(row.rule, wall.date(), one) and one not in _left_out(row):
            yield datetime.combine(one, wall.time())


def recurs_on(rule: Mapping[object, object], first: date, day: date) -> bool:
    """Whether what began on ``first`` is there on ``day`` by its rule, as its days, not its number of times, limit it."""
    until = _parsed(str(rule.get("UNTIL") or ""))
    if day < first or (until is not None and day > until.date()):
        return False
    step, days = max(1, number(str(rule.get("INTERVAL") or 1))), (day - first).days
    match str(rule.get("FREQ")):
        case "DAILY":
            return days % step == 0
        case "WEEKLY":
            named = rule.get("BYDAY")
            on = {str(one) for one in named} if isinstance(named, Mapping | list) and named else {_WEEKDAYS[first.weekday()]}
            weeks = ((day - timedelta(days=day.weekday())) - (first - timedelta(days=first.weekday()))).days // 7
            return weeks % step == 0 and _WEEKDAYS[day.weekday()] in on
        case "MONTHLY":
            return day.day == first.day and ((day.year - first.year) * 12 + day.month - first.month) % step == 0
        case "YEARLY":
            return (day.month, day.day) == (first.month, first.day) and (day.year - first.year) % step == 0
    return False


def _left_out(row: EventRow) -> set[date]:
    return {at.date() for part in row.left_out.split(";") if (at := _parsed(part.strip())) is not None}


def _meeting(row: EventRow, wall: datetime | None) -> Meeting | None:
    """``wall``: when it begins by its own clock. None where the portal does not say when it is."""
    length = timedelta(seconds=number(row.length))
    place = "" if _ROOM.fullmatch(row.place) else row.place
    unanswered = row.status == _UNANSWERED
    if row.whole_days == "Y":
        first = _first_day(row, wall)
        if first is None:
            return None
        last = first + timedelta(days=max(0, -(-number(row.length) // DAY_S) - 1))
        return Meeting(
            external_id=row.row_id, title=row.name, first_day=first, last_day=last, place=place, unanswered=unanswered
        )
    begins = _begins(row, wall)
    if begins is None:
        return None
    return Meeting(
        external_id=row.row_id, title=row.name, begins=begins, ends=begins + length, place=place, unanswered=unanswered
    )


def _touches(meeting: Meeting, day: date, zone: ZoneInfo) -> bool:
    if meeting.first_day is not None and meeting.last_day is not None:
        return meeting.first_day <= day <= meeting.last_day
    if meeting.begins is None or meeting.ends is None:
        return False
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    next_day = day + timedelta(days=1)
    following = datetime(next_day.year, next_day.month, next_day.day, tzinfo=zone)
    return meeting.begins < following and (meeting.ends > midnight or meeting.begins >= midnight)


def _begins(row: EventRow, wall: datetime | None) -> datetime | None:
    """The second of a single event is told in UTC; of a recurring one that is its first, so the clock on the wall counts."""
    if row.recurs and wall is not None:
        return _in_zone(wall, row)
    stamp = number(row.starts_ts)
    if stamp:
        return datetime.fromtimestamp(stamp, UTC)
    return _in_zone(wall, row) if wall is not None else moment(row.starts)


def _first_day(row: EventRow, wall: datetime | None) -> date | None:
    if wall is not None:
        return wall.date()
    stamp = number(row.starts_ts)
    return datetime.fromtimestamp(stamp, UTC).date() if stamp else None


def _wall(row: EventRow) -> datetime | None:
    return _parsed(row.formatted) or _parsed(row.starts)


def _parsed(text: str) -> datetime | None:
    for form in _FORMATS if text else ():
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone stands beside it
        except ValueError:
            continue
    return None


def _in_zone(wall: datetime, row: EventRow) -> datetime | None:
    try:
        return wall.replace(tzinfo=ZoneInfo(row.zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        sign = -1 if row.offset.startswith("-") else 1
        return (wall - timedelta(seconds=sign * number(row.offset.lstrip("-")))).replace(tzinfo=UTC)
