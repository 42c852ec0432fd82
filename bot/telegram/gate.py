"""Who is speaking, and may they: one place that every update passes before any handler, closed by default."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from aiogram import BaseMiddleware
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.enums import ChatType
from aiogram.exceptions import AiogramError
from aiogram.types import (
    CallbackQuery,
    InlineQuery,
    InlineQueryResultsButton,
    Message,
    TelegramObject,
    Update,
    User,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.telegram.membership import Membership
from bot.telegram.sender import Sender
from domain.messages import Destination, Section, plain
from domain.messages import Message as Words
from domain.ports import Clock, Tx
from domain.roles import Person, Role
from storage.destinations import Destinations
from storage.engine import Database
from storage.people import People
from storage.posts import INTERACTIVE, ROUTINE, StoredChat

STRANGER = "Здравствуйте. Бот отвечает сотрудникам компании. Доступ даёт администратор: попросите у него приглашение."
WRONG_CODE = "Код не подошёл: он использован или устарел. Попросите у администратора новый."
WELCOME = "Готово, доступ открыт: {role}. Что я умею: /help"
TOAST = "Эта кнопка для сотрудников компании."
STALE_BUTTON = "Эта кнопка больше не действует."
START_BUTTON = "Открыть бота"
START_PARAMETER = "inline"
STRANGERS = ROUTINE - 1  # a crowd of them must not stand before one card
ROLES = {Role.OWNER: "владелец", Role.ADMIN: "администратор", Role.MANAGER: "менеджер"}

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]
Accepted = Callable[[Person], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateKeys:
    """What the gate looks people and chats up in. ``accepted`` is called when somebody was let in, or pressed Start."""

    database: Database
    clock: Clock
    people: People
    destinations: Destinations
    membership: Membership
    sender: Sender
    account_id: int
    accepted: Accepted


class Gate(BaseMiddleware):
    """Outer middleware of all updates. Handlers get ``person``, always somebody we know."""

    def __init__(self, keys: GateKeys) -> None:
        self._keys = keys
        self._chat = StoredChat(keys.clock)

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        update = cast("Update", event)
        person = await self._person(update)
        if update.my_chat_member is not None:
            await self._keys.membership.changed(update.my_chat_member, person)
            return None
        if update.message is not None and await self._about_the_chat(update.message):
            return None
        if update.message is not None and await self._code(update.message, person, update.update_id):
            return None
        if person is None:
            await self._stranger(update)
            return None
        if not await self._open(update):
            return None
        return await self._let_in(handler, update, data, person)

    async def _let_in(self, handler: Handler, update: Update, data: dict[str, Any], person: Person) -> Any:
        data["person"] = person
        if update.message is not None and _is_start(update.message):
            await self._first_contact(update.message, person)
        result = await handler(update, data)
        if result is UNHANDLED and update.callback_query is not None:
            await _toast(update.callback_query, STALE_BUTTON)
        return result

    async def _person(self, update: Update) -> Person | None:
        """The known person behind an update. Anonymous admins, channels and bots are nobody."""
        user = _speaker(update)
        if user is None or user.is_bot:
            return None
        person = await self._keys.people.find(user.id)
        if person is None or person.name:
            return person
        return await self._keys.people.introduce(person, name=user.full_name, username=user.username or "")

    async def _about_the_chat(self, message: Message) -> bool:
        """A group that became a supergroup says so in both chats; either may come first."""
        if message.migrate_to_chat_id is not None:
            await self._keys.sender.moved(message.chat.id, message.migrate_to_chat_id)
            return True
        if message.migrate_from_chat_id is not None:
            await self._keys.sender.moved(message.migrate_from_chat_id, message.chat.id)
            return True
        return False

    async def _code(self, message: Message, person: Person | None, update_id: int) -> bool:
        """``/start CODE`` in private: an invitation, or the first owner's code. True when it is answered here."""
        code = _start_code(message)
        if code is None or message.from_user is None or (person is not None and not _looks_like_a_code(code)):
            return False
        user = message.from_user
        accepted = await self._keys.people.accept(
            code, telegram_id=user.id, name=user.full_name, username=user.username or ""
        )
        if accepted is None:
            if person is not None:
                return False
            await self._say(message, f"code:{update_id}", WRONG_CODE, priority=STRANGERS)
            return True
        await self._say(message, f"code:{update_id}", WELCOME.format(role=ROLES[accepted.role]))
        await self._keys.accepted(accepted)
        return True

    async def _first_contact(self, message: Message, person: Person) -> None:
        """Nobody can be written to before they press Start, and Telegram tells nothing of the first time they do."""
        if await self._keys.destinations.revive(message.chat.id):
            self._keys.sender.wake()
        await self._keys.accepted(person)

    async def _stranger(self, update: Update) -> None:
        """A polite line in private, a toast on a button, a start button inline; silence in groups."""
        if update.inline_query is not None:
            await _turn_away(update.inline_query)
        elif update.callback_query is not None:
            await _toast(update.callback_query, TOAST)
        elif update.message is not None and _is_private(update.message) and not _from_nobody(update.message):
            hour = self._keys.clock.now().strftime("%Y%m%d%H")  # once an hour: a stranger cannot make the bot chatter
            await self._say(update.message, f"stranger:{update.message.chat.id}:{hour}", STRANGER, priority=STRANGERS)

    async def _open(self, update: Update) -> bool:
        """In a group nobody bound the bot hears /bind and nothing else."""
        message = update.message or update.edited_message
        if message is None or _is_private(message):
            return True
        return _is_bind(message) or await self._keys.destinations.is_bound(message.chat.id)

    async def _say(self, message: Message, key: str, text: str, *, priority: int = INTERACTIVE) -> None:
        words = Words(key=key, sections=(Section(lines=(plain(text),)),), kind="answer")

        async def job(connection: AsyncConnection) -> None:
            place = Destination(chat_id=message.chat.id)
            await self._chat.post_to(cast("Tx", connection), self._keys.account_id, place, words, priority=priority)

        await self._keys.database.write(job)
        self._keys.sender.wake()


def _speaker(update: Update) -> User | None:
    message = update.message or update.edited_message
    if message is not None:
        return None if message.sender_chat is not None else message.from_user
    event = update.callback_query or update.inline_query or update.chosen_inline_result or update.my_chat_member
    return event.from_user if event is not None else None


def _from_nobody(message: Message) -> bool:
    return message.from_user is None or message.from_user.is_bot or message.sender_chat is not None


def _is_private(message: Message) -> bool:
    return message.chat.type == ChatType.PRIVATE


def _is_bind(message: Message) -> bool:
    words = (message.text or "").split(maxsplit=1)
    return bool(words) and words[0].partition("@")[0].lower() == "/bind"


def _is_start(message: Message) -> bool:
    return _is_private(message) and (message.text or "").split(maxsplit=1)[:1] == ["/start"]


def _start_code(message: Message) -> str | None:
    if not _is_private(message) or _from_nobody(message):
        return None
    command, _, code = (message.text or "").partition(" ")
    code = code.strip()
    if command.partition("@")[0] != "/start" or not code or code == START_PARAMETER:
        return None
    return code


def _looks_like_a_code(code: str) -> bool:
    return len(code) in {12, 24}


async def _toast(query: CallbackQuery, text: str) -> None:
    with suppress(AiogramError):  # too old to be answered: nobody is waiting
        await query.answer(text)


async def _turn_away(query: InlineQuery) -> None:
    button = InlineQueryResultsButton(text=START_BUTTON, start_parameter=START_PARAMETER)
    with suppress(AiogramError):
        await query.answer([], is_personal=True, cache_time=1, button=button)
