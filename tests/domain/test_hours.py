"""Working time: minutes that pass while people work."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hours import CLOSES, OPENS, working_due

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-20 12:00", 15, "2026-11-20 12:15"),
        ("2026-11-20 19:50", 15, "2026-11-21 09:05"),
        ("2026-11-20 23:30", 15, "2026-11-21 09:15"),
        ("2026-11-20 03:00", 15, "2026-11-20 09:15"),
        ("2026-11-20 20:00", 15, "2026-11-21 09:15"),
        ("2026-11-20 12:00", 11 * 60, "2026-11-21 12:00"),
    ],
)
def test_a_night_is_no_time_at_all(start: str, minutes: int, due: str) -> None:
    begun = datetime.fromisoformat(start).replace(tzinfo=MOSCOW)
    assert working_due(begun, minutes, MOSCOW) == datetime.fromisoformat(due).replace(tzinfo=MOSCOW)


@given(
    start=st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    minutes=st.integers(1, 3000),
    zone=st.sampled_from(["Europe/Moscow", "Europe/Berlin", "Asia/Vladivostok", "America/New_York"]),
)
def test_it_is_always_later_and_never_at_night(start: datetime, minutes: int, zone: str) -> None:
    there = ZoneInfo(zone)
    due = working_due(start, minutes, there)
    assert (due - start).total_seconds() >= minutes * 60
    assert OPENS <= due.astimezone(there).time() <= CLOSES
    assert working_due(start, minutes + 1, there) > due
