"""Look-ups and the journal: one request for many calls, a cursor that always ends, lost events found."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import VendorRefused, VendorUnavailable
from domain.events import CallEnded, CallOutcome, Direction
from domain.ports import CallJournal, RecordingSource
from integrations.bitrix24.fake import Scripted
from integrations.bitrix24.telephony import COALESCE_S, STATISTICS
from tests.integrations.bitrix24.conftest import NOW, WAV, Shop


def ids(events: object) -> list[str]:
    assert isinstance(events, (list, tuple))
    assert all(isinstance(event, CallEnded) for event in events)
    return [event.external_id for event in events]


def scripted_rows(*rows: object) -> Scripted:
    return Scripted(status=200, body=json.dumps({"result": rows}).encode())


async def test_the_ports_are_these(shop: Shop) -> None:
    recordings: RecordingSource = shop.telephony
    journal: CallJournal = shop.telephony
    assert {id(recordings), id(journal)} == {id(shop.telephony)}


async def test_facts_of_a_call(shop: Shop) -> None:
    call = shop.fake.add_call(audio=WAV, bound_to=(("deal", "42"),), started_at=NOW, record_url="https://pbx.example/1.mp3")
    facts = await shop.telephony.find_call(call.call_id)
    assert facts is not None
    assert (facts.call_id, facts.vendor_row_id, facts.direction) == (call.call_id, "1", Direction.INCOMING)
    assert (facts.outcome, facts.failed_code, facts.duration_s) == (CallOutcome.ANSWERED, "200", 135)
    assert (facts.client_phone, facts.line, facts.employee_id) == ("+79001234567", "reg133788", "12")
    assert (facts.started_at, facts.started_at.tzinfo) == (NOW, UTC)
    assert (facts.recording_ref, facts.recording_url) == (str(call.file_id), "https://pbx.example/1.mp3")
    assert (facts.activity_id, facts.crm_entity) == (call.activity_id, ("contact", "17"))
    asked = shop.fake.asked(STATISTICS)
    assert asked == [{"FILTER": {"CALL_ID": call.call_id}, "SORT": "ID", "ORDER": "ASC", "start": 0}]


async def test_empty_fields_are_empty(shop: Shop) -> None:
    row = {"CALL_ID": "a", "ID": 7, "RECORD_FILE_ID": 0, "CALL_RECORD_URL": [], "CRM_ENTITY_TYPE": "", "CRM_ENTITY_ID": "0"}
    shop.fake.answer(STATISTICS, scripted_rows(row | {"CALL_START_DATE": "?", "PHONE_NUMBER": "hidden"}))
    facts = await shop.telephony.find_call("a")
    assert facts is not None
    assert (facts.has_recording, facts.crm_entity, facts.client_phone, facts.vendor_row_id) == (False, None, "", "7")
    assert facts.started_at == NOW  # a call of unknown time is taken for a fresh one


async def test_a_call_that_is_not_listed(shop: Shop) -> None:
    assert await shop.telephony.find_call("nobody") is None
    shop.fake.answer(STATISTICS, Scripted(status=200, body=b'{"result": {}}'))
    assert await shop.telephony.find_call("nobody") is None


async def test_a_filter_that_widened_gives_nobody_elses_call(shop: Shop) -> None:
    shop.fake.answer(STATISTICS, scripted_rows({"CALL_ID": "other", "ID": "1"}, "no row", {"ID": {"a": 1}}))
    assert await shop.telephony.find_call("mine") is None


async def test_of_two_rows_the_one_with_a_recording_counts(shop: Shop) -> None:
    rows = [{"CALL_ID": "a", "ID": "1"}, {"CALL_ID": "a", "ID": "2", "RECORD_FILE_ID": 9}, {"CALL_ID": "a", "ID": "3"}]
    shop.fake.answer(STATISTICS, scripted_rows(*rows))
    facts = await shop.telephony.find_call("a")
    assert facts is not None
    assert (facts.vendor_row_id, facts.recording_ref) == ("2", "9")


async def test_calls_due_together_share_requests(shop: Shop) -> None:
    calls = [shop.fake.add_call() for _ in range(45)]
    wanted = [call.call_id for call in calls] + ["nobody", calls[0].call_id]
    found = await asyncio.gather(*(shop.telephony.find_call(call_id) for call_id in wanted))
    assert [facts.call_id if facts else None for facts in found] == [
        *(call.call_id for call in calls),
        None,
        calls[0].call_id,
    ]
    filters = [asked["FILTER"] for asked in shop.fake.asked(STATISTICS)]
    assert [len(asked["CALL_ID"]) for asked in filters if isinstance(asked, dict)] == [40, 6]


async def test_calls_asked_for_while_others_wait_share_the_next_request(shop: Shop) -> None:
    """Events of a stranger must not cost a request each: the portal allows two a second."""
    reached = shop.fake.hold(STATISTICS)
    genuine = shop.fake.add_call(started_at=NOW)
    asked = []
    for number in range(60):
        asked.append(asyncio.create_task(shop.telephony.find_call(f"ghost{number}")))
        await asyncio.sleep(COALESCE_S * 1.5)
    asked.append(asyncio.create_task(shop.telephony.find_call(genuine.call_id)))
    await reached.wait()
    shop.fake.release(STATISTICS)
    found = await asyncio.gather(*asked)
    assert [facts.call_id for facts in found if facts is not None] == [genuine.call_id]
    assert len(shop.fake.asked(STATISTICS)) <= 5


async def test_one_who_gives_up_does_not_take_the_others_along(shop: Shop) -> None:
    call = shop.fake.add_call()
    first, second = (asyncio.create_task(shop.telephony.find_call(call.call_id)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second) is not None
    assert first.cancelled()
    assert len(shop.fake.asked(STATISTICS)) == 1


async def test_a_failure_reaches_everybody_who_waits(shop: Shop) -> None:
    shop.fake.portal.may_read_statistics = False
    outcomes = await asyncio.gather(*(shop.telephony.find_call(name) for name in "ab"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [VendorRefused, VendorRefused]
    assert len(shop.fake.asked(STATISTICS)) == 1
    shop.fake.portal.may_read_statistics = True
    assert await shop.telephony.find_call("a") is None


async def test_a_recording_that_comes_on_the_third_look(shop: Shop, tmp_path: Path) -> None:
    call = shop.fake.add_call(audio=WAV, looks_before_record=2)
    seen = [await shop.telephony.find_call(call.call_id) for _ in range(3)]
    assert [facts.has_recording for facts in seen if facts] == [False, False, True]
    assert seen[2] is not None
    recording = await shop.telephony.download(seen[2], tmp_path / "a", max_bytes=10**6)
    assert recording.size == len(WAV)


async def test_a_recording_attached_later(shop: Shop) -> None:
    call = shop.fake.add_call()
    shop.fake.attach(call, WAV)
    facts = await shop.telephony.find_call(call.call_id)
    assert facts is not None
    assert facts.recording_ref


async def test_the_cursor_starts_at_now_and_finds_what_no_event_told(shop: Shop) -> None:
    assert await shop.telephony.newest_cursor() == "0"
    for _ in range(3):
        shop.fake.add_call()
    cursor = await shop.telephony.newest_cursor()
    assert cursor == "3"
    assert await shop.telephony.calls_after(cursor) == ((), "3")
    lost = [shop.fake.add_call() for _ in range(2)]
    events, following = await shop.telephony.calls_after(cursor)
    assert (ids(events), following) == ([call.call_id for call in lost], "5")
    assert shop.fake.asked(STATISTICS)[-1] == {"FILTER": {">ID": 3}, "SORT": "ID", "ORDER": "ASC", "start": -1}


async def test_the_poll_gives_the_same_event_as_the_hook(shop: Shop) -> None:
    call = shop.fake.add_call(started_at=NOW, bound_to=(("lead", "3"),))
    (event,), _ = await shop.telephony.calls_after("")
    assert event == CallEnded(
        vendor="bitrix24",
        external_id=call.call_id,
        occurred_at=NOW,
        direction=Direction.INCOMING,
        client_phone="+79001234567",
        line="reg133788",
        employee_id="12",
        duration_s=135,
        failed_code="200",
        activity_id=call.activity_id,
    )


async def test_more_than_a_page(shop: Shop) -> None:
    calls = [shop.fake.add_call() for _ in range(120)]
    cursor, found = "0", []
    while True:
        events, following = await shop.telephony.calls_after(cursor)
        if following == cursor:
            break
        assert len(events) <= 50
        found += ids(events)
        cursor = following
    assert found == [call.call_id for call in calls]


@pytest.mark.parametrize(
    "rows", [[], [{"ID": "7", "CALL_ID": "a"}], [{"ID": "x", "CALL_ID": "b"}], [{"ID": "3", "CALL_ID": "c"}]]
)
async def test_rows_not_after_the_cursor_do_not_move_it(shop: Shop, rows: list[object]) -> None:
    shop.fake.answer(STATISTICS, scripted_rows(*rows))
    assert await shop.telephony.calls_after("7") == ((), "7")


async def test_rows_out_of_order_and_without_an_id(shop: Shop) -> None:
    rows = [{"ID": "9", "CALL_ID": "b"}, {"ID": "8", "CALL_ID": "a"}, {"ID": "10", "CALL_ID": ""}]
    shop.fake.answer(STATISTICS, scripted_rows(*rows))
    events, cursor = await shop.telephony.calls_after("7")
    assert (ids(events), cursor) == (["a", "b"], "10")


async def test_calls_of_a_period(shop: Shop) -> None:
    begin = NOW.replace(microsecond=0)
    moments = [begin - timedelta(seconds=1), begin, begin + timedelta(minutes=59, seconds=59), begin + timedelta(hours=1)]
    calls = [shop.fake.add_call(started_at=moment) for moment in moments]
    found = await shop.telephony.calls_between(begin, begin + timedelta(hours=1))
    assert ids(found) == [calls[1].call_id, calls[2].call_id]
    (asked,) = shop.fake.asked(STATISTICS)
    assert isinstance(asked["FILTER"], dict)
    assert set(asked["FILTER"]) == {">=CALL_START_DATE", "<CALL_START_DATE", ">ID"}


async def test_a_period_of_many_pages_and_fractions_of_a_second(shop: Shop) -> None:
    for _ in range(130):
        shop.fake.add_call(started_at=NOW)
    assert len(await shop.telephony.calls_between(NOW, NOW + timedelta(microseconds=1))) == 130
    assert len(shop.fake.asked(STATISTICS)) == 3


async def test_a_period_whose_filter_widened_or_whose_rows_have_no_time(shop: Shop) -> None:
    inside, outside = "2026-03-11T15:30:00+03:00", "2020-01-01T00:00:00+03:00"
    dates = [inside, outside, ""]
    rows = [{"ID": str(n + 1), "CALL_ID": f"c{n}", "CALL_START_DATE": date} for n, date in enumerate(dates)]
    shop.fake.answer(STATISTICS, scripted_rows(*rows))
    assert ids(await shop.telephony.calls_between(NOW, NOW + timedelta(hours=1))) == ["c0", "c2"]


async def test_a_cursor_that_does_not_advance_ends_the_period(shop: Shop) -> None:
    same = scripted_rows(*({"ID": str(n), "CALL_ID": f"c{n}", "CALL_START_DATE": ""} for n in range(1, 51)))
    shop.fake.answer(STATISTICS, same, times=None)
    assert len(await shop.telephony.calls_between(NOW, NOW + timedelta(hours=1))) == 50
    assert len(shop.fake.asked(STATISTICS)) == 2


async def test_a_period_has_an_end_even_if_the_portal_has_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.bitrix24.telephony.MAX_PAGES", 2)
    for _ in range(120):
        shop.fake.add_call(started_at=NOW)
    assert len(await shop.telephony.calls_between(NOW, NOW + timedelta(hours=1))) == 100


async def test_a_portal_that_is_down(shop: Shop) -> None:
    shop.fake.down = True
    for ask in (
        shop.telephony.newest_cursor(),
        shop.telephony.calls_after("0"),
        shop.telephony.find_call("a"),
        shop.telephony.calls_between(datetime(2026, 1, 1, tzinfo=UTC), NOW),
    ):
        with pytest.raises(VendorUnavailable):
            await ask
