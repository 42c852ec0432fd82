"""What has to be known to talk to one account of Bizon365."""

import logging
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from domain.errors import ConfigError
from integrations.kit.addresses import is_loopback
from integrations.kit.vendor import Env, Variable

log = logging.getLogger(__name__)

TOKEN = Variable(
    name="BIZON365_TOKEN",
    meaning="API-токен сотрудника Бизон365: «Модераторы, сотрудники» (API v1) или «Бизон ID → Безопасность» (API v2)",
    aliases=("bizon365_token",),
    secret=True,
)
PROJECT_ID = Variable(
    name="BIZON365_PROJECT_ID", meaning="номер проекта Бизон365; задан — работает API v2, пусто — старый v1"
)
BASE_URL = Variable(name="BIZON365_BASE_URL", meaning="адрес API Бизон365", default="https://online.bizon365.ru")
ZONE = Variable(
    name="BIZON365_TIMEZONE",
    meaning="часовой пояс в настройках аккаунта Бизон365: в нём пишется время вебинаров",
    default="Europe/Moscow",
)
URL_PARAM = Variable(
    name="BIZON365_URL_PARAM",
    meaning="«Свой URL-параметр» комнаты для личных ссылок; несколько через запятую, salebot понимается всегда",
    default="svodka",
)
MARKER = Variable(
    name="BIZON365_MARKER",
    meaning="«Маркер партнёра в URL» страницы регистрации; если это имя параметра личных ссылок, в нём номер человека",
    default="svodka",
)
RATE = Variable(
    name="BIZON365_RATE", meaning="сколько запросов в секунду посылать; больше 3 Бизон365 обычно не выдерживает", default="2"
)
REPORT_LIMIT = Variable(
    name="BIZON365_REPORT_LIMIT",
    meaning="среди скольких последних отчётов /visited ищет отчёт без даты, до 100",
    default="10",
    aliases=("b365_report_limit",),
)
VARIABLES = (TOKEN, PROJECT_ID, BASE_URL, ZONE, URL_PARAM, MARKER, RATE, REPORT_LIMIT)
MOST_REPORTS = 100

ALWAYS_UNDERSTOOD = "salebot"
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAM = re.compile(r"[a-z0-9_-]{1,40}")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_API_PATH = re.compile(r"/api(?:/v[12](?:/.*)?)?/?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``base_url`` has no slash at its end; ``url_params`` and ``marker`` are lower case, our own parameter first."""

    token: str = field(repr=False)
    project_id: str = ""
    base_url: str = BASE_URL.default
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(ZONE.default))
    url_params: tuple[str, ...] = (URL_PARAM.default, ALWAYS_UNDERSTOOD)
    marker: str = MARKER.default
    rate: float = float(RATE.default)
    report_limit: int = int(REPORT_LIMIT.default)

    @property
    def version(self) -> str:
        return "v2" if self.project_id else "v1"

    @property
    def api(self) -> str:
        """What the names of methods are appended to."""
        below = f"v2/{self.project_id}" if self.project_id else "v1/webinars"
        return f"{self.base_url}/api/{below}/"

    @property
    def on_loopback(self) -> bool:
        """A test server on this very machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def read_settings(env: Env) -> Settings | None:
    """None when nothing of Bizon365 is set; ConfigError names the variable that is missing or wrong."""
    given = {variable.name: value for variable in VARIABLES if (value := _value(env, variable))}
    if not given:
        return None
    if TOKEN.name not in given:
        hint = f"задан {next(iter(given))}, но нет токена: Бизон365 → «Модераторы, сотрудники» → сотрудник → API-токен"
        raise ConfigError(TOKEN.name, hint)
    return Settings(
        token=_token(given[TOKEN.name]),
        project_id=_project(given.get(PROJECT_ID.name, "")),
        base_url=_base_url(given.get(BASE_URL.name, BASE_URL.default)),
        zone=_zone(given.get(ZONE.name, ZONE.default)),
        url_params=_url_params(given.get(URL_PARAM.name, URL_PARAM.default)),
        marker=_param(MARKER, given.get(MARKER.name, MARKER.default)),
        rate=_rate(given.get(RATE.name, RATE.default)),
        report_limit=_report_limit(given.get(REPORT_LIMIT.name, REPORT_LIMIT.default)),
    )


def _value(env: Env, variable: Variable) -> str:
    for name in (variable.name, *variable.aliases):
        if value := env.get(name, "").strip():
            return value
    return ""


def _token(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(TOKEN.name, "в токене пробелы или русские буквы; скопируйте его целиком ещё раз")
    return value


def _project(value: str) -> str:
    if value and not _PROJECT.fullmatch(value):
        raise ConfigError(PROJECT_ID.name, "нужен только номер проекта, например 12345")
    return value


def _base_url(value: str) -> str:
    """The address without the path of the API, which some copy along. The message does not repeat the value."""
    try:
        parts = urlsplit(value if "://" in value else f"https://{value}")
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(BASE_URL.name, f"это не адрес; обычно {BASE_URL.default}") from None
    if not host.isascii() or not _HOST.fullmatch(host):
        raise ConfigError(BASE_URL.name, f"это не адрес; обычно {BASE_URL.default}")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(BASE_URL.name, f"оставьте только адрес сервера, например {BASE_URL.default}")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigError(BASE_URL.name, "адрес должен начинаться с https://")
    return f"{parts.scheme}://{parts.netloc}{_API_PATH.sub('', parts.path).rstrip('/')}"


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ValueError, OSError, LookupError):
        raise ConfigError(ZONE.name, "нет такого часового пояса; пример: Europe/Moscow") from None


def _url_params(value: str) -> tuple[str, ...]:
    own = [_param(URL_PARAM, item) for item in value.split(",") if item.strip()]
    return tuple(dict.fromkeys([*own, ALWAYS_UNDERSTOOD]))


def _param(variable: Variable, value: str) -> str:
    name = value.strip().lower()
    if not _PARAM.fullmatch(name):
        raise ConfigError(variable.name, "нужно имя параметра латиницей, например svodka")
    return name


def _rate(value: str) -> float:
    number = value.replace(",", ".")
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?", number) or float(number) <= 0:
        raise ConfigError(RATE.name, "нужно число запросов в секунду, например 2; больше 3 Бизон365 обычно не выдерживает")
    return float(number)


def _report_limit(value: str) -> int:
    """Above the most the platform gives at once it is the most: a line of the log says so."""
    if not re.fullmatch(r"\d{1,6}", value) or int(value) == 0:
        raise ConfigError(REPORT_LIMIT.name, f"нужно число от 1 до {MOST_REPORTS}, например 10")
    if int(value) > MOST_REPORTS:
        log.warning("%s is %s: taken as %d, the most there is", REPORT_LIMIT.name, value, MOST_REPORTS)
    return min(int(value), MOST_REPORTS)
