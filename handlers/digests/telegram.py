"""Digests in Telegram: /digest and plain words show one or set when it comes; its buttons unfold it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.digests import DigestKind, DigestPart
from domain.errors import BadInput
from domain.messages import Button, Destination, Message
from domain.roles import Person
from handlers.calls.screens import ANSWER, action, say
from handlers.desk import Desk
from handlers.digests.buttons import ALL, FEW, Opened, off_button, on_button
from handlers.digests.days import LAST_MINUTE
from handlers.digests.desk import places_for, set_schedule, show_digest, show_picture, understood
from handlers.digests.screens import made_screen, offer_rows
from handlers.digests.typed import Typed
from handlers.drawing import NotDrawnError
from handlers.talk.telegram import Pressed, in_private, place_of, pressed_on, redraw, show, toast
from handlers.wording import Reader
from storage.schedules import ScheduleStore

_ABOUT = re.compile(r"\bдайджест", re.IGNORECASE)
_MORNING = time(12)  # a digest told at this hour is of the day before
TODAY, YESTERDAY, WEEK = "today", "yesterday", "week"
PICTURE = "dgpng"
BELOW = frozenset({"dgnow", PICTURE, "dgnew", "dgs"})


def build_router() -> Router:
    """Everybody the bot knows may look; who may set a schedule is decided where it is set."""
    router = Router(name="digests")
    router.message.register(digest_command, Command("digest", "дайджест", ignore_case=True))
    router.message.register(in_words, StateFilter(None), F.text, ~F.text.startswith("/"), ~F.via_bot, in_private, _is_about)
    router.callback_query.register(show_again, Pressed("dgnow"))
    router.callback_query.register(switch, Pressed(ALL, FEW))
    router.callback_query.register(send_picture, Pressed(PICTURE))
    return router


def _is_about(message: ChatMessage) -> bool:
    return _ABOUT.search(message.text or "") is not None


async def digest_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    await _answer(message, command.args or "", person, desk)


async def in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    await _answer(message, message.text or "", person, desk)


async def _answer(message: ChatMessage, words: str, person: Person, desk: Desk) -> None:
    reader, here = desk.reader(person.account_id, private=in_private(message)), place_of(message)
    try:
        screen = await _screen(desk, person, reader, here, understood(words, desk.texts, reader.today))
    except BadInput as error:
        screen = say(error.hint)
    await show(message, desk, screen)


async def _screen(desk: Desk, person: Person, reader: Reader, here: Destination, typed: Typed) -> Message:
    if typed.empty or typed.on is not None:
        which = WEEK if typed.kind is DigestKind.WEEKLY else typed.day
        return await _now_screen(desk, person, reader, here, which, on=typed.on)
    if not person.role.runs_the_bot:
        return say(reader.say("digest.only_admins"))
    made = await set_schedule(desk, person, here, typed)
    return made_screen(reader, made.schedule, await places_for(desk, person, here), known=made.known)


async def show_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Another day, in the place of the one that is shown."""
    message = pressed_on(callback)
    here = place_of(message) if message is not None else Destination(chat_id=person.telegram_id)
    reader = desk.reader(person.account_id, private=message is not None and in_private(message))
    await redraw(callback, desk, await _now_screen(desk, person, reader, here, argument))


async def switch(callback: CallbackQuery, action: str, argument: str, person: Person, desk: Desk) -> None:
    """«Всё» and back: the message is edited where it is, and what hangs below it besides stays."""
    opened, message = off_button(argument), pressed_on(callback)
    if opened is None or message is None:
        await toast(callback)
        return
    reader = desk.reader(person.account_id, private=in_private(message))
    card = await show_digest(desk, person, reader, opened, full=action == ALL, key=ANSWER)
    await redraw(callback, desk, replace(card, buttons=(*card.buttons, *_below(message))))


async def send_picture(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    opened, message = off_button(argument), pressed_on(callback)
    if opened is None or message is None:
        await toast(callback)
        return
    reader = desk.reader(person.account_id, private=in_private(message))
    try:
        picture = await show_picture(desk, person, reader, opened, key=f"digest:{callback.id}")
    except NotDrawnError:
        await toast(callback, reader.say("digest.not_drawn"), alert=True)
        return
    await toast(callback, "" if picture is not None else reader.say("digest.nothing_to_draw"), alert=picture is None)
    if picture is not None:
        await desk.send(person.account_id, place_of(message), picture)


async def _now_screen(
    desk: Desk, person: Person, reader: Reader, here: Destination, which: str, *, on: date | None = None
) -> Message:
    """The digest that would come now, the way to other days, and to having it come by itself. ``on``: of that day alone."""
    which = TODAY if on == reader.today else which if on is None else ""
    kind = DigestKind.WEEKLY if which == WEEK else DigestKind.DAILY
    now = _morning_of(reader.now, reader.zone) if which == YESTERDAY else reader.now
    if on is not None and on < reader.today:
        now = datetime.combine(on, LAST_MINUTE, reader.zone)
    opened = Opened(kind=kind, parts=frozenset(DigestPart), now=now, so_far=which == TODAY)
    card = await show_digest(desk, person, reader, opened, full=False, key=ANSWER)
    others = [other for other in (YESTERDAY, TODAY, WEEK) if other != which]
    rows = [tuple(action(reader.say(f"digest.button.{other}"), f"dgnow:{other}") for other in others)]
    rows.append((action(reader.say("digest.button.picture"), f"{PICTURE}:{on_button(opened)}"),))
    if person.role.runs_the_bot:
        schedules = await ScheduleStore(desk.database).all(person.account_id)
        if not any(one.destination == here for one in schedules):
            rows += offer_rows(reader, schedules, here, webinars=False)[:1]
        rows.append((action(reader.say("digest.button.settings"), "dgs:0"),))
    return Message(key=ANSWER, sections=card.sections, buttons=(*card.buttons, *rows), kind=card.kind)


def _below(message: ChatMessage) -> Iterator[tuple[Button, ...]]:
    """What a digest that was asked for has below it, and one that came by itself has not."""
    keyboard = message.reply_markup.inline_keyboard if message.reply_markup is not None else []
    for row in keyboard:
        kept = [(one.text, one.callback_data or "") for one in row]
        if kept and all(target.partition(":")[0] in BELOW for _, target in kept):
            yield tuple(action(text, target) for text, target in kept)


def _morning_of(now: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(now.astimezone(zone).date(), _MORNING, zone)
