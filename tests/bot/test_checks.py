"""`svodka check`: one thing broken at a time, against fakes on real sockets; each has its own code and its own cure."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.telegram.inbox import Webhook
from sandbox.telegram.world import Role
from tests.bot.checkup import a_terminal, a_town, deliver, faults, prepared, run_sql  # noqa: F401  fixtures
from tests.bot.terminal import Terminal
from tests.e2e.town import GROUP, Town

STATISTICS = "voximplant.statistic.get"


class Case(NamedTuple):
    code: str
    section: str
    hint: str
    broken: Callable[[Town, Terminal], None]


def _token(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_BOT_TOKEN": "700700:another-token"})


def _no_token(town: Town, terminal: Terminal) -> None:
    terminal.unset("TELEGRAM_BOT_TOKEN")


def _not_in_chat(town: Town, terminal: Terminal) -> None:
    town.group.members[town.telegram.bot.id] = Role.KICKED


def _no_chat(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_TARGET_CHAT_ID": "-1009999"})


def _no_start(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_TARGET_CHAT_ID": str(town.telegram.person("Пётр").id)})


def _topic_gone(town: Town, terminal: Terminal) -> None:
    forum = town.telegram.group("Форум", {town.owner: Role.CREATOR}, forum=True)
    topic = town.telegram.topic(forum, "Звонки")
    town.telegram.delete_topic(forum, topic)
    terminal.set({"TELEGRAM_TARGET_CHAT_ID": f"{forum.id}:{topic}"})


def _no_topics(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_TARGET_CHAT_ID": f"{GROUP}:7"})


def _proxy(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_PROXY": "http://127.0.0.1:9"})


def _no_telegram(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_API_BASE_URL": "http://127.0.0.1:9"})


def _stranger(town: Town, terminal: Terminal) -> None:
    town.telegram.bad_gateway(times=9)


def _flood(town: Town, terminal: Terminal) -> None:
    town.telegram.too_many(5, method="getMe")


def _foreign_webhook(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_MODE": "polling"})
    town.telegram.site.inbox.set_webhook(_webhook("https://other.example/secret-path"), drop_pending=False)


def _webhook_error(town: Town, terminal: Terminal) -> None:
    terminal.set({"PUBLIC_URL": "https://svodka.example"})
    webhook = _webhook("https://svodka.example/telegram/webhook")
    webhook.last_error, webhook.last_error_at = "Connection refused", int(datetime.now(UTC).timestamp()) - 60
    town.telegram.site.inbox.set_webhook(webhook, drop_pending=False)


def _webhook(url: str) -> Webhook:
    return Webhook(url=url, secret="", max_connections=40)


def _no_public_url(town: Town, terminal: Terminal) -> None:
    terminal.set({"TELEGRAM_MODE": "webhook"})


def _webhook_deleted(town: Town, terminal: Terminal) -> None:
    town.portal.secret = "another-code"


def _owner_dismissed(town: Town, terminal: Terminal) -> None:
    town.portal.fail("profile", 401, "authorization_error", times=None)


def _portal_away(town: Town, terminal: Terminal) -> None:
    town.portal.down = True


def _no_telephony(town: Town, terminal: Terminal) -> None:
    town.portal.portal.scopes -= {"telephony"}


def _no_disk(town: Town, terminal: Terminal) -> None:
    town.portal.portal.scopes -= {"disk"}


def _no_statistics(town: Town, terminal: Terminal) -> None:
    town.portal.fail(STATISTICS, 403, "ACCESS_DENIED", times=None)


def _key(town: Town, terminal: Terminal) -> None:
    town.models.keys = frozenset({"the-right-one"})


def _model_unknown(town: Town, terminal: Terminal) -> None:
    terminal.set({"LLM_MODEL": "no-such-model"})


def _model_ended(town: Town, terminal: Terminal) -> None:
    town.models.shutdown["gpt-transcribe"] = "2026-01-01"


def _quota(town: Town, terminal: Terminal) -> None:
    town.models.fail(429, times=3, code="insufficient_quota", path="/chat/completions")


def _ca_bundle(town: Town, terminal: Terminal) -> None:
    terminal.set({"STT_CA_BUNDLE": str(terminal.folder / "nothing.pem")})


def _database_older(town: Town, terminal: Terminal) -> None:
    run_sql(terminal, "DROP TABLE alembic_version")


def _database_newer(town: Town, terminal: Terminal) -> None:
    run_sql(terminal, "UPDATE alembic_version SET version_num = '9999'")


def _database_damaged(town: Town, terminal: Terminal) -> None:
    file = terminal.folder / "data/svodka.db"
    run_sql(terminal, "PRAGMA wal_checkpoint(TRUNCATE)")
    file.write_bytes(file.read_bytes()[:4096] + b"\x00" * 40_000)


def _keys_missing(town: Town, terminal: Terminal) -> None:
    shutil.rmtree(terminal.folder / "data/keys")


def _keys_wrong(town: Town, terminal: Terminal) -> None:
    deliver(terminal, datetime.now(UTC), b"under another key")


CASES = (
    Case("telegram.token", "telegram", "@BotFather", _token),
    Case("telegram.no_token", "telegram", "/newbot", _no_token),
    Case("telegram.not_in_chat", "telegram", "возвращает бота", _not_in_chat),
    Case("telegram.chat_not_found", "telegram", "TELEGRAM_TARGET_CHAT_ID", _no_chat),
    Case("telegram.no_start", "telegram", "«Старт»", _no_start),
    Case("telegram.topic_gone", "telegram", "номер темы", _topic_gone),
    Case("telegram.no_topics", "telegram", "нет тем", _no_topics),
    Case("telegram.proxy", "telegram", "TELEGRAM_PROXY", _proxy),
    Case("telegram.unreachable", "telegram", "выход в интернет", _no_telegram),
    Case("telegram.stranger", "telegram", "TELEGRAM_API_BASE_URL", _stranger),
    Case("telegram.answer", "telegram", "через минуту", _flood),
    Case("telegram.foreign_webhook", "telegram", "другая программа", _foreign_webhook),
    Case("telegram.webhook_error", "telegram", "nginx", _webhook_error),
    Case("telegram.no_public_url", "telegram", "PUBLIC_URL", _no_public_url),
    Case("bitrix24.webhook.no_auth_found", "bitrix24", "BITRIX24_WEBHOOK_URL", _webhook_deleted),
    Case("bitrix24.webhook.authorization_error", "bitrix24", "уволен", _owner_dismissed),
    Case("bitrix24.unreachable", "bitrix24", "Портал", _portal_away),
    Case("bitrix24.scope.telephony", "bitrix24", "«Телефония (telephony)»", _no_telephony),
    Case("bitrix24.scope.disk", "bitrix24", "«Диск (disk)»", _no_disk),
    Case("bitrix24.statistics", "bitrix24", "«Статистика звонков — просмотр»", _no_statistics),
    Case("openai.stt.bad_key", "openai", "OPENAI_API_KEY", _key),
    Case("openai.llm.no_model", "openai", "LLM_MODEL", _model_unknown),
    Case("openai.stt.shutdown", "openai", "STT_MODEL", _model_ended),
    Case("openai.llm.quota", "openai", "", _quota),
    Case("openai.settings", "openai", "", _ca_bundle),
    Case("database.older", "data", "svodka migrate", _database_older),
    Case("database.newer", "data", "обновите программу", _database_newer),
    Case("database.damaged", "data", "svodka restore", _database_damaged),
    Case("keys.missing", "data", "папку keys", _keys_missing),
    Case("keys.wrong", "data", "прежний через запятую", _keys_wrong),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
async def test_each_broken_thing_has_its_own_code_and_cure(case: Case, town: Town, terminal: Terminal) -> None:
    case.broken(town, terminal)
    said = await terminal("check", case.section)
    assert said.status == 1, said.out
    found = faults(said)
    assert case.code in found, said.out
    assert case.hint in found[case.code]
    assert len(found[case.code]) > 20
    assert not any(secret in said.out for secret in ("another-token", town.portal.secret, "key-of-a-test", "secret-path"))


@pytest.mark.parametrize("section", sorted({case.section for case in CASES}))
async def test_none_of_it_is_found_when_nothing_is_broken(section: str, town: Town, terminal: Terminal) -> None:
    said = await terminal("check", section)
    assert (said.status, faults(said)) == (0, {}), said.out


def test_the_manual_explains_every_code() -> None:
    manual = Path(__file__).resolve().parents[2].joinpath("docs/operations.md").read_text(encoding="utf-8")
    assert len({case.code for case in CASES}) == len(CASES) >= 12
    assert [case.code for case in CASES if f"`{case.code}`" not in manual] == []
