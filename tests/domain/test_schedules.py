"""When a digest is due: a slot each day it is set for, by local time, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.schedules import EVERY_DAY, WORKDAYS, Timetable, moment_of, next_slot, settle, slots_between

BERLIN, NEW_YORK, MOSCOW = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Europe/Moscow")
ZONES = st.sampled_from([BERLIN, NEW_YORK, MOSCOW, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia")])
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0)) | st.sampled_from([time(2), time(2, 30), time(0)])
# With both nights of the year on which the clocks of a zone are moved, or with the day that Apia left out.
STARTS = st.sampled_from([datetime(year, month, 1, tzinfo=UTC) for year, month in ((2026, 3), (2026, 10), (2011, 12))])
DAY = timedelta(days=1)


def local(day: date, at: time, zone: ZoneInfo) -> str:
    return moment_of(day, at, zone).astimezone(zone).isoformat()


@pytest.mark.parametrize(
    ("day", "at", "zone", "moment"),
    [
        (date(2026, 11, 29), time(9), MOSCOW, "2026-11-29T09:00:00+03:00"),
        (date(2026, 3, 29), time(2, 30), BERLIN, "2026-03-29T03:00:00+02:00"),  # there is no 02:30 that night
        (date(2026, 3, 29), time(3), BERLIN, "2026-03-29T03:00:00+02:00"),
        (date(2026, 3, 29), time(1, 59), BERLIN, "2026-03-29T01:59:00+01:00"),
        (date(2026, 10, 25), time(2, 30), BERLIN, "2026-10-25T02:30:00+02:00"),  # there are two: the first
        (date(2026, 3, 8), time(2), NEW_YORK, "2026-03-08T03:00:00-04:00"),
        (date(2026, 11, 1), time(1, 15), NEW_YORK, "2026-11-01T01:15:00-04:00"),
        (date(2011, 12, 30), time(9), ZoneInfo("Pacific/Apia"), "2011-12-31T00:00:00+14:00"),  # a day that never was
    ],
)
def test_a_local_time_is_one_moment(day: date, at: time, zone: ZoneInfo, moment: str) -> None:
    assert local(day, at, zone) == moment


def test_slots_are_named_by_local_time_and_begin_after_the_last_one() -> None:
    when = Timetable(days=WORKDAYS, at=time(9), zone=MOSCOW)
    friday = datetime(2026, 11, 27, 6, tzinfo=UTC)
    found = list(slots_between(when, after=friday, until=friday + 4 * DAY))
    assert [slot.key for slot in found] == ["2026-11-30T09:00", "2026-12-01T09:00"]
    slot = next_slot(when, friday - timedelta(seconds=1))
    assert slot is not None
    assert slot.moment == friday
    assert next_slot(Timetable(days=frozenset(), at=time(9), zone=MOSCOW), friday) is None


@settings(max_examples=50, deadline=None)
@given(zone=ZONES, at=TIMES, start=STARTS, steps=st.lists(st.integers(-5 * 3600, 40 * 3600), max_size=40))
def test_every_slot_is_sent_once_however_the_clock_goes(zone: ZoneInfo, at: time, start: datetime, steps: list[int]) -> None:
    """The clock is looked at now and then; it may stand still, leap, or be set back by hours."""
    when = Timetable(days=EVERY_DAY, at=at, zone=zone)
    handled, now, furthest, sent, missed = start, start, start, list[str](), 0
    for step in [*steps, 80 * 86400]:
        now = max(now + timedelta(seconds=step), start)
        due = settle(when, handled_at=handled, now=now, oldest=start)
        furthest = max(furthest, now)
        if due is not None:
            handled, missed = due.handled_at, missed + due.missed
            if due.slot is not None and due.slot.key not in sent:  # as the unique key of work sees to
                sent.append(due.slot.key)
    slots = [slot.key for slot in slots_between(when, after=start, until=furthest)]
    assert len(set(sent)) == len(sent)
    assert set(sent) <= set(slots)
    assert sent[-1] == slots[-1]
    assert len(sent) + missed >= len(slots)


@settings(max_examples=50, deadline=None)
@given(zone=ZONES, at=TIMES, start=STARTS)
def test_looked_at_often_enough_no_slot_is_left_out(zone: ZoneInfo, at: time, start: datetime) -> None:
    when = Timetable(days=EVERY_DAY, at=at, zone=zone)
    handled, sent = start, list[str]()
    for minutes in range(0, 31 * 24 * 60, 60):
        due = settle(when, handled_at=handled, now=start + timedelta(minutes=minutes), oldest=start)
        if due is not None and due.slot is not None:
            handled = due.handled_at
            sent.append(due.slot.key)
    first, last = start.astimezone(zone).date(), (start + 30 * DAY).astimezone(zone).date()
    days = [first + DAY * number for number in range(1, (last - first).days)]
    skipped = {date(2011, 12, 30), date(2011, 12, 31)} if zone.key == "Pacific/Apia" and at == time(0) else set()
    expected = [f"{day.isoformat()}T{at:%H:%M}" for day in days if day not in skipped]
    assert set(expected) <= set(sent)
    assert len(set(sent)) == len(sent)


def test_what_was_missed_is_sent_once_the_newest_of_it_and_what_is_too_old_is_counted() -> None:
    when = Timetable(days=EVERY_DAY, at=time(9), zone=MOSCOW)
    handled, now = datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2026, 11, 29, 12, tzinfo=UTC)
    due = settle(when, handled_at=handled, now=now, oldest=now - DAY)
    assert due is not None
    assert due.slot is not None
    assert (due.slot.key, due.missed) == ("2026-11-29T09:00", 8)
    old = settle(when, handled_at=handled, now=now, oldest=now - timedelta(hours=1))
    assert old is not None
    assert (old.slot, old.missed, old.handled_at) == (None, 9, due.handled_at)
    assert settle(when, handled_at=due.handled_at, now=now, oldest=now - DAY) is None


def test_a_clock_that_was_a_year_ahead_and_came_back_is_followed() -> None:
    when = Timetable(days=EVERY_DAY, at=time(9), zone=MOSCOW)
    now = datetime(2026, 11, 29, 5, tzinfo=UTC)
    back = settle(when, handled_at=now + 365 * DAY, now=now, oldest=now - DAY)
    assert back is not None
    assert (back.slot, back.missed) == (None, 0)
    today = settle(when, handled_at=back.handled_at, now=now + timedelta(hours=1), oldest=now - DAY)
    assert today is not None
    assert today.slot is not None
    assert today.slot.key == "2026-11-29T09:00"
