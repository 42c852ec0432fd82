"""Keys of the HTTP API in Telegram: for those who run the bot, in their own chat with it."""

from collections.abc import Awaitable, Callable

from aiogram import F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.access import ApiKey, Scope
from domain.errors import BadInput
from domain.messages import Message
from domain.roles import Person
from handlers.calls.screens import action, question, say
from handlers.desk import Desk
from handlers.keys.screens import key_screen, keys_screen, scopes_screen, secret_screen
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, pressed_in_private, redraw, show, toast
from storage.api_keys import LONGEST_NAME, ApiKeys

USUAL = (Scope.DIRECTORY, Scope.STATISTICS)


class Making(StatesGroup):
    """A key is being named, or what it opens is being chosen."""

    name = State()
    scopes = State()


def build_router() -> Router:
    router = Router(name="api keys")
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(named, StateFilter(Making.name), *words, flags=ADMINS)
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"keys": open_keys, "key": open_key, "keyadd": begin}
    buttons |= {"keysc": switch, "keymake": make, "keyseen": put_away}
    buttons |= {"keyrot": ask_replace, "keyrotgo": replace, "keyoff": ask_revoke, "keyoffgo": revoke}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def open_keys(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    """The way back out of a key being made, too."""
    if await pressed_in_private(callback, desk) is not None:
        await _leave(state)
        await redraw(callback, desk, await _listed(desk, person))


async def open_key(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    key = await _found(callback, argument, person, desk)
    if key is not None:
        await redraw(callback, desk, key_screen(desk.reader(person.account_id, private=True), key))


async def begin(callback: CallbackQuery, desk: Desk, state: FSMContext) -> None:
    if await pressed_in_private(callback, desk) is not None:
        await state.set_state(Making.name)
        await state.set_data({})
        back = (action(desk.texts.get("settings.back"), "keys:0"),)
        await redraw(callback, desk, say(desk.texts.get("keys.ask_name"), back))


async def named(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    name = " ".join((message.text or "").split())
    if len(name) > LONGEST_NAME:
        await show(message, desk, say(desk.texts.get("keys.name_long", given=len(name), limit=LONGEST_NAME)))
        return
    await state.set_state(Making.scopes)
    await state.set_data({"key_name": name, "key_scopes": [scope.value for scope in USUAL]})
    await show(message, desk, scopes_screen(desk.reader(person.account_id, private=True), name, USUAL))


async def switch(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    """One scope on or off."""
    draft = await _draft(callback, desk, state)
    if draft is None or argument not in set(Scope):
        return
    name, chosen = draft
    chosen = chosen ^ {Scope(argument)}
    await state.update_data(key_scopes=[scope.value for scope in Scope if scope in chosen])
    await redraw(callback, desk, scopes_screen(desk.reader(person.account_id, private=True), name, chosen))


async def make(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    """The conversation ends first: a second press makes no second key."""
    message, draft = await pressed_in_private(callback, desk), await _draft(callback, desk, state)
    if message is None or draft is None:
        return
    name, chosen = draft
    if not chosen:
        await toast(callback, desk.texts.get("keys.no_scope"), alert=True)
        return
    await state.clear()
    try:
        key, secret = await ApiKeys(desk.database).make(person, name, chosen, now=desk.clock.now())
    except BadInput as problem:
        await redraw(callback, desk, await _listed(desk, person, word=problem.hint))
        return
    await redraw(callback, desk, await _listed(desk, person))
    await _show_once(message, person, desk, key, secret)


async def ask_replace(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    key = await _found(callback, argument, person, desk)
    if key is None:
        return
    rows = [
        (action(desk.texts.get("keys.button.grace"), f"keyrotgo:{key.id}:day"),),
        (action(desk.texts.get("keys.button.at_once"), f"keyrotgo:{key.id}:now"),),
        (action(desk.texts.get("settings.back"), f"key:{key.id}"),),
    ]
    await redraw(callback, desk, say(desk.texts.get("keys.replace_question", name=key.name), *rows))


async def replace(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    message = await pressed_in_private(callback, desk)
    id_, _, how = argument.partition(":")
    if message is None or how not in {"day", "now"}:
        return
    store, now = ApiKeys(desk.database), desk.clock.now()
    made = await store.replace(person, number(id_) or 0, now=now, grace=how == "day")
    if made is None:
        await toast(callback, desk.texts.get("keys.gone"), alert=True)
        return
    key, secret = made
    await redraw(callback, desk, key_screen(desk.reader(person.account_id, private=True), key))
    await _show_once(message, person, desk, key, secret)


async def ask_revoke(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    key = await _found(callback, argument, person, desk)
    if key is not None:
        yes = (desk.texts.get("keys.button.revoke_yes"), f"keyoffgo:{key.id}")
        back = (desk.texts.get("settings.back"), f"key:{key.id}")
        await redraw(callback, desk, question(desk.texts.get("keys.revoke_question", name=key.name), yes, back))


async def revoke(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    if await pressed_in_private(callback, desk) is None:
        return
    key = await ApiKeys(desk.database).revoke(person, number(argument) or 0, now=desk.clock.now())
    word = desk.texts.get("keys.revoked", name=key.name) if key is not None else desk.texts.get("keys.gone")
    await redraw(callback, desk, await _listed(desk, person, word=word))


async def put_away(callback: CallbackQuery, desk: Desk) -> None:
    """The message with the secret leaves the chat; where Telegram no longer deletes it, it is overwritten."""
    message = await pressed_in_private(callback, desk)
    if message is None:
        return
    try:
        await message.delete()
    except TelegramBadRequest:
        await redraw(callback, desk, say(desk.texts.get("keys.removed")))
        return
    await toast(callback, desk.texts.get("keys.removed"))


async def _show_once(message: ChatMessage, person: Person, desk: Desk, key: ApiKey, secret: str) -> None:
    """Sent directly: what goes through the outbox is kept in the database."""
    reader = desk.reader(person.account_id, private=True)
    await show(message, desk, secret_screen(reader, key, secret, address=desk.api_address))


async def _listed(desk: Desk, person: Person, *, word: str = "") -> Message:
    keys = await ApiKeys(desk.database).all(person.account_id)
    return keys_screen(desk.reader(person.account_id, private=True), keys, address=desk.api_address, word=word)


async def _found(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> ApiKey | None:
    """The key of a button; where it is gone, or in a group, the presser is told."""
    if await pressed_in_private(callback, desk) is None:
        return None
    key = await ApiKeys(desk.database).find(person.account_id, number(argument) or 0)
    if key is None:
        await toast(callback, desk.texts.get("keys.gone"), alert=True)
    return key


async def _draft(callback: CallbackQuery, desk: Desk, state: FSMContext) -> tuple[str, frozenset[Scope]] | None:
    """The name and the scopes of the key under way; where the conversation has ended the presser is told."""
    data = await state.get_data()
    if await state.get_state() != Making.scopes.state or "key_name" not in data:
        await toast(callback, desk.texts.get("keys.ended"), alert=True)
        return None
    return data["key_name"], frozenset(Scope(name) for name in data["key_scopes"])


async def _leave(state: FSMContext) -> None:
    if await state.get_state() in {Making.name.state, Making.scopes.state}:
        await state.clear()
