"""/visited in Telegram: whether somebody was at a webinar. Yes, no, and no report are three different answers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from aiogram import Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Button, Line, Message, Section, Span, Style, plain
from domain.roles import Person
from handlers.calls.screens import ANSWER, action, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, redraw, show, toast
from handlers.webinars.problems import problem_section
from handlers.webinars.typed import Problem, VisitLine, read_visit
from handlers.webinars.unloaded import Sought, time_alone, without_report
from handlers.wording import Reader, shortened
from storage.queries.attendees import AttendeeLine, VisitAnswer, Visited, is_visitor
from storage.queries.awaited import report_due
from storage.queries.contacts import find_contact
from storage.queries.questions import Question, keep_question, kept_question
from storage.queries.viewers import find_viewers
from storage.queries.webinars import WebinarLine, list_webinars

OLD = timedelta(days=7)
NEAR = timedelta(minutes=30)  # a session that began a little before or after the time that was said
ROOMS_LOOKED_AT = 200  # webinars
TITLE_LIMIT = 40


def build_router() -> Router:
    router = Router(name="visited")
    router.message.register(visited_command, Command("visited", "был", ignore_case=True))
    router.callback_query.register(choose_room, Pressed("vroom"))
    router.callback_query.register(ask_again, Pressed("vagain"))
    return router


async def visited_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    await answer_visit(message, command.args or "", person, desk)


async def answer_visit(message: ChatMessage, text: str, person: Person, desk: Desk) -> None:
    """The answer, or the question which room is meant, or what cannot be read in ``text``."""
    text = text.strip()
    line, rooms = read_visit(text), await _rooms(desk, person)
    moment = line.day is not None and line.at is not None  # which tells one webinar from another; a time alone does not
    if len(rooms) > 1 and (line.phone or line.email) and not (line.room_id or moment or line.problems):
        asked = Question(account_id=person.account_id, text=text, asked_at=desk.clock.now())
        name = await keep_question(desk.database, asked)
        titles = [shortened(room.title or room.room_id, TITLE_LIMIT) for room in rooms]
        rows = tuple((action(title, f"vroom:{name}:{n}"),) for n, title in enumerate(titles))
        await show(message, desk, say(desk.texts.get("visited.which_room"), *rows))
    else:
        await show(message, desk, await visit(desk, person, text, private=in_private(message)))


async def visit(desk: Desk, person: Person, text: str, *, private: bool) -> Message:
    """Of the room that was named, else of the newest report there is."""
    line = read_visit(text)
    problems = line.problems or await _room_problems(desk, person, line)
    if problems:
        return Message(key=ANSWER, sections=(problem_section(problems, desk.texts),))
    if not (line.phone or line.email):
        return say(desk.texts.get("visited.usage"))
    return await _answer(desk, desk.reader(person.account_id, private=private), person, line, line.room_id)


async def choose_room(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, _, place = argument.partition(":")
    kept = await kept_question(desk.database, person.account_id, name, desk.clock.now())
    rooms = await _rooms(desk, person)
    chosen = number(place)
    if kept is None or chosen is None or chosen >= len(rooms):
        await toast(callback, desk.texts.get("visited.expired"), alert=True)
        return
    private = callback.message is None or callback.message.chat.type == ChatType.PRIVATE
    reader = desk.reader(person.account_id, private=private)
    await redraw(callback, desk, await _answer(desk, reader, person, read_visit(kept.text), rooms[chosen].room_id))


async def ask_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    kept = await kept_question(desk.database, person.account_id, argument, desk.clock.now())
    if kept is None:
        await toast(callback, desk.texts.get("visited.expired"), alert=True)
        return
    private = callback.message is None or callback.message.chat.type == ChatType.PRIVATE
    await redraw(callback, desk, await visit(desk, person, kept.text, private=private))


async def _rooms(desk: Desk, person: Person) -> Sequence[WebinarLine]:
    """The newest webinar of each room that has held one, by the room's id: the order is the same at each look."""
    lines = await list_webinars(desk.database, person.account_id, limit=ROOMS_LOOKED_AT)
    newest = {line.room_id: line for line in reversed(lines) if line.room_id}
    return [newest[room] for room in sorted(newest)]


async def _room_problems(desk: Desk, person: Person, line: VisitLine) -> tuple[Problem, ...]:
    """A page's id in the place of a room's finds nothing: it is said, not answered with «нет»."""
    if not line.room_id or any(room.room_id == line.room_id for room in await _rooms(desk, person)):
        return ()
    if desk.webinars is None or await report_due(desk.database, person.account_id, line.room_id):
        return ()
    if await desk.webinars.catalogue.room(line.room_id):
        return ()
    page = await desk.webinars.catalogue.page(line.room_id)
    return (Problem("room", "room_is_a_page" if page else "room_unknown", given=line.room_id),)


async def _answer(desk: Desk, reader: Reader, person: Person, line: VisitLine, room_id: str) -> Message:
    known = await find_contact(desk.database, person.account_id, phone=line.phone, email=line.email)
    since, until = _bounds(line, reader)
    found = await is_visitor(
        desk.database,
        person.account_id,
        room_id=room_id,
        since=since,
        until=until,
        phone=line.phone,
        email=line.email,
        person_id=known.person_id if known else None,
    )
    others = await find_viewers(desk.database, person.account_id, phone=line.phone, email=line.email)
    on = _on(reader, found, others)
    if found.visited is not Visited.NO_REPORT:
        return replace(visit_screen(reader, line, found), buttons=on)
    sought = Sought(room_id=room_id, since=since, until=until)
    missing = await without_report(desk, reader, person, line, sought)
    return replace(missing, buttons=(*missing.buttons, *on))


def _on(reader: Reader, found: VisitAnswer, others: Sequence[AttendeeLine]) -> tuple[tuple[Button, ...], ...]:
    """To the viewer's page, and to all visits of theirs where there are others than this one."""
    here = found.attendee
    page = [action(reader.say("viewer.button.open"), f"vwb:{here.id}")] if here is not None else []
    if len(others) > len(page):
        visits = reader.say("viewer.button.visits", count=len(others))
        page.append(action(visits, f"vpb:{(here or others[0]).id}:0"))
    return (tuple(page),) if page else ()


def _bounds(line: VisitLine, reader: Reader) -> tuple[datetime | None, datetime | None]:
    """The day that was said, or the time with some minutes around it; nothing said is the newest report."""
    if line.day is None:
        return None, None
    begin = datetime.combine(line.day, line.at or time.min, tzinfo=reader.zone).astimezone(UTC)
    return (begin - NEAR, begin + NEAR) if line.at is not None else (begin, begin + timedelta(days=1))


def visit_screen(reader: Reader, line: VisitLine, found: VisitAnswer) -> Message:
    """The answer, and always which report it is from."""
    lines = tuple(plain(text) for text in _report(reader, line, found))
    title = Line(spans=(Span(_verdict(reader, found), Style.BOLD),))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),))


def _verdict(reader: Reader, found: VisitAnswer) -> str:
    if found.visited is Visited.NO:
        return reader.say("visited.no")
    attendee = found.attendee
    if attendee is None or attendee.watch_duration_sec is None:
        return reader.say("visited.yes_unknown")
    name = "visited.yes" if attendee.attended else "visited.looked_in"
    return reader.say(name, minutes=round(attendee.watch_duration_sec / 60), hours=_hours(reader, attendee))


def _hours(reader: Reader, attendee: AttendeeLine) -> str:
    if attendee.joined_at is None or attendee.left_at is None:
        return "—"
    since, until = (at.astimezone(reader.zone) for at in (attendee.joined_at, attendee.left_at))
    return f"{since:%H:%M}–{until:%H:%M}"


def _report(reader: Reader, line: VisitLine, found: VisitAnswer) -> Iterator[str]:
    attendee, webinar = found.attendee, found.webinar
    if attendee is not None:
        who = (attendee.username, ", ".join(filter(None, (attendee.city, attendee.country))))
        yield from filter(None, (" · ".join(filter(None, who)),))
    yield from time_alone(reader, line)
    if webinar is None:
        return
    started = webinar.started_at
    when = f"{started.astimezone(reader.zone):%d.%m.%Y %H:%M}" if started else "—"
    yield reader.say("visited.report", title=webinar.title or reader.say("webinar.untitled"), when=when)
    if started is not None and reader.now - started > OLD:
        yield reader.say("visited.old")
    if found.visited is Visited.NO:
        if line.phone and not found.has_phones:
            yield reader.say("visited.no_phones")
        if line.email and not found.has_emails:
            yield reader.say("visited.no_emails")
