"""`svodka urls`: the addresses to paste into each vendor."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from bot.clock import SystemClock
from bot.commands.console import complain, say
from bot.commands.ground import existing_keys, load_settings
from bot.consent import new_state
from bot.entrance import hook_secrets
from bot.keys import Keys
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.errors import ConfigError
from integrations.kit.vendor import Vendor

CONSENT = "Вход: открыть и нажать «Разрешить» (ссылка действует час)"
# addresses of the seeds. Bitrix24's carries no secret: the vendor's own token is the proof; amoCRM's wants signed headers
SEED_PATHS = {
    "bitrix24": ("/api/bitrix-webhook/call-finished",),
    "bizon365": ("/api/webhooks/bizon?user_id={public_id}",),
    "amocrm": ("/api/webhooks/amo",),
}


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Print the addresses of every vendor that can call us."""
    settings = load_settings()
    keys = asyncio.run(existing_keys(settings))
    listed = addresses(settings, keys)
    if arguments.json:
        say(json.dumps(listed, ensure_ascii=False, indent=2))
    else:
        _print(settings, listed)
    if not arguments.json:
        say(f"Показатели {base_url(settings)}/metrics, ключ: {keys.hook('metrics')}")
        say(f"Дома и люди для других программ: {base_url(settings)}/docs, ключ: в чате, /settings → «Ключи API»")
    if not settings.public_url:
        complain("PUBLIC_URL: не задан, поэтому адреса годятся только на этой машине; впишите внешний https-адрес")
    return 0


def addresses(settings: Settings, keys: Keys) -> dict[str, list[dict[str, str]]]:
    """Vendor → its event names with the address for each, the one with a secret first."""
    return {vendor.name: _of(settings, keys, vendor.name) for vendor in VENDORS if vendor.hooks}


def _of(settings: Settings, keys: Keys, name: str) -> list[dict[str, str]]:
    base = base_url(settings)
    vendor = next(vendor for vendor in VENDORS if vendor.name == name)
    hooks, secret = vendor.hooks, hook_secrets(vendor, _own(vendor, settings), keys)[0]
    own = [{"event": hook.event, "url": base + hook.path.format(secret=secret)} for hook in hooks]
    own += _consent(vendor, settings, keys)
    seeds = [path.format(public_id=keys.public_id(name)) for path in SEED_PATHS.get(name, ())]
    return own + [{"event": hooks[0].event, "url": base + path} for path in seeds]


def _consent(vendor: Vendor[Any], settings: Settings, keys: Keys) -> list[dict[str, str]]:
    """The link by which a person allows us in; good for an hour, and once."""
    own = _own(vendor, settings)
    state = new_state(keys, vendor.name, SystemClock().now())
    url = vendor.consent_url(own, state) if own is not None else ""
    return [{"event": CONSENT, "url": url}] if url else []


def _own(vendor: Vendor[Any], settings: Settings) -> Any:
    try:
        return vendor.read_settings(settings.env)
    except ConfigError:  # `svodka check` names it; the address is the one it would have without
        return None


def base_url(settings: Settings) -> str:
    """PUBLIC_URL, or where the process listens on this machine."""
    if settings.public_url:
        return settings.public_url
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host  # noqa: S104 - read, not bound
    return f"http://{host}:{settings.http_port}"


def _print(settings: Settings, listed: dict[str, list[dict[str, str]]]) -> None:
    for vendor in VENDORS:
        if vendor.name not in listed:
            continue
        connected = vendor.read_settings(settings.env) is not None
        say(vendor.title if connected else f"{vendor.title} — пока не подключён: задайте {vendor.variables[0].name}")
        for entry in listed[vendor.name]:
            say(f"  {entry['event']}")
            say(f"    {entry['url']}")
    say("Секретная часть адреса — как пароль: вставляйте её только в настройки вендора.")
