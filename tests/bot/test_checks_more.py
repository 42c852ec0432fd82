"""`svodka check` beyond single faults: a whole good run, warnings, odd surroundings, and the rehearsal."""

import asyncio
import fcntl
import socket
import ssl
import urllib.error
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web

from bot.checks import public
from bot.checks.bot_api import BotApi
from bot.clock import SystemClock
from bot.settings import TelegramSettings, read_settings
from domain.messages import Destination
from storage.destinations import Destinations
from storage.engine import Database
from tests.bot.checkup import a_terminal, a_town, deliver, faults, prepared, run_sql, warnings  # noqa: F401  fixtures
from tests.bot.terminal import Terminal
from tests.conftest import Serve
from tests.e2e.town import Town


async def test_all_is_well_with_a_running_process(town: Town, terminal: Terminal) -> None:
    terminal.set({"PUBLIC_URL": town.url})
    town.environment["TELEGRAM_MODE"] = "polling"
    terminal.set({"TELEGRAM_MODE": "polling"})
    await town.start()
    await town.end_call()
    await town.until_card("Готово через", seconds=60)
    said = await terminal("check")
    assert (said.status, said.err) == (0, ""), said.out
    assert said.out.endswith("\nВсё в порядке.\n")
    for line in (
        "✓ Telegram: токен — @svodka_bot",
        "✓ Telegram: чат — «Команда»",
        "✓ Адрес снаружи — http://",
        "✓ Битрикс24: вебхук",
    ):
        assert line in said.out
    assert "✓ Битрикс24: последнее событие" in said.out
    assert "· Распознавание на своём сервере — не подключён" in said.out
    assert not any(secret in said.out for secret in (town.telegram.token, town.portal.secret, "key-of-a-test"))


async def test_a_full_disk(town: Town, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.checks.home.LEAST_FREE_MB", 10**9)
    said = await terminal("check", "data")
    assert said.status == 1
    assert "Освободите место" in faults(said)["data.disk"]


async def test_a_folder_that_cannot_be_written(town: Town, terminal: Terminal) -> None:
    (terminal.folder / "a-file").write_text("")
    terminal.set({"DATA_DIR": str(terminal.folder / "a-file")})
    said = await terminal("check", "data")
    assert "chown" in faults(said)["data.folder"]


async def test_a_second_process_holds_the_data(town: Town, terminal: Terminal) -> None:
    with (terminal.folder / "data/leader.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = await terminal("check", "process")
    assert said.status == 1
    assert "DATA_DIR" in faults(said)["process.second"]


@pytest.mark.parametrize("body", [b"<h1>nginx</h1>", b'{"status": "ok"}'])
async def test_a_strange_program_on_our_port_and_address(town: Town, terminal: Terminal, serve: Serve, body: bytes) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_get("/api/health", page)
    stranger = await serve(app)
    terminal.set({"HTTP_PORT": stranger.rsplit(":", 1)[1]})
    said = await terminal("check", "process")
    assert "HTTP_PORT" in faults(said)["process.port"]
    terminal.set({"HTTP_PORT": str(town.port)})
    await town.start()
    terminal.set({"PUBLIC_URL": stranger})
    assert "proxy_pass" in faults(await terminal("check", "public"))["public.elsewhere"]
    terminal.set({"PUBLIC_URL": "http://127.0.0.1:9"})
    assert "брандмауэр" in faults(await terminal("check", "public"))["public.unreachable"]
    terminal.set({"PUBLIC_URL": f"{stranger}/nowhere"})
    assert "public.elsewhere" in faults(await terminal("check", "public"))


async def test_what_only_deserves_a_warning(town: Town, terminal: Terminal) -> None:
    town.telegram.site.inline = False
    terminal.set({"BITRIX24_APLICATION_TOKEN": "x"})
    terminal.unset("BITRIX24_APPLICATION_TOKEN", "TELEGRAM_TARGET_CHAT_ID")
    (terminal.folder / "data/keys/secret_key").chmod(0o644)
    said = await terminal("check")
    assert said.status == 0, said.out
    expected = {
        "settings.unknown",
        "keys.open",
        "process.stopped",
        "telegram.inline",
        "telegram.no_target",
        "public.missing",
        "bitrix24.application_token",
        "events.bitrix24.never",
    }
    assert warnings(said) == expected
    assert "BITRIX24_APPLICATION_TOKEN" in said.out
    terminal.set({"PUBLIC_URL": "https://svodka.example"})
    assert warnings(await terminal("check", "public")) == {"public.unknown"}


async def test_what_the_data_tell(town: Town, terminal: Terminal) -> None:
    settings = read_settings(town.environment)
    database = Database(settings.db_url)
    database.open()
    chats = Destinations(database, SystemClock())
    await chats.bind(1, Destination(chat_id=-42), title="Отдел продаж")
    await chats.bury(-42, "kicked")
    await database.close()
    deliver(terminal, datetime.now(UTC) - timedelta(days=9), b"")
    run_sql(terminal, "UPDATE inbox SET request = NULL")
    run_sql(terminal, "INSERT INTO counters VALUES (?, 'rejected:BadSignature', 3)", datetime.now(UTC).date().isoformat())
    now = "2026-11-21 12:00:00.000000"
    run_sql(
        terminal,
        "INSERT INTO work (account_id, kind, object, generation, payload, source, state, due_at, created_at) "
        "VALUES (1, 'call', 'o', 1, '{}', 'hook', 'dead', ?, ?)",
        now,
        now,
    )
    said = await terminal("check", "state")
    assert said.status == 1
    assert "/bind" in faults(said)["destinations.dead"]
    assert "Отдел продаж" in said.out
    assert warnings(said) == {"events.rejected", "work.dead"}
    assert "3 отказа" in said.out
    assert "events.bitrix24.silent" in warnings(await terminal("check", "bitrix24"))


@pytest.mark.parametrize(
    ("row", "status"),
    [({"status": "restricted", "can_send_messages": False}, 1), ({"status": "member"}, 0), ({"status": "left"}, 1)],
)
async def test_rights_in_the_chat(terminal: Terminal, serve: Serve, row: dict[str, object], status: int) -> None:
    answers = {"getChat": {"type": "supergroup", "title": "Команда"}, "getChatMember": row}
    terminal.set(await a_bot_api(serve, answers))
    said = await terminal("check", "telegram")
    assert said.status == status, said.out
    expected = {"restricted": {"telegram.no_write"}, "left": {"telegram.not_in_chat"}, "member": set()}
    assert faults(said).keys() == expected[str(row["status"])]


async def test_a_silent_group_a_muted_channel_and_a_closed_topic(terminal: Terminal, serve: Serve) -> None:
    group = {"type": "supergroup", "title": "Т", "permissions": {"can_send_messages": False}}
    terminal.set(await a_bot_api(serve, {"getChat": group, "getChatMember": {"status": "member"}}))
    assert faults(await terminal("check", "telegram")).keys() == {"telegram.no_write"}
    channel = {"type": "channel", "title": "К"}
    terminal.set(await a_bot_api(serve, {"getChat": channel, "getChatMember": {"status": "administrator"}}))
    assert faults(await terminal("check", "telegram")).keys() == {"telegram.no_write"}
    forum = {"type": "supergroup", "title": "Ф", "is_forum": True}
    member = {"status": "administrator"}
    for said, code in (
        ("Bad Request: TOPIC_CLOSED", "telegram.topic_closed"),
        ("Bad Request: no rights", "telegram.no_write"),
    ):
        terminal.set(await a_bot_api(serve, {"getChat": forum, "getChatMember": member, "sendChatAction": said}, topic=":5"))
        assert faults(await terminal("check", "telegram")).keys() == {code}
    good = {
        "getChat": forum,
        "getChatMember": member,
        "sendChatAction": True,
        "sendMessage": {"message_id": 9},
        "deleteMessage": True,
    }
    terminal.set(await a_bot_api(serve, good, topic=":5"))
    assert "✓ Telegram: тема" in (await terminal("check", "telegram")).out


async def test_a_group_that_moved_is_named(terminal: Terminal, serve: Serve) -> None:
    terminal.set(await a_bot_api(serve, {"getChat": -1005}))
    said = await terminal("check", "telegram")
    assert "-1005" in faults(said)["telegram.moved"]


async def a_bot_api(serve: Serve, answers: dict[str, object], *, topic: str = "") -> dict[str, str]:
    """The settings for a Bot API that gives ``answers``: an object is a result, a text a refusal, a number a new chat."""
    known = {"getMe": {"id": 7, "username": "b", "supports_inline_queries": True}, "getWebhookInfo": {"url": ""}} | answers

    async def method(request: web.Request) -> web.Response:
        given = known[request.match_info["method"]]
        if isinstance(given, str | int) and given is not True:
            parameters = {} if isinstance(given, str) else {"migrate_to_chat_id": given}
            body = {"ok": False, "error_code": 400, "description": str(given), "parameters": parameters}
            return web.json_response(body, status=400)
        return web.json_response({"ok": True, "result": given})

    app = web.Application()
    app.router.add_post("/bot7:fake-token/{method}", method)
    target = f"-1001{topic}"
    base = await serve(app)
    return {"TELEGRAM_BOT_TOKEN": "7:fake-token", "TELEGRAM_API_BASE_URL": base, "TELEGRAM_TARGET_CHAT_ID": target}


async def test_a_wrong_setting_is_a_finding_too(terminal: Terminal) -> None:
    terminal.set({"HTTP_PORT": "eighty"})
    said = await terminal("check")
    assert said.status == 1
    assert "число" in faults(said)["settings.wrong"]


async def test_half_a_vendor_is_named_and_the_rest_goes_on(town: Town, terminal: Terminal) -> None:
    terminal.unset("BITRIX24_WEBHOOK_URL")
    said = await terminal("check")
    assert faults(said).keys() == {"bitrix24.settings"}
    assert "BITRIX24_WEBHOOK_URL" in faults(said)["bitrix24.settings"]
    assert "✓ Распознавание: ключ" in said.out


async def test_a_database_that_is_empty_away_or_yet_to_come(terminal: Terminal) -> None:
    data = terminal.folder / "data"
    terminal.set({"DATA_DIR": str(data)})
    said = await terminal("check", "data")
    assert said.status == 0
    assert said.out.count("при запуске") == 3
    assert not data.exists()
    data.mkdir()
    (data / "svodka.db").touch()
    assert "✓ База — пуста" in (await terminal("check", "data")).out
    terminal.set({"DB_URL": "postgresql://svodka:pass-word@127.0.0.1:9/svodka"})
    said = await terminal("check", "data")
    assert "DB_URL" in faults(said)["database.unreachable"]
    assert "pass-word" not in said.out + said.err


async def test_posts_held_after_a_restore_are_told(town: Town, terminal: Terminal) -> None:
    run_sql(
        terminal,
        "INSERT INTO posts (account_id, key, chat_id, kind, content, content_sha256, revision, state, not_before, "
        "created_at) VALUES (1, 'k', -1, 'call', '{}', '', 1, 'held', '2026-11-21 12:00:00', '2026-11-21 12:00:00')",
    )
    assert "posts.held" in warnings(await terminal("check", "state"))


async def test_what_speaks_no_http_is_a_stranger(terminal: Terminal) -> None:
    async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    async with server:
        terminal.set({"HTTP_PORT": str(server.sockets[0].getsockname()[1])})
        assert faults(await terminal("check", "process")).keys() == {"process.port"}


@pytest.mark.parametrize(
    ("cause", "why"),
    [(ssl.SSLError(), "tls"), (socket.gaierror(), "name"), (ConnectionRefusedError(), "network")],
)
def test_why_telegram_was_not_reached(cause: Exception, why: str) -> None:
    error = httpx.ConnectError("at https://api.example/bot7:token/getMe")
    error.__cause__ = cause
    api = BotApi(TelegramSettings(token="7:x", target=None, api_base_url="", proxy=None, mode="auto", admin_ids=()))
    assert api._why(error) == why
    assert api._why(httpx.ReadTimeout("")) == "time"
    assert api._why(httpx.ProxyError("")) == "proxy"


def test_a_certificate_that_vendors_will_not_take() -> None:
    assert public._unreachable(urllib.error.URLError(ssl.SSLCertVerificationError())).code == "public.tls"


async def test_an_unknown_section_lists_those_there_are(terminal: Terminal) -> None:
    said = await terminal("check", "everything")
    assert said.status == 2
    assert "settings, data, process, telegram, public, bitrix24, bizon365, " in said.err


async def test_a_defect_of_ours_stops_no_other_section(
    town: Town, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> object:
        raise KeyError("secret")

    monkeypatch.setattr("bot.checks.examination.name_findings", broken)
    said = await terminal("doctor")
    assert faults(said).keys() == {"settings.defect"}
    assert "secret" not in said.out
    assert "✓ Telegram: токен" in said.out


async def test_a_rehearsal_goes_to_the_chat_with_its_price_first(town: Town, terminal: Terminal) -> None:
    await town.start()
    said = await terminal("check", "openai", "--rehearse")
    assert said.status == 0, said
    lines = [line.strip() for line in said.out.splitlines()]
    assert lines.index(next(line for line in lines if line.startswith("Цена: около $"))) < lines.index("Карточка в чате.")
    assert any(line.startswith("✓ расшифровали · ") for line in lines)
    assert any(line.startswith("Потрачено: $") for line in lines)
    assert len(town.cards()) == 1
    town.models.fail(401, times=9, code="invalid_api_key", path="/audio/transcriptions")
    said = await terminal("check", "settings", "--rehearse")
    assert said.status == 1
    assert "неполная" in said.out or "не дошёл до конца" in said.err


async def test_a_rehearsal_needs_a_running_process_and_telephony(town: Town, terminal: Terminal) -> None:
    said = await terminal("check", "settings", "--rehearse")
    assert said.status == 1
    assert "Сводка не запущена" in said.err
    await town.start()
    await town.stop()
    town.environment = {
        name: value for name, value in town.environment.items() if not name.startswith(("BITRIX24", "STT", "LLM", "OPENAI"))
    }
    terminal.unset(
        "BITRIX24_WEBHOOK_URL", "BITRIX24_APPLICATION_TOKEN", "STT_MODEL", "LLM_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"
    )
    await town.start()
    said = await terminal("check", "settings", "--rehearse")
    assert said.status == 1
    assert "Цена: бесплатно" in said.out
    assert "телефония не подключена" in said.err
