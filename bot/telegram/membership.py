"""The bot's own coming and going: who may add it to a group, and what happens to a chat it was thrown out of."""

import asyncio
import logging

from aiogram import Bot
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.types import Chat, ChatMemberRestricted, ChatMemberUpdated

from bot.telegram.notices import Notice, NoticeKind, Tell, stopped_by
from bot.telegram.sender import Sender
from domain.roles import Person
from storage.destinations import Destinations

log = logging.getLogger(__name__)

FAREWELL = "Подключить меня к группе может администратор бота. Выхожу."
GRACE_SECONDS = 1.0
_INSIDE = {ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.CREATOR}


class Membership:
    """Answers my_chat_member."""

    def __init__(self, bot: Bot, destinations: Destinations, sender: Sender, tell: Tell) -> None:
        self._bot = bot
        self._destinations = destinations
        self._sender = sender
        self._tell = tell

    async def changed(self, event: ChatMemberUpdated, person: Person | None) -> None:
        """``person``: who did it, if we know them."""
        chat = event.chat
        if not is_inside(event.new_chat_member):
            await self._lost(chat)
        elif chat.type == ChatType.PRIVATE or await self._destinations.is_bound(chat.id):
            await self._back(chat)
        elif not is_inside(event.old_chat_member) and not (person is not None and person.role.runs_the_bot):
            await self._leave_unless_bound(chat)

    async def _lost(self, chat: Chat) -> None:
        if await self._destinations.bury(chat.id, "бота удалили или заблокировали"):
            text = f"Бота удалили из чата «{chat.title or chat.id}». Верните его: пропущенное за сутки придёт само."
            if chat.type == ChatType.PRIVATE:
                text = stopped_by(chat.full_name)
            await self._tell(Notice(kind=NoticeKind.CHAT_LOST, key=str(chat.id), text=text))

    async def _back(self, chat: Chat) -> None:
        missed = await self._destinations.revive(chat.id)
        if missed:
            log.info("chat %d is back, %d messages go out", chat.id, missed)
        self._sender.wake()

    async def _leave_unless_bound(self, chat: Chat) -> None:
        # A group that becomes a supergroup may look like a new one until the message about its move is handled.
        await asyncio.sleep(GRACE_SECONDS)
        if await self._destinations.is_bound(chat.id):
            return
        log.warning("added to chat %d by somebody who does not run the bot: leaving", chat.id)
        try:
            if chat.type != ChatType.CHANNEL:
                await self._bot.send_message(chat.id, FAREWELL)
        except Exception as error:  # no right to speak there: leave in silence
            log.info("no farewell in chat %d: %s", chat.id, type(error).__name__)
        try:
            await self._bot.leave_chat(chat.id)
        except Exception as error:
            log.warning("chat %d could not be left: %s", chat.id, type(error).__name__)


def is_inside(member: object) -> bool:
    """A chat member that is in the chat, with whatever rights."""
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return getattr(member, "status", None) in _INSIDE
