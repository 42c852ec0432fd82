"""Who of the team is who in the CRM: those who run the bot choose among its employees, by a tap."""

from collections.abc import Awaitable, Callable, Sequence

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Button, Message, Section, bold, bullet, plain
from domain.roles import Person
from handlers.calls.screens import ANSWER, action, say
from handlers.desk import Desk
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, pressed_in_private, redraw, show, toast
from handlers.tasks.services import TaskServices
from handlers.wording import Reader, shortened
from storage.finding import words_of
from storage.queries.directory import EmployeeLine, employee, find_employees, freshness
from storage.queries.tasks import EmployeeLink, links

MOST_OFFERED = 8
MOST_ALIKE = 100  # among whom those of the very name are looked for
MOST_PEOPLE = 40
NAME_LIMIT = 30


class Linking(StatesGroup):
    """The next message is a part of a name."""

    who = State()


def build_router() -> Router:
    router = Router(name="linking")
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_name, StateFilter(Linking.who), *words, flags=ADMINS)
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"emps": open_people, "emp": open_one, "empset": choose}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name), flags=ADMINS)
    return router


async def open_people(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    services = await _services(callback, desk)
    if services is not None:
        await redraw(callback, desk, await _people(desk, person, services))


async def open_one(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    """Those of a like name are offered at once; the next message looks for others."""
    services = await _services(callback, desk)
    other = await _member(desk, person, argument)
    if services is None or other is None:
        await toast(callback, desk.texts.get("people.gone"), alert=True)
        return
    await state.set_state(Linking.who)
    await state.set_data({"user": other.user_id})
    await redraw(callback, desk, await _offer(desk, person, services, other, other.name))


async def typed_name(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    user_id = str((await state.get_data()).get("user", ""))
    other, services = await _member(desk, person, user_id), desk.tasks
    if other is None or services is None:
        await state.clear()
        await show(message, desk, say(desk.texts.get("people.gone")))
        return
    await show(message, desk, await _offer(desk, person, services, other, message.text or "", typed=True))


async def choose(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    user_id, _, employee_id = argument.partition(":")
    services, other = await _services(callback, desk), await _member(desk, person, user_id)
    chosen = await employee(desk.database, person.account_id, employee_id) if employee_id else None
    if services is None or other is None or (employee_id and chosen is None):
        await toast(callback, desk.texts.get("people.gone"), alert=True)
        return
    await state.clear()
    name = chosen.full_name if chosen is not None else ""
    await services.store.link(person, other.user_id, employee_id, name, now=desk.clock.now())
    said = "linking.linked" if name else "linking.unlinked"
    word = desk.texts.get(said, name=_name(desk, other), employee=name)
    await redraw(callback, desk, await _people(desk, person, services), word=word)


async def _people(desk: Desk, person: Person, services: TaskServices) -> Message:
    reader = desk.reader(person.account_id, private=True)
    known = await links(desk.database, person.account_id)
    listed = [one.person for one in await desk.people.all(person.account_id) if not one.disabled][:MOST_PEOPLE]
    lines = tuple(bullet(_line(reader, desk, one, known.get(one.user_id))) for one in listed)
    rows = [(action(shortened(_name(desk, one), NAME_LIMIT), f"emp:{one.user_id}"),) for one in listed]
    rows.append((action(reader.say("settings.back"), "people:0"),))
    title = bold(reader.say("linking.title", crm=services.title))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),), buttons=tuple(rows))


def _line(reader: Reader, desk: Desk, one: Person, link: EmployeeLink | None) -> str:
    employee = (link.employee_name or link.employee_id) if link is not None else reader.say("linking.nobody")
    return reader.say("linking.line", name=_name(desk, one), employee=employee)


async def _offer(
    desk: Desk, person: Person, services: TaskServices, other: Person, words: str, *, typed: bool = False
) -> Message:
    found = await find_employees(desk.database, person.account_id, words, limit=MOST_ALIKE) if words.strip() else None
    offered = _closest_first(found.lines, words)[:MOST_OFFERED] if found is not None else []
    read = (await freshness(desk.database, person.account_id)).employees
    lines = [plain(desk.texts.get("linking.ask"))]
    if read.read_at is None:
        lines = [plain(desk.texts.get("linking.not_read", crm=services.title, hint=read.hint).strip())]
    elif not offered:
        lines.insert(0, plain(desk.texts.get("linking.none_found" if typed else "linking.none_alike")))
    title = bold(desk.texts.get("linking.who", name=_name(desk, other), crm=services.title))
    rows = _offers(desk, other, offered)
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=rows)


def _closest_first(lines: Sequence[EmployeeLine], words: str) -> list[EmployeeLine]:
    """Those who work there: who is called so and no more, then with a patronymic, then those of a like name."""
    asked = set(words_of(words))
    return sorted((one for one in lines if one.active), key=lambda one: len({*words_of(one.full_name)} - asked))


def _offers(desk: Desk, other: Person, offered: Sequence[EmployeeLine]) -> tuple[tuple[Button, ...], ...]:
    def row(one: EmployeeLine) -> tuple[Button, ...]:
        about = f"{one.full_name} · {one.position}" if one.position else one.full_name
        return (action(shortened(about, 2 * NAME_LIMIT), f"empset:{other.user_id}:{one.external_id}"),)

    nobody = action(desk.texts.get("linking.button.nobody"), f"empset:{other.user_id}:")
    return (*map(row, offered), (nobody, action(desk.texts.get("settings.back"), "emps:0")))


async def _member(desk: Desk, person: Person, argument: str) -> Person | None:
    """Somebody of this account who is let in."""
    people = await desk.people.all(person.account_id)
    return next((one.person for one in people if one.person.user_id == number(argument) and not one.disabled), None)


async def _services(callback: CallbackQuery, desk: Desk) -> TaskServices | None:
    """None where it is said why not."""
    if await pressed_in_private(callback, desk) is None:
        return None
    if desk.tasks is None:
        await toast(callback, desk.texts.get("tasks.not_connected"), alert=True)
    return desk.tasks


def _name(desk: Desk, person: Person) -> str:
    return person.name or desk.texts.get("people.unnamed")
