"""Settings from the environment and `.env`: read once, checked, and told in Russian where something is wrong."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from domain.errors import ConfigError
from domain.messages import Destination
from integrations.kit.vendor import Variable

WELL_KNOWN_SECRETS = {"your-secret-key", "your_secret_key", "secret", "changeme", "change-me", "password", "test"}
_DURATION = re.compile(r"(\d+)\s*([smhd]?)")
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

VARIABLES: tuple[Variable, ...] = (
    Variable(name="TELEGRAM_BOT_TOKEN", meaning="токен бота от @BotFather; обязателен", secret=True),
    Variable(name="TELEGRAM_TARGET_CHAT_ID", meaning="куда слать карточки: ЧАТ или ЧАТ:ТЕМА"),
    Variable(name="TELEGRAM_API_BASE_URL", meaning="свой или тестовый сервер Bot API", default="https://api.telegram.org"),
    Variable(name="TELEGRAM_PROXY", meaning="http- или socks-прокси для Bot API", secret=True),
    Variable(name="TELEGRAM_MODE", meaning="auto, polling или webhook", default="auto"),
    Variable(
        name="TELEGRAM_ADMIN_IDS", meaning="id администраторов через запятую; пусто — владелец входит по коду из журнала"
    ),
    Variable(name="PUBLIC_URL", meaning="внешний https-адрес, нужен для вебхуков"),
    Variable(name="HTTP_HOST", meaning="адрес, на котором слушает сервер", default="127.0.0.1"),
    Variable(name="HTTP_PORT", meaning="порт сервера", default="8080", aliases=("PORT",)),
    Variable(name="TRUSTED_PROXIES", meaning="сети прокси, которым верим в X-Forwarded-For, через запятую"),
    Variable(name="DB_URL", meaning="база; пусто — SQLite в DATA_DIR, можно postgresql://…", secret=True),
    Variable(name="DATA_DIR", meaning="папка данных: база, записи, ключи", default="data"),
    Variable(name="SECRET_KEY", meaning="ключ шифрования; несколько через запятую, новый первым", secret=True),
    Variable(name="HOOK_SECRET", meaning="корень секретов в адресах /hooks/…", secret=True),
    Variable(name="TIMEZONE", meaning="часовой пояс", default="Europe/Moscow"),
    Variable(name="LOCALE", meaning="язык текстов", default="ru"),
    Variable(name="LOG_LEVEL", meaning="DEBUG, INFO, WARNING или ERROR", default="INFO"),
    Variable(name="LOG_FORMAT", meaning="console или json", default="console"),
    Variable(name="LOG_FILE", meaning="файл журнала, с ротацией"),
    Variable(name="INBOX_DAYS", meaning="сколько дней хранить тела входящих запросов", default="30"),
    Variable(name="AUDIO_DAYS", meaning="сколько дней хранить записи", default="90"),
    Variable(name="TEXT_DAYS", meaning="сколько дней хранить расшифровки", default="365"),
    Variable(name="CATCHUP_MAX_AGE", meaning="события старше — без карточки и без платной работы", default="24h"),
    Variable(name="FIRST_MESSAGE_AFTER", meaning="когда показать звонок, если саммари ещё нет", default="45s"),
    Variable(name="COST_LIMIT_DAY", meaning="предел трат на модели в сутки, доллары США"),
    Variable(name="COST_LIMIT_MONTH", meaning="предел трат на модели в месяц, доллары США"),
    Variable(name="CALL_MIN_DURATION_SEC", meaning="звонки не длиннее — без карточки", default="10"),
    Variable(name="ATTENDED_MIN_SECONDS", meaning="смотрел вебинар не меньше — значит, был", default="120"),
    Variable(name="RECORDING_MAX_MB", meaning="записи больше не скачиваются", default="300"),
    Variable(name="COMPANY_NAME", meaning="название компании: подсказка для саммари"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    token: str = field(repr=False)
    target: Destination | None
    api_base_url: str
    proxy: str | None = field(repr=False)
    mode: str
    admin_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything but the vendors' own settings, which read ``env`` themselves. Money in micro-dollars."""

    env: Mapping[str, str] = field(repr=False)
    telegram: TelegramSettings | None
    public_url: str
    http_host: str
    http_port: int
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    data_dir: Path
    db_url: str = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)
    hook_secret: str | None = field(repr=False)
    timezone: ZoneInfo
    log_level: str
    log_format: str
    log_file: Path | None
    inbox_days: int
    audio_days: int
    text_days: int
    catchup_max_age: timedelta
    first_message_after: timedelta
    cost_limit_day: int | None
    cost_limit_month: int | None
    call_min_duration_s: int
    recording_max_bytes: int
    company_name: str
    attended_min_s: int

    @property
    def min_duration_fixed(self) -> bool:
        """The environment says how long a call must be, so the chat cannot."""
        return "CALL_MIN_DURATION_SEC" in self.env


def read_environment(env_file: Path | None = None) -> dict[str, str]:
    """`.env` under the process environment, empty values left out, names as they are."""
    try:
        from_file = dotenv_values(env_file or Path(".env"), interpolate=False)
    except UnicodeDecodeError:
        raise ConfigError(".env", "файл сохранён не в UTF-8; пересохраните его в этой кодировке") from None
    merged = {name: value for name, value in from_file.items() if value} | {k: v for k, v in os.environ.items() if v}
    return {name: value.strip() for name, value in merged.items() if value and value.strip()}


def read_settings(env: Mapping[str, str]) -> Settings:
    """Settings, or ConfigError naming the variable and what to write."""
    data_dir = Path(env.get("DATA_DIR", "data"))
    return Settings(
        env=env,
        telegram=_telegram(env),
        public_url=_public_url(env),
        http_host=env.get("HTTP_HOST", "127.0.0.1"),
        http_port=_integer(env, "HTTP_PORT", _integer(env, "PORT", 8080, low=0, high=65535), low=0, high=65535),
        trusted_proxies=_networks(env),
        data_dir=data_dir,
        db_url=env.get("DB_URL") or f"sqlite:///{(data_dir / 'svodka.db').as_posix()}",
        secret_keys=_secret_keys(env),
        hook_secret=_refuse_well_known("HOOK_SECRET", env.get("HOOK_SECRET")),
        timezone=_timezone(env),
        log_level=_choice(env, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=_choice(env, "LOG_FORMAT", "console", ("console", "json")),
        log_file=Path(env["LOG_FILE"]) if env.get("LOG_FILE") else None,
        inbox_days=_integer(env, "INBOX_DAYS", 30, low=1),
        audio_days=_integer(env, "AUDIO_DAYS", 90, low=1),
        text_days=_integer(env, "TEXT_DAYS", 365, low=1),
        catchup_max_age=_duration(env, "CATCHUP_MAX_AGE", "24h"),
        first_message_after=_duration(env, "FIRST_MESSAGE_AFTER", "45s"),
        cost_limit_day=_dollars(env, "COST_LIMIT_DAY"),
        cost_limit_month=_dollars(env, "COST_LIMIT_MONTH"),
        call_min_duration_s=_integer(env, "CALL_MIN_DURATION_SEC", 10, low=0),
        recording_max_bytes=_integer(env, "RECORDING_MAX_MB", 300, low=1) * 1024 * 1024,
        company_name=env.get("COMPANY_NAME", ""),
        attended_min_s=_integer(env, "ATTENDED_MIN_SECONDS", 120, low=1),
    )


def misspelt(env: Mapping[str, str], known: Sequence[str]) -> list[tuple[str, str]]:
    """Names in ``env`` that begin like ours and are not: (name, nearest known name or "")."""
    prefixes = {name.split("_")[0].upper() + "_" for name in known if "_" in name} - {
        "HTTP_",
        "LOG_",
        "PUBLIC_",
        "DB_",
        "DATA_",
    }
    strangers = [name for name in env if name not in known and any(name.upper().startswith(p) for p in prefixes)]
    return [(name, next(iter(difflib.get_close_matches(name, known, 1)), "")) for name in strangers]


def _telegram(env: Mapping[str, str]) -> TelegramSettings | None:
    token = env.get("TELEGRAM_BOT_TOKEN")
    if not token:
        return None
    if not re.fullmatch(r"\d+:[A-Za-z0-9_-]{6,}", token):
        raise ConfigError(
            "TELEGRAM_BOT_TOKEN", "токен выглядит не так; скопируйте его у @BotFather целиком: число, двоеточие, буквы"
        )
    return TelegramSettings(
        token=token,
        target=_destination(env),
        api_base_url=env.get("TELEGRAM_API_BASE_URL", "https://api.telegram.org").rstrip("/"),
        proxy=env.get("TELEGRAM_PROXY"),
        mode=_choice(env, "TELEGRAM_MODE", "auto", ("auto", "polling", "webhook")),
        admin_ids=_ids(env),
    )


def _destination(env: Mapping[str, str]) -> Destination | None:
    value = env.get("TELEGRAM_TARGET_CHAT_ID")
    if not value:
        return None
    match = re.fullmatch(r"(-?\d+)(?::(\d+))?", value)
    if match is None:
        raise ConfigError("TELEGRAM_TARGET_CHAT_ID", "нужно число, например -1001234567890, для темы: -1001234567890:42")
    return Destination(chat_id=int(match[1]), topic_id=int(match[2]) if match[2] else None)


def _ids(env: Mapping[str, str]) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in _parts(env.get("TELEGRAM_ADMIN_IDS", "")))
    except ValueError:
        raise ConfigError("TELEGRAM_ADMIN_IDS", "нужны числа через запятую; свой id подскажет @userinfobot") from None


def _public_url(env: Mapping[str, str]) -> str:
    value = env.get("PUBLIC_URL", "").rstrip("/")
    if value and not re.match(r"https://|http://(127\.|localhost|\[::1\])", value):
        raise ConfigError("PUBLIC_URL", "нужен адрес, который начинается с https://")
    return value


def _networks(env: Mapping[str, str]) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part, strict=False) for part in _parts(env.get("TRUSTED_PROXIES", "")))
    except ValueError:
        raise ConfigError("TRUSTED_PROXIES", "нужны сети через запятую, например 10.0.0.0/8") from None


def _secret_keys(env: Mapping[str, str]) -> tuple[str, ...]:
    keys = tuple(_parts(env.get("SECRET_KEY", "")))
    for key in keys:
        _refuse_well_known("SECRET_KEY", key)
    return keys


def _refuse_well_known(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    if value.lower() in WELL_KNOWN_SECRETS or len(value) < 16:
        raise ConfigError(name, "ключ из примера или короче 16 знаков; уберите строку, и ключ будет создан сам")
    return value


def _timezone(env: Mapping[str, str]) -> ZoneInfo:
    try:
        return ZoneInfo(env.get("TIMEZONE", "Europe/Moscow"))
    except (KeyError, ValueError, OSError):
        raise ConfigError("TIMEZONE", "нет такого пояса; пример: Europe/Moscow, Asia/Yekaterinburg") from None


def _choice(env: Mapping[str, str], name: str, default: str, allowed: Sequence[str]) -> str:
    value = env.get(name, default)
    for option in allowed:
        if value.lower() == option.lower():
            return option
    raise ConfigError(name, f"можно: {', '.join(allowed)}")


def _integer(env: Mapping[str, str], name: str, default: int, *, low: int = 0, high: int = 1_000_000) -> int:
    value = env.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
        raise ConfigError(name, f"нужно целое число от {low} до {high}")
    return int(value)


def _duration(env: Mapping[str, str], name: str, default: str) -> timedelta:
    match = _DURATION.fullmatch(env.get(name, default).lower())
    if match is None:
        raise ConfigError(name, "нужна длительность, например 45s, 30m, 24h или 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _dollars(env: Mapping[str, str], name: str) -> int | None:
    value = env.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,7}([.,]\d{1,6})?", value):
        raise ConfigError(name, "нужна сумма в долларах, например 5 или 2.50")
    return round(float(value.replace(",", ".")) * 1_000_000)


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
