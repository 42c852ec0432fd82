"""What has to be known to take forms of Tilda: one secret, and by which name Tilda sends it."""

import re
from dataclasses import dataclass, field

from domain.errors import ConfigError
from integrations.kit.vendor import Env, Variable

VENDOR_NAME = "tilda"

SECRET = Variable(
    name="TILDA_SECRET",
    meaning="секрет в адресе /hooks/tilda/… и он же API-ключ в настройках вебхука; несколько через запятую на время замены",
    secret=True,
)
KEY_NAME = Variable(
    name="TILDA_KEY_NAME",
    meaning="под какими именами Тильда может прислать ключ: заголовок, параметр адреса или поле формы",
    default="token,api_key,x-api-key",
)
VARIABLES = (SECRET, KEY_NAME)

_SECRET = re.compile(r"[A-Za-z0-9._~-]{1,128}")  # what an address carries as it is
_NAME = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``secrets`` newest first; ``key_names`` lower case."""

    secrets: tuple[str, ...] = field(repr=False)
    key_names: frozenset[str] = frozenset(KEY_NAME.default.split(","))


def read_settings(env: Env) -> Settings | None:
    """None when nothing of Tilda is set; ConfigError names the variable that is missing or wrong."""
    secrets, names = (_listed(env.get(variable.name, "")) for variable in VARIABLES)
    if not secrets and not names:
        return None
    if not secrets:
        raise ConfigError(
            SECRET.name, f"задан {KEY_NAME.name}, но нет секрета: придумайте его и впишите, длиной от 16 знаков"
        )
    for secret in secrets:
        if not _SECRET.fullmatch(secret):
            raise ConfigError(SECRET.name, "секрет стоит в адресе: только латиница, цифры, точка, дефис и подчёркивание")
    lowered = [name.lower() for name in names or KEY_NAME.default.split(",")]
    for name in lowered:
        if not _NAME.fullmatch(name):
            raise ConfigError(KEY_NAME.name, "нужно имя латиницей, например token; несколько — через запятую")
    return Settings(secrets=secrets, key_names=frozenset(lowered))


def _listed(value: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in value.split(","))))
