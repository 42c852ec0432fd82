"""A rehearsal of leads: through the real door and pipeline to a marked card for the owner, and nothing of it stays."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.doctor import Doctor
from bot.keys import Keys
from bot.settings import read_settings
from bot.trial_runs import is_mark, new_mark
from handlers.checks.desk import Rehearsed
from integrations.amocrm.fake import Fake as Crm
from storage.engine import Database
from tests.bot.checkup import a_terminal, a_town, prepared  # noqa: F401  fixtures
from tests.bot.terminal import Terminal
from tests.conftest import Serve
from tests.e2e.town import Town
from tests.ground import until

SECRET = "the-secret-of-a-form-in-a-test"
KEYS = Keys(secret_keys=("k",), hook_secret="the root of a test", new=False)


@pytest.mark.parametrize(
    "text", ["", "rehearsal", "rehearsal-", "rehearsal-00-11", "Заявка-1-2", f"rehearsal-00-{'я' * 32}", "rehearsal--"]
)
def test_nobody_else_makes_the_mark(text: str) -> None:
    assert not is_mark(KEYS, text)
    mark = new_mark(KEYS)
    assert is_mark(KEYS, mark)
    assert not is_mark(Keys(secret_keys=("k",), hook_secret="another root", new=False), mark)
    assert not is_mark(KEYS, mark[:-1] + ("0" if mark[-1] != "0" else "1"))


class Audience:
    def __init__(self) -> None:
        self.begun = 0
        self.told: list[Sequence[Rehearsed] | None] = []

    async def rehearsing(self) -> None:
        self.begun += 1

    async def rehearsed(self, parts: Sequence[Rehearsed] | None) -> None:
        self.told.append(parts)


async def off_the_loop(_: object) -> object:
    raise AssertionError("a rehearsal has no heavy work to do")


def count(terminal: Terminal, rows: str) -> int:
    with closing(sqlite3.connect(terminal.folder / "data/svodka.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])


def left(terminal: Terminal) -> dict[str, int]:
    """How many rows are where a lead leaves some."""
    tables = ("leads", "people", "identities", "crm_contacts", "crm_links", "person_joins", "lead_claims")
    return {rows: count(terminal, rows) for rows in (*tables, "work WHERE kind = 'offer'")}


async def connect(town: Town, terminal: Terminal, crm_url: str) -> None:
    """Tilda and amoCRM, and no telephony: what is asked here are leads."""
    settings = {"TILDA_SECRET": SECRET, "AMOCRM_BASE_URL": crm_url, "AMOCRM_ACCESS_TOKEN": "fake-amo-token"}
    town.environment |= settings
    terminal.set(settings)
    away = [name for name in town.environment if name.startswith(("BITRIX24", "STT", "LLM", "OPENAI"))]
    for name in away:
        del town.environment[name]
    terminal.unset(*away)
    await town.start()
    await until(lambda: count(terminal, "users"))  # Telegram comes after the door is open, and the owner with it


async def test_a_form_and_a_deal_come_to_the_owner_alone_and_are_gone(town: Town, terminal: Terminal, serve: Serve) -> None:
    crm = Crm()
    crm.add_pipeline(1, "Продажи", {11: "Новая"})
    await connect(town, terminal, await serve(crm.build_app()))
    said = await terminal("check", "settings", "--rehearse")
    assert (said.status, said.err) == (0, ""), said.out
    for title in ("Тильда, учебный лид", "amoCRM, учебный лид"):
        assert title in said.out
    for step in ("приняли по адресу вебхука", "записали, прочли и убрали", "карточка в личном чате"):
        assert said.out.count(f"✓ {step} · ") == 2
    assert said.out.count("✓ спросили CRM об этапах · ") == 1
    private = town.telegram.private(town.owner)
    cards = [one.text for one in town.telegram.messages(private) if one.text.startswith("🧪 Проверка.")]
    assert len(cards) == 2
    assert "Новая заявка, сайт" in cards[0]
    assert "Новая заявка, amoCRM" in cards[1]
    assert all("Проверка Сводки, +7 900 000-00-01" in card for card in cards)
    assert town.cards() == []  # nothing in the team's chat
    assert set(left(terminal).values()) == {0}


async def test_the_chat_is_told_the_same(town: Town, terminal: Terminal, serve: Serve) -> None:
    crm = Crm()
    await connect(town, terminal, await serve(crm.build_app()))
    settings, audience = read_settings(town.environment), Audience()
    database = Database(settings.db_url)
    database.open()
    doctor = Doctor(settings, database, off_the_loop, SystemClock())
    assert await doctor.price() == 0
    assert doctor.rehearse(1, audience)
    assert not doctor.rehearse(1, audience)
    await until(lambda: audience.told)
    await doctor.close()
    await database.close()
    assert audience.begun == 1
    (parts,) = audience.told
    assert parts is not None
    assert [(part.vendor, part.fault) for part in parts] == [("tilda", ""), ("amocrm", "")]
    assert all(took is not None for part in parts for _, took in part.steps)


async def test_a_rehearsal_that_is_stopped_says_so(town: Town, terminal: Terminal) -> None:
    settings, audience = read_settings(town.environment), Audience()
    database = Database(settings.db_url)
    database.open()
    doctor = Doctor(settings, database, off_the_loop, SystemClock())
    assert doctor.rehearse(1, audience)  # nobody runs who could answer
    await until(lambda: count(terminal, "requests"))
    await doctor.close()
    await database.close()
    assert audience.told == [None]


async def test_a_crm_that_does_not_answer_is_said(town: Town, terminal: Terminal, serve: Serve) -> None:
    crm = Crm()
    crm.blocked = True
    await connect(town, terminal, await serve(crm.build_app()))
    said = await terminal("check", "settings", "--rehearse")
    assert said.status == 1
    assert "amoCRM: учебный лид не дошёл до конца" in said.err
    assert "Тильда: " not in said.err
    assert set(left(terminal).values()) == {0}


async def test_a_door_that_does_not_open_is_said(town: Town, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def shut(*_: object) -> web.Response:
        return web.json_response({"error": "shut"}, status=503)

    monkeypatch.setattr("bot.http.ingress.Ingress.hook", shut)
    await connect(town, terminal, "http://127.0.0.1:9")
    said = await terminal("check", "settings", "--rehearse")
    assert said.status == 1
    assert said.err.count("HTTP 503") == 2
    assert set(left(terminal).values()) == {0}
