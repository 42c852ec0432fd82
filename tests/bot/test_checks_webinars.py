"""`svodka check` about webinars: Bizon365's own section, and what the stored rows tell."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.keys import load_keys
from bot.settings import read_settings
from integrations.bizon365.fake import Fake
from tests.bot.checkup import a_terminal, a_town, deliver, prepared, run_sql, warnings  # noqa: F401  fixtures
from tests.bot.terminal import Terminal
from tests.conftest import Serve
from tests.e2e.town import Town

STAMP = "%Y-%m-%d %H:%M:%S.%f"


@pytest.fixture
async def fake(serve: Serve, terminal: Terminal, town: Town) -> AsyncIterator[Fake]:
    made = Fake()
    terminal.set({"BIZON365_TOKEN": made.token, "BIZON365_PROJECT_ID": made.project_id})
    terminal.set({"BIZON365_BASE_URL": await serve(made.build_app()), "PUBLIC_URL": "https://svodka.example"})
    return made


async def test_the_section_of_bizon365_knows_our_addresses(fake: Fake, terminal: Terminal, town: Town) -> None:
    page = fake.add_page(webhook_url="https://chatter.example/bizon_webhook/key")
    unheard = {"connection.bizon365.missing", "events.bizon365.never"}
    said = await terminal("check", "bizon365")
    assert (said.status, warnings(said)) == (0, {"bizon365.forwarding.elsewhere", *unheard})
    assert "✓ Бизон365: токен — принят, отвечает API v2" in said.out
    secret = load_keys(read_settings(town.environment)).hook("bizon365")
    page.webhook_url = f"https://svodka.example/bizon_webhook/{secret}"
    said = await terminal("check", "bizon365")
    assert (said.status, warnings(said)) == (0, unheard)
    assert fake.token not in said.out
    assert secret not in said.out
    fake.token = "another"
    said = await terminal("check", "bizon365")
    assert said.status == 1
    assert "[bizon365.token.bad_token]" in said.out


def webinar(terminal: Terminal, number: int, *, room: str, ago: timedelta = timedelta(hours=3)) -> str:
    external_id = f"{room}*2026-11-{number:02d}T19:00:00"
    at = (datetime.now(UTC) - ago).strftime(STAMP)
    run_sql(
        terminal,
        "INSERT INTO webinars (id, account_id, vendor, external_id, room_id, title, ended_at, state, source, heard_at,"
        " attendees) VALUES (?, 1, 'bizon365', ?, ?, ?, ?, 'complete', 'poll', ?, 2)",
        *(number, external_id, room, f"Вебинар {number}", at, at),
    )
    return external_id


def attendee(terminal: Terminal, session: int, person: str, lead: int | None) -> None:
    run_sql(
        terminal,
        "INSERT INTO webinar_attendees (account_id, session_id, person_key, webinar_id, webinar_title, lead_id, attended,"
        " presence, warmth, finished, messages, clicked, ordered)"
        " VALUES (1, ?, ?, 'x', '', ?, 1, 'stayed', 'hot', 1, 0, 0, 0)",
        *(session, person, lead),
    )


async def test_without_webinars_nothing_is_said_of_them(fake: Fake, terminal: Terminal, town: Town) -> None:
    assert "Вебинары" not in (await terminal("check", "bizon365")).out


async def test_visits_and_leads_of_the_newest(fake: Fake, terminal: Terminal, town: Town) -> None:
    webinar(terminal, 1, room="1:a", ago=timedelta(days=2))
    webinar(terminal, 2, room="1:a")
    attendee(terminal, 2, "phone:1", None)
    attendee(terminal, 2, "phone:2", None)
    said = await terminal("check", "bizon365")
    assert "✓ Вебинары: сохранённые посещения — «Вебинар 2»" in said.out
    assert "2 человека" in said.out
    assert "webinars.matched.nobody" in warnings(said)
    attendee(terminal, 2, "phone:3", 7)
    said = await terminal("check", "bizon365")
    assert "✓ Вебинары: посещения с лидом — 1 из 2" in said.out


async def test_rooms_that_no_hook_announces(fake: Fake, terminal: Terminal, town: Town) -> None:
    told = webinar(terminal, 1, room="1:told")
    webinar(terminal, 2, room="1:told")
    for number in range(3, 10):
        webinar(terminal, number, room=f"1:silent{number}")
    webinar(terminal, 11, room="1:old", ago=timedelta(days=40))
    deliver(terminal, datetime.now(UTC), b"")
    run_sql(terminal, "UPDATE inbox SET vendor = 'bizon365', dedup_key = ?", f"webinarEnd:{told}")
    said = await terminal("check", "bizon365")
    assert "webinars.unannounced" in warnings(said)
    (line,) = [line for line in said.out.splitlines() if line.startswith("  ! Вебинары: комнаты без вебхука")]
    assert "и ещё 2" in line
    assert not any(name in line for name in ("«Вебинар 1»", "«Вебинар 2»", "«Вебинар 11»"))


def registered(terminal: Terminal, number: int, phone: str, *, source: str = "hook") -> None:
    at = datetime.now(UTC).strftime(STAMP)
    run_sql(
        terminal,
        "INSERT INTO registrations (account_id, dedup_key, source, phone_key, created_at) VALUES (1, ?, ?, ?, ?)",
        *(f"1:page|{number}|", source, phone, at),
    )


async def test_registrations_by_the_hook_are_checked_for_phones(fake: Fake, terminal: Terminal, town: Town) -> None:
    registered(terminal, 1, "79991234567", source="bot")
    assert "Регистрации" not in (await terminal("check", "bizon365")).out
    for number in range(2, 5):
        registered(terminal, number, "79991234567")
    registered(terminal, 5, "")
    said = await terminal("check", "bizon365")
    assert "✓ Регистрации: телефон в вебхуке — последняя " in said.out
    assert "за 30 дней 4, без телефона 1" in said.out
    registered(terminal, 6, "")
    assert "registrations.phones" in warnings(await terminal("check", "bizon365"))
