"""`svodka check bizon365`: every fault has its own code and names whose it is and the menu to open."""

import dataclasses
import socket
from datetime import UTC, datetime, timedelta

import pytest

from integrations.bizon365 import VENDOR
from integrations.bizon365.doctor import diagnose
from integrations.bizon365.fake import HTML, Scripted
from integrations.bizon365.platform import ADD, LIST, SUBPAGES, VIEWERS
from integrations.kit.vendor import Finding
from tests.integrations.bizon365.conftest import NOW, TOKEN, Shop

OURS = ("https://svodka.example/hooks/bizon365/0a1b", "https://svodka.example/bizon_webhook/0a1b")


async def findings(shop: Shop, *, hook_urls: tuple[str, ...] = OURS, **changed: object) -> dict[str, Finding]:
    settings = dataclasses.replace(shop.settings, rate=1000, **changed)  # type: ignore[arg-type]
    workshop = dataclasses.replace(shop.workshop, hook_urls=hook_urls)
    found = [finding async for finding in diagnose(settings, workshop)]
    assert len({finding.code for finding in found}) == len(found)
    for finding in found:
        assert bool(finding.hint) is not finding.ok
        assert TOKEN not in repr(finding)
    return {finding.code: finding for finding in found}


def broken(found: dict[str, Finding]) -> list[str]:
    return [code for code, finding in found.items() if not finding.ok]


def person(number: int, phone: str = "+79001234567") -> dict[str, object]:
    at = (NOW - timedelta(days=2)).isoformat()
    return {
        "uid": f"k{number}",
        "email": f"a{number}@example.com",
        "phone": phone,
        "webinarTime": at,
        "registeredTime": at,
        "vizitWebinar": 0,
    }


async def test_all_is_well_and_nothing_is_changed(shop: Shop) -> None:
    shop.fake.add_webinar(viewers=[{"phone": "+79001234567"}] * 10)
    page = shop.fake.add_page(webhook_url=OURS[1])
    page.subscribers = [person(number) for number in range(5)]
    found = await findings(shop)
    assert broken(found) == []
    assert list(found) == [
        "bizon365.token",
        "bizon365.reports",
        "bizon365.registration",
        "bizon365.forwarding",
        "bizon365.phones.entry",
        "bizon365.phones.registration",
    ]
    assert "API v2" in found["bizon365.token"].detail
    assert "Как выбрать квартиру" in found["bizon365.reports"].detail
    assert shop.fake.asked(ADD) == []


async def test_both_forms_are_spoken_of_where_nobody_used_them_yet(shop: Shop) -> None:
    shop.fake.add_page(webhook_url=OURS[1])
    found = await findings(shop)
    assert broken(found) == []
    assert "зрителей не видно" in found["bizon365.phones.entry"].detail
    assert "никто не записался" in found["bizon365.phones.registration"].detail
    shop.fake.add_webinar(viewers=[{"phone": ""}] * 10)
    found = await findings(shop)
    assert broken(found) == ["bizon365.phones.entry"]
    assert "никто не записался" in found["bizon365.phones.registration"].detail


@pytest.mark.parametrize("shop", ["v1"], indirect=True)
async def test_the_old_version_is_warned_of(shop: Shop) -> None:
    found = await findings(shop)
    assert "API v1" in found["bizon365.token"].detail
    assert found["bizon365.v1"].warning
    assert "BIZON365_PROJECT_ID" in found["bizon365.v1"].hint


@pytest.mark.parametrize("shop", ["v1"], indirect=True)
async def test_a_token_of_the_new_version_is_told_its_projects(shop: Shop) -> None:
    shop.fake.versions = {"v2"}
    found = await findings(shop)
    assert broken(found) == ["bizon365.needs_project"]
    assert "4321 «Основной проект»" in found["bizon365.needs_project"].hint
    shop.fake.versions = set()
    found = await findings(shop)
    assert broken(found) == ["bizon365.token.not_found"]


async def test_a_wrong_project_is_told_the_right_ones(shop: Shop) -> None:
    found = await findings(shop, project_id="999")
    assert broken(found) == ["bizon365.project"]
    assert "4321 «Основной проект»" in found["bizon365.project"].hint
    assert found["bizon365.project"].detail == "проекта 999 нет"


async def test_a_bad_token(shop: Shop) -> None:
    shop.fake.token = "another"
    found = await findings(shop)
    assert list(found) == ["bizon365.token.bad_token"]
    assert "BIZON365_TOKEN" in found["bizon365.token.bad_token"].hint
    assert found["bizon365.token.bad_token"].detail == "не принят"


async def test_the_two_rights_are_told_apart(shop: Shop) -> None:
    shop.fake.account.may_read_reports = False
    shop.fake.add_page(webhook_url=OURS[0])
    found = await findings(shop)
    assert broken(found) == ["bizon365.reports.no_right"]
    assert "отчёты" in found["bizon365.reports.no_right"].hint
    assert found["bizon365.reports.no_right"].detail == "прав нет"
    shop.fake.account.may_read_reports, shop.fake.account.may_register = True, False
    found = await findings(shop)
    assert broken(found) == ["bizon365.registration.no_right"]
    assert "страницы регистрации" in found["bizon365.registration.no_right"].hint


async def test_viewers_may_be_refused_although_the_list_is_not(shop: Shop) -> None:
    shop.fake.add_webinar(viewers=3)
    shop.fake.fail(VIEWERS, 403, times=None)
    found = await findings(shop)
    assert "bizon365.reports.no_right" in broken(found)


async def test_where_registrations_are_forwarded(shop: Shop) -> None:
    shop.fake.add_page("1:a", "Тихая")
    shop.fake.add_page("1:b", "Чужая", webhook_url="https://chatter.example/bizon_webhook/key")
    shop.fake.add_page("1:c", "Выключенная", is_on=False)
    found = await findings(shop)
    assert broken(found) == ["bizon365.forwarding.missing", "bizon365.forwarding.elsewhere"]
    assert found["bizon365.forwarding.missing"].detail == "не задана: «Тихая»"
    assert found["bizon365.forwarding.elsewhere"].detail == "адрес не наш: «Чужая»"
    assert "Пересылка данных" in found["bizon365.forwarding.missing"].hint
    assert not any("forwarding" in code for code in await findings(shop, hook_urls=()))


async def test_an_old_address_of_ours_is_called_so(shop: Shop) -> None:
    shop.fake.add_page(webhook_url="https://svodka.example/bizon_webhook/before-the-change")
    found = await findings(shop)
    assert broken(found) == ["bizon365.forwarding.stale"]
    shop.fake.account.pages["111222:page1"].webhook_url = "https://[broken"
    assert broken(await findings(shop)) == ["bizon365.forwarding.elsewhere"]


async def test_many_pages_are_not_all_named(shop: Shop) -> None:
    for number in range(8):
        shop.fake.add_page(f"1:{number}", f"С{number}")
    detail = (await findings(shop))["bizon365.forwarding.missing"].detail
    assert detail.endswith("«С4» и ещё 3")


async def test_no_pages(shop: Shop) -> None:
    found = await findings(shop)
    assert broken(found) == ["bizon365.registration.no_pages"]
    assert found["bizon365.registration.no_pages"].warning
    assert found["bizon365.reports"].detail == "отчётов пока нет"


async def test_forms_that_ask_no_phone(shop: Shop) -> None:
    shop.fake.add_webinar(viewers=[{"phone": "1"}] * 4 + [{"phone": "+79001234567"}] * 6)
    page = shop.fake.add_page(webhook_url=OURS[1])
    page.subscribers = [person(1), person(2), person(3, phone="")]
    found = await findings(shop)
    assert broken(found) == ["bizon365.phones.entry", "bizon365.phones.registration"]
    assert found["bizon365.phones.entry"].detail == "без телефона 40 %"
    assert "Обязательное поле" in found["bizon365.phones.entry"].hint
    assert "phone:1" in found["bizon365.phones.registration"].hint
    page.subscribers = [person(1) | {"registeredTime": datetime(2020, 1, 1, tzinfo=UTC).isoformat(), "phone": ""}]
    assert broken(await findings(shop)) == ["bizon365.phones.entry"]  # an old form is no fault of today's


async def test_a_failure_on_the_way_is_told_once(shop: Shop) -> None:
    shop.fake.add_webinar(viewers=[{"phone": "+79001234567"}])
    shop.fake.add_page(webhook_url=OURS[1]).subscribers = [person(1)]
    shop.fake.fail(SUBPAGES, 503)
    assert broken(await findings(shop)) == ["bizon365.registration.unreachable"]
    shop.fake.answer(LIST, Scripted(status=200, body=b'{"list": []}'))
    shop.fake.fail(LIST, 503)
    assert "bizon365.reports.unreachable" in broken(await findings(shop))


async def test_unreachable(shop: Shop) -> None:
    shop.fake.answer(LIST, Scripted(status=200, body=HTML, content_type="text/html"))
    found = await findings(shop)
    assert list(found) == ["bizon365.unreachable"]
    assert "страницей" in found["bizon365.unreachable"].hint
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    found = await findings(shop, base_url=f"http://127.0.0.1:{port}")
    assert list(found) == ["bizon365.unreachable"]


async def test_the_vendor_offers_all_of_it(shop: Shop) -> None:
    assert (VENDOR.name, len(VENDOR.hooks)) == ("bizon365", 2)
    assert VENDOR.build_ports is not None
    assert VENDOR.diagnose is not None
    ports = VENDOR.build_ports(shop.settings, shop.workshop)
    assert ports.webinars is not None
    assert await ports.webinars.pages() == []
    await ports.close()
    first, *_ = [finding.code async for finding in VENDOR.diagnose(shop.settings, shop.workshop)]
    assert first == "bizon365.token"
