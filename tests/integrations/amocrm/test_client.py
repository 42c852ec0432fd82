"""The client against the error table of the vendor's page, and what the CRM port makes of amoCRM's answers."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace

import pytest

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from integrations.amocrm.access import LongLived
from integrations.amocrm.client import Client
from integrations.amocrm.fake import HTML, Fake, Scripted
from integrations.amocrm.platform import Crm, HookRow
from integrations.amocrm.settings import Settings
from tests.conftest import Serve
from tests.ground import HandClock

TOKEN = "t0ken-0f-tests"


@dataclass(frozen=True, slots=True)
class Desk:
    fake: Fake
    settings: Settings
    clock: HandClock
    client: Client
    crm: Crm


@pytest.fixture
async def desk(serve: Serve) -> AsyncIterator[Desk]:
    fake = Fake(token=TOKEN)
    settings = Settings(base_url=await serve(fake.build_app()), access_token=TOKEN, domain="acme.amocrm.ru")
    clock = HandClock()
    client = Client(settings, LongLived(TOKEN), clock, sleep=clock.sleep)
    yield Desk(fake, settings, clock, client, Crm(client, settings, clock))
    await client.close()


async def error_of(call: Awaitable[object]) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await call
    assert TOKEN not in f"{caught.value} {getattr(caught.value, 'hint', '')}"
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (
            400,
            b'{"title":"Bad Request","validation-errors":[{"errors":[{"path":"0.name","detail":"wrong"}]}]}',
            "bad_request",
        ),
        (401, b"", "bad_token"),
        (402, b"<html>", "not_paid"),
        (403, b'{"title":"Forbidden"}', "forbidden"),
        (404, b"", "not_found"),
        (409, b"{", "http_409"),
        (301, b"", "moved"),
    ],
)
async def test_what_a_person_has_to_mend(desk: Desk, status: int, body: bytes, code: str) -> None:
    desk.fake.script("account", Scripted(status=status, body=body))
    error = await error_of(desk.client.get("account"))
    assert isinstance(error, VendorRefused)
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize("status", [408, 429, 500, 502, 504])
async def test_what_passes_by_itself(desk: Desk, status: int) -> None:
    desk.fake.script("account", Scripted(status=status, body=HTML, content_type="text/html"))
    error = await error_of(desk.client.get("account"))
    assert isinstance(error, VendorUnavailable)
    assert not error.uncertain


@pytest.mark.parametrize(("status", "uncertain"), [(429, False), (500, True), (200, True)])
async def test_a_write_is_never_repeated_and_says_whether_it_may_have_happened(
    desk: Desk, status: int, uncertain: bool
) -> None:
    desk.fake.add_lead(7)
    desk.fake.script("leads/7/notes", Scripted(status=status, body=HTML, after=True))
    error = await error_of(desk.crm.add_note("7", "текст"))
    assert isinstance(error, VendorUnavailable)
    assert error.uncertain is uncertain
    assert len(desk.fake.asked("leads/7/notes")) == 1


async def test_a_403_stops_everything_for_an_hour(desk: Desk) -> None:
    desk.fake.blocked = True
    await error_of(desk.client.get("account"))
    desk.fake.blocked = False
    for _ in range(2):
        assert isinstance(await error_of(desk.client.get("leads")), VendorRefused)
    assert len(desk.fake.requests) == 1
    desk.clock.forward(3601)
    assert (await desk.client.get("account"))["id"] == 31234567


async def test_a_403_to_the_list_of_hooks_says_nothing_of_the_rest(desk: Desk) -> None:
    desk.fake.script("webhooks", Scripted(status=403))
    await error_of(desk.crm.hooks())
    assert await desk.client.get("account")


async def test_a_429_pauses_all_requests(desk: Desk) -> None:
    desk.fake.script("account", Scripted(status=429, body=HTML, headers={"Retry-After": "7"}))
    await error_of(desk.client.get("account"))
    error = await error_of(desk.client.get("leads"))
    assert isinstance(error, VendorUnavailable)
    assert error.retry_after == 7
    desk.clock.forward(7.1)
    assert await desk.client.get("leads") == {}


async def test_no_more_than_five_a_second_after_a_burst(desk: Desk) -> None:
    await asyncio.gather(*(desk.client.get("account") for _ in range(25)))
    assert len(desk.fake.requests) == 25
    assert desk.clock.seconds >= 1000.19  # a clock of the test's own: each waits for its turn on it


async def test_an_empty_list_is_a_204(desk: Desk) -> None:
    assert await desk.client.get("leads") == {}
    assert await desk.crm.find_by_phone("+79991234567") == []
    assert await desk.crm.stages() == []


async def test_pages_follow_the_next_link_and_our_token_stays_at_our_host(desk: Desk) -> None:
    desk.fake.page = 2
    for number in range(1, 6):
        desk.fake.account.lead_fields.append({"id": number, "name": f"Поле {number}"})
    assert [number for number, _, _ in await desk.crm.fields("leads")] == ["1", "2", "3", "4", "5"]
    assert [dict(seen.query).get("page") for seen in desk.fake.asked("leads/custom_fields")] == [None, "2", "3"]


async def test_a_page_that_repeats_ends_the_list(desk: Desk) -> None:
    href = "https://other.example/api/v4/leads?limit=1"
    body = json.dumps({"_links": {"next": {"href": href}}, "_embedded": {"leads": []}}).encode()
    desk.fake.script("leads", *(Scripted(status=200, body=body, content_type="application/json") for _ in range(9)))
    assert len([page async for page in desk.client.pages("leads")]) == 2


async def test_leads_come_with_their_contacts_by_one_and_by_many(desk: Desk) -> None:
    for number in range(1, 5):
        desk.fake.add_lead(number)
    desk.fake.add_contact(70, "+79990000070", leads=(1, 2))
    (one,) = await desk.crm.leads(["1", "99"])
    assert (one.external_id, one.contact_ids, one.url) == ("1", ("70",), "https://acme.amocrm.ru/leads/detail/1")
    many = await desk.crm.leads(["1", "2", "3"])
    assert sorted(lead.external_id for lead in many) == ["1", "2", "3"]
    (contact,) = await desk.crm.contacts(["70"])
    assert (contact.phones, contact.lead_ids) == (("+79990000070",), ("1", "2"))


async def test_many_ids_are_asked_for_a_hundred_at_a_time(desk: Desk) -> None:
    ids = [str(number) for number in range(1, 251)]
    for number in ids:
        desk.fake.add_contact(int(number))
    assert len(await desk.crm.contacts(ids)) == 250
    assert len(desk.fake.asked("contacts")) == 3


async def test_a_phone_is_found_however_it_is_written(desk: Desk) -> None:
    desk.fake.add_contact(70, "8 (999) 123-45-67")
    desk.fake.add_contact(71, "+74951234567")
    desk.fake.account.contacts[70]["custom_fields_values"].append({"field_id": 2, "values": [{"value": "9991234567"}]})
    assert [one.external_id for one in await desk.crm.find_by_phone("+7 999 123 45 67")] == ["70"]
    assert await desk.crm.find_by_phone("нет") == ()


async def test_stages_are_named_in_the_order_their_people_gave_them(desk: Desk) -> None:
    desk.fake.add_pipeline(101, "Продажи", {58123456: "Переговоры", 142: "Успешно реализовано"})
    desk.fake.account.pipelines[0]["_embedded"]["statuses"][0]["sort"] = 20
    desk.fake.account.pipelines[0]["_embedded"]["statuses"][1]["sort"] = 10
    named = [(one.pipeline, one.name, one.status_id) for one in await desk.crm.stages()]
    assert named == [("Продажи", "Успешно реализовано", "142"), ("Продажи", "Переговоры", "58123456")]


async def test_people_are_told_page_by_page(desk: Desk) -> None:
    desk.fake.page = 2
    for number, name in ((9001, "Иван Петров"), (9002, "Анна Белова"), (9003, "")):
        desk.fake.add_user(number, name, active=number != 9002)
    people = await desk.crm.people()
    assert people is not None
    told = [(one.external_id, one.name, one.active) for one in people]
    assert told == [("9001", "Иван Петров", True), ("9002", "Анна Белова", False), ("9003", "", True)]


async def test_who_may_not_see_people_may_see_all_else(desk: Desk) -> None:
    desk.fake.script("users", Scripted(status=403))
    assert await desk.crm.people() is None
    assert await desk.client.get("account")


async def test_a_lead_is_moved_to_what_the_team_calls_so(desk: Desk) -> None:
    desk.fake.add_pipeline(101, "Продажи", {5: "Переговоры"})
    desk.fake.add_pipeline(102, "Аренда", {6: "Показ", 142: "Успешно"})
    lead = desk.fake.add_lead(7, pipeline_id=102, status_id=1)
    await desk.crm.move("7", "contacted", also=(("101", "5"), ("102", "6")))
    assert (lead["pipeline_id"], lead["status_id"]) == (102, 6)
    await desk.crm.move("7", "won")
    assert (lead["pipeline_id"], lead["status_id"]) == (102, 142)
    assert len(desk.fake.asked("leads/pipelines")) == 1


async def test_a_lead_is_moved_to_a_stage_by_its_name(desk: Desk) -> None:
    desk.fake.add_pipeline(101, "Продажи", {5: "Переговоры"})
    desk.fake.add_pipeline(102, "Аренда", {6: "переговоры"})
    lead = desk.fake.add_lead(7, pipeline_id=102, status_id=1)
    for _ in range(2):
        await desk.crm.move("7", "Переговоры")
    assert (lead["pipeline_id"], lead["status_id"]) == (102, 6)
    assert [seen.method for seen in desk.fake.asked("leads/7")].count("PATCH") == 1
    for number, status in (("7", "Нет такого"), ("8", "Переговоры")):
        assert isinstance(await error_of(desk.crm.move(number, status)), VendorRefused)


async def test_a_note_is_found_by_its_marker(desk: Desk) -> None:
    desk.fake.add_lead(7)
    assert await desk.crm.find_note("7", "svodka-1") is None
    assert await desk.crm.add_note("7", "Звонок svodka-1") == "1"
    assert await desk.crm.find_note("7", "svodka-1") == "1"


async def test_hooks_are_subscribed_listed_and_taken_away(desk: Desk) -> None:
    await desk.crm.subscribe("https://svodka.example/hooks/amocrm/x", ["add_lead"])
    desk.fake.account.hooks.append({"destination": "https://other.example", "disabled": True})
    mine = HookRow(destination="https://svodka.example/hooks/amocrm/x", events=("add_lead",))
    assert await desk.crm.hooks() == [mine, HookRow(destination="https://other.example", disabled=True)]
    await desk.crm.unsubscribe("https://other.example")
    assert len(await desk.crm.hooks()) == 1


async def test_the_token_is_in_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await desk.client.get("account")
    desk.fake.script("account", Scripted(status=409, body=json.dumps({"detail": f"bad {TOKEN}"}).encode()))
    await error_of(desk.client.get("account"))
    assert TOKEN not in caplog.text


async def test_nobody_answers(desk: Desk) -> None:
    away = Client(replace(desk.settings, base_url="http://127.0.0.1:9"), LongLived(TOKEN), desk.clock)
    assert isinstance(await error_of(away.get("account")), VendorUnavailable)
    await away.close()
