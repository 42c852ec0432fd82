"""/add in Telegram: one line, or a question that one line answers; then a check, and one press that saves."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.errors import BadInput
from domain.imports import ImportKind
from domain.messages import Message
from domain.roles import Person
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.leads.additions import add_menu, check_screen, prompt_screen, saved_screen, wrong_screen
from handlers.leads.saving import save_typed, seen_before
from handlers.leads.typed import Typed, read_line
from handlers.spend import telegram as spend
from handlers.talk.telegram import Pressed, in_private, pressed_on, redraw, show, toast
from handlers.wording import Reader

Buttons = dict[str, Callable[..., Awaitable[None]]]
WORDS = {
    "лид": ImportKind.LEADS, "заявка": ImportKind.LEADS, "заявку": ImportKind.LEADS, "расход": ImportKind.SPEND,
    "направление": ImportKind.DIRECTIONS, "креатив": ImportKind.CREATIVES,
}  # fmt: skip


class Adding(StatesGroup):
    """The next message is the line; or the press that saves it is awaited."""

    line = State()
    check = State()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who adds what, and where it is kept meanwhile."""

    desk: Desk
    person: Person
    state: FSMContext
    reader: Reader

    async def check(self, message: ChatMessage, kind: ImportKind, text: str) -> None:
        """Show what the line says, or what is wrong with it."""
        now = self.desk.clock.now()
        typed = read_line(kind, text, zone=self.reader.zone, now=now)
        if typed.faults:
            await self.state.set_state(Adding.line)
            await self.state.set_data({"kind": kind.value})
            await show(message, self.desk, wrong_screen(self.reader, typed))
            return
        await self.state.set_state(Adding.check)
        await self.state.set_data({"kind": kind.value, "text": text, "now": now.isoformat()})
        known = await seen_before(self.desk, self.person, typed)
        await show(message, self.desk, check_screen(self.reader, typed, known=known))

    async def ask(self, message: ChatMessage, kind: ImportKind) -> None:
        await self.state.set_state(Adding.line)
        await self.state.set_data({"kind": kind.value})
        await show(message, self.desk, prompt_screen(self.reader, kind))


def build_router() -> Router:
    """Leads may be added by everybody, names and money by those who run the bot. In private only."""
    router = Router(name="adding")
    router.message.register(add_command, Command("add", "добавить", ignore_case=True))
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_line, StateFilter(Adding.line), *words)
    buttons: Buttons = {"add": choose, "addgo": save, "addno": leave}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


def may_add(person: Person, kind: ImportKind) -> bool:
    return kind is ImportKind.LEADS or person.role.runs_the_bot


async def add_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk, state: FSMContext) -> None:
    """/add shows what can be added; /add лид …, /add направление …, /add расход … adds it in one line."""
    reader = desk.reader(person.account_id, private=True)
    word, _, rest = (command.args or "").strip().partition(" ")
    kind = WORDS.get(word.casefold())
    if not in_private(message):
        await show(message, desk, say(reader.say("add.private_only")))
    elif kind is None:
        await show(message, desk, add_menu(reader, [kind for kind in ImportKind if may_add(person, kind)]))
    elif not may_add(person, kind):
        await show(message, desk, say(reader.say("add.admins_only")))
    elif kind is ImportKind.SPEND:
        await (
            spend.begin(message, person, desk, state, rest) if rest.strip() else spend.prompt(message, person, desk, state)
        )
    else:
        await _begin(message, Asking(desk=desk, person=person, state=state, reader=reader), kind, rest)


async def _begin(message: ChatMessage, asking: Asking, kind: ImportKind, text: str) -> None:
    await (asking.check(message, kind, text) if text.strip() else asking.ask(message, kind))


async def choose(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    message = pressed_on(callback)
    if argument not in set(ImportKind) or message is None or not may_add(person, ImportKind(argument)):
        await toast(callback, desk.texts.get("add.admins_only"), alert=True)
        return
    await toast(callback)
    if argument == ImportKind.SPEND:
        await spend.prompt(message, person, desk, state)
        return
    asking = Asking(desk=desk, person=person, state=state, reader=desk.reader(person.account_id, private=True))
    await asking.ask(message, ImportKind(argument))


async def typed_line(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    kind = ImportKind((await state.get_data())["kind"])
    asking = Asking(desk=desk, person=person, state=state, reader=desk.reader(person.account_id, private=True))
    await asking.check(message, kind, message.text or "")


async def save(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    """The line is read again as it was at the check: what was shown is what is saved."""
    kept, reader = await state.get_data(), desk.reader(person.account_id, private=True)
    if await state.get_state() != Adding.check.state or "text" not in kept:
        await toast(callback, desk.texts.get("add.gone"), alert=True)
        return
    kind = ImportKind(kept["kind"])
    typed = read_line(kind, kept["text"], zone=reader.zone, now=datetime.fromisoformat(kept["now"]))
    await state.clear()
    await redraw(callback, desk, await _saved(desk, person, reader, typed))


async def _saved(desk: Desk, person: Person, reader: Reader, typed: Typed) -> Message:
    if not may_add(person, typed.kind):
        return say(reader.say("add.admins_only"))
    try:
        return saved_screen(reader, typed, changed=await save_typed(desk, person, typed))
    except BadInput as error:
        return say(error.hint)


async def leave(callback: CallbackQuery, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    await redraw(callback, desk, say(desk.texts.get("add.left")))
