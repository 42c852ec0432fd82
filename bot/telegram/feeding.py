"""One stored update through the dispatcher; what goes wrong is logged under a short id that the person gets too."""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from aiogram import Bot, Dispatcher
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import BadInput, VendorRefused, VendorUnavailable
from domain.messages import Destination, Message, Section, plain
from domain.ports import Clock, Tx
from storage.engine import Database
from storage.people import People
from storage.posts import StoredChat
from storage.updates import StoredUpdate

log = logging.getLogger(__name__)

FAILED = "Не получилось, ошибка записана. Код для администратора: {error_id}."
AWAY = "{vendor} сейчас не отвечает. Попробуйте через несколько минут."


class Feeder:
    """The worker's way into aiogram. Never raises what a handler raised."""

    def __init__(
        self,
        bot: Bot,
        dispatcher: Dispatcher,
        database: Database,
        clock: Clock,
        *,
        kinds: Sequence[str],
        wake: Callable[[], None],
        titles: Mapping[str, str],
    ) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._database = database
        self._people = People(database, clock)
        self._chat = StoredChat(clock)
        self._kinds = frozenset(kinds)
        self._wake = wake
        self._titles = titles
        self.failures = 0

    async def __call__(self, stored: StoredUpdate) -> None:
        if not self._kinds & stored.body.keys():
            return  # a kind we never asked for
        try:
            update = Update.model_validate(stored.body, context={"bot": self._bot})
        except ValidationError as error:
            log.warning("update %d cannot be read: %d fields are wrong", stored.update_id, error.error_count())
            return
        try:
            response = await self._dispatcher.feed_update(self._bot, update)
            if isinstance(response, TelegramMethod):
                await self._bot(response)
        except Exception as error:
            self.failures += 1
            await self._apologise(stored, update, error)

    async def _apologise(self, stored: StoredUpdate, update: Update, error: Exception) -> None:
        text = _told(error, self._titles)
        if text is None:
            error_id = secrets.token_hex(4)
            log.error("a handler failed on update %d [%s]", stored.update_id, error_id, exc_info=error)
            text = FAILED.format(error_id=error_id)
        place, user_id = _whereabouts(update)
        person = await self._people.find(user_id) if user_id is not None else None
        if place is None or person is None:
            return
        words = Message(key=f"error:{stored.update_id}", sections=(Section(lines=(plain(text),)),), kind="answer")

        async def job(connection: AsyncConnection) -> None:
            await self._chat.post_to(cast("Tx", connection), person.account_id, place, words)

        await self._database.write(job)
        self._wake()


def _told(error: Exception, titles: Mapping[str, str]) -> str | None:
    """What a person can do something with, None for a defect of ours."""
    if isinstance(error, BadInput | VendorRefused):
        return error.hint
    if isinstance(error, VendorUnavailable):
        return AWAY.format(vendor=titles.get(error.vendor, error.vendor))
    return None


def _whereabouts(update: Update) -> tuple[Destination | None, int | None]:
    """Where the person spoke or pressed, and who they are."""
    tap = update.callback_query
    message = tap.message if tap is not None else update.message or update.edited_message
    speaker = tap or update.message or update.edited_message
    if message is None or speaker is None or speaker.from_user is None:
        return None, None
    topic = getattr(message, "message_thread_id", None) if getattr(message, "is_topic_message", None) else None
    return Destination(chat_id=message.chat.id, topic_id=topic), speaker.from_user.id
