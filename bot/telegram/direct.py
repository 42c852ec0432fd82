"""Requests that handlers make themselves keep to the same pace as posts, and obey the same pauses."""

from contextvars import ContextVar
from typing import Any, cast

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramMigrateToChat, TelegramRetryAfter
from aiogram.methods import AnswerCallbackQuery, Response, TelegramMethod
from aiogram.methods.base import TelegramType

from bot.telegram.courier import in_sender
from bot.telegram.sender import Sender

LONGEST_WAIT = 20.0  # seconds a handler is made to wait by a 429 before it fails

answered: ContextVar[set[str] | None] = ContextVar("answered", default=None)

_PACED = ("send", "edit", "copy", "forward")


class DirectCalls(BaseRequestMiddleware):
    """Sits in the bot's session. What the sender sends has had its turn already."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        if isinstance(method, AnswerCallbackQuery) and (taps := answered.get()) is not None:
            taps.add(method.callback_query_id)
        chat_id = getattr(method, "chat_id", None)
        if in_sender.get() or not isinstance(chat_id, int) or not method.__api_method__.startswith(_PACED):
            return await make_request(bot, method)
        return await self._paced(make_request, bot, method, chat_id)

    async def _paced(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
        chat_id: int,
    ) -> Response[TelegramType]:
        for last in (False, True):
            try:
                async with self._sender.turn(chat_id):
                    return await make_request(bot, method)
            except TelegramRetryAfter as error:
                self._sender.flooded(chat_id, error.retry_after)
                if last or error.retry_after > LONGEST_WAIT:
                    raise
            except TelegramMigrateToChat as error:
                await self._sender.moved(chat_id, error.migrate_to_chat_id)
                if last:
                    raise
                chat_id = error.migrate_to_chat_id
                method = cast("TelegramMethod[TelegramType]", _readdressed(method, chat_id))
        raise AssertionError("the second round returns or raises")


def _readdressed(method: TelegramMethod[Any], chat_id: int) -> TelegramMethod[Any]:
    return method.model_copy(update={"chat_id": chat_id})
