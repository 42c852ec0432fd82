"""The receivers: two kinds of body in three encodings, what they mean, and what of them is kept."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrations.bizon365
from domain.errors import MalformedBody, RejectedDelivery, TooLarge
from domain.events import WebinarEnded, WebinarRegistered
from domain.webhooks import Delivery, Parsed, record, replayed
from domain.webinars import Registration
from integrations.bizon365.fake import Fake
from integrations.bizon365.settings import Settings
from integrations.bizon365.webhook import Receiver

FIXTURES = sorted((Path(integrations.bizon365.__file__).parent / "fixtures").glob("*.http"))
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
ID = "111222:room1*2026-11-19T19:00:00"
RECEIVER = Receiver(Settings(token="fake-bizon-token", project_id="4321"))
GENERIC, SEED, PAGE = "/hooks/bizon365/path-secret", "/api/webhooks/bizon", "/bizon_webhook/path-secret"


def delivery(body: object = b"", *, path: str = GENERIC, query: str = "", method: str = "POST") -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(method=method, path=path, query=query, headers={}, body=raw, received_at=AT)


def ended(parsed: Parsed) -> WebinarEnded:
    (event,) = parsed.events
    assert isinstance(event, WebinarEnded)
    return event


def registered(parsed: Parsed) -> Registration:
    (event,) = parsed.events
    assert isinstance(event, WebinarRegistered)
    return event.registration


def golden_of(parsed: Parsed) -> dict[str, object]:
    events = [{"type": type(event).__name__} | dataclasses.asdict(event) for event in parsed.events]
    whole = {"dedup_key": parsed.dedup_key, "kind": parsed.kind, "events": events}
    decoded: dict[str, object] = json.loads(json.dumps(whole, default=str))
    return decoded


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixtures_give_their_goldens(path: Path, request: pytest.FixtureRequest) -> None:
    got = golden_of(RECEIVER.parse(replayed(path.read_bytes(), AT)))
    golden = path.with_suffix(".events.json")
    if request.config.getoption("--update-goldens", default=False):
        golden.write_text(json.dumps(got, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert got == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_is_kept_has_no_secret_and_still_means_the_same(path: Path) -> None:
    received = replayed(path.read_bytes(), AT)
    raw = record(RECEIVER.redact(received))
    for secret in (b"fake-", b"should-not-be-kept", b"path-secret", b"0f0e0d0c", b"stranger", b"9998877"):
        assert secret not in raw
    again, first = RECEIVER.parse(replayed(raw, AT)), RECEIVER.parse(received)
    assert (again.dedup_key, again.kind) == (first.dedup_key, first.kind)
    assert [without_secret(event) for event in again.events] == [without_secret(event) for event in first.events]


def without_secret(event: object) -> object:
    """A subscriber's own key is not kept, so only it is lost when a registration is replayed."""
    if isinstance(event, WebinarRegistered):
        return dataclasses.replace(event, registration=dataclasses.replace(event.registration, secret=""))
    return event


@pytest.mark.parametrize("path", [GENERIC, SEED])
@pytest.mark.parametrize(
    "given_as",
    [
        {"body": {"event": "webinarEnd", "roomid": "111222:room1", "webinarId": ID}},
        {"body": {"webinarId": ID}},
        {"body": {"webinar_id": ID, "stat": 1}},
        {"body": {"event": "webinar.ended", "webinarId": f" {ID}\n"}},
        {"body": {"event": "webinarReportCreated", "WebinarID": ID}},
        {"body": urlencode({"event": "webinarEnd", "webinarId": ID}).encode()},
        {"body": f"webinarId={ID}".encode()},
        {"body": b"\xef\xbb\xbf" + json.dumps({"webinarId": ID}).encode()},
        {"query": urlencode({"webinarId": ID, "user_id": "x"}), "method": "GET"},
        {"query": f"user_id=x&webinarId={ID}", "body": b"", "method": "GET"},
        {"query": f"webinar_id={ID}", "body": {"event": "webinarEnd"}},
    ],
)
def test_a_report_in_every_encoding_has_one_key(path: str, given_as: dict[str, object]) -> None:
    parsed = RECEIVER.parse(delivery(path=path, **given_as))  # type: ignore[arg-type]
    assert parsed.dedup_key == f"webinarEnd:{ID}"
    event = ended(parsed)
    assert (event.external_id, event.vendor) == (ID, "bizon365")
    assert event.occurred_at == datetime(2026, 11, 19, 16, tzinfo=UTC)  # 19:00 in Moscow


def test_the_body_of_the_papers_to_the_letter() -> None:
    body = """{
  "event": "webinar.ended",
  "webinarId": "abc123",
  "title": "Название вебинара",
  "date": "2025-11-01T10:00:00Z"
}""".encode()
    event = ended(RECEIVER.parse(delivery(body, path=SEED, query="user_id=0f0e0d0c-0b0a-4908-8706-050403020100")))
    assert (event.external_id, event.title) == ("abc123", "Название вебинара")
    assert event.occurred_at == datetime(2025, 11, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("path", [GENERIC, SEED])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "webinarEnd"},
        {"webinarId": ""},
        {"webinarId": None},
        {"webinarId": [ID]},
        {"webinarId": "x" * 999},
        b"",
        b"a=1",
    ],
)
def test_a_report_without_its_id_names_the_field(path: str, body: object) -> None:
    with pytest.raises(MalformedBody) as caught:
        RECEIVER.parse(delivery(body, path=path))
    assert caught.value.field == "webinarId"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'["a"]', b"[" * 9000 + b"]" * 9000, b'{"a":' * 9000 + b"1" + b"}" * 9000])
def test_a_body_that_makes_no_sense_names_what(body: bytes) -> None:
    for path in (GENERIC, SEED, PAGE):
        with pytest.raises(MalformedBody) as caught:
            RECEIVER.parse(delivery(body, path=path))
        assert caught.value.field == "body"


def test_too_many_fields() -> None:
    with pytest.raises(TooLarge):
        RECEIVER.parse(delivery(b"a=1&" * 3000))


def test_other_events_are_counted_not_handled() -> None:
    one, two = (RECEIVER.parse(delivery({"event": "webinarStart", "webinarId": name})) for name in ("a", "b"))
    assert (one.kind, one.events) == ("webinarStart", ())
    assert one.dedup_key != two.dedup_key
    assert one == RECEIVER.parse(delivery(b"webinarId=a&event=webinarStart"))


REGISTRATION = {
    "sublistId": "111222:page1",
    "room": "111222:room1",
    "email": "Client@Example.com",
    "username": "Анна",
    "phone": "+7 (900) 123-45-67",
    "webinarTime": "2021-09-16T09:00:00.000Z",
    "secret": "fake-secret",
    "url_marker": "77",
    "url_marker_name": "Salebot",
    **{
        f"utm_{name}": name
        for name in ("source", "medium", "campaign", "term", "content", "keyword", "banner", "phrase", "group")
    },
}


@pytest.mark.parametrize("path", [PAGE, GENERIC])
@pytest.mark.parametrize("encoding", ["json", "form", "query"])
def test_all_values_of_a_registration(path: str, encoding: str) -> None:
    form = urlencode(REGISTRATION)
    sent = {
        "json": delivery(REGISTRATION, path=path),
        "form": delivery(form.encode(), path=path),
        "query": delivery(path=path, query=form, method="GET"),
    }[encoding]
    parsed = RECEIVER.parse(sent)
    assert parsed.kind == "registration"
    assert parsed == RECEIVER.parse(delivery(REGISTRATION, path=path))
    got = registered(parsed)
    assert (got.sublist_id, got.room, got.email, got.name) == ("111222:page1", "111222:room1", "Client@Example.com", "Анна")
    assert (got.phone, got.secret, got.marker_name) == ("+7 (900) 123-45-67", "fake-secret", "Salebot")
    assert got.session_at == datetime(2021, 9, 16, 9, tzinfo=UTC)  # 12:00 in Moscow
    marks = {name: getattr(got.marks, name) for name in got.marks.__slots__}
    assert marks == {name: name for name in marks if name != "partner"} | {"partner": "77"}
    assert got.link_ids == ("77",)
    assert parsed.events[0].occurred_at == AT
    assert "fake-secret" not in repr(parsed)


def test_the_names_of_a_chat_bot_builder() -> None:
    named = {f"bizon_{name}": value for name, value in (("sublist_id", "p"), ("email", "a@b.ru"), ("utm_source", "vk"))}
    got = registered(RECEIVER.parse(delivery(named | {"bizon_webinar_datetime": "2021-09-16T09:00:00Z"}, path=PAGE)))
    assert (got.sublist_id, got.email, got.marks.source) == ("p", "a@b.ru", "vk")
    assert got.session_at == datetime(2021, 9, 16, 9, tzinfo=UTC)


def test_one_means_empty_but_not_in_an_advertisement() -> None:
    ones = dict.fromkeys(("room", "email", "phone", "secret", "url_param", "salebot", "utm_content"), "1")
    got = registered(RECEIVER.parse(delivery(ones | {"sublistId": "p", "username": "Иван"}, path=PAGE)))
    assert (got.room, got.email, got.phone, got.secret, got.link_ids) == ("", "", "", "", ())
    assert got.marks.content == "1"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"url_marker": "77", "url_marker_name": "partner"}, ()),
        ({"url_marker": "77", "url_marker_name": "SVODKA"}, ("77",)),
        ({"url_param": "5", "url_param_name": "salebot", "url_marker": "77", "url_marker_name": "svodka"}, ("5", "77")),
        ({"url_param": "5", "url_param_name": "other"}, ()),
        ({"url_param": "5"}, ("5",)),
        ({"salebot": "9"}, ("9",)),
        ({"svodka": 9}, ("9",)),
    ],
)
def test_what_the_registration_link_carried(fields: dict[str, object], found: tuple[str, ...]) -> None:
    assert registered(RECEIVER.parse(delivery(fields | {"sublistId": "p", "username": "Иван"}, path=PAGE))).link_ids == found


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2021-09-16T09:00:00.000Z", datetime(2021, 9, 16, 9, tzinfo=UTC)),
        ("2021-09-16T12:00:00", datetime(2021, 9, 16, 9, tzinfo=UTC)),
        (1631782800000, datetime(2021, 9, 16, 9, tzinfo=UTC)),
        ("завтра", None),
        ("1", None),
        (None, None),
    ],
)
def test_times_of_sessions(written: object, at: datetime | None) -> None:
    body = {"sublistId": "p", "email": "a@b.ru", "webinarTime": written}
    assert registered(RECEIVER.parse(delivery(body, path=PAGE))).session_at == at


def test_a_repeat_is_one_fact_and_a_change_is_another() -> None:
    def key(**changed: str) -> str:
        return RECEIVER.parse(delivery(REGISTRATION | changed, path=PAGE)).dedup_key

    assert key() == key(secret="another", unknown="x")
    assert len({key(), key(phone="+7 900 000-00-00"), key(webinarTime="2021-09-17T09:00:00.000Z"), key(email="b@b.ru")}) == 4


_NOBODY = {"sublistId": ["a"], "email": {"x": 1}, "phone": 1, "webinarTime": None}


@pytest.mark.parametrize("body", [{}, {"hello": 1}, b"", {"email": ["a@b.ru"]}, {"email": "", "phone": "1"}, _NOBODY])
def test_a_registration_of_nobody_names_the_field(body: object) -> None:
    with pytest.raises(MalformedBody) as caught:
        RECEIVER.parse(delivery(body, path=PAGE))
    assert caught.value.field == "email"


def test_redaction_follows_strange_spellings() -> None:
    body = {
        "event": "x",
        "API_Token": "S1",
        "Secret": "S2",
        "utm_keyword": "flat",
        "nested": {"token": "S3"},
        "user-id": "S4",
    }
    kept = RECEIVER.redact(delivery(body, query="user_id=S5&webinarId=a&X-Token=S6&p[secret]=S7&%73ecret=S8"))
    assert json.loads(kept.body) == {"event": "x", "utm_keyword": "flat"}
    assert (kept.query, kept.path) == ("webinarId=a", "/hooks/bizon365/***")
    kept = RECEIVER.redact(delivery(b"email=a&password=S&a[b]=S", path=PAGE))
    assert (kept.body, kept.path) == (b"email=a", "/bizon_webhook/***")
    assert RECEIVER.redact(delivery(b'{"secret": "S"')).body == b""
    assert RECEIVER.redact(delivery(b'["S"]')).body == b"{}"


@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]"eventwbinarIdmlsub:,=&%01 ', max_size=80).map(str.encode),
    st.sampled_from([GENERIC, SEED, PAGE, ""]),
    st.text(max_size=40),
)
def test_any_body_is_understood_or_refused(body: bytes, path: str, query: str) -> None:
    received = delivery(body, path=path, query=query)
    RECEIVER.redact(received)
    RECEIVER.verify(received)
    try:
        parsed = RECEIVER.parse(received)
    except RejectedDelivery:
        return
    assert len(parsed.dedup_key) <= 200
    parsed.dedup_key.encode()


@given(
    st.dictionaries(
        st.sampled_from([*REGISTRATION, "webinarId", "event"]), st.none() | st.integers() | st.floats() | st.text()
    )
)
def test_any_values_are_understood_or_refused(values: dict[str, object]) -> None:
    try:
        RECEIVER.parse(delivery(values))
    except RejectedDelivery:
        return


def test_the_fake_posts_what_the_receiver_understands() -> None:
    fake = Fake()
    webinar = fake.add_webinar(viewers=1)
    assert ended(RECEIVER.parse(delivery(fake.report_body(webinar)))).external_id == webinar.webinar_id
    page = fake.add_page(marker_name="svodka")
    body = fake.registration_body(page, at=AT, url_marker="link7")
    got = registered(RECEIVER.parse(delivery(body, path=PAGE)))
    assert (got.session_at, got.link_ids, got.sublist_id) == (AT, ("link7",), page.page_id)
