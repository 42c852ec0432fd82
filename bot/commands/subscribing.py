"""`svodka check amocrm --subscribe`: a vendor's hook is set, and then looked at with all the rest."""

from typing import Any

from bot.checks.examination import Ground, workshop_of
from bot.commands.console import complain, say
from bot.vendors import VENDORS
from domain.errors import ConfigError, VendorError, VendorRefused
from integrations.kit.vendor import Vendor


async def subscribe(ground: Ground, name: str | None) -> bool:
    """False, and the reason is said, where the vendor does not let us. ConfigError where it cannot be asked at all."""
    vendor = next((one for one in VENDORS if one.name == (name or "").lower()), None)
    own = vendor.read_settings(ground.settings.env) if vendor is not None else None
    if vendor is None or own is None or vendor.build_ports is None:
        raise ConfigError("--subscribe", "нужен подключённый сервис: svodka check amocrm --subscribe")
    workshop = await workshop_of(ground, vendor)
    ports = vendor.build_ports(own, workshop)
    try:
        if ports.hooks is None:
            raise ConfigError("--subscribe", f"{vendor.title} сама вебхуки не ставит: вставьте адрес из svodka urls")
        if not workshop.hook_urls:
            raise ConfigError("PUBLIC_URL", "не задан, снаружи Сводку не видно: впишите внешний https-адрес")
        await ports.hooks.subscribe(workshop.hook_urls)
    except VendorError as error:
        complain(f"{vendor.title}: вебхук не подписан: {_reason(error, vendor)}")
        return False
    finally:
        await ports.close()
    say(f"{vendor.title}: вебхук подписан")
    return True


def _reason(error: VendorError, vendor: Vendor[Any]) -> str:
    return error.hint if isinstance(error, VendorRefused) else f"{vendor.title} не отвечает, повторите через минуту"
