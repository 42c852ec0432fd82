"""Reports, pages and subscribers are read whole or not at all: nothing in them is longer or larger than its column."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.bizon365.records import LONGEST_MINUTES, read_page, read_report, read_rooms, read_subscriber
from integrations.bizon365.sessions import MAX_ID

ZONE, NOW = ZoneInfo("Europe/Moscow"), datetime(2026, 11, 20, tzinfo=UTC)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("9" * 30), st.just("к" * 5000),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(), st.integers(), max_size=2),
)  # fmt: skip


def objects(*names: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))


@given(objects("name", "text", "count1", "count2", "created"), objects("roomid", "start", "minutes"), VALUES)
def test_a_report_fits_its_row(item: dict[str, object], data: dict[str, object], start: object) -> None:
    report = read_report({**item, "data": data, "webinarId": f"1:a*{start}"}, ZONE)
    if report is None:
        return
    assert 0 <= report.minutes <= LONGEST_MINUTES
    assert 0 <= report.peak < 2**31
    assert len(report.room_id) <= MAX_ID
    assert "\0" not in report.title
    if report.started_at is not None:
        assert report.started_at + timedelta(minutes=report.minutes) > report.started_at - timedelta(days=1)


def test_the_numbers_of_a_broken_report_are_bounded() -> None:
    broken = {"webinarId": "1:a*9999-12-31T23:59:00", "count1": 10**15, "name": "к" * 300, "data": {"minutes": 10**12}}
    report = read_report(broken, ZONE)
    assert report is not None
    assert (report.minutes, report.peak, report.room_id, report.started_at) == (10080, 2**31 - 1, "1:a", None)


@given(objects("uid", "email", "phone", "username", "confirmed", "webinarTime", "registeredTime", "vizitWebinar", "secret"))
def test_a_subscriber_is_read_whatever_stands_there(item: dict[str, object]) -> None:
    assert read_subscriber(item, ZONE).came in {True, False, None}


@pytest.mark.parametrize(
    ("visited", "came"), [([], False), ({}, False), ([1], True), ("", None), (None, None), ("0", False)]
)
def test_whether_a_subscriber_came(visited: object, came: bool | None) -> None:
    assert read_subscriber({"vizitWebinar": visited}, ZONE).came is came


@given(objects("title", "room", "webinarTimes", "stat", "isOn", "webhook_url"), VALUES)
def test_a_page_has_ids_that_can_be_kept(item: dict[str, object], page_id: object) -> None:
    page = read_page({**item, "pageId": page_id}, NOW, ZONE)
    assert page is None or (0 < len(page.page_id) <= MAX_ID and len(page.room_id) <= MAX_ID)


def test_ids_that_no_column_holds_are_none() -> None:
    assert read_page({"pageId": "1:" + "a" * 200}, NOW, ZONE) is None
    assert list(read_rooms(["1:" + "a" * 200])) == []
