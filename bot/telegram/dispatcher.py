"""The dispatcher: routers behind the gate, rights by flags, every tap answered, conversations in our database."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from aiogram import BaseMiddleware, Dispatcher, Router
from aiogram.dispatcher.flags import get_flag
from aiogram.exceptions import AiogramError
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import CallbackQuery, InlineQuery, Message, TelegramObject
from aiogram.utils.callback_answer import CallbackAnswer, CallbackAnswerMiddleware

from bot.telegram.conversation import DatabaseStorage
from bot.telegram.direct import answered
from bot.telegram.gate import Gate
from domain.roles import Person, Role
from storage.fsm import Conversations

ADMINS_ONLY = "Это может только администратор."
OWNER_ONLY = "Это может только владелец."

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


def build_dispatcher(routers: Sequence[Router], desk: object, *, gate: Gate, conversations: Conversations) -> Dispatcher:
    """Handlers get ``person`` (domain.roles.Person), ``desk`` and ``state`` by name.

    ``flags={"role": "admin"}`` (or "owner") on a handler lets nobody else reach it. A button is answered even when its
    handler does not, or when no handler takes it; ``callback_answer`` of aiogram's own middleware works as documented.
    """
    dispatcher = Dispatcher(storage=DatabaseStorage(conversations), events_isolation=SimpleEventIsolation(), desk=desk)
    dispatcher.update.outer_middleware(gate)
    guard = RoleGuard()
    for name in ("message", "edited_message", "callback_query", "inline_query", "chosen_inline_result"):
        dispatcher.observers[name].middleware(guard)
    dispatcher.callback_query.middleware(AnswerAlways())
    dispatcher.include_routers(*routers)
    return dispatcher


def used_updates(dispatcher: Dispatcher) -> list[str]:
    """What to ask Telegram for: what handlers take, and what the gate needs."""
    return sorted({*dispatcher.resolve_used_update_types(), "message", "callback_query", "inline_query", "my_chat_member"})


class RoleGuard(BaseMiddleware):
    """Checks the ``role`` flag of the handler that was chosen against the person who speaks or presses."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        wanted = get_flag(data, "role")
        person: Person = data["person"]
        if wanted is None or _may(person, str(wanted)):
            return await handler(event, data)
        text = OWNER_ONLY if wanted == Role.OWNER.value else ADMINS_ONLY
        if isinstance(event, CallbackQuery):
            with suppress(AiogramError):  # too old to be answered: no reason to tell the whole group of a failure
                await event.answer(text, show_alert=True)
        elif isinstance(event, Message):
            await event.answer(text)
        elif isinstance(event, InlineQuery):
            await event.answer([], is_personal=True, cache_time=1)
        return None


class AnswerAlways(CallbackAnswerMiddleware):
    """aiogram's middleware, but a tap that is too old or was answered by the handler is no error."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if not isinstance(event, CallbackQuery):
            return await handler(event, data)
        taps: set[str] = set()
        token = answered.set(taps)
        choice = data["callback_answer"] = self.construct_callback_answer(properties=get_flag(data, "callback_answer"))
        try:
            if choice.answered and not choice.disabled:
                await self._answer_once(event, choice, taps)
            return await handler(event, data)
        finally:
            if not choice.disabled:
                await self._answer_once(event, choice, taps)
            answered.reset(token)

    async def _answer_once(self, event: CallbackQuery, choice: CallbackAnswer, taps: set[str]) -> None:
        if event.id in taps:
            return
        taps.add(event.id)
        try:
            await self.answer(event, choice)
        except AiogramError:
            return  # "query is too old": nobody waits for this answer any more


def _may(person: Person, wanted: str) -> bool:
    if wanted == Role.OWNER.value:
        return person.role is Role.OWNER
    if wanted == Role.ADMIN.value:
        return person.role.runs_the_bot
    return True
