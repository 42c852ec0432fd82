"""The callback of amoCRM: a link of ours, once, within the hour, from our own account; then tokens are kept, encrypted."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from bot.consent import LIFE, is_ours, new_state
from bot.entrance import Configured, Entrance
from bot.http.amocrm_oauth import PATH, amocrm_callback
from bot.http.ingress import errors_as_json
from bot.keys import Keys
from integrations.amocrm import VENDOR
from integrations.amocrm.fake import Fake
from integrations.amocrm.settings import Settings
from storage.engine import Database
from storage.tokens import StoredTokens
from storage.vault import Vault
from tests.conftest import Serve
from tests.ground import HandClock, lay

KEYS = Keys(secret_keys=("a key long enough to be one",), hook_secret="another one, as long as it", new=False)
VAULT = Vault(KEYS.secret_keys)


@dataclass
class Door:
    url: str
    fake: Fake
    clock: HandClock
    tokens: StoredTokens
    host: str

    async def come(self, **query: str) -> tuple[int, str]:
        given = {"code": "code-1", "referer": self.host, "state": new_state(KEYS, "amocrm", self.clock.now())} | query
        address = f"{self.url}{PATH}?{urlencode({name: value for name, value in given.items() if value})}"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def door(tmp_path: Path, serve: Serve) -> AsyncIterator[Door]:
    await lay(tmp_path / "svodka.db")
    database = Database(f"sqlite:///{tmp_path}/svodka.db")
    database.open()
    fake, clock = Fake(), HandClock()
    fake.codes = {"code-1"}
    base = await serve(fake.build_app())
    settings = Settings(
        base_url=base, domain="acme.amocrm.ru", client_id="fake-id", client_secret="fake-secret", redirect_uri="https://x/"
    )
    part = Configured(vendor=VENDOR, settings=settings, connection_id=3)
    entrance = SimpleNamespace(configured={"amocrm": part}, keys=KEYS, clock=clock, database=database, vault=VAULT)
    app = web.Application(middlewares=[errors_as_json])
    app.router.add_get(PATH, amocrm_callback(cast("Entrance", entrance)))
    tokens = StoredTokens(database, VAULT, 3)
    yield Door(await serve(app), fake, clock, tokens, base.removeprefix("http://"))
    await database.close()


async def test_tokens_are_kept_after_a_person_allowed_us_in(door: Door) -> None:
    status, text = await door.come()
    assert status == 200
    assert "подключена" in text
    stored = await door.tokens.read()
    assert stored is not None
    assert (stored.pair.access, stored.version) == ("access-1", 1)
    (seen,) = door.fake.asked("oauth2/access_token")
    assert seen.body["grant_type"] == "authorization_code"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": ""}, "state"),
        ({"state": "a.1.b"}, "state"),
        ({"state": "ф.ф.ф"}, "state"),
        ({"code": ""}, "code"),
        ({"error": "access_denied"}, "code"),
        ({"referer": ""}, "referer"),
        ({"referer": "evil.example"}, "referer"),
        ({"referer": "other.amocrm.ru"}, "referer"),
        ({"code": "code-2"}, "code"),
    ],
    ids=str,
)
async def test_what_is_not_ours_is_refused_with_its_field(door: Door, query: dict[str, str], field: str) -> None:
    status, text = await door.come(**query)
    assert status == 400
    assert f'"field": "{field}"' in text
    assert "\\u" not in text  # read by a person, in a browser
    assert "fake-secret" not in text
    assert await door.tokens.read() is None
    assert all("evil" not in str(seen) for seen in door.fake.requests)


async def test_a_link_is_good_once_and_for_an_hour(door: Door) -> None:
    state = new_state(KEYS, "amocrm", door.clock.now())
    answers = await asyncio.gather(*(door.come(state=state) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [200, 400, 400]
    assert door.fake.refreshed == 1
    old = new_state(KEYS, "amocrm", door.clock.now())
    door.clock.forward(LIFE.total_seconds() + 1)
    assert (await door.come(state=old))[0] == 400


async def test_amocrm_is_away(door: Door) -> None:
    door.fake.down = True
    status, text = await door.come()
    assert (status, "не ответила" in json.loads(text)["error"]) == (502, True)


def test_a_state_is_one_vendors_and_one_installations() -> None:
    now = HandClock().now()
    state = new_state(KEYS, "amocrm", now)
    other = Keys(secret_keys=("k",), hook_secret="yet another one, as long", new=False)
    assert is_ours(state, KEYS, "amocrm", now)
    for keys, vendor in ((KEYS, "other"), (other, "amocrm")):
        assert not is_ours(state, keys, vendor, now)
