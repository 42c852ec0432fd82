"""Working time: what waits for a person waits while people work."""

from datetime import UTC, datetime, time, timedelta, tzinfo

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
    first, last, passed = start.astimezone(zone).date(), end.astimezone(zone).date(), timedelta()
    while first <= last:
        opens, closes = (datetime.combine(first, at, tzinfo=zone).astimezone(UTC) for at in (OPENS, CLOSES))
        passed += max(min(end, closes) - max(start, opens), timedelta())
        first += timedelta(days=1)
    return passed


def _between(start: datetime, end: datetime) -> timedelta:
    """As time passes: the clocks of some zones are put back at night."""
    return end.astimezone(UTC) - start.astimezone(UTC)
