"""What every Telegram handler does the same way: which button it was, where to answer, how a screen is redrawn.

Who may speak and press is decided before any handler: strangers and groups nobody bound never get here, and the flag
``role`` of a handler keeps everybody else from it.
"""

from contextlib import suppress
from typing import Any

from aiogram.enums import ChatType
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest
from aiogram.filters import Filter
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Destination, Message
from handlers.desk import Desk

ADMINS = {"role": "admin"}  # a handler's flags: for those who run the bot
TOAST_LIMIT = 200
LARGEST_ID = 2**62  # what a database takes; a button can carry any digits


class Pressed(Filter):
    """A button of ours: ``name:argument``. The handler gets ``action`` and ``argument``."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)

    async def __call__(self, event: CallbackQuery) -> bool | dict[str, Any]:
        name, _, argument = (event.data or "").partition(":")
        return {"action": name, "argument": argument} if name in self.names else False


def in_private(message: ChatMessage) -> bool:
    """A filter, too."""
    return message.chat.type == ChatType.PRIVATE


def place_of(message: ChatMessage) -> Destination:
    """The chat and, in a forum, the topic."""
    topic = message.message_thread_id if message.is_topic_message else None
    return Destination(chat_id=message.chat.id, topic_id=topic)


def pressed_on(callback: CallbackQuery) -> ChatMessage | None:
    """The message under the button, None when Telegram no longer shows it to bots."""
    return callback.message if isinstance(callback.message, ChatMessage) else None


def number(argument: str) -> int | None:
    """An id out of a button, None when it is none."""
    if not (argument.isascii() and argument.isdigit()) or len(argument) > 19:
        return None
    value = int(argument)
    return value if value <= LARGEST_ID else None


async def show(message: ChatMessage, desk: Desk, screen: Message) -> None:
    """Answer in the chat and topic of ``message``."""
    await message.answer(**desk.render(screen))


async def redraw(callback: CallbackQuery, desk: Desk, screen: Message, *, word: str = "") -> None:
    """Put ``screen`` in the place of the message under the button; where that cannot be edited, below it.

    ``word`` is shown as a toast.
    """
    await toast(callback, word)
    message = pressed_on(callback)
    if message is None:
        return
    try:
        await message.edit_text(**desk.render(screen))
    except TelegramBadRequest as error:
        if "not modified" not in error.message.lower():
            await show(message, desk, screen)


async def toast(callback: CallbackQuery, text: str = "", *, alert: bool = False) -> None:
    """Stop the button's spinner, with a word if there is one. A press from before a restart can no longer be answered."""
    with suppress(TelegramAPIError):
        await callback.answer(text[:TOAST_LIMIT] or None, show_alert=alert)


async def pressed_in_private(callback: CallbackQuery, desk: Desk) -> ChatMessage | None:
    """The message under the button; None, and the presser is told, where it is not in a private chat."""
    message = pressed_on(callback)
    if message is not None and in_private(message):
        return message
    await toast(callback, desk.texts.get("settings.private_only"), alert=True)
    return None
