"""The Telegram routers in their order: calls, administration, webinars, plain words, and what is left over."""

from aiogram import F, Router
from aiogram.types import Message as ChatMessage

from handlers.admin import telegram as admin
from handlers.ads import drafting
from handlers.ads import telegram as ads
from handlers.analytics import company_talk as company
from handlers.analytics import telegram as analytics
from handlers.calls import telegram as calls
from handlers.calls.screens import say
from handlers.checks import telegram as checks
from handlers.clients import telegram as clients
from handlers.commands import commands_for
from handlers.crm import telegram as crm
from handlers.desk import Desk
from handlers.digests import debts, editing
from handlers.digests import telegram as digests
from handlers.directory import mapping_telegram as house_fields
from handlers.directory import telegram as directory
from handlers.exports import telegram as exports
from handlers.keys import telegram as keys
from handlers.leads import adding, taking
from handlers.leads import telegram as leads
from handlers.spend import telegram as spend
from handlers.talk.telegram import in_private, show
from handlers.tasks import call_tasks, linking
from handlers.tasks import telegram as tasks
from handlers.webinars import links, matches, register, registrants, ruling, segments, unknown, viewers, visited, words
from handlers.webinars import telegram as webinars

__all__ = ["build_routers", "commands_for"]

_PARTS = (
    editing, digests, debts, ruling, checks, crm, spend, tasks, linking, call_tasks, exports, directory, house_fields,
    company, analytics, clients, words, viewers, calls, registrants, admin, webinars, unknown, segments, register, matches,
    visited, links, leads, adding, taking, ads, drafting, keys,
)  # fmt: skip


def build_routers() -> list[Router]:
    """New routers each time: a router belongs to one dispatcher. Handlers take ``person`` and ``desk``."""
    talks = [part.build_router() for part in _PARTS]
    return [*talks, calls.build_words_router(), build_rest_router()]


def build_rest_router() -> Router:
    """What nobody else took is met with a word in private; in groups it was meant for others."""
    router = Router(name="rest")
    router.message.register(not_understood, in_private, ~F.via_bot)
    return router


async def not_understood(message: ChatMessage, desk: Desk) -> None:
    await show(message, desk, say(desk.texts.get("calls.not_understood")))
