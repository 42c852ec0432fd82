"""What has to be known to talk to one amoCRM account, and how its fields and stages are called."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from domain.crm import LeadStatus, StageMap
from domain.errors import ConfigError
from integrations.kit.addresses import is_loopback
from integrations.kit.values import moment_of, text_of
from integrations.kit.vendor import Env, Variable

DOMAIN = Variable(name="AMOCRM_DOMAIN", meaning="адрес аккаунта amoCRM, например company.amocrm.ru")
ACCESS_TOKEN = Variable(
    name="AMOCRM_ACCESS_TOKEN",
    meaning="долгосрочный токен: «amoМаркет → своя интеграция → Ключи и доступы»; с ним OAuth не нужен",
    secret=True,
)
CLIENT_ID = Variable(name="AMOCRM_CLIENT_ID", meaning="ID интеграции amoCRM")
CLIENT_SECRET = Variable(name="AMOCRM_CLIENT_SECRET", meaning="секретный ключ интеграции amoCRM", secret=True)
REDIRECT_URI = Variable(
    name="AMOCRM_REDIRECT_URI", meaning="ссылка для перенаправления интеграции: https://ваш-адрес/api/auth/amo/callback"
)
BASE_URL = Variable(name="AMOCRM_BASE_URL", meaning="адрес API amoCRM; пусто — из AMOCRM_DOMAIN")
ACCOUNT_ID = Variable(
    name="AMOCRM_ACCOUNT_ID", meaning="номер аккаунта amoCRM: события других не принимаются; пусто — из токена"
)
FIELDS = Variable(
    name="AMOCRM_FIELDS",
    meaning="номера своих полей через запятую, если их не узнать по коду и названию: utm_source=123458,value=123463",
)
STATUSES = Variable(
    name="AMOCRM_STATUSES",
    meaning="этапы через запятую, [воронка/]этап=название: 58123456=deal,101/58123457=reserved; сильнее выбранного в чате",
)
CURRENCY = Variable(name="AMOCRM_CURRENCY", meaning="валюта бюджета и сумм в amoCRM, три буквы", default="RUB")
RATE = Variable(
    name="AMOCRM_RATE", meaning="сколько запросов в секунду посылать; больше 7 amoCRM не выдерживает", default="5"
)
NOTES = Variable(
    name="AMOCRM_NOTES",
    meaning="писать ли в сделки amoCRM заметки, кто взял заявку и о чём был звонок; нет — не писать",
    default="да",
)
VARIABLES = (
    DOMAIN, ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, BASE_URL, ACCOUNT_ID, FIELDS, STATUSES, CURRENCY, RATE,
    NOTES,
)  # fmt: skip

# The papers' own numbers; an account has others, which its codes and names lead to.
PAPER_FIELDS: Mapping[str, str] = {
    "phone": "123456",
    "email": "123457",
    "utm_source": "123458",
    "utm_medium": "123459",
    "utm_campaign": "123460",
    "utm_content": "123461",
    "utm_term": "123462",
    "value": "123463",
    "commission": "123464",
}
WON, LOST = "142", "143"  # the only two stages that have the same number in every pipeline of every account
PAPER_STATUSES: Mapping[str, str] = {
    **{str(number): status.value for number, status in enumerate(list(LeadStatus)[:7], 1)},
    WON: LeadStatus.WON.value,
    LOST: LeadStatus.LOST.value,
}

OF_AMOCRM = re.compile(r"[a-z0-9-]+\.(?:amocrm\.(?:ru|com)|kommo\.com)")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_ACCOUNT = re.compile(r"[0-9]{1,12}")
_YES_NO = {"да": True, "yes": True, "1": True, "true": True, "нет": False, "no": False, "0": False, "false": False}
_STAGE = re.compile(r"(?:[0-9]{1,12}/)?[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``base_url`` has no slash at its end. ``fields``: our name → the account's number of it; ``statuses``: «status» or
    «pipeline/status» → a LeadStatus, or another name for it, as far as they were set.
    """

    base_url: str
    domain: str = ""
    access_token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    redirect_uri: str = ""
    account_id: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: PAPER_FIELDS)
    statuses: Mapping[str, str] = field(default_factory=dict)
    currency: str = CURRENCY.default
    rate: float = float(RATE.default)
    notes: bool = True

    @property
    def subdomain(self) -> str:
        """What amoCRM calls the account in its events; "" on a server of our own, whose name says nothing."""
        return self.domain.partition(".")[0] if OF_AMOCRM.fullmatch(self.domain) else ""

    @property
    def portal(self) -> str:
        """Where people open its cards."""
        return f"https://{self.domain}" if self.domain else self.base_url

    @property
    def has_oauth(self) -> bool:
        return bool(self.client_id and self.client_secret and self.redirect_uri)

    @property
    def token_expires_at(self) -> datetime | None:
        """When the long-lived token ends, where it says so."""
        return moment_of(claims_of(self.access_token).get("exp"), UTC)

    @property
    def on_loopback(self) -> bool:
        """A test server on this very machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def stage_map(self) -> StageMap:
        """What stages mean by these settings, and where they say nothing."""
        return StageMap(fixed=self.statuses, usual=PAPER_STATUSES, everywhere=frozenset({WON, LOST}))


def claims_of(token: str) -> Mapping[str, object]:
    """What a token of amoCRM says of itself (it is a JWT): its account, its end. Nothing is proven by it."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def read_settings(env: Env) -> Settings | None:
    """None when nothing of amoCRM is set; ConfigError names the variable that is missing or wrong."""
    given = {variable.name: value for variable in VARIABLES if (value := env.get(variable.name, "").strip())}
    if not given:
        return None
    _refuse_half(given)
    domain = _domain(given.get(DOMAIN.name, ""), anywhere=BASE_URL.name in given)
    token = _token(given.get(ACCESS_TOKEN.name, ""))
    return Settings(
        base_url=_base_url(given.get(BASE_URL.name) or f"https://{domain}"),
        domain=domain,
        access_token=token,
        client_id=given.get(CLIENT_ID.name, ""),
        client_secret=given.get(CLIENT_SECRET.name, ""),
        redirect_uri=given.get(REDIRECT_URI.name, ""),
        account_id=_account(given.get(ACCOUNT_ID.name) or text_of(claims_of(token).get("account_id"))),
        fields=_fields(given.get(FIELDS.name, "")),
        statuses=_statuses(given.get(STATUSES.name, "")),
        currency=_currency(given.get(CURRENCY.name, CURRENCY.default)),
        rate=_rate(given.get(RATE.name, RATE.default)),
        notes=_notes(given.get(NOTES.name, NOTES.default)),
    )


def _refuse_half(given: Mapping[str, str]) -> None:
    if DOMAIN.name not in given and BASE_URL.name not in given:
        raise ConfigError(DOMAIN.name, f"задан {next(iter(given))}, но нет адреса аккаунта, например company.amocrm.ru")
    oauth = [variable.name for variable in (CLIENT_ID, CLIENT_SECRET, REDIRECT_URI)]
    if ACCESS_TOKEN.name not in given:
        missing = [name for name in oauth if name not in given]
        if len(missing) == len(oauth):
            hint = "нет токена: amoМаркет → «⋯» → «Создать интеграцию» → «Ключи и доступы» → «Сгенерировать токен»"
            raise ConfigError(ACCESS_TOKEN.name, hint)
        if missing:
            hint = f"без него вход через OAuth не сработает; или задайте один {ACCESS_TOKEN.name}"
            raise ConfigError(missing[0], hint)
    elif CLIENT_ID.name in given and CLIENT_SECRET.name not in given:
        raise ConfigError(CLIENT_SECRET.name, f"задан {CLIENT_ID.name}, но нет секретного ключа: «Ключи и доступы»")


def _domain(value: str, *, anywhere: bool) -> str:
    """«company», «company.amocrm.ru» or the whole address, as it was copied."""
    name = re.sub(r"\Ahttps?://", "", value.lower()).partition("/")[0]
    name = f"{name}.amocrm.ru" if name and "." not in name and ":" not in name else name
    if name and not anywhere and not OF_AMOCRM.fullmatch(name):
        raise ConfigError(DOMAIN.name, "нужен адрес аккаунта: company.amocrm.ru, company.amocrm.com или company.kommo.com")
    return name


def _token(value: str) -> str:
    if value and (not value.isascii() or not value.isprintable() or " " in value):
        raise ConfigError(ACCESS_TOKEN.name, "в токене пробелы или русские буквы; скопируйте его целиком ещё раз")
    return value


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value if "://" in value else f"https://{value}")
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(BASE_URL.name, "это не адрес; обычно он не нужен вовсе") from None
    if not host.isascii() or not _HOST.fullmatch(host) or parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(BASE_URL.name, "оставьте только адрес сервера, например https://company.amocrm.ru")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigError(BASE_URL.name, "адрес должен начинаться с https://")
    path = re.sub(r"/api(?:/v4)?/?\Z", "", parts.path).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _account(value: str) -> str:
    if value and not _ACCOUNT.fullmatch(value):
        raise ConfigError(ACCOUNT_ID.name, "нужен только номер аккаунта, например 31234567")
    return value


def _fields(value: str) -> Mapping[str, str]:
    own = dict(_pairs(FIELDS, value))
    for name, number in own.items():
        if name not in PAPER_FIELDS or not _ACCOUNT.fullmatch(number):
            raise ConfigError(FIELDS.name, f"можно: {', '.join(f'{known}=номер' for known in PAPER_FIELDS)}")
    return {**PAPER_FIELDS, **own}


def _statuses(value: str) -> Mapping[str, str]:
    own = dict(_pairs(STATUSES, value))
    for stage, name in own.items():
        if not _STAGE.fullmatch(stage) or not name:
            raise ConfigError(STATUSES.name, "нужно [номер воронки/]номер этапа=название, например 58123456=deal")
    return own


def _pairs(variable: Variable, value: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not sign for _, sign, _ in pairs):
        raise ConfigError(variable.name, "нужны пары через запятую: имя=значение")
    return [(name.strip(), said.strip()) for name, _, said in pairs]


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        raise ConfigError(CURRENCY.name, "нужны три буквы, например RUB")
    return value.upper()


def _notes(value: str) -> bool:
    said = _YES_NO.get(value.lower())
    if said is None:
        raise ConfigError(NOTES.name, "нужно «да» или «нет»")
    return said


def _rate(value: str) -> float:
    number = value.replace(",", ".")
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?", number) or float(number) <= 0:
        raise ConfigError(RATE.name, "нужно число запросов в секунду, например 5; больше 7 amoCRM обычно не выдерживает")
    return float(number)
