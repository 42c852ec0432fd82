"""Who registered, in Telegram: the newest, one with everything its page told, and links that are asked for in a group."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bullet, plain
from domain.people import email_key
from domain.roles import Person
from domain.webinars import Marks, MatchedBy
from handlers.calls.screens import ANSWER, action, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, pressed_on, redraw, show, toast
from handlers.webinars.notes import link_buttons, short_name
from handlers.wording import Reader, shortened, stage_name
from storage.queries.registrations import (
    RegistrationDetail,
    RegistrationLine,
    find_registration,
    newest_registrations,
)

PER_PAGE = 8
NAME_LIMIT = 40
LINK = "link"  # what /start carries before the number of a registration
MASK = "••••••"


def build_router() -> Router:
    """Before the one that greets: /start with a registration is a question, not a greeting."""
    router = Router(name="registrants")
    asked = Command("start", ignore_case=True, magic=F.args.regexp(rf"^{LINK}\d{{1,18}}$"))
    router.message.register(start_with_link, asked, in_private)
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"regs": list_registrations, "reg": open_registration}
    for name, handler in (buttons | {"rlink": to_private}).items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def list_registrations(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Pages are turned in place; the first one comes below what it was asked from."""
    offset, _, turned = argument.partition(":")
    skip = number(offset) or 0
    rows = await newest_registrations(desk.database, person.account_id, limit=PER_PAGE + 1, offset=skip)
    screen = registrations_screen(_reader(desk, person, callback), rows, skip)
    message = pressed_on(callback)
    if turned or message is None:
        await redraw(callback, desk, screen)
        return
    await toast(callback)
    await show(message, desk, screen)


async def open_registration(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await find_registration(desk.database, person.account_id, number(argument) or 0)
    if found is None:
        await toast(callback, desk.texts.get("registrant.gone"), alert=True)
        return
    await redraw(callback, desk, registration_screen(_reader(desk, person, callback), found, person))


async def to_private(callback: CallbackQuery, argument: str, person: Person, desk: Desk, bot: Bot) -> None:
    """Telegram opens the presser's own chat, also for who has never pressed Start there; /start brings them the link."""
    message = pressed_on(callback)
    if message is not None and in_private(message):
        await open_registration(callback, argument, person, desk)
        return
    me = await bot.me()
    with suppress(TelegramAPIError):  # a press from before a restart can no longer be answered
        await callback.answer(url=f"https://t.me/{me.username}?start={LINK}{number(argument) or 0}")


async def start_with_link(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    found = await find_registration(desk.database, person.account_id, number((command.args or "")[len(LINK) :]) or 0)
    if found is None:
        await show(message, desk, say(desk.texts.get("registrant.gone")))
    else:
        reader = desk.reader(person.account_id, private=True)
        await show(message, desk, registration_screen(reader, found, person))


def registrations_screen(reader: Reader, rows: Sequence[RegistrationLine], offset: int) -> Message:
    """Newest first; a row more than a page holds says that there are older ones."""
    title = Line(spans=(Span(reader.say("registrant.list"), Style.BOLD),))
    if not rows:
        return Message(key=ANSWER, sections=(Section(title=title, lines=(plain(reader.say("registrant.none")),)),))
    numbered = list(enumerate(rows[:PER_PAGE], offset + 1))
    lines = tuple(_line(reader, place, row) for place, row in numbered)
    opening = tuple(action(str(place), f"reg:{row.id}") for place, row in numbered)
    back = (action(reader.say("calls.button.newer"), f"regs:{max(offset - PER_PAGE, 0)}:t"),) if offset else ()
    on = (action(reader.say("calls.button.older"), f"regs:{offset + PER_PAGE}:t"),) if len(rows) > PER_PAGE else ()
    rows_ = (opening[:4], opening[4:], (*back, *on))
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines),), buttons=tuple(row for row in rows_ if row))


def _line(reader: Reader, place: int, row: RegistrationLine) -> Line:
    who = [_name(reader, row.name, row.email), reader.phone(row.phone) if row.phone else ""]
    spans = [Span(f"{place}. ", Style.BOLD), reader.moment_span(row.created_at)]
    return Line(spans=(*spans, Span(" · " + ", ".join(filter(None, who)))))


def _name(reader: Reader, name: str, email: str) -> str:
    if not reader.private:
        return short_name(name) or reader.say("registration.nameless")
    return shortened(name or email, NAME_LIMIT) or reader.say("registration.nameless")


def registration_screen(reader: Reader, found: RegistrationDetail, person: Person) -> Message:
    """The nineteen values and what we made of them. A group sees no contacts, and the secret only those who run the bot."""
    title = Line(spans=(Span(_name(reader, found.name, found.email), Style.BOLD),))
    told = Section(title=title, lines=tuple(_told(reader, found, person)))
    marks = {f"utm_{one.name}": getattr(found.marks, one.name) for one in fields(Marks) if one.name != "partner"}
    lines = [bullet(Span(f"{name} ", Style.BOLD), value) for name, value in marks.items() if value]
    missing = [name for name, value in marks.items() if not value]
    lines += [plain(reader.say("registrant.not_given", names=", ".join(missing)))] if missing else []
    ours = Section(lines=tuple(_ours(reader, found)))
    return Message(key=ANSWER, sections=(told, Section(lines=tuple(lines)), ours), buttons=tuple(_rows(reader, found)))


def _told(reader: Reader, found: RegistrationDetail, person: Person) -> Iterator[Line]:
    session = ""
    if found.session_at is not None:
        session = reader.say(
            "registrant.session", date=found.date, time=found.time, utc=f"{found.session_at:%Y-%m-%dT%H:%MZ}"
        )
    phone = reader.phone(found.phone, found.phone_raw) if found.phone or found.phone_raw else ""
    values = {
        "page": found.page_id,
        "room": found.room_id,
        "email": _email(reader, found.email),
        "phone": phone if reader.private or found.phone else _hidden(found.phone_raw),
        "session": session,
        "secret": found.secret if reader.private and person.role.runs_the_bot else _hidden(found.secret),
        "marker": found.marks.partner,
        "marker_name": found.marker_name,
    }
    for name, value in values.items():
        yield bullet(reader.say(f"registrant.value.{name}") + " ", Span(value or "—"))


def _email(reader: Reader, given: str) -> str:
    """What stands where an address should is shown as it is and named: nobody is found or written to by it."""
    shown = given if reader.private else _hidden(given)
    return reader.say("registrant.not_email", given=shown) if given and not email_key(given) else shown


def _hidden(value: str) -> str:
    return MASK if value else ""


def _ours(reader: Reader, found: RegistrationDetail) -> Iterator[Line]:
    how = "created" if found.created else str(found.matched_by)
    yield bullet(reader.say(f"registration.found.{how}"))
    if found.other and found.matched_by is not MatchedBy.HAND:
        other = found.other if reader.private else short_name(found.other)
        yield bullet(reader.say("registrant.other", name=other or reader.say("registration.nameless")))
    if found.status:
        yield bullet(reader.say("registrant.status", status=stage_name(reader.texts, found.status)))
    by = "registrant.by_team" if found.by_team else "registrant.by_page"
    yield bullet(reader.say(by, at=reader.moment(found.created_at)))


def _rows(reader: Reader, found: RegistrationDetail) -> Iterator[tuple[Button, ...]]:
    if not reader.private:
        yield (action(reader.say("register.button.rest"), f"rlink:{found.id}"),)
        return
    if found.link:
        yield link_buttons(found.link, reader.texts)
    if found.phone:
        yield (
            Button(text="WhatsApp", kind=ButtonKind.URL, target=f"https://wa.me/{found.phone}"),
            Button(text="Telegram", kind=ButtonKind.URL, target=f"https://t.me/+{found.phone}"),
        )


def _reader(desk: Desk, person: Person, callback: CallbackQuery) -> Reader:
    private = callback.message is None or callback.message.chat.type == ChatType.PRIVATE
    return desk.reader(person.account_id, private=private)
