"""Two independent blocks of settings: STT_ for speech to text, LLM_ for summaries; OPENAI_ is the fallback of both."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from domain.errors import ConfigError
from integrations.kit.addresses import is_loopback, is_public, literal
from integrations.kit.vendor import Env, Variable

OPENAI_URL = "https://api.openai.com/v1"
_STT_TIMEOUT_S, _LLM_TIMEOUT_S = 120.0, 60.0
_MAX_MB = 24

_OPENAI = (
    Variable(name="OPENAI_API_KEY", meaning="ключ OpenAI для распознавания и саммари", secret=True),
    Variable(name="OPENAI_BASE_URL", meaning="другой сервер с интерфейсом OpenAI", default=OPENAI_URL),
)


def _block(role: str, what: str, timeout_s: float) -> tuple[Variable, ...]:
    return (
        Variable(name=f"{role}_BASE_URL", meaning=f"сервер для {what}; пусто — OPENAI_BASE_URL"),
        Variable(name=f"{role}_API_KEY", meaning=f"ключ для {what}; пусто — OPENAI_API_KEY", secret=True),
        Variable(name=f"{role}_MODEL", meaning=f"модель для {what}; пусто — по таблице с датами отключения"),
        Variable(name=f"{role}_PROXY", meaning=f"прокси для {what}: http://…, https://… или socks5://…", secret=True),
        Variable(name=f"{role}_CA_BUNDLE", meaning="файл с корневыми сертификатами сервера (PEM)"),
        Variable(name=f"{role}_EXTRA_HEADERS", meaning='добавочные заголовки, JSON: {"Имя": "значение"}', secret=True),
        Variable(name=f"{role}_TIMEOUT", meaning="сколько секунд ждать ответа", default=f"{timeout_s:g}"),
    )


VARIABLES = (
    *_OPENAI,
    Variable(name="STT_PROVIDER", meaning="распознавание: openai, local или off", default="openai"),
    *_block("STT", "распознавания", _STT_TIMEOUT_S),
    Variable(name="STT_LANGUAGE", meaning="язык разговоров, две буквы", default="ru"),
    Variable(name="STT_KEYWORDS", meaning="слова-подсказки через запятую: имена, улицы, товары (gpt-transcribe)"),
    Variable(name="STT_MAX_MB", meaning="запись больше сжимается перед отправкой", default=str(_MAX_MB)),
    Variable(name="STEREO_OPERATOR", meaning="канал сотрудника в стерео: left, right или auto", default="auto"),
    Variable(name="LLM_PROVIDER", meaning="саммари: openai или off (черновик без модели)", default="openai"),
    *_block("LLM", "саммари", _LLM_TIMEOUT_S),
    Variable(name="LLM_STRUCTURED", meaning="auto, json_schema, json_object или prompt", default="auto"),
    Variable(name="LLM_TEMPERATURE", meaning="температура; пусто — не передавать"),
    Variable(name="LLM_MAX_TOKENS", meaning="предел длины ответа в токенах; пусто — не передавать"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one role reaches its server. ``key_name`` and ``url_name`` are the variables that were used, for hints."""

    role: str
    base_url: str
    api_key: str = field(repr=False)
    key_name: str
    url_name: str
    timeout_s: float
    proxy: str = field(default="", repr=False)
    ca_bundle: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_openai(self) -> bool:
        return self.host == "api.openai.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """``model`` empty: by the table. ``stereo_operator``: left, right or auto. ``max_bytes`` of one request's file."""

    route: Route
    model: str = ""
    language: str = "ru"
    keywords: tuple[str, ...] = ()
    stereo_operator: str = "auto"
    max_bytes: int = _MAX_MB * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """``model`` empty: by the table. ``structured`` as in LLM_STRUCTURED."""

    route: Route
    model: str = ""
    structured: str = "auto"
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Either role may be off."""

    stt: SpeechSettings | None
    llm: ChatSettings | None


def read_settings(env: Env) -> Settings | None:
    """None when neither role has a key or a server; ConfigError names the variable that is missing or wrong."""
    stt = _speech(env) if _choice(env, "STT_PROVIDER", "openai", ("openai", "local", "off")) == "openai" else None
    llm = _chat(env) if _choice(env, "LLM_PROVIDER", "openai", ("openai", "off")) == "openai" else None
    return Settings(stt=stt, llm=llm) if stt or llm else None


def _speech(env: Env) -> SpeechSettings | None:
    route = _route(env, "STT", _STT_TIMEOUT_S)
    if route is None:
        return None
    return SpeechSettings(
        route=route,
        model=env.get("STT_MODEL", ""),
        language=_language(env.get("STT_LANGUAGE", "ru")),
        keywords=tuple(word.strip() for word in env.get("STT_KEYWORDS", "").split(",") if word.strip()),
        stereo_operator=_choice(env, "STEREO_OPERATOR", "auto", ("left", "right", "auto")),
        max_bytes=int(_number(env, "STT_MAX_MB", _MAX_MB, low=1) * 1024 * 1024),
    )


def _chat(env: Env) -> ChatSettings | None:
    route = _route(env, "LLM", _LLM_TIMEOUT_S)
    if route is None:
        return None
    return ChatSettings(
        route=route,
        model=env.get("LLM_MODEL", ""),
        structured=_choice(env, "LLM_STRUCTURED", "auto", ("auto", "json_schema", "json_object", "prompt")),
        temperature=_number(env, "LLM_TEMPERATURE", 0, low=0) if env.get("LLM_TEMPERATURE") else None,
        max_tokens=int(_number(env, "LLM_MAX_TOKENS", 0, low=1)) if env.get("LLM_MAX_TOKENS") else None,
    )


def _route(env: Env, role: str, timeout_s: float) -> Route | None:
    """None when nothing of the role is set. A server of one's own may need no key; OpenAI does."""
    key_name = f"{role}_API_KEY" if env.get(f"{role}_API_KEY") else "OPENAI_API_KEY"
    url_name = f"{role}_BASE_URL" if env.get(f"{role}_BASE_URL") else "OPENAI_BASE_URL"
    key, url = env.get(key_name, ""), env.get(url_name, "")
    if not key and not url:
        _nothing_half_set(env, role)
        return None
    base_url = _base_url(url_name, url or OPENAI_URL)
    if not key and urlsplit(base_url).hostname == "api.openai.com":
        raise ConfigError(key_name, "нужен ключ OpenAI: platform.openai.com → API keys → Create new secret key")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(key_name, "в ключе лишние знаки: скопируйте его заново, одной строкой")
    return Route(
        role=role,
        base_url=base_url,
        api_key=key or "none",
        key_name=key_name,
        url_name=url_name,
        timeout_s=_number(env, f"{role}_TIMEOUT", timeout_s, low=0.1),
        proxy=_proxy(env, f"{role}_PROXY"),
        ca_bundle=_certificates(env, f"{role}_CA_BUNDLE"),
        headers=_headers(env, f"{role}_EXTRA_HEADERS"),
    )


def _nothing_half_set(env: Env, role: str) -> None:
    names = ("MODEL", "PROXY", "CA_BUNDLE", "EXTRA_HEADERS", "TIMEOUT", "PROVIDER")
    given = next((f"{role}_{name}" for name in names if env.get(f"{role}_{name}")), None)
    if given:
        raise ConfigError(f"{role}_API_KEY", f"задан {given}, но нет ключа: впишите {role}_API_KEY или OPENAI_API_KEY")


def _choice(env: Env, name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name, default).strip().lower()
    if value not in allowed:
        raise ConfigError(name, f"возможные значения: {', '.join(allowed)}")
    return value


def _number(env: Env, name: str, default: float, *, low: float) -> float:
    try:
        value = float(env.get(name, default))
    except ValueError:
        value = float("nan")
    if not low <= value < 1e6:
        raise ConfigError(name, f"нужно число не меньше {low:g}")
    return value


def _language(value: str) -> str:
    code = value.strip().lower()
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise ConfigError("STT_LANGUAGE", "нужны две латинские буквы, например ru")
    return code


def _base_url(name: str, value: str) -> str:
    """Texts and keys go there: without encryption only within one's own network."""
    parts = _split(value)
    host = parts[1]
    if not host or parts[0] not in {"http", "https"}:
        raise ConfigError(name, "нужен адрес вида https://сервер/v1")
    if parts[0] == "http" and not _is_near(host):
        raise ConfigError(name, "по открытому http ключ и тексты увидят чужие: нужен https://")
    return value.rstrip("/")


def _split(value: str) -> tuple[str, str]:
    try:
        parts = urlsplit(value)
        return parts.scheme.lower(), parts.hostname or ""
    except ValueError:
        return "", ""


def _is_near(host: str) -> bool:
    """Loopback, a private address, or a name without a public domain («vllm» of a compose file)."""
    if literal(host) is not None:
        return not is_public(host)
    return is_loopback(host) or "." not in host or host.endswith((".local", ".lan", ".internal"))


def _proxy(env: Env, name: str) -> str:
    value = env.get(name, "")
    if value and (_split(value)[0] not in {"http", "https", "socks5", "socks5h"} or not _split(value)[1]):
        raise ConfigError(name, "нужен адрес вида http://хост:порт или socks5://хост:порт")
    return value


def _certificates(env: Env, name: str) -> str:
    value = env.get(name, "")
    if not value:
        return ""
    if not Path(value).is_file():
        raise ConfigError(name, "такого файла нет")
    try:
        ssl.create_default_context(cafile=value)
    except OSError:  # of which SSLError is one
        raise ConfigError(name, "в файле нет сертификатов: нужен текстовый PEM") from None
    return value


def _headers(env: Env, name: str) -> dict[str, str]:
    value = env.get(name, "")
    if not value:
        return {}
    hint = 'нужен JSON вида {"Имя": "значение"}, латиницей'
    try:
        found = json.loads(value)
    except ValueError:
        raise ConfigError(name, hint) from None
    if not isinstance(found, dict) or not all(isinstance(v, str) and f"{k}{v}".isascii() for k, v in found.items()):
        raise ConfigError(name, hint)
    return found
