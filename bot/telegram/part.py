"""Telegram joined to the rest of the process: the desk, the routers, the menus. Loaded after the process listens."""

from bot.desk import Voice, build_desk
from bot.entrance import ACCOUNT
from bot.services import Services
from bot.telegram.assembly import Telegram, TelegramParts, build_telegram
from bot.telegram.lateness import Lateness
from bot.telegram.menus import Menus
from bot.telegram.render import as_kwargs
from bot.telegram.webhook import UpdateDoor
from bot.vendors import VENDORS
from domain.roles import Role
from handlers.commands import READING_BUTTONS, WRITING_COMMANDS
from handlers.routers import build_routers, commands_for

PRIVATE, GROUP = "private", "group"


def announce(line: str) -> None:
    """To the terminal of who started us, apart from the log: that may be read by a machine, line by line."""
    print(line, flush=True)  # noqa: T201  meant for the terminal


def build_part(services: Services, door: UpdateDoor) -> Telegram:
    """Telegram's part, ready to ``run``. ConfigError when there is no token."""
    settings = services.settings
    assert settings.telegram is not None  # noqa: S101 - the process does not start without it
    texts = services.texts
    menus = Menus(
        stranger=commands_for(None, PRIVATE, texts),
        group=commands_for(Role.MANAGER, GROUP, texts),
        manager=commands_for(Role.MANAGER, PRIVATE, texts),
        admin=commands_for(Role.ADMIN, PRIVATE, texts),
    )
    parts = TelegramParts(
        settings=settings.telegram,
        database=services.database,
        clock=services.clock,
        account_id=ACCOUNT,
        data_dir=settings.data_dir,
        public_url=settings.public_url,
        webhook_secret=services.keys.hook("telegram"),
        door=door,
        menus=menus,
        lateness=Lateness(reading_buttons=READING_BUTTONS, writing_commands=WRITING_COMMANDS),
        announce=announce,
        titles={vendor.name: vendor.title for vendor in VENDORS},
    )
    telegram = build_telegram(parts)
    voice = Voice(render=as_kwargs, people=telegram.people, destinations=telegram.destinations, health=telegram.health)
    telegram.join(build_routers(), build_desk(services, voice, wake=telegram.wake))
    return telegram
