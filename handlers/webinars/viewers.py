"""/viewer in Telegram: one viewer by phone, e-mail or name, the platform's record of them, and all their visits."""

import re
from collections.abc import Awaitable, Callable, Iterable

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Message
from domain.roles import Person
from handlers.calls.screens import ANSWER, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, pressed_on, redraw, show, toast
from handlers.webinars.problems import problem_section
from handlers.webinars.records import Eyes, key_screen, read_record, record_screen, split_key
from handlers.webinars.typed import PersonLine, read_person
from handlers.webinars.viewer_screens import choices_screen, viewer_screen, visits_screen
from handlers.wording import Reader
from storage.queries.attendees import AttendeeLine, raw_records
from storage.queries.viewers import ViewerFound, find_viewer, find_viewers, visits_of

Handler = Callable[..., Awaitable[None]]
LONGEST = 200  # characters
WORDS = re.compile(
    r"^зритель\s+(\S.*)$|^кто\s+так(?:ой|ая)\s+(.*(?:(?:\d[\s()+-]*){10}|\S@\S).*)$", re.IGNORECASE | re.DOTALL
)


def build_router() -> Router:
    """Everybody the bot knows may look; in groups without whole phones and e-mails."""
    router = Router(name="viewers")
    router.message.register(viewer_command, Command("viewer", "зритель", ignore_case=True))
    router.message.register(in_words, F.text, ~F.via_bot, in_private, F.text[:LONGEST].regexp(WORDS))
    buttons: dict[str, Handler] = {"vw": open_viewer, "vwb": open_viewer, "vraw": open_record}
    buttons |= {"vpast": open_visits, "vpb": open_visits}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def viewer_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    await show(message, desk, await answer_viewer(desk, person, command.args or "", private=in_private(message)))


async def in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    found = WORDS.match((message.text or "")[:LONGEST])
    text = next((part for part in found.groups() if part), "") if found else ""
    await show(message, desk, await answer_viewer(desk, person, text.rstrip("?"), private=True))


async def answer_viewer(desk: Desk, person: Person, text: str, *, private: bool) -> Message:
    """Their page, or one key of the record; a choice where several may be meant, or what cannot be read in ``text``."""
    reader = desk.reader(person.account_id, private=private)
    who, key = split_key(text[:LONGEST], reader)
    line = read_person(who)
    if line.problems:
        return Message(key=ANSWER, sections=(problem_section(line.problems, desk.texts),))
    if not (line.phone or line.email or line.name):
        return say(reader.say("viewer.usage"))
    people = newest_of_each(await _visits(desk, person, line))
    if not people:
        return say(reader.say("viewer.none"))
    if len(people) > 1:
        return choices_screen(reader, people)
    if key:
        record = read_record(await raw_records(desk.database, person.account_id, people[0].id))
        return key_screen(Eyes(reader=reader, admin=person.role.runs_the_bot), people[0], record, key)
    found = await find_viewer(desk.database, person.account_id, people[0].id)
    return viewer_screen(reader, found) if found is not None else say(reader.say("viewer.gone"))


async def _visits(desk: Desk, person: Person, line: PersonLine) -> tuple[AttendeeLine, ...]:
    name = "" if line.phone or line.email else line.name
    return await find_viewers(desk.database, person.account_id, phone=line.phone, email=line.email, name=name)


def newest_of_each(lines: Iterable[AttendeeLine]) -> list[AttendeeLine]:
    """Of lines, the newest first, one for each person; whom nobody knows is told by what they left."""
    newest: dict[object, AttendeeLine] = {}
    for line in lines:
        left = line.phone_number or line.email
        newest.setdefault(line.person_id or left or ("alone", line.id), line)
    return list(newest.values())


async def open_viewer(callback: CallbackQuery, argument: str, action: str, person: Person, desk: Desk) -> None:
    found = await viewer_of(callback, argument, person, desk)
    if found is not None:
        await _put(callback, desk, viewer_screen(reader_of(desk, person, callback), found), below=action == "vwb")


async def _put(callback: CallbackQuery, desk: Desk, screen: Message, *, below: bool) -> None:
    """In the place of the message under the button, or below it: a list or an answer that is still read stays."""
    message = pressed_on(callback)
    if below and message is not None:
        await toast(callback)
        await show(message, desk, screen)
    else:
        await redraw(callback, desk, screen)


async def open_record(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await viewer_of(callback, argument, person, desk)
    if found is None:
        return
    record = read_record(await raw_records(desk.database, person.account_id, found.line.id))
    eyes = Eyes(reader=reader_of(desk, person, callback), admin=person.role.runs_the_bot)
    await redraw(callback, desk, record_screen(eyes, found.line, record))


async def open_visits(callback: CallbackQuery, argument: str, action: str, person: Person, desk: Desk) -> None:
    name, _, offset = argument.partition(":")
    found = await viewer_of(callback, name, person, desk)
    if found is None:
        return
    visits = await visits_of(desk.database, person.account_id, found.line)
    screen = visits_screen(reader_of(desk, person, callback), found.line, visits, number(offset) or 0)
    await _put(callback, desk, screen, below=action == "vpb")


async def viewer_of(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> ViewerFound | None:
    """The viewer of a button. Where they are gone the presser is told."""
    found = await find_viewer(desk.database, person.account_id, number(argument) or 0)
    if found is None:
        await toast(callback, desk.texts.get("viewer.gone"), alert=True)
    return found


def reader_of(desk: Desk, person: Person, callback: CallbackQuery) -> Reader:
    private = callback.message is None or callback.message.chat.type == ChatType.PRIVATE
    return desk.reader(person.account_id, private=private)
