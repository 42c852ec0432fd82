"""The command menus: strangers, groups, managers and admins see different ones."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeUnion,
)

from domain.roles import Person
from storage.people import People

log = logging.getLogger(__name__)

Commands = Sequence[tuple[str, str]]  # (name without the slash, Russian description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Menus:
    """What each kind of reader is offered; owners see the admins' menu."""

    stranger: Commands = (("start", "начать"),)
    group: Commands = ()
    manager: Commands = ()
    admin: Commands = ()

    def of(self, person: Person) -> Commands:
        return self.admin if person.role.runs_the_bot else self.manager


class MenuKeeper:
    """Tells Telegram the menus. A refusal is logged: people can type commands without a menu."""

    def __init__(self, bot: Bot, people: People, menus: Menus, account_id: int) -> None:
        self._bot = bot
        self._people = people
        self._menus = menus
        self._account_id = account_id

    async def set_all(self) -> None:
        """At the start: the scopes everybody shares, then each person's own chat."""
        await self._set(self._menus.stranger, BotCommandScopeAllPrivateChats())
        await self._set(self._menus.group, BotCommandScopeAllGroupChats())
        for listed in await self._people.all(self._account_id):
            if listed.disabled:
                await self._set((), BotCommandScopeChat(chat_id=listed.person.telegram_id))
            else:
                await self.set_for(listed.person)

    async def set_for(self, person: Person) -> None:
        """When somebody was let in or got another role."""
        await self._set(self._menus.of(person), BotCommandScopeChat(chat_id=person.telegram_id))

    async def _set(self, commands: Commands, scope: BotCommandScopeUnion) -> None:
        try:
            if commands:
                wanted = [BotCommand(command=name, description=description) for name, description in commands]
                await self._bot.set_my_commands(wanted, scope=scope)
            else:
                await self._bot.delete_my_commands(scope=scope)
        except AiogramError as error:
            log.info("a menu was not set: %s", type(error).__name__)
