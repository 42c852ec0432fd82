"""A form of Tilda from the socket to its row of work: who is let in, what is answered, and that nothing else is kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

from bot.commands.urls import addresses
from bot.entrance import Entrance, build_entrance
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from bot.http.ingress import Ingress
from bot.http.limits import RateLimit
from bot.keys import load_keys
from bot.settings import read_settings
from domain.events import LeadsChanged
from integrations.kit.vendor import Workshop
from integrations.tilda import doctor
from integrations.tilda.fake import Fake
from integrations.tilda.settings import Settings
from storage.codec import loads
from storage.engine import Database
from storage.models import inbox, work
from storage.sealed import unseal
from tests.conftest import Serve
from tests.ground import HandClock, lay

SECRET, OLD = "tilda-secret-of-a-test", "tilda-secret-before-it"
PERSON = {"Name": "Ирина Белова", "Phone": "+7 (999) 123-45-67", "Email": "irina@example.ru"}


@dataclass
class Door:
    url: str
    database: Database
    entrance: Entrance

    def site(self, path: str = f"/hooks/tilda/{SECRET}", **values: bool) -> Fake:
        return Fake(self.url + path, **values)

    async def leads(self) -> list[LeadsChanged]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(work.c.kind, work.c.payload).order_by(work.c.id))
            told = [(kind, loads(LeadsChanged, unseal(self.entrance.vault, payload))) for kind, payload in rows]
        assert {kind for kind, _ in told} <= {"leads"}
        return [event for _, event in told]

    async def kept(self) -> list[bytes]:
        """What lies in the inbox, opened."""
        async with self.database.read() as connection:
            rows = await connection.scalars(select(inbox.c.request).order_by(inbox.c.id))
            return [self.entrance.vault.decrypt(one) for one in rows]


async def nothing(_: web.Request) -> web.Response:
    return web.Response()


@pytest.fixture
async def door(tmp_path: Path, serve: Serve) -> AsyncIterator[Door]:
    await lay(tmp_path / "svodka.db")
    environment = {"DATA_DIR": str(tmp_path), "TELEGRAM_BOT_TOKEN": "1:a-bot-of-a-test", "TILDA_SECRET": f"{SECRET},{OLD}"}
    settings = read_settings(environment)
    database = Database(settings.db_url)
    database.open()
    entrance = await build_entrance(settings, load_keys(settings), database, HandClock())
    strangers = RateLimit(entrance.clock, per_minute=60, burst=3)
    ingress = Ingress(
        hooks=entrance.hooks, inbox=entrance.inbox, vault=entrance.vault, stored=lambda: None, strangers=strangers,
        trusted=(),
    )  # fmt: skip
    site = SimpleNamespace(
        ingress=ingress, api=Api(database, HandClock()), health=None, metrics=None, metrics_key="", update=None,
        follow=nothing, consent=nothing,
    )  # fmt: skip
    yield Door(await serve(build_app(cast("Site", site))), database, entrance)
    await database.close()


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_form_is_kept_and_answered_ok_and_twice_is_once(door: Door, as_json: bool) -> None:
    site = door.site(as_json=as_json)
    body = site.form_body(PERSON, utm={"source": "vk", "campaign": "осень"})
    first, second = await site.submit(body), await site.submit(body)
    assert [(one.status, one.text) for one in (first, second)] == [(200, "ok")] * 2
    (event,) = await door.leads()
    (lead,) = event.leads
    assert (lead.phone, lead.first.source, lead.first.campaign, event.problem) == (PERSON["Phone"], "vk", "осень", "")
    (kept,) = await door.kept()
    assert b"TILDAUTM" in kept
    assert not any(hidden in kept for hidden in (b"_ym_uid", b"tildauid", SECRET.encode()))


async def test_the_probe_is_answered_where_the_form_is_and_nothing_is_kept(door: Door) -> None:
    assert (await door.site().save_webhook()).text == "ok"
    assert (await door.site(f"/hooks/tilda/{OLD}").save_webhook()).status == 200
    assert (await door.site(f"/hooks/tilda?token={SECRET}").save_webhook()).status == 200
    assert (await door.site("/hooks/tilda").save_webhook()).status == 401
    assert (await door.site("/hooks/tilda/wrong").save_webhook()).status == 404
    assert (await door.site("/hooks/bizon365").save_webhook()).status == 404
    assert await door.kept() == []
    assert not door.entrance.hooks.unknown_kinds


async def test_what_cannot_be_used_is_answered_ok_and_waits_for_a_person(door: Door) -> None:
    site = door.site()
    for body in (b"{broken", site.form_body({"Name": "Тест", "Phone": "нет"})):
        assert (await site.submit(body)).status == 200
    assert [event.problem for event in await door.leads()] == ["body", "contact"]
    assert len(site.sent) == 2  # neither was tried again


async def test_a_form_that_is_too_large_and_one_too_many_are_refused(door: Door) -> None:
    site = door.site()
    assert (await site.submit(b"a=" + b"b" * 70_000)).status == 413
    endpoint = door.entrance.hooks.find("tilda", SECRET)
    assert endpoint is not None
    assert endpoint.limit is not None
    while endpoint.limit.allow("127.0.0.1"):
        pass
    assert (await site.submit(site.form_body(PERSON))).status == 429
    assert await door.kept() == []


async def test_a_log_line_names_the_form_and_nobody(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    site = door.site()
    await site.submit(site.form_body(PERSON | {"Comments": "после 18"}))
    text = "\n".join(one.getMessage() for one in caplog.records if one.name.partition(".")[0] in {"bot", "storage"})
    assert "tilda webhook: form 4815162:9001" in text
    assert not any(value in text for value in (*PERSON.values(), "после 18", SECRET, "79991234567"))


async def test_the_address_to_paste_carries_the_secret_of_the_settings(door: Door) -> None:
    listed = addresses(door.entrance.settings, door.entrance.keys)["tilda"]
    assert [entry["url"] for entry in listed] == [f"http://127.0.0.1:8080/hooks/tilda/{SECRET}"]


async def found(door: Door, secret: str, *urls: str) -> list[tuple[str, bool, bool]]:
    workshop = Workshop(clock=HandClock(), data_dir=Path(), run_cpu=lambda _: None, hook_urls=urls)  # type: ignore[arg-type, return-value]
    return [(one.code, one.ok, bool(one.hint)) async for one in doctor.diagnose(Settings(secrets=(secret,)), workshop)]


async def test_the_doctor_asks_as_tilda_does(door: Door) -> None:
    good = door.url + f"/hooks/tilda/{SECRET}"
    assert await found(door, SECRET, good) == [("tilda.secret", True, False), ("tilda.address", True, False)]
    assert await found(door, "short", good) == [("tilda.secret", False, True), ("tilda.address", True, False)]
    assert await found(door, SECRET) == [("tilda.secret", True, False), ("tilda.address", False, True)]
    wrong, nobody = f"{door.url}/hooks/tilda/wrong", "http://127.0.0.1:9/hooks/tilda/x"
    assert (await found(door, SECRET, wrong))[1] == ("tilda.address.404", False, True)
    assert (await found(door, SECRET, f"{door.url}/hooks/tilda"))[1] == ("tilda.address.401", False, True)
    assert (await found(door, SECRET, nobody))[1] == ("tilda.address.unreachable", False, True)
    assert await door.kept() == []


async def test_strangers_are_told_nothing(door: Door) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{door.url}/hooks/tilda", data={"Phone": "89991234567", "token": "guess"}) as answer,
    ):
        assert (answer.status, await answer.json()) == (401, {"error": "unauthorized"})
