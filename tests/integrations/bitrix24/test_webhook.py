"""The receiver: whom it believes, what it understands, what it keeps."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrations.bitrix24
from domain.errors import BadSignature, MalformedBody, RejectedDelivery, TooLarge
from domain.events import CallEnded, CallOutcome, Direction
from domain.webhooks import Delivery, Parsed, record, replayed
from integrations.bitrix24 import VENDOR
from integrations.bitrix24.codes import outcome_of
from integrations.bitrix24.fake import Fake
from integrations.bitrix24.settings import read_settings
from integrations.bitrix24.webhook import Receiver

FIXTURES = sorted((Path(integrations.bitrix24.__file__).parent / "fixtures").glob("*.http"))
AT = datetime(2026, 3, 11, 15, 0, tzinfo=UTC)
TOKEN = "fake-application-token"


def delivery(body: bytes, **headers: str) -> Delivery:
    return Delivery(
        method="POST", path="/hooks/bitrix24/path-secret", query="key=1", headers=headers, body=body, received_at=AT
    )


def form(event: str = "ONVOXIMPLANTCALLEND", *, token: str = TOKEN, **data: str) -> bytes:
    fields = {"event": event, "auth[application_token]": token} | {f"data[{name}]": value for name, value in data.items()}
    return urlencode(fields).encode()


def the_call(parsed: Parsed) -> CallEnded:
    (event,) = parsed.events
    assert isinstance(event, CallEnded)
    return event


def golden_of(parsed: Parsed) -> dict[str, object]:
    events = [{"type": type(event).__name__} | dataclasses.asdict(event) for event in parsed.events]
    whole = {"dedup_key": parsed.dedup_key, "kind": parsed.kind, "events": events}
    decoded: dict[str, object] = json.loads(json.dumps(whole, default=lambda value: value.isoformat()))
    return decoded


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixtures_give_their_goldens(path: Path, request: pytest.FixtureRequest) -> None:
    raw = path.read_bytes()
    assert raw.startswith(b"# source: ")
    received = replayed(raw, AT)
    receiver = Receiver((TOKEN,))
    receiver.verify(received)
    got = golden_of(receiver.parse(received))
    golden = path.with_suffix(".events.json")
    if request.config.getoption("--update-goldens", default=False):
        golden.write_text(json.dumps(got, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert got == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_what_is_kept_has_no_secret_and_still_means_the_same(path: Path) -> None:
    receiver = Receiver((TOKEN,))
    received = replayed(path.read_bytes(), AT)
    kept = receiver.redact(received)
    raw = record(kept)
    for secret in (b"fake-", b"should-not-be-kept", b"path-secret", b"oauth", b"client_endpoint"):
        assert secret not in raw
    assert b"member_id" in raw
    assert receiver.parse(replayed(raw, AT)) == receiver.parse(received)


def test_redaction_follows_strange_spellings() -> None:
    receiver = Receiver(())
    body = b"event=X&AUTH%5bapplication_token%5D=S1&auth=S2&data[ACCESS_TOKEN]=S3&data[x][refresh_token]=S4"
    body += b"&auth[]=S5&auth[new]=S6&auth[" + b"x" * 99 + b"]=S9"
    kept = receiver.redact(delivery(body, cookie="S7", authorization="S8"))
    assert kept.body == b"event=X"
    assert (kept.query, kept.path, dict(kept.headers)) == ("", "/hooks/bitrix24/***", {})
    nested = {"event": "X", "auth": {"a": "S", "domain": "d"}, "data": [{"token": {"b": "S"}, "ID": 1}], "password": "S"}
    kept = receiver.redact(delivery(json.dumps(nested).encode()))
    assert json.loads(kept.body) == {"event": "X", "auth": {"domain": "d"}, "data": [{"token": {}, "ID": 1}]}
    assert receiver.redact(delivery(b'{"token": "S"')).body == b""
    seed = dataclasses.replace(delivery(b"event=X"), path="/api/bitrix-webhook/call-finished")
    assert receiver.redact(seed).path == seed.path


@pytest.mark.parametrize(
    ("tokens", "sent", "accepted"),
    [
        ((TOKEN,), TOKEN, True),
        (("new", TOKEN), TOKEN, True),
        ((TOKEN,), TOKEN[:-1] + "x", False),
        ((TOKEN,), "", False),
        ((TOKEN,), "тôken", False),
        (("тôken",), "тôken", True),
        ((), "", True),
        ((), "whatever", True),
    ],
)
def test_only_an_accepted_token_passes(tokens: tuple[str, ...], sent: str, accepted: bool) -> None:
    receiver = Receiver(tokens)
    for body in (form(token=sent, CALL_ID="a"), json.dumps({"event": "X", "auth": {"application_token": sent}}).encode()):
        if accepted:
            receiver.verify(delivery(body))
            continue
        with pytest.raises(BadSignature) as caught:
            receiver.verify(delivery(body))
        assert caught.value.status == 401
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"auth=x", b"auth[application_token][]=" + TOKEN.encode(), b'{"auth": {"application_token": 5}}']
)
def test_a_token_of_another_shape_is_none(body: bytes) -> None:
    with pytest.raises(BadSignature):
        Receiver((TOKEN,)).verify(delivery(body))


def test_the_settings_reach_the_receiver() -> None:
    settings = read_settings(
        {"BITRIX24_WEBHOOK_URL": "https://p.example/rest/1/c/", "BITRIX24_APPLICATION_TOKEN": "new,old"}
    )
    assert settings is not None
    assert VENDOR.build_receiver is not None
    receiver = VENDOR.build_receiver(settings)
    receiver.verify(delivery(form(token="old")))
    with pytest.raises(BadSignature):
        receiver.verify(delivery(form(token="older")))


def test_the_same_call_has_the_same_key_however_it_comes() -> None:
    receiver = Receiver(())
    first = form(CALL_ID="a.1", CALL_DURATION="5")
    again = b"ts=999&" + form(CALL_ID="a.1", CALL_DURATION="5", COST="1")
    as_json = json.dumps({"event": "OnVoximplantCallEnd", "data": {"CALL_ID": "a.1"}}).encode()
    keys = {receiver.parse(delivery(body)).dedup_key for body in (first, again, as_json)}
    assert keys == {"ONVOXIMPLANTCALLEND:a.1"}
    assert receiver.parse(delivery(form(CALL_ID="a.2"))).dedup_key not in keys


def test_other_events_are_counted_not_handled() -> None:
    receiver = Receiver(())
    one, two = (receiver.parse(delivery(form("OnCrmDealUpdate", ID=number))) for number in ("1", "2"))
    assert (one.kind, one.events) == ("ONCRMDEALUPDATE", ())
    assert one.dedup_key != two.dedup_key
    assert one == receiver.parse(delivery(b"ts=5&" + form("ONCRMDEALUPDATE", ID="1")))


@pytest.mark.parametrize(
    "body", [form(), form(CALL_ID=""), form(CALL_ID=" "), b"event=ONVOXIMPLANTCALLEND&data=x", form(CALL_ID="x" * 256)]
)
def test_a_call_without_an_id_names_the_field(body: bytes) -> None:
    with pytest.raises(MalformedBody) as caught:
        Receiver(()).parse(delivery(body))
    assert caught.value.field == "data[CALL_ID]"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "event"),
        (b"data[CALL_ID]=1", "event"),
        (b"event[]=X", "event"),
        (b'{"event": 5}', "event"),
        (b"[1]", "body"),
        (b'{"event":', "body"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "body"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "body"),
        (b'{"a":' + b"[" * 9 + b"]" * 9 + b"}", "body"),
        (b"data[b][c][d][e][f][g][h][i]=1", "data"),
        (b"a[b][c][d][e][f][g][h][i]=1", "event"),
    ],
)
def test_a_body_that_makes_no_sense_names_what(body: bytes, field: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        Receiver(()).parse(delivery(body))
    assert caught.value.field == field


def test_too_many_fields() -> None:
    with pytest.raises(TooLarge):
        Receiver(()).parse(delivery(b"a=1&" * 3000))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"CALL_TYPE": "1"}, {"direction": Direction.OUTGOING}),
        ({"CALL_TYPE": "2"}, {"direction": Direction.INCOMING}),
        ({"CALL_TYPE": "3"}, {"direction": Direction.REDIRECTED}),
        ({"CALL_TYPE": "4"}, {"direction": Direction.CALLBACK}),
        ({"CALL_TYPE": "5"}, {"direction": Direction.INFORMATION}),
        ({"CALL_TYPE": "6"}, {"direction": Direction.UNKNOWN}),
        ({"PHONE_NUMBER": "Hidden"}, {"client_phone": ""}),
        ({"PHONE_NUMBER": "9" * 500}, {"client_phone": "9" * 100}),
        ({"PORTAL_USER_ID": "0", "CRM_ACTIVITY_ID": "0"}, {"employee_id": "", "activity_id": ""}),
        ({"CALL_DURATION": "12.0"}, {"duration_s": 12}),
        ({"CALL_DURATION": "-5"}, {"duration_s": 0}),
        ({"CALL_DURATION": "٣"}, {"duration_s": 0}),
        ({"CALL_DURATION": "9" * 30}, {"duration_s": 0}),
        ({"CALL_START_DATE": "2026-03-11T17:28:46+03:00"}, {"occurred_at": datetime(2026, 3, 11, 14, 28, 46, tzinfo=UTC)}),
        ({"CALL_START_DATE": "2026-03-11T17:28:46"}, {"occurred_at": None}),
        ({"CALL_START_DATE": "0001-01-01T00:00:00+03:00"}, {"occurred_at": None}),
        ({"CALL_START_DATE": "вчера"}, {"occurred_at": None}),
        ({"CALL_FAILED_CODE": "603-s"}, {"outcome": CallOutcome.MISSED, "failed_code": "603-s"}),
        ({"PORTAL_NUMBER": "reg\0\n1"}, {"line": "reg1"}),
    ],
)
def test_fields_of_a_call(data: dict[str, str], expected: dict[str, object]) -> None:
    event = the_call(Receiver(()).parse(delivery(form(CALL_ID="a", **data))))
    assert {name: getattr(event, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("code", "duration", "outcome"),
    [
        ("200", 0, CallOutcome.ANSWERED),
        ("304", 0, CallOutcome.MISSED),
        ("603", 0, CallOutcome.DECLINED),
        ("486", 0, CallOutcome.BUSY),
        ("404", 0, CallOutcome.UNREACHABLE),
        ("480", 0, CallOutcome.UNREACHABLE),
        ("484", 0, CallOutcome.UNREACHABLE),
        ("503", 0, CallOutcome.UNREACHABLE),
        ("402", 0, CallOutcome.FAILED),
        ("402-B24", 0, CallOutcome.FAILED),
        ("OTHER", 0, CallOutcome.FAILED),
        ("", 5, CallOutcome.ANSWERED),
        ("", 0, CallOutcome.MISSED),
    ],
)
def test_outcomes(code: str, duration: int, outcome: CallOutcome) -> None:
    assert outcome_of(code, duration) is outcome


def test_numbers_and_odd_values_of_json() -> None:
    data: dict[str, object] = {
        "CALL_ID": 15,
        "CALL_DURATION": 7,
        "PORTAL_USER_ID": None,
        "CRM_ACTIVITY_ID": [],
        "PHONE_NUMBER": "\ud800+7",
    }
    event = the_call(Receiver(()).parse(delivery(json.dumps({"event": "ONVOXIMPLANTCALLEND", "data": data}).encode())))
    assert (event.external_id, event.duration_s, event.employee_id, event.activity_id) == ("15", 7, "", "")
    assert event.client_phone == "?+7"


@given(st.binary(max_size=200) | st.text(alphabet='{}[]"eventdaCL_I:,=&%01 ', max_size=80).map(str.encode))
def test_any_body_is_understood_or_refused(body: bytes) -> None:
    receiver = Receiver((TOKEN,))
    received = delivery(body)
    receiver.redact(received)
    for step in (receiver.verify, receiver.parse):
        try:
            step(received)
        except RejectedDelivery:
            continue


def test_the_fake_posts_what_the_receiver_understands() -> None:
    fake = Fake()
    call = fake.add_call(call_id="X.1", bound_to=(("deal", "5"),))
    receiver = Receiver((fake.application_token,))
    received = delivery(fake.event_body(call))
    receiver.verify(received)
    event = the_call(receiver.parse(received))
    assert (event.external_id, event.activity_id, event.duration_s) == ("X.1", "7001", 135)
    assert event.occurred_at == call.started_at.replace(microsecond=0)
    with pytest.raises(BadSignature):
        receiver.verify(delivery(fake.event_body(call, application_token="other")))
