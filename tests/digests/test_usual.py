"""What is usual and what is not, and what explains a difference."""

from datetime import UTC, date, datetime, timedelta
from math import exp
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.digests import DigestKind
from domain.hours import working_time
from handlers.calls.periods import Period
from handlers.digests.days import LAST_MINUTE, compared_with, told_of
from handlers.digests.usual import explained_by_name, explained_by_stretch, unusual

MOSCOW = ZoneInfo("Europe/Moscow")
WORKING = [80, 80, 80, 80, 80, 3, 0] * 4  # four weeks, each from a Monday


@pytest.mark.parametrize(
    ("number", "before", "found"),
    [
        (31, [6, 5, 7, 6], True),
        (9, [6, 5, 7, 6], False),
        (80, [80, 95, 70, 84, 79], False),
        (30, [80, 95, 70, 84, 79], True),
        (2, [0, 0, 0, 0], False),  # two calls are no news
        (7, [0, 0, 0, 0], True),
        (0, [13, 12, 15, 14], True),
        (390, [300, 310, 305, 295], False),  # a third more, of a number that hardly ever changes
        (450, [300, 310, 305, 295], True),
        (100, [100, 100, 100, 3, 100], False),  # one bad day before does not make the usual
    ],
)
def test_far_from_the_middle_is_unusual(number: int, before: list[int], found: bool) -> None:
    assert (unusual(number, before) is not None) == found


@pytest.mark.parametrize("mean", [1, 3, 6, 12, 80])
def test_days_that_differ_by_chance_alarm_nobody(mean: int) -> None:
    """People call by chance: of a thousand such days five may look unusual, and a day with five times as many does."""
    random = Random(mean)

    def by_chance() -> int:
        least, number, product = exp(-mean), 0, random.random()
        while product > least:
            number, product = number + 1, product * random.random()
        return number

    days = [([by_chance() for _ in range(8)], by_chance()) for _ in range(1000)]
    assert sum(unusual(number, before) is not None for before, number in days) <= 5
    assert all(unusual(5 * mean + 8, before) is not None for before, _ in days)


def test_the_shortest_stretch_that_explains_it_is_named() -> None:
    usual = [[1] * 10 for _ in range(4)]
    found = explained_by_stretch("hour", [1, 1, 1, 9, 10, 1, 1, 1, 1, 1], usual)
    assert found is not None
    assert (found.first, found.last, found.number, found.usual) == (3, 4, 19, 2)
    assert explained_by_stretch("hour", [4] * 10, usual) is None
    assert explained_by_stretch("hour", [1] * 10, usual) is None


def test_a_name_is_named_where_it_stands_out() -> None:
    usual = [{"a": 3, "b": 3}] * 4
    found = explained_by_name("line", {"a": 3, "b": 20}, usual)
    assert found is not None
    assert (found.name, found.number, found.usual) == ("b", 20, 3)
    assert explained_by_name("line", {"a": 10, "b": 10}, usual) is None
    assert explained_by_name("line", {"a": 40}, [{"a": 3}] * 4) is None  # the only line there is
    assert explained_by_name("line", {"a": 30, "b": 3}, [{"a": 10, "b": 1}] * 4) is None  # as always, only more
    assert explained_by_name("line", {"": 30, "b": 3}, [{"": 10, "b": 1}] * 4) is None
    gone = explained_by_name("line", {"a": 3}, [{"a": 3, "b": 30}] * 4)
    assert gone is not None
    assert (gone.name, gone.number, gone.usual) == ("b", 0, 30)


@pytest.mark.parametrize(
    ("at", "kind", "first", "last"),
    [
        ("2026-11-27 09:00", DigestKind.DAILY, "2026-11-26", "2026-11-26"),
        ("2026-11-27 18:30", DigestKind.DAILY, "2026-11-27", "2026-11-27"),
        ("2026-11-30 09:00", DigestKind.DAILY, "2026-11-27", "2026-11-29"),  # Monday: Friday and the days off
        ("2026-11-30 09:00", DigestKind.WEEKLY, "2026-11-23", "2026-11-29"),
    ],
)
def test_the_days_that_are_told_of(at: str, kind: DigestKind, first: str, last: str) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=MOSCOW)
    back = (now.date() - timedelta(days=days) for days in range(28, 0, -1))
    told = told_of(kind, now, MOSCOW, [WORKING[day.weekday()] for day in back])
    assert told.period == Period(first=date.fromisoformat(first), last=date.fromisoformat(last))
    assert told.so_far == (now.hour > 15)
    assert told.span.until <= now.astimezone(UTC)


def test_who_asks_how_today_goes_is_told_in_the_morning_too() -> None:
    now = datetime(2026, 11, 30, 9, tzinfo=MOSCOW)
    told = told_of(DigestKind.DAILY, now, MOSCOW, [80] * 28, so_far=True)
    assert (told.period.first, told.span.until, told.so_far) == (now.date(), now, True)


def test_a_day_told_of_in_its_last_minute_is_told_of_whole_and_alone() -> None:
    sunday = date(2026, 11, 29)
    now = datetime.combine(sunday, LAST_MINUTE, MOSCOW)
    told = told_of(DigestKind.DAILY, now, MOSCOW, [80] * 28)
    assert (told.period, told.so_far) == (Period(first=sunday, last=sunday), False)
    assert told.span.until == datetime(2026, 11, 30, tzinfo=MOSCOW)


def test_a_team_without_a_past_has_its_yesterday() -> None:
    now = datetime(2026, 11, 30, 9, tzinfo=MOSCOW)
    told = told_of(DigestKind.DAILY, now, MOSCOW, [0] * 28)
    assert told.period.first == told.period.last == date(2026, 11, 29)
    assert compared_with(DigestKind.DAILY, told, MOSCOW, None) == ()
    assert compared_with(DigestKind.DAILY, told, MOSCOW, date(2026, 11, 20)) == ()


def test_days_are_compared_with_the_same_days_and_hours_before() -> None:
    now = datetime(2026, 11, 27, 18, 30, tzinfo=MOSCOW)
    told = told_of(DigestKind.DAILY, now, MOSCOW, [80] * 28)
    weeks = compared_with(DigestKind.DAILY, told, MOSCOW, date(2026, 1, 1))
    local = [(span.since.astimezone(MOSCOW), span.until.astimezone(MOSCOW)) for span in weeks]
    assert {(since.weekday(), since.hour, until.hour, until.minute) for since, until in local} == {(4, 0, 18, 30)}
    assert len(weeks) == 8
    young = compared_with(DigestKind.DAILY, told, MOSCOW, date(2026, 11, 12))
    assert {span.since.astimezone(MOSCOW).weekday() for span in young} <= {0, 1, 2, 3, 4}
    assert len(young) == 10


@settings(max_examples=50)
@given(
    start=st.integers(0, 4_000_000_000),
    lengths=st.lists(st.integers(0, 500_000), min_size=2, max_size=2),
    zone=st.sampled_from(["Europe/Moscow", "Europe/Berlin", "America/New_York"]),
)
def test_working_time_adds_up(start: int, lengths: list[int], zone: str) -> None:
    first = datetime.fromtimestamp(start, UTC)
    middle = first + timedelta(seconds=lengths[0])
    last, there = middle + timedelta(seconds=lengths[1]), ZoneInfo(zone)
    whole = working_time(first, last, there)
    assert whole == working_time(first, middle, there) + working_time(middle, last, there)
    assert timedelta() <= whole <= last - first


def test_a_night_is_no_working_time() -> None:
    evening = datetime(2026, 11, 26, 19, 50, tzinfo=MOSCOW)
    assert working_time(evening, evening.replace(day=27, hour=9, minute=5), MOSCOW) == timedelta(minutes=15)
    assert working_time(evening, evening, MOSCOW) == timedelta()
