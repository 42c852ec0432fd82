"""Working time: what waits for a person waits while people work."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

OPENS, CLOSES = time(9), time(20)  # of every day, in the account's zone


def working_due(start: datetime, minutes: int, zone: tzinfo) -> datetime:
    """When so many minutes of working time after ``start`` are over; aware UTC. A night is no time at all."""
    local, left = start.astimezone(zone), timedelta(minutes=minutes)
    while True:
        opens, closes = (datetime.combine(local.date(), at, tzinfo=zone) for at in (OPENS, CLOSES))
        begin = max(local, opens)
        if begin < closes and left <= _between(begin, closes):
            return (begin.astimezone(UTC) + left).astimezone(UTC)
        left -= max(_between(begin, closes), timedelta())
        local = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=zone)


def working_time(start: datetime, end: datetime, zone: tzinfo) -> timedelta:
    """How much working time lies between two moments; none where the end is not after the start."""
    if end <= start:
        return timedelta()
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if first == last:
        return _worked(first, start, end, zone)
    between = ((last - first).days - 1) * (datetime.combine(first, CLOSES) - datetime.combine(first, OPENS))
    return _worked(first, start, end, zone) + between + _worked(last, start, end, zone)


def _worked(day: date, start: datetime, end: datetime, zone: tzinfo) -> timedelta:
    """On one day. Clocks are changed at night, so every day has the same hours to work."""
    opens, closes = (datetime.combine(day, at, tzinfo=zone).astimezone(UTC) for at in (OPENS, CLOSES))
    return max(min(end, closes) - max(start, opens), timedelta())


def _between(start: datetime, end: datetime) -> timedelta:
    """As time passes: the clocks of some zones are put back at night."""
    return end.astimezone(UTC) - start.astimezone(UTC)
