"""Settings: read once, checked, told in Russian."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.keys import load_keys
from bot.settings import VARIABLES, misspelt, read_environment, read_settings
from domain.errors import ConfigError
from domain.messages import Destination

FOUR = {
    "BITRIX24_WEBHOOK_URL": "https://portal.example/rest/1/code/",
    "TELEGRAM_BOT_TOKEN": "700700:local-telegram",
    "TELEGRAM_TARGET_CHAT_ID": "-1001234567890:42",
    "OPENAI_API_KEY": "the-models-key",
}


def test_the_four_are_enough() -> None:
    settings = read_settings(FOUR)
    assert settings.telegram is not None
    assert settings.telegram.target == Destination(chat_id=-1001234567890, topic_id=42)
    assert settings.http_port == 8080
    assert settings.call_min_duration_s == 10
    assert settings.catchup_max_age == timedelta(hours=24)
    assert settings.db_url == "sqlite:///data/svodka.db"
    assert settings.cost_limit_day is None
    for secret in ("local-telegram", "the-models-key", "/rest/1/code"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "not a token"),
        ("TELEGRAM_TARGET_CHAT_ID", "team"),
        ("TELEGRAM_ADMIN_IDS", "1,two"),
        ("TELEGRAM_MODE", "push"),
        ("PUBLIC_URL", "http://example.org"),
        ("HTTP_PORT", "99999"),
        ("TRUSTED_PROXIES", "everybody"),
        ("SECRET_KEY", "your-secret-key"),
        ("SECRET_KEY", "short"),
        ("HOOK_SECRET", "changeme"),
        ("TIMEZONE", "Moscow"),
        ("LOG_LEVEL", "LOUD"),
        ("INBOX_DAYS", "0"),
        ("CATCHUP_MAX_AGE", "soon"),
        ("COST_LIMIT_DAY", "-5"),
        ("CALL_MIN_DURATION_SEC", "ten"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_settings(FOUR | {name: value})
    assert error.value.variable == name
    assert error.value.hint
    assert value not in error.value.hint or name != "SECRET_KEY"


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"PORT": "9000"}, "http_port", 9000),
        ({"HTTP_PORT": "9001", "PORT": "9000"}, "http_port", 9001),
        ({"COST_LIMIT_DAY": "2,50"}, "cost_limit_day", 2_500_000),
        ({"CATCHUP_MAX_AGE": "7d"}, "catchup_max_age", timedelta(days=7)),
        ({"FIRST_MESSAGE_AFTER": "90"}, "first_message_after", timedelta(seconds=90)),
        ({"LOG_LEVEL": "debug"}, "log_level", "DEBUG"),
        ({"SECRET_KEY": "a" * 20 + "," + "b" * 20}, "secret_keys", ("a" * 20, "b" * 20)),
        ({"PUBLIC_URL": "https://svodka.example/"}, "public_url", "https://svodka.example"),
        ({"LOG_FILE": "logs/app.log"}, "log_file", Path("logs/app.log")),
        ({"DB_URL": "postgres://u@h/d"}, "db_url", "postgres://u@h/d"),
    ],
)
def test_values(given: dict[str, str], field: str, expected: object) -> None:
    assert getattr(read_settings(FOUR | given), field) == expected


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TIMEZONE=Asia/Omsk\nLOG_LEVEL= DEBUG \nHTTP_PORT=\n", encoding="utf-8")
    monkeypatch.setenv("TIMEZONE", "Asia/Tomsk")
    read = read_environment(tmp_path / ".env")
    assert read["TIMEZONE"] == "Asia/Tomsk"
    assert read["LOG_LEVEL"] == "DEBUG"
    assert "HTTP_PORT" not in read


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("COMPANY_NAME=Кафе".encode("cp1251"))
    with pytest.raises(ConfigError, match="UTF-8"):
        read_environment(tmp_path / ".env")


def test_a_misspelt_name_gets_its_neighbour() -> None:
    known = [variable.name for variable in VARIABLES]
    env = {"TELEGRAM_BOT_TOKN": "x", "TELEGRAM_MODE": "auto", "PATH": "/bin", "CALL_MIN_DURATION": "9"}
    assert dict(misspelt(env, known)) == {
        "TELEGRAM_BOT_TOKN": "TELEGRAM_BOT_TOKEN",
        "CALL_MIN_DURATION": "CALL_MIN_DURATION_SEC",
    }


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = read_settings(FOUR | {"DATA_DIR": str(tmp_path)})
    made, found = load_keys(settings), load_keys(settings)
    assert made.new
    assert not found.new
    assert made.hook("bitrix24") == found.hook("bitrix24") != made.hook("amocrm")
    assert len(made.hook("bitrix24")) == 32
    assert (tmp_path / "keys" / "secret_key").stat().st_mode & 0o077 == 0
    assert made.hook_secret not in repr(made)
    (tmp_path / "keys" / "hook_secret").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError):
        load_keys(settings)


def test_keys_of_the_environment_need_no_folder(tmp_path: Path) -> None:
    given = {"SECRET_KEY": "a" * 20, "HOOK_SECRET": "b" * 20, "DATA_DIR": str(tmp_path / "none")}
    keys = load_keys(read_settings(FOUR | given))
    assert not keys.new
    assert not (tmp_path / "none").exists()
