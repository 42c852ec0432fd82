"""The Telegram routers in their order: entrance, calls, administration, and what is left over."""

from aiogram import F, Router
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.roles import Person
from handlers.admin import telegram as admin
from handlers.calls import telegram as calls
from handlers.calls.screens import say
from handlers.commands import commands_for
from handlers.desk import Desk
from handlers.talk.telegram import in_private, show, toast

__all__ = ["build_routers", "commands_for"]


def build_routers() -> list[Router]:
    """New routers each time: a router belongs to one dispatcher. Handlers take ``person`` and ``desk``."""
    return [
        admin.build_entrance_router(),
        calls.build_router(),
        admin.build_router(),
        calls.build_words_router(),
        build_rest_router(),
    ]


def build_rest_router() -> Router:
    """What nobody else took: a word instead of silence, in private; a toast instead of a spinner."""
    router = Router(name="rest")
    router.message.register(not_for_you, in_private, ~F.via_bot)
    router.callback_query.register(stale)
    return router


async def not_for_you(message: ChatMessage, desk: Desk, person: Person | None = None) -> None:
    if person is None:
        name = "start.stranger"
    elif (message.text or "").startswith("/"):
        name = "common.admins_only" if _is_known_command(message.text or "") else "calls.not_understood"
    else:
        name = "calls.not_understood"
    await show(message, desk, say(desk.texts.get(name)))


async def stale(callback: CallbackQuery, desk: Desk, person: Person | None = None) -> None:
    """A button nobody serves (any more), or one that this person may not press."""
    if person is None:
        name = "common.strangers"
    else:
        name = "common.stale_button" if person.role.runs_the_bot else "common.admins_only"
    await toast(callback, desk.texts.get(name), alert=True)


def _is_known_command(text: str) -> bool:
    name = text[1:].split(maxsplit=1)[0].partition("@")[0].lower() if len(text) > 1 else ""
    return name in {"status", "errors", "settings", "bind", "статус", "ошибки", "настройки", "привязать"}
