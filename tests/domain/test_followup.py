"""Calling a webinar's people in figures: how many, how soon, with what result; and when it is told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.followup import Band, Followup, Queued, Share, Speed, followup_of, summary_due

SINCE = datetime(2026, 11, 20, 18, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")


def one(
    minutes: float | None = None, *, phone: str = "7", manager: str = "", taken: bool = False, agreed: bool = False
) -> Queued:
    at = None if minutes is None else SINCE + timedelta(minutes=minutes)
    return Queued(phone=phone, manager=manager, taken=taken, called_at=at, agreed=agreed)


def test_nobody_to_call_is_all_zeros() -> None:
    assert followup_of([], SINCE) == Followup()


def test_counts_median_and_bands() -> None:
    queue = [one(-5, agreed=True), one(30), one(31, agreed=True), one(25 * 60), one(taken=True), one(phone=""), one()]
    found = followup_of(queue, SINCE)
    assert (found.total, found.contacted, found.agreed, found.taken, found.no_phone) == (7, 4, 2, 1, 1)
    assert found.median_s == round(30.5 * 60)
    assert found.bands == (
        Band(speed=Speed.HALF_HOUR, contacted=2, agreed=1),
        Band(speed=Speed.TWO_HOURS, contacted=1, agreed=1),
        Band(speed=Speed.LATER, contacted=1, agreed=0),
    )
    assert found.managers == ()


def test_managers_with_the_most_people_first() -> None:
    found = followup_of([one(1, manager="Ирина"), one(manager="Ирина"), one(2, manager="Олег"), one()], SINCE)
    assert found.managers == (
        Share(name="Ирина", contacted=1, total=2),
        Share(name="", contacted=0, total=1),
        Share(name="Олег", contacted=1, total=1),
    )


@pytest.mark.parametrize(
    ("ended", "now", "due"),
    [
        ("2026-11-20 20:00", "2026-11-20 22:00", "2026-11-21 18:00"),
        ("2026-11-20 23:30", "2026-11-21 02:00", "2026-11-21 18:00"),  # the day after the webinar, not after the report
        ("2026-11-20 20:00", "2026-11-21 12:01", "2026-11-22 18:00"),  # nobody could have called in between
        ("2026-11-20 20:00", "2026-11-25 09:00", "2026-11-26 18:00"),
        ("2026-10-24 20:00", "2026-10-24 21:00", "2026-10-25 18:00"),
    ],
)
def test_it_is_told_at_six_of_the_next_day(ended: str, now: str, due: str) -> None:
    ended_at, now_at, due_at = (datetime.fromisoformat(text).replace(tzinfo=MOSCOW) for text in (ended, now, due))
    assert summary_due(ended_at.astimezone(UTC), now_at.astimezone(UTC), MOSCOW) == due_at


def test_the_clock_that_changes_does_not_move_the_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    ended = datetime(2026, 10, 24, 18, tzinfo=UTC)  # the night of it the clock goes back
    assert summary_due(ended, ended, berlin).isoformat() == "2026-10-25T18:00:00+01:00"
