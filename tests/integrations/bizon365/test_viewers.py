"""Records of presence: the oracle of the vendor's page, and every way in which a record can be odd."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.webinars import Interval, Viewer
from integrations.bizon365.fake_viewers import ODDITIES, email_of, phone_of, quirky_viewers
from integrations.bizon365.records import read_page, read_report, read_rooms, read_single_report, read_subscriber
from integrations.bizon365.sessions import iso, room_of, start_of
from integrations.bizon365.viewers import Reading, read_viewer

MOSCOW = ZoneInfo("Europe/Moscow")
READING = Reading(url_params=("svodka", "salebot"))
START = datetime(2026, 11, 20, 16, tzinfo=UTC)
VIEW = int(START.timestamp()) * 1000

# the record that the papers print, its odd phone and escaped slashes included
SAMPLE = json.loads(
    '{"playVideo":1,"email":"mail@mail.ru","phone":"+7911111111","username":"Дарий",'
    '"url":"https:\\/\\/start.bizon365.ru\\/room\\/222222\\/SW45zV0d","ip":"111.111.111.6","mob":true,'
    '"useragent":"Android, Chrome 91.0.4472.111","referer":"","cv":null,"cu1":"","p1":"","p2":"","p3":"",'
    '"roomid":"222222:SW45YzV0d","chatUserId":"SeURFjsft","city":"Краснодар","country":"RU","region":"Краснодарский край",'
    '"tz":"","created":"2021-09-12T16:24:48.125Z","webinarId":"222222:SW45YzV0d*2021-09-12T19:00:00",'
    '"view":1631463887082,"viewTill":1631464786805,"messages_num":0}'
)


def read(**record: object) -> Viewer:
    return read_viewer(record, READING)


def seconds(viewer: Viewer) -> list[float]:
    return [(one.end - one.start).total_seconds() for one in viewer.intervals]


def test_the_sample_of_the_papers() -> None:
    viewer = read_viewer(SAMPLE, READING)
    assert seconds(viewer) == [pytest.approx(899.723)]
    assert viewer.intervals[0].start == datetime(2021, 9, 12, 16, 24, 47, 82000, UTC)
    # read as UTC the session would begin hours after the viewer came
    started = start_of(SAMPLE["webinarId"], MOSCOW)
    assert started == datetime(2021, 9, 12, 16, tzinfo=UTC)
    assert viewer.intervals[0].start > started
    assert (viewer.phone, viewer.email, viewer.name) == ("+7911111111", "mail@mail.ru", "Дарий")
    assert (viewer.city, viewer.country, viewer.chat_user_id) == ("Краснодар", "RU", "SeURFjsft")
    assert json.loads(viewer.raw) == SAMPLE
    assert len(json.loads(viewer.raw)) == 25


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"view": VIEW, "viewTill": VIEW + 60_000}, [60.0]),
        ({"view": VIEW // 1000, "viewTill": VIEW // 1000 + 60}, [60.0]),
        ({"view": str(VIEW), "viewTill": f"{VIEW + 60_000}.0"}, [60.0]),
        ({"view": "2026-11-20T16:00:00Z", "viewTill": "2026-11-20T16:01:00+00:00"}, [60.0]),
        ({"view": VIEW, "viewTill": VIEW}, []),
        ({"view": VIEW, "viewTill": VIEW - 1}, []),
        ({"view": VIEW, "viewTill": VIEW + 24 * 3_600_000 + 1}, []),
        ({"view": VIEW, "viewTill": VIEW + 24 * 3_600_000}, [86400.0]),
        ({"view": VIEW}, []),
        ({"view": VIEW, "viewTill": None}, []),
        ({"view": 0, "viewTill": 0}, []),
        ({"view": -5, "viewTill": VIEW}, []),
        ({"view": True, "viewTill": VIEW}, []),
        ({"view": [VIEW], "viewTill": {"a": 1}}, []),
        ({"view": 10**40, "viewTill": "NaN"}, []),
        ({}, []),
    ],
)
def test_times_that_make_no_sense_leave_the_time_unknown(record: dict[str, object], expected: list[float]) -> None:
    assert seconds(read(**record)) == expected


@pytest.mark.parametrize(
    "spans",
    [
        [{"s": VIEW // 1000, "e": VIEW // 1000 + 60}, {"s": VIEW // 1000 + 240, "e": VIEW // 1000 + 300}],
        [{"s": VIEW, "e": VIEW + 60_000}, {"s": VIEW + 240_000, "e": VIEW + 300_000}],
        [{"s": 600, "e": 660}, {"s": 840, "e": 900}],  # since the session began, ten minutes before they came
        [{"s": 0, "e": 60}, {"s": 240, "e": 300}],  # since they came
        [{"s": "0", "e": "60000"}, {"s": 240_000, "e": 300_000}],
    ],
)
def test_presence_in_stretches_is_finer_whatever_its_unit(spans: list[dict[str, object]]) -> None:
    reading = Reading(url_params=(), session_start=START - timedelta(minutes=10))
    viewer = read_viewer({"view": VIEW, "viewTill": VIEW + 300_000, "vi": spans}, reading)
    assert seconds(viewer) == [60.0, 60.0]
    assert viewer.intervals[0].start == START
    assert viewer.intervals[1].end == START + timedelta(minutes=5)


@pytest.mark.parametrize("spans", [[], None, [{"s": 5}], [3], "x", [{"s": 9_000_000, "e": 9_000_060}], [{"s": 60, "e": 0}]])
def test_stretches_that_contradict_the_rest_are_not_believed(spans: object) -> None:
    assert seconds(read(view=VIEW, viewTill=VIEW + 300_000, vi=spans)) == [300.0]


def test_stretches_alone() -> None:
    assert seconds(read(vi=[{"s": VIEW, "e": VIEW + 60_000}])) == [60.0]
    assert read(vi=[{"s": 0, "e": 60}]).intervals == ()


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"cu1": "42"}, ("42",)),
        ({"p1": "7", "cu1": "7"}, ("7",)),
        ({"salebot": "9", "cu1": "8", "p3": "5"}, ("9", "8", "5")),
        ({"url": "https://start.bizon365.ru/room/1/x?utm_source=vk&SALEBOT=9&phone=%2B7"}, ("9",)),
        ({"url": "https:\\/\\/start.bizon365.ru\\/room\\/1\\/x?svodka=9"}, ("9",)),
        ({"cu1": "1", "p1": 0, "p2": None, "url": "salebot=5"}, ()),
        ({"url": "http://[broken?salebot=5"}, ()),
        ({"url": "https://x/?" + "&".join(f"a{n}=1" for n in range(99)) + "&salebot=5"}, ()),
    ],
)
def test_what_a_personal_link_carried(record: dict[str, object], found: tuple[str, ...]) -> None:
    assert read(**record).link_ids == found


@pytest.mark.parametrize("nothing", ["", "1", "0", " - ", None, 0, False, [], {}, "null", "undefined"])
def test_placeholders_are_nothing(nothing: object) -> None:
    viewer = read(phone=nothing, email=nothing, username=nothing, chatUserId=nothing)
    assert (viewer.phone, viewer.email, viewer.name, viewer.chat_user_id) == ("", "", "", "")


def test_other_types_and_names() -> None:
    viewer = read(phone=79001234567, name="Вася", uid="u5", finished="1", messages_num="3", country_code="KZ")
    assert (viewer.phone, viewer.name, viewer.chat_user_id) == ("79001234567", "Вася", "u5")
    assert (viewer.finished, viewer.messages, viewer.country) == (True, 3, "KZ")
    assert read(phone=79001234567.0).phone == "79001234567"
    assert not read(finished="false", clickBanner="0", newOrder=[]).finished


@pytest.mark.parametrize("name", ["clickBanner", "clickFile", "vizitForm"])
def test_clicks(name: str) -> None:
    assert read(**{name: 1}).clicked
    assert not read(**{name: 0}).clicked
    assert read(buttons=[{"id": "b"}]).clicked
    assert not read(banners=[], buttons=None).clicked
    assert read(newOrder=1).ordered
    assert read(orderDetails={"sum": 1}).ordered
    assert not read(orderDetails={}).ordered


def test_marks() -> None:
    marks = read(utm_source="vk", utm_term=5, utm_group="g", url_marker="partner", utm_medium=None).marks
    assert (marks.source, marks.term, marks.group, marks.partner, marks.medium) == ("vk", "5", "g", "partner", "")


def test_nothing_of_a_record_is_lost_or_unstorable() -> None:
    viewer = read(username="a\ud800b\x00", unknown={"deep": [1, {"x": None}]})
    viewer.raw.encode()
    assert json.loads(viewer.raw)["unknown"] == {"deep": [1, {"x": None}]}
    assert viewer.name == "a?b"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([*SAMPLE, "vi", "finished", "buttons", "utm_source", "uid", "s", "name", "data", "start", "stat"])


@given(st.dictionaries(NAMES, JSON, max_size=12))
def test_reading_is_total(record: dict[str, object]) -> None:
    viewer = read_viewer(record, Reading(url_params=("svodka",), session_start=START))
    assert all(one.start < one.end for one in viewer.intervals)
    viewer.raw.encode()
    read_report(record | {"webinarId": "a*b"}, MOSCOW)
    read_single_report({"report": record, "room_title": record.get("url")}, "a", MOSCOW)
    read_page(record | {"pageId": "a"}, START, MOSCOW)
    read_subscriber(record, MOSCOW)
    list(read_rooms(record))
    list(read_rooms([record]))


@pytest.mark.parametrize(
    ("webinar_id", "room", "start"),
    [
        ("1:a*2030-01-02T19:00:00", "1:a", datetime(2030, 1, 2, 16, tzinfo=UTC)),
        ("1:a*b*2030-01-02T00:30:00", "1:a*b", datetime(2030, 1, 1, 21, 30, tzinfo=UTC)),
        ("1:a*2030-01-02T19:00:00Z", "1:a", datetime(2030, 1, 2, 19, tzinfo=UTC)),
        ("abc123", "", None),
        ("1:a*", "1:a", None),
        ("*0001-01-01T00:00:00", "", None),
        ("", "", None),
        ("1:a*вчера", "1:a", None),
    ],
)
def test_ids_of_sessions(webinar_id: str, room: str, start: datetime | None) -> None:
    assert room_of(webinar_id) == room
    assert start_of(webinar_id, MOSCOW) == start


def test_the_zone_of_the_account() -> None:
    assert start_of("1:a*2030-01-02T19:00:00", ZoneInfo("Asia/Yekaterinburg")) == datetime(2030, 1, 2, 14, tzinfo=UTC)
    assert iso(datetime(2026, 9, 16, 12, 0, 0, 7500, MOSCOW)) == "2026-09-16T09:00:00.007Z"


def test_a_report_of_the_list() -> None:
    data = '{"minutes":100,"roomid":"1234:test","group":1,"start":1582646400000,"stat":1}'
    item = {
        "name": "1234:test",
        "text": "Тема",
        "type": "AutoWebinars",
        "count1": 12,
        "count2": 110,
        "data": data,
        "webinarId": "1234:test*2020-02-25T20:00:00",
        "created": "2020-02-25T18:24:28.380Z",
    }
    report = read_report(item, MOSCOW)
    assert report is not None
    assert report.started_at == datetime(2020, 2, 25, 16, tzinfo=UTC)  # its own start, not the one in the id
    assert (report.room_id, report.title, report.minutes, report.live, report.peak) == ("1234:test", "Тема", 100, False, 12)
    assert report.created_at == datetime(2020, 2, 25, 18, 24, 28, 380000, UTC)
    bare = read_report({"webinarId": "1:a*2030-01-02T19:00:00", "data": "{", "count2": "95"}, MOSCOW)
    assert bare is not None
    assert (bare.room_id, bare.minutes, bare.live) == ("1:a", 95, True)
    assert bare.started_at == datetime(2030, 1, 2, 16, tzinfo=UTC)
    assert read_report({}, MOSCOW) is None
    assert read_report({"webinarId": "x" * 999}, MOSCOW) is None


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["1:a", "1:b"], [("1:a", "1:a"), ("1:b", "1:b")]),
        ([{"id": "1:a", "title": "А"}], [("1:a", "А")]),
        ([{"name": "1:a", "text": "А", "_id": "zz"}], [("1:a", "А")]),
        ({"1:a": "А"}, [("1:a", "А")]),
        ({"x": {"roomid": "1:a"}}, [("1:a", "1:a")]),
        ([5, None, {"id": 7}], []),
        (None, []),
    ],
)
def test_rooms_in_whatever_shape(listed: object, expected: list[tuple[str, str]]) -> None:
    assert [(room.room_id, room.title) for room in read_rooms(listed)] == expected


def test_the_fake_makes_the_same_people_every_time_and_every_oddity() -> None:
    made, again = (list(quirky_viewers("1:a*2026-11-20T19:00:00", START, 90, 300)) for _ in range(2))
    assert made == again
    assert len(made) == 300
    viewers = [read_viewer(record, READING) for record in made]
    assert 20 < sum(not viewer.phone for viewer in viewers) < 80
    assert any(not viewer.intervals for viewer in viewers)
    assert any(len(viewer.intervals) == 2 for viewer in viewers)
    assert any(viewer.ordered for viewer in viewers)
    assert any(viewer.link_ids for viewer in viewers)
    assert any(viewer.marks.partner for viewer in viewers)
    assert len(ODDITIES) * 3 < 300
    assert len({phone_of(number) for number in range(1000)} | {email_of(number) for number in range(1000)}) == 2000


def test_an_interval_needs_an_end_after_its_start() -> None:
    (whole,) = read(view=VIEW, viewTill=VIEW + 1).intervals
    assert whole == Interval(start=START, end=START + timedelta(milliseconds=1))
