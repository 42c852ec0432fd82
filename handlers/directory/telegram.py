"""/houses, /staff, /departments and /stats in Telegram, with the buttons of their lists; the same in plain words."""

import re
from collections.abc import Awaitable, Callable

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.directory import DirectoryList
from domain.events import DirectoryDue
from domain.messages import Message
from domain.roles import Person
from handlers.calls.ask import understand
from handlers.desk import Desk
from handlers.directory import answers
from handlers.directory.inline import NAMED, ask_inline
from handlers.talk.telegram import Pressed, in_private, number, pressed_on, redraw, show, toast
from handlers.wording import Reader
from storage.queries.directory import find_employees

LONGEST = 200  # characters of what is looked for
_HOUSE = re.compile(r"^(?:дом[ау]?|адрес)\s+(\S.*)$", re.IGNORECASE)
_SOMEBODY = re.compile(r"^(?:сотрудник[аиу]?|кто так(?:ой|ая))\s+(\S.*?)\s*\??$", re.IGNORECASE)
_LISTS = re.compile(r"^(?:покажи(?:те)?\s+)?(?:все\s+)?(дома|сотрудники|отделы|бригады|статистика)\s*\??$", re.IGNORECASE)

Answer = Callable[[Desk, Reader, Person], Awaitable[Message]]
_OF_WORD: dict[str, Answer] = {
    "дома": answers.houses,
    "сотрудники": answers.staff,
    "отделы": answers.departments,
    "бригады": answers.departments,
    "статистика": answers.statistics,
}
_OF_BUTTON: dict[str, Answer] = {
    "hs": answers.houses, "em": answers.staff, "dp": answers.departments, "dst": answers.statistics,
}  # fmt: skip
Buttons = dict[str, Callable[..., Awaitable[None]]]


def build_router() -> Router:
    """Everybody the bot knows may look, and have the lists read anew."""
    router = Router(name="directory")
    router.message.register(houses_command, Command("houses", "дома", "дом", ignore_case=True))
    router.message.register(staff_command, Command("staff", "сотрудники", "сотрудник", ignore_case=True))
    router.message.register(departments_command, Command("departments", "отделы", ignore_case=True))
    router.message.register(stats_command, Command("stats", "статистика", ignore_case=True))
    words = (StateFilter(None), F.text, ~F.via_bot, in_private)
    router.message.register(list_in_words, *words, F.text[:LONGEST].regexp(_LISTS))
    router.message.register(house_in_words, *words, F.text[:LONGEST].regexp(_HOUSE))
    router.message.register(somebody_in_words, *words, F.text[:LONGEST].regexp(_SOMEBODY))
    router.inline_query.register(ask_inline, F.query[:LONGEST].regexp(NAMED))
    buttons: Buttons = {"hs": turn_houses, "hsu": turn_houses, "hsq": turn_found, "ho": open_house}
    buttons |= {"em": turn_staff, "emd": turn_department, "emq": turn_found, "eo": open_employee}
    buttons |= {"dp": turn_departments, "dst": open_statistics, "drd": read_anew}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def houses_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    reader, words = _reader_of(desk, person, message), (command.args or "").strip()[:LONGEST]
    screen = await (answers.houses_found(desk, reader, person, words) if words else answers.houses(desk, reader, person))
    await show(message, desk, screen)


async def staff_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    reader, words = _reader_of(desk, person, message), (command.args or "").strip()[:LONGEST]
    screen = await (answers.staff_found(desk, reader, person, words) if words else answers.staff(desk, reader, person))
    await show(message, desk, screen)


async def departments_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    await show(message, desk, await answers.departments(desk, _reader_of(desk, person, message), person))


async def stats_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    await show(message, desk, await answers.statistics(desk, _reader_of(desk, person, message), person))


async def list_in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    found = _LISTS.match(message.text or "")
    answer = _OF_WORD[found[1].casefold()] if found else answers.houses
    await show(message, desk, await answer(desk, _reader_of(desk, person, message), person))


async def house_in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    """Where there are no houses, and no CRM to have them, the words are left to calls."""
    found = _HOUSE.match((message.text or "")[:LONGEST])
    words, seen = found[1] if found else "", await answers.sight(desk, person, DirectoryList.HOUSES)
    if seen.blank and not seen.crm:
        raise SkipHandler
    await show(message, desk, await answers.houses_found(desk, _reader_of(desk, person, message), person, words))


async def somebody_in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    """«сотрудник Иванов»; with a period it is his calls that are asked for, and of nobody we know the calls are left."""
    text = (message.text or "")[:LONGEST]
    found = _SOMEBODY.match(text)
    words = found[1] if found else ""
    asked = understand(text, now=desk.clock.now(), zone=desk.timezone(person.account_id))
    if asked.period is not None:
        raise SkipHandler
    found_some = await find_employees(desk.database, person.account_id, words, limit=1, respell=False, by_department=True)
    if not found_some.total:
        raise SkipHandler
    await show(message, desk, await answers.staff_found(desk, _reader_of(desk, person, message), person, words))


async def turn_houses(callback: CallbackQuery, action: str, argument: str, person: Person, desk: Desk) -> None:
    reader, offset = _reader(desk, person, callback), number(argument) or 0
    await redraw(callback, desk, await answers.houses(desk, reader, person, offset=offset, without_company=action == "hsu"))


async def turn_staff(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    screen = await answers.staff(desk, _reader(desk, person, callback), person, offset=number(argument) or 0)
    await redraw(callback, desk, screen)


async def turn_department(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    id_, _, offset = argument.rpartition(":")
    reader = _reader(desk, person, callback)
    await redraw(callback, desk, await answers.staff(desk, reader, person, offset=number(offset) or 0, department_id=id_))


async def turn_departments(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    screen = await answers.departments(desk, _reader(desk, person, callback), person, offset=number(argument) or 0)
    await redraw(callback, desk, screen)


async def turn_found(callback: CallbackQuery, action: str, argument: str, person: Person, desk: Desk) -> None:
    """A page of what was asked for; the words are kept beside the button's name."""
    name, _, offset = argument.partition(":")
    words = await answers.question_of(desk, person, name)
    if words is None:
        command = "/houses" if action == "hsq" else "/staff"
        await toast(callback, desk.texts.get("directory.expired", command=command), alert=True)
        return
    find = answers.houses_found if action == "hsq" else answers.staff_found
    screen = await find(desk, _reader(desk, person, callback), person, words, offset=number(offset) or 0)
    await redraw(callback, desk, screen)


async def open_house(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _open(callback, desk, await answers.house(desk, _reader(desk, person, callback), person, argument))


async def open_employee(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _open(callback, desk, await answers.employee(desk, _reader(desk, person, callback), person, argument))


async def open_statistics(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await answers.statistics(desk, _reader(desk, person, callback), person))


async def read_anew(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """«Обновить»: the lists are read in the background, once whoever presses it meanwhile."""
    answer, reader = _OF_BUTTON.get(argument, answers.houses), _reader(desk, person, callback)
    word = await ask_to_read(desk, person)
    await redraw(callback, desk, await answer(desk, reader, person), word=word)


async def ask_to_read(desk: Desk, person: Person, *, anyway: bool = False) -> str:
    """Have the lists read, and what to say: a reading that waits for the CRM goes on, another one is not begun.

    ``anyway``: it is for what changed.
    """
    if desk.directory is None:
        return desk.texts.get("directory.not_connected")
    if await desk.directory.store.to_begin(person.account_id):
        return desk.texts.get("directory.reading")
    due, now = await desk.directory.store.underway(person.account_id), desk.clock.now()
    if due is None or anyway:
        event = DirectoryDue(vendor=desk.directory.vendor, external_id=f"asked:{now:%Y-%m-%dT%H:%M:%S.%f}", occurred_at=now)
        await desk.submit(person.account_id, event)
    elif due > now:
        await desk.directory.hasten(person.account_id, now)
        return desk.texts.get("directory.again", crm=desk.directory.title)
    return desk.texts.get("directory.reading")


async def _open(callback: CallbackQuery, desk: Desk, screen: Message | None) -> None:
    """A card below the list, so that the list stays."""
    message = pressed_on(callback)
    if screen is None or message is None:
        await toast(callback, desk.texts.get("directory.gone"), alert=True)
        return
    await toast(callback)
    await show(message, desk, screen)


def _reader_of(desk: Desk, person: Person, message: ChatMessage) -> Reader:
    return desk.reader(person.account_id, private=in_private(message))


def _reader(desk: Desk, person: Person, callback: CallbackQuery) -> Reader:
    message = pressed_on(callback)
    return desk.reader(person.account_id, private=message is None or message.chat.type == ChatType.PRIVATE)
