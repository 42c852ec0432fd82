"""What is understood of amoCRM's hooks in both encodings, what is refused, and what is kept for a person."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.crm import CrmAction
from domain.errors import BadSignature, MalformedBody
from domain.events import DeliveryUnread
from integrations.amocrm import VENDOR
from integrations.amocrm.webhook import SIGNED_PATH, Receiver
from storage.codec import dumps
from tests.integrations.amocrm.conftest import AT, CLIENT, SECRET, SETTINGS, changed, hook, signature, signed, unread
from tests.test_vendors import delivery, folder, receiver

FIXTURES = sorted((folder(VENDOR) / "fixtures").glob("*.http"))
RECEIVER = Receiver(SETTINGS)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_goldens_are_written_anew_when_asked(path: Path, request: pytest.FixtureRequest) -> None:
    """The comparison is every vendor's (tests/test_vendors.py)."""
    golden = path.with_suffix(".events.json")
    if request.config.getoption("--update-goldens", default=False):
        parsed = receiver(VENDOR).parse(delivery(path))
        events = [{"type": type(event).__name__} | dataclasses.asdict(event) for event in parsed.events]
        told = {"dedup_key": parsed.dedup_key, "kind": parsed.kind, "events": events}
        golden.write_text(json.dumps(told, default=str, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert golden.exists()


def test_both_encodings_are_the_same_fact() -> None:
    as_form = RECEIVER.parse(
        hook({"leads[add][0][id]": "7", "leads[add][0][name]": "Имя", "leads[add][0][last_modified]": "1790000600"})
    )
    lead = {"id": 7, "name": "Имя", "updated_at": 1790000600}
    as_json = RECEIVER.parse(hook(json.dumps({"leads": {"add": [lead]}}).encode()))
    assert as_form == as_json


def test_linked_leads_are_a_map_by_id() -> None:
    contact = "contacts[update][0]"
    body = {
        f"{contact}[id]": "701",
        f"{contact}[linked_leads_id][403][ID]": "403",
        f"{contact}[linked_leads_id][7][ID]": "7",
    }
    assert changed(RECEIVER.parse(hook(body)).events).contacts[0].contact.lead_ids == ("403", "7")


@pytest.mark.parametrize(
    ("linked", "ids"),
    [
        ({"0": "403", "1": "404"}, ("403", "404")),
        ({"403": "1"}, ("403",)),
        ([403, {"ID": "404"}], ("403", "404")),
        ({}, ()),
        ("403", ()),
    ],
)
def test_linked_leads_in_other_shapes(linked: object, ids: tuple[str, ...]) -> None:
    body = json.dumps({"contacts": {"add": [{"id": 1, "linked_leads_id": linked}]}}).encode()
    assert changed(RECEIVER.parse(hook(body)).events).contacts[0].contact.lead_ids == ids


def test_one_change_told_twice_is_one_and_update_and_status_are_two() -> None:
    lead = {"id": "7", "last_modified": "1790000600"}
    once = {f"leads[update][{n}][{name}]": value for n in (0, 1) for name, value in lead.items()}
    moved = {f"leads[status][0][{name}]": value for name, value in lead.items()}
    leads = changed(RECEIVER.parse(hook(once | moved)).events).leads
    assert [change.action for change in leads] == [CrmAction.UPDATED, CrmAction.STAGE]


def test_the_second_deletion_of_a_lead_is_no_repeat_of_the_first() -> None:
    body = {"leads[delete][0][id]": "403"}
    first, again, second = (
        RECEIVER.parse(hook(body, **{"x-amocrm-requestid": number})).dedup_key for number in ("one", "one", "two")
    )
    assert first == again != second


@pytest.mark.parametrize(("action", "differs"), [("delete", True), ("restore", True), ("update", False)])
def test_without_a_time_and_a_number_what_takes_another_back_counts_by_when_it_came(action: str, differs: bool) -> None:
    first = hook({f"leads[{action}][0][id]": "403"})
    later = dataclasses.replace(first, received_at=first.received_at + timedelta(minutes=5))
    assert RECEIVER.parse(first) == RECEIVER.parse(first)
    assert (RECEIVER.parse(first).dedup_key != RECEIVER.parse(later).dedup_key) is differs


def test_a_code_goes_before_a_name_and_a_name_before_a_number() -> None:
    fields = [
        {"field_id": 123458, "values": [{"value": "by number"}]},
        {"field_id": 1, "field_name": "UTM source", "values": [{"value": "by name"}]},
        {"field_id": 2, "field_code": "UTM_SOURCE", "values": [{"value": ""}, {"value": "by code"}, {"value": "other"}]},
        {"field_id": 3, "field_code": "UTM_TERM"},
        {"field_id": 123464, "values": [{"value": "12 000,50"}]},
    ]
    body = json.dumps({"leads": {"add": [{"id": 7, "price": 5, "custom_fields_values": fields}]}}).encode()
    lead = changed(RECEIVER.parse(hook(body)).events).leads[0].lead
    assert (lead.marks.source, lead.marks.term, lead.value, lead.commission) == ("by code", "", 500, 1200050)


def test_stages_have_names_where_they_are_known() -> None:
    told = {f"leads[update][{n}][id]": str(n + 1) for n in range(4)}
    told |= {f"leads[update][{n}][status_id]": stage for n, stage in enumerate(("1", "142", "143", "8"))}
    leads = changed(RECEIVER.parse(hook(told)).events).leads
    assert [change.lead.status_id for change in leads] == ["1", "142", "143", "8"]
    means = [SETTINGS.stage_map.status_of(change.lead.pipeline_id, change.lead.status_id) for change in leads]
    assert means == ["new", "won", "lost", "8"]


def test_what_is_good_is_taken_and_what_is_not_is_kept_for_a_person() -> None:
    events = RECEIVER.parse(hook({"leads[add][0][id]": "7", "leads[add][1][id]": "abc"})).events
    assert [change.lead.external_id for change in changed(events).leads] == ["7"]
    kept = unread(events)
    assert kept is not None
    assert kept.problem == "leads.add[1].id"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[]", "body"),
        (b'{"leads":1}', "leads"),
        (b'{"leads":', "body"),
        (b"", "body"),
        (b"\xff\xfe", "body"),
        (b"leads=1", "leads"),
        (b"leads[add]=1", "leads.add"),
        (b"leads[add][0]=1", "leads.add[0]"),
        (b"leads[add][0][name]=x", "leads.add[0].id"),
        (b"a[b][c][d][e][f][g][h][i][j]=1", "a"),
        (b"a=1&" * 50_000, "body"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "body"),
        (b"account[id]=1&leads[add][0][id]=7", "account.id"),
        (b"account[subdomain]=other&leads[add][0][id]=7", "account.subdomain"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_no_sense_at_the_hook_is_kept_and_at_the_papers_address_refused(body: bytes, problem: str) -> None:
    kept = unread(RECEIVER.parse(hook(body)).events)
    assert kept is not None
    assert kept.problem == problem
    assert not any(type(event).__name__ == "CrmChanged" for event in RECEIVER.parse(hook(body)).events)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"leads": 1}, "leads"),
        ({"leads": {"add": 1}}, "leads.add"),
        ({"leads": {"add": [1]}}, "leads.add[0]"),
        ({"leads": {"add": [{"name": "x"}]}}, "leads.add[0].id"),
        ({"leads": {"add": [{"id": 1}, {"id": "abc"}]}}, "leads.add[1].id"),
        ({"leads": {"add": [{"id": True}]}}, "leads.add[0].id"),
        ({"leads": {"add": [{"id": 1.5}]}}, "leads.add[0].id"),
        ({"leads": {"add": [{"id": -1}]}}, "leads.add[0].id"),
        ({"leads": {"update": [{"id": 1, "status_id": "x"}]}}, "leads.update[0].status_id"),
        ({"leads": {"update": [{"id": 1, "created_at": {}}]}}, "leads.update[0].created_at"),
        ({"contacts": {"update": [{"id": 1, "name": []}]}}, "contacts.update[0].name"),
        ({"contacts": {"update": [{"id": 1, "custom_fields_values": "x"}]}}, "contacts.update[0].custom_fields_values"),
        ({"account": {"id": "5"}, "leads": {"add": [{"id": 1}]}}, "account.id"),
    ],
    ids=str,
)
def test_the_papers_address_names_the_field(body: object, field: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        RECEIVER.parse(hook(json.dumps(body).encode(), path=SIGNED_PATH))
    assert raised.value.field == field


@pytest.mark.parametrize(
    "body",
    [{}, {"leads": []}, {"leads": {"add": []}, "contacts": None}, {"leads": {"add": {}}}, {"talk": 1, "task": {"add": [1]}}],
    ids=str,
)
def test_nothing_is_not_nonsense(body: object) -> None:
    assert RECEIVER.parse(hook(json.dumps(body).encode(), path=SIGNED_PATH)).events == ()


def test_the_papers_signature_bit_for_bit() -> None:
    """Whatever client id is set: the papers sign for «test-uuid»."""
    papers = Receiver(dataclasses.replace(SETTINGS, client_secret="your_client_secret", account_id=""))
    good = "c0195da473ded8778ef4c705bed89dd00fc9bb476913b60fada5527e3dad6c39"
    papers.verify(hook(b"", path=SIGNED_PATH, **signed("test-uuid", "test-account", given=good)))
    papers.verify(hook(b"", path=SIGNED_PATH, **signed("test-uuid", "test-account", given=good.upper())))
    flipped = ("0" if good[0] != "0" else "1") + good[1:]
    with pytest.raises(BadSignature):
        papers.verify(hook(b"", path=SIGNED_PATH, **signed("test-uuid", "test-account", given=flipped)))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**signed(), "x-signature": ""},
        {**signed(), "x-signature": "подпись"},
        {**signed(), "x-signature": "\udcff"},
        {**signed(), "x-account-id": ""},
        {**signed(), "x-client-uuid": CLIENT[:-1] + "1"},
        signed("5e6f7a8b-0b0a-4908-8706-050403020100"),
        signed(account="39999999"),
        {**signed(given=""), "x-signature": signed()["x-signature"][:-1]},
    ],
    ids=str,
)
def test_what_is_not_proven_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        RECEIVER.verify(hook(b"{}", path=SIGNED_PATH, **headers))


def test_without_a_secret_nothing_is_signed() -> None:
    without = Receiver(dataclasses.replace(SETTINGS, client_secret=""))
    with pytest.raises(BadSignature):
        without.verify(hook(b"{}", path=SIGNED_PATH, **signed(given=signature(secret=""))))


def test_what_is_kept_proves_nothing_and_opens_nothing() -> None:
    kept = RECEIVER.redact(hook(b"leads[add][0][id]=7", path="/hooks/amocrm/abcdef", **signed(), cookie="a=b"))
    assert kept.path == "/hooks/amocrm/***"
    assert kept.headers == {}
    assert SECRET not in repr(kept)


_KEYS = st.sampled_from(["leads", "contacts", "add", "id", "0", "values", "custom_fields", "linked_leads_id", "account"])
_LEAVES = st.none() | st.text(max_size=5) | st.integers() | st.booleans()
_BODIES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)


@given(body=_BODIES)
def test_any_json_is_an_answer(body: Any) -> None:
    received = hook(json.dumps(body).encode())
    assert RECEIVER.parse(received) == RECEIVER.parse(dataclasses.replace(received, received_at=AT))


@pytest.mark.parametrize("name", ["\u0000", "\ud800", "a\nb", "x" * 900])
def test_an_event_is_called_by_what_a_database_and_a_log_can_hold(name: str) -> None:
    for body in ({name: {"add": []}}, {"leads": {name: [{"id": 1}]}}, {"leads": {name: 1}}, {"contacts": {name: 1}}):
        parsed = RECEIVER.parse(hook(json.dumps(body).encode()))
        assert parsed.kind.isprintable()
        for event in parsed.events:
            assert isinstance(event, DeliveryUnread)
            assert dumps(DeliveryUnread, event).isprintable()
            assert len(event.problem) <= 200
