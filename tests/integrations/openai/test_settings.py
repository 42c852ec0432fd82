"""Two blocks of settings, what they fall back to, and the table of models."""

from datetime import date
from pathlib import Path

import pytest

from domain.errors import ConfigError
from integrations.openai.models import CHAT, LAST_DAYS, SPEECH, chat_model, default_model, last_day, speech_model
from integrations.openai.settings import OPENAI_URL, VARIABLES, read_settings
from tests.integrations.openai.bench import self_signed

KEY = {"OPENAI_API_KEY": "test-key"}


def test_nothing_set_is_off() -> None:
    assert read_settings({}) is None
    assert read_settings({**KEY, "STT_PROVIDER": "local", "LLM_PROVIDER": "off"}) is None


def test_the_key_alone_is_enough() -> None:
    settings = read_settings(KEY)
    assert settings is not None
    assert settings.stt is not None
    assert settings.llm is not None
    assert (settings.stt.route.base_url, settings.stt.route.timeout_s, settings.llm.route.timeout_s) == (OPENAI_URL, 120, 60)
    assert settings.stt.route.is_openai
    assert (settings.stt.model, settings.stt.language, settings.stt.max_bytes) == ("", "ru", 24 * 1024 * 1024)
    assert "test-key" not in repr(settings)


def test_each_role_has_its_own() -> None:
    settings = read_settings(
        {
            **KEY,
            "OPENAI_BASE_URL": "https://gate.example/v1/",
            "LLM_BASE_URL": "http://10.0.0.5:8000/v1",
            "LLM_API_KEY": "own",
            "STT_PROVIDER": "off",
            "LLM_MODEL": "our",
            "LLM_STRUCTURED": "prompt",
            "LLM_TEMPERATURE": "0",
            "LLM_MAX_TOKENS": "500",
        }
    )
    assert settings is not None
    assert settings.stt is None
    assert settings.llm is not None
    route = settings.llm.route
    assert (route.base_url, route.api_key, route.key_name, route.url_name, route.host) == (
        "http://10.0.0.5:8000/v1",
        "own",
        "LLM_API_KEY",
        "LLM_BASE_URL",
        "10.0.0.5",
    )
    assert (settings.llm.model, settings.llm.structured, settings.llm.temperature, settings.llm.max_tokens) == (
        "our",
        "prompt",
        0.0,
        500,
    )
    shared = read_settings({**KEY, "OPENAI_BASE_URL": "https://gate.example/v1/"})
    assert shared is not None
    assert shared.stt is not None
    assert (shared.stt.route.base_url, shared.stt.route.is_openai) == ("https://gate.example/v1", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://vllm:8000/v1", "http://[::1]:1/v1", "https://a.ru/v1"])
def test_a_server_of_ones_own_needs_no_key(url: str) -> None:
    settings = read_settings({"STT_BASE_URL": url})
    assert settings is not None
    assert settings.stt is not None
    assert settings.llm is None
    assert settings.stt.route.api_key == "none"


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"STT_MODEL": "whisper-1"}, "STT_API_KEY"),
        ({"LLM_PROVIDER": "openai"}, "LLM_API_KEY"),
        ({"OPENAI_BASE_URL": OPENAI_URL}, "OPENAI_API_KEY"),
        ({**KEY, "STT_PROVIDER": "google"}, "STT_PROVIDER"),
        ({**KEY, "LLM_PROVIDER": "local"}, "LLM_PROVIDER"),
        ({"OPENAI_API_KEY": "ключ"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "a b"}, "OPENAI_API_KEY"),
        ({**KEY, "OPENAI_BASE_URL": "api.openai.com/v1"}, "OPENAI_BASE_URL"),
        ({**KEY, "LLM_BASE_URL": "http://models.example.com/v1"}, "LLM_BASE_URL"),
        ({**KEY, "LLM_BASE_URL": "http://8.8.8.8/v1"}, "LLM_BASE_URL"),
        ({**KEY, "LLM_BASE_URL": "http://[bad/v1"}, "LLM_BASE_URL"),
        ({**KEY, "STT_PROXY": "proxy:8080"}, "STT_PROXY"),
        ({**KEY, "STT_CA_BUNDLE": "/nowhere.pem"}, "STT_CA_BUNDLE"),
        ({**KEY, "STT_EXTRA_HEADERS": "x"}, "STT_EXTRA_HEADERS"),
        ({**KEY, "STT_EXTRA_HEADERS": '{"a": 1}'}, "STT_EXTRA_HEADERS"),
        ({**KEY, "STT_EXTRA_HEADERS": '{"a": "ё"}'}, "STT_EXTRA_HEADERS"),
        ({**KEY, "STT_TIMEOUT": "soon"}, "STT_TIMEOUT"),
        ({**KEY, "STT_TIMEOUT": "0"}, "STT_TIMEOUT"),
        ({**KEY, "STT_TIMEOUT": "nan"}, "STT_TIMEOUT"),
        ({**KEY, "STT_LANGUAGE": "русский"}, "STT_LANGUAGE"),
        ({**KEY, "STT_MAX_MB": "0"}, "STT_MAX_MB"),
        ({**KEY, "STEREO_OPERATOR": "middle"}, "STEREO_OPERATOR"),
        ({**KEY, "LLM_STRUCTURED": "yaml"}, "LLM_STRUCTURED"),
        ({**KEY, "LLM_MAX_TOKENS": "0"}, "LLM_MAX_TOKENS"),
    ],
)
def test_what_is_wrong_is_named(env: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(env)
    assert caught.value.variable == variable
    assert caught.value.hint
    assert not any(len(value) > 8 and value in caught.value.hint for value in env.values() if value != OPENAI_URL)


def test_the_rest_of_the_route(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("x")
    with pytest.raises(ConfigError, match="PEM"):
        read_settings({**KEY, "STT_CA_BUNDLE": str(tmp_path / "bad.pem")})
    (tmp_path / "ca.pem").write_bytes(self_signed()[0])
    settings = read_settings(
        {
            **KEY,
            "STT_PROXY": "socks5://127.0.0.1:1080",
            "STT_CA_BUNDLE": str(tmp_path / "ca.pem"),
            "STT_EXTRA_HEADERS": '{"OpenAI-Project": "b1g"}',
            "STT_TIMEOUT": "300",
            "STT_KEYWORDS": " Ясный Двор,, Билибина ",
            "STT_MAX_MB": "1.5",
        }
    )
    assert settings is not None
    assert settings.stt is not None
    route = settings.stt.route
    assert (route.proxy, route.timeout_s, dict(route.headers)) == ("socks5://127.0.0.1:1080", 300, {"OpenAI-Project": "b1g"})
    assert settings.stt.keywords == ("Ясный Двор", "Билибина")
    assert settings.stt.max_bytes == 1_572_864


def test_every_name_of_the_contract_is_declared() -> None:
    names = {variable.name for variable in VARIABLES}
    tails = ("BASE_URL", "API_KEY", "MODEL", "PROXY", "CA_BUNDLE", "EXTRA_HEADERS", "TIMEOUT", "PROVIDER")
    assert {f"{role}_{tail}" for role in ("STT", "LLM") for tail in tails} <= names
    assert {"OPENAI_API_KEY", "OPENAI_BASE_URL", "STT_LANGUAGE"} <= names
    secret = {variable.name for variable in VARIABLES if variable.secret}
    assert {"OPENAI_API_KEY", "STT_API_KEY", "LLM_API_KEY", "STT_PROXY", "LLM_EXTRA_HEADERS"} <= secret


@pytest.mark.parametrize(
    ("today", "stt", "llm"),
    [
        (date(2026, 9, 1), "whisper-1", "gpt-4o"),
        (date(2026, 11, 21), "whisper-1", "gpt-5.4-mini"),
        (date(2026, 11, 28), "whisper-1", "gpt-5.4-mini"),
        (date(2026, 11, 29), "gpt-transcribe", "gpt-5.4-mini"),
        (date(2030, 1, 1), "gpt-transcribe", "gpt-5.4-mini"),
    ],
)
def test_a_default_has_90_days_left(today: date, stt: str, llm: str) -> None:
    assert (default_model("stt", today), default_model("llm", today)) == (stt, llm)
    for role, name in (("stt", stt), ("llm", llm)):
        ends = last_day(role, name)  # type: ignore[arg-type]
        assert ends is None or ends - today >= LAST_DAYS


def test_the_table() -> None:
    assert last_day("llm", "gpt-4o-2024-11-20") == date(2027, 1, 14)
    assert last_day("llm", "gpt-5.2") is None
    assert last_day("stt", "own") is None
    assert [way.name for way in speech_model("whisper-1").ways] == ["verbose_json+words", "verbose_json", "json"]
    new = [way.name for way in speech_model("gpt-transcribe").ways]
    assert new == ["verbose_json+words+hints", "verbose_json", "json+hints", "json"]
    assert not speech_model("own").price_known
    assert not chat_model("own").price_known
    assert chat_model("own").per_output >= max(row.per_output for row in CHAT if row.price_known)
    assert len({row.name for row in (*SPEECH, *CHAT)}) == len(SPEECH) + len(CHAT)
