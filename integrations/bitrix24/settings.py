"""What has to be known to talk to one Bitrix24 portal."""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from domain.errors import ConfigError
from integrations.kit.addresses import is_loopback
from integrations.kit.vendor import Env, Variable

WEBHOOK_URL = Variable(
    name="BITRIX24_WEBHOOK_URL",
    meaning="входящий вебхук Битрикс24: https://портал/rest/НОМЕР/КОД/",
    aliases=("BITRIX_WEBHOOK_URL",),
    secret=True,
)
PORTAL_URL = Variable(
    name="BITRIX24_PORTAL_URL",
    meaning="адрес портала для ссылок в карточках; пусто — берётся из адреса вебхука",
    aliases=("BITRIX_PORTAL_URL",),
)
APPLICATION_TOKEN = Variable(
    name="BITRIX24_APPLICATION_TOKEN",
    meaning="токен исходящего вебхука Битрикс24; несколько через запятую на время замены",
    secret=True,
)
RECORD_HOSTS = Variable(
    name="BITRIX24_RECORD_HOSTS",
    meaning="с каких ещё хостов можно скачивать записи, через запятую (например, сервер вашей АТС)",
)
RATE = Variable(
    name="BITRIX24_RATE",
    meaning="сколько запросов в секунду выдерживает портал: облако 2, облако Enterprise 5, коробка — по её мощности",
    default="2",
)
VARIABLES = (WEBHOOK_URL, PORTAL_URL, APPLICATION_TOKEN, RECORD_HOSTS, RATE)

_EXAMPLE = "https://ваш-портал.bitrix24.ru/rest/1/код/"
_WEBHOOK_PATH = re.compile(
    r"(?P<base>.*/rest/(?P<user>\d+)/(?P<secret>[A-Za-z0-9_-]+))(?:/(?:profile(?:\.json|\.xml)?/?)?)?"
)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``webhook_url`` ends with a slash, ``portal_url`` does not; ``record_hosts`` are lower case."""

    webhook_url: str = field(repr=False)
    portal_url: str
    application_tokens: tuple[str, ...] = field(default=(), repr=False)
    record_hosts: tuple[str, ...] = ()
    rate: float = 2.0  # requests a second

    @property
    def secret(self) -> str:
        """The part of the webhook's address that must never be seen."""
        return self.webhook_url.rstrip("/").rpartition("/")[2]

    @property
    def origin(self) -> str:
        """Scheme, host and port of the portal's REST interface."""
        parts = urlsplit(self.webhook_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        return urlsplit(self.webhook_url).hostname or ""

    @property
    def origins(self) -> dict[str, str]:
        """Host → origin of the portal under its names: a portal reached by one may write the other into its addresses."""
        shown = urlsplit(self.portal_url)
        return {shown.hostname or "": f"{shown.scheme}://{shown.netloc}", self.host: self.origin}

    @property
    def on_loopback(self) -> bool:
        """A test portal on this very machine."""
        return is_loopback(self.host)


def read_settings(env: Env) -> Settings | None:
    """None when nothing of Bitrix24 is set; ConfigError names the variable that is missing or wrong."""
    webhook = _value(env, WEBHOOK_URL)
    others = [variable for variable in VARIABLES[1:-1] if _value(env, variable)]
    if not webhook:
        if others:
            raise ConfigError(WEBHOOK_URL.name, f"задан {others[0].name}, но нет адреса входящего вебхука: {_EXAMPLE}")
        return None
    webhook_url = _webhook_url(webhook)
    return Settings(
        webhook_url=webhook_url,
        portal_url=_portal_url(_value(env, PORTAL_URL), webhook_url),
        application_tokens=_listed(_value(env, APPLICATION_TOKEN)),
        record_hosts=tuple(_record_host(item) for item in _listed(_value(env, RECORD_HOSTS))),
        rate=_rate(_value(env, RATE)),
    )


def _value(env: Env, variable: Variable) -> str:
    for name in (variable.name, *variable.aliases):
        if value := env.get(name, "").strip():
            return value
    return ""


def _listed(value: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in value.split(",") if item.strip())


def _webhook_url(value: str) -> str:
    parts = _address(value, WEBHOOK_URL)
    path = _WEBHOOK_PATH.fullmatch(parts.path)
    if path is None or parts.query or parts.fragment:
        hint = f"в адресе нет номера сотрудника и кода вебхука; скопируйте его целиком из Битрикс24: {_EXAMPLE}"
        raise ConfigError(WEBHOOK_URL.name, hint)
    return f"{parts.scheme}://{parts.netloc}{path['base']}/"


def _portal_url(value: str, webhook_url: str) -> str:
    if not value:
        parts = urlsplit(webhook_url)
        return f"{parts.scheme}://{parts.netloc}{parts.path.partition('/rest/')[0]}"
    parts = _address(value, PORTAL_URL)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _address(value: str, variable: Variable) -> SplitResult:
    """The parsed address. The message never repeats the value: it may hold the secret."""
    try:
        parts = urlsplit(value if "://" in value else f"https://{value}")
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(variable.name, f"это не адрес; пример: {_EXAMPLE}") from None
    if not host.isascii() or not host or not _HOST.fullmatch(host if ":" not in host else f"[{host}]"):
        raise ConfigError(variable.name, "вместо примера нужен адрес вашего портала, латиницей")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(variable.name, "уберите из адреса логин и пароль")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigError(variable.name, "адрес должен начинаться с https://")
    return parts


def _rate(value: str) -> float:
    number = value.replace(",", ".") or RATE.default
    if not re.fullmatch(r"\d{1,4}(\.\d)?", number) or float(number) <= 0:
        raise ConfigError(RATE.name, "нужно число запросов в секунду, например 2 или 50")
    return float(number)


def _record_host(value: str) -> str:
    host = urlsplit(value if "://" in value else f"//{value}").hostname or ""
    if not _HOST.fullmatch(host):
        raise ConfigError(RECORD_HOSTS.name, "перечислите имена хостов через запятую, например: pbx.firma.ru")
    return host
