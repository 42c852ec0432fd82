"""OAuth: a pair is renewed once whoever asks, stored before it is used, and the secret goes to no stranger's host."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.errors import VendorRefused, VendorUnavailable
from domain.ports import StoredPair, TokenPair
from integrations.amocrm import VENDOR
from integrations.amocrm.client import Client
from integrations.amocrm.oauth import authorize_url, exchange, home_of
from integrations.amocrm.settings import Settings
from tests.conftest import Serve
from tests.integrations.amocrm.conftest import DAY, House


async def test_a_fresh_token_is_used_as_it_is(house: House) -> None:
    house.put()
    assert await house.process().token() == "access-0"
    assert house.fake.refreshed == 0


@pytest.mark.parametrize("processes", [1, 2])
async def test_however_many_ask_at_once_it_is_renewed_once(house: House, processes: int) -> None:
    house.put(timedelta(seconds=1))
    pairs = [house.process() for _ in range(processes)]
    tokens = await asyncio.gather(*(pairs[n % processes].token() for n in range(8)))
    assert set(tokens) == {"access-1"}
    assert (house.fake.refreshed, house.shelf.saved) == (1, ["access-1"])


async def test_a_new_pair_is_stored_before_it_is_used(house: House) -> None:
    house.put(timedelta(seconds=1))
    pairs = house.process()
    client = Client(house.settings, pairs, house.clock, sleep=house.clock.sleep)
    await client.get("account")
    (seen,) = house.fake.asked("account")
    assert house.shelf.saved == [seen.token]
    await client.close()


async def test_a_token_refused_before_its_time_is_renewed_and_the_request_sent_again(house: House) -> None:
    house.put()
    house.fake.tokens = {"another"}
    client = Client(house.settings, house.process(), house.clock, sleep=house.clock.sleep)
    assert (await client.get("account"))["subdomain"] == "acme"
    assert house.fake.refreshed == 1
    house.fake.tokens, house.fake.refresh_tokens = set(), set()
    with pytest.raises(VendorRefused):
        await client.get("account")
    await client.close()


async def test_a_revoked_refresh_token_waits_for_a_person(house: House) -> None:
    house.put(timedelta(seconds=1))
    house.fake.refresh_tokens = set()
    pairs = house.process()
    for _ in range(2):
        with pytest.raises(VendorRefused) as raised:
            await pairs.token()
        assert raised.value.code == "revoked"
        assert "svodka urls" in raised.value.hint
    assert len(house.fake.asked("oauth2/access_token")) == 1


async def test_nobody_is_connected_yet(house: House) -> None:
    with pytest.raises(VendorRefused) as raised:
        await house.process().token()
    assert raised.value.code == "not_connected"
    await house.process().upkeep()


async def test_a_server_that_is_away_is_asked_again_later_with_the_same_token(house: House) -> None:
    house.put(timedelta(seconds=1))
    house.fake.down = True
    with pytest.raises(VendorUnavailable):
        await house.process().token()
    house.fake.down = False
    assert await house.process().token() == "access-1"


async def test_a_claim_that_a_crash_left_ends(house: House) -> None:
    house.put(timedelta(seconds=1))
    house.shelf.claimed = house.clock.now() + timedelta(seconds=60)
    assert await house.process().token() == "access-1"
    assert house.clock.seconds >= 1060


@pytest.mark.parametrize(
    ("life", "hours", "renewed"), [(DAY, 19, 0), (DAY, 20, 1), (300 * DAY, 100, 0), (300 * DAY, 169, 1)]
)
async def test_a_quiet_bot_renews_long_before_the_end_and_every_week(
    house: House, life: timedelta, hours: int, renewed: int
) -> None:
    house.put(life)
    house.clock.forward(hours * 3600)
    await house.process().upkeep()
    assert house.fake.refreshed == renewed


@pytest.mark.parametrize(
    ("referer", "home"),
    [
        ("acme.amocrm.ru", "https://acme.amocrm.ru"),
        ("ACME.amocrm.com", "https://acme.amocrm.com"),
        ("acme.kommo.com", "https://acme.kommo.com"),
        ("other.amocrm.ru", ""),
        ("evil.example", ""),
        ("acme.amocrm.ru.evil.example", ""),
        ("evil.example/acme.amocrm.ru", ""),
        ("evil.example#.amocrm.ru", ""),
        ("user@acme.amocrm.ru", ""),
        ("acme.amocrm.ru:8443", ""),
        ("amocrm.ru", ""),
        ("acme.amocrm.ru\n", "https://acme.amocrm.ru"),
        ("127.0.0.1", ""),
        ("", ""),
    ],
)
def test_the_secret_goes_to_no_stranger(referer: str, home: str) -> None:
    settings = Settings(base_url="https://acme.amocrm.ru", domain="acme.amocrm.ru")
    assert home_of(settings, referer) == home


def test_a_test_server_is_itself() -> None:
    settings = Settings(base_url="http://127.0.0.1:8099", domain="acme.amocrm.ru")
    assert home_of(settings, "127.0.0.1:8099") == home_of(settings, "127.0.0.1") == "http://127.0.0.1:8099"
    assert home_of(settings, "acme.amocrm.ru") == "http://127.0.0.1:8099"  # stands in for the account it names
    assert home_of(settings, "other.amocrm.ru") == home_of(settings, "evil.example") == ""
    assert authorize_url(settings, "s").startswith("http://127.0.0.1:8099/oauth?")


@pytest.mark.parametrize(("domain", "site"), [("acme.amocrm.ru", "www.amocrm.ru"), ("acme.kommo.com", "www.kommo.com")])
def test_the_link_leads_to_the_vendor_with_our_state(domain: str, site: str) -> None:
    link = urlsplit(authorize_url(Settings(base_url=f"https://{domain}", domain=domain, client_id="id"), "s.1.x"))
    assert link.hostname == site
    assert parse_qs(link.query) == {"client_id": ["id"], "state": ["s.1.x"], "mode": ["popup"]}


def test_with_a_long_lived_token_nobody_has_to_allow_anything(house: House) -> None:
    assert VENDOR.consent_url(house.settings, "s")
    assert VENDOR.consent_url(replace(house.settings, access_token="t"), "s") == ""


async def test_an_answer_without_tokens_may_have_used_the_code_up(house: House, serve: Serve) -> None:
    from aiohttp import web

    async def odd(_: web.Request) -> web.Response:
        return web.json_response({"token_type": "Bearer"})

    app = web.Application()
    app.router.add_post("/oauth2/access_token", odd)
    ask = partial(exchange, house.settings, house.clock, await serve(app))
    with pytest.raises(VendorUnavailable) as raised:
        await ask(code="c")
    assert raised.value.uncertain


def test_tokens_are_in_no_representation() -> None:
    pair = TokenPair(access="secret-a", refresh="secret-r", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "secret" not in repr(StoredPair(pair=pair, version=1, renewed_at=pair.expires_at))
