"""/export in Telegram: what, which days, which kind of file; then a message that tells how far it is, and the file."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.events import ExportAsked
from domain.messages import Destination, Message
from domain.roles import Person
from handlers.analytics.ask import period_off_button
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.exports.asking import Asked, asks, understand
from handlers.exports.catalogue import EXPORTS, Export, find_export
from handlers.exports.files import Format
from handlers.exports.screens import Wish, begun_screen, choose_screen, days_of, days_screen, format_screen
from handlers.talk.telegram import Pressed, in_private, number, place_of, pressed_on, redraw, show, toast
from handlers.webinars.segment_screens import Part
from handlers.wording import Reader, shortened
from storage.queries.attendees import Segment
from storage.queries.listings import Days
from storage.queries.webinars import WebinarLine, webinar_line

Buttons = dict[str, Callable[..., Awaitable[None]]]
TITLE = 40
_WEBINAR = re.compile(r"w(\d{1,18})([a-z]?)\Z")
_NAMES = tuple(export.name for export in EXPORTS)


class Exporting(StatesGroup):
    """The next message says which days."""

    days = State()


def build_router() -> Router:
    """In private only: whole phones are in it. Stands before the routers that take any words."""
    router = Router(name="exports")
    router.message.register(export_command, Command("export", "выгрузка", "выгрузить", "экспорт", ignore_case=True))
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_days, StateFilter(Exporting.days), *words)
    router.message.register(in_words, StateFilter(None), *words, _asks_for_a_file)
    buttons: Buttons = {"exp": choose, "expw": choose_days, "expp": choose_format, "expf": begin, "expstop": stop}
    buttons["expn"] = begin_below
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


def _asks_for_a_file(message: ChatMessage) -> bool:
    return asks(message.text or "")


async def export_command(
    message: ChatMessage, command: CommandObject, person: Person, desk: Desk, state: FSMContext
) -> None:
    if not in_private(message):
        await show(message, desk, say(desk.texts.get("export.private_only")))
        return
    await _answer(message, command.args or "", person, desk, state)


async def in_words(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    await _answer(message, message.text or "", person, desk, state)


async def _answer(message: ChatMessage, text: str, person: Person, desk: Desk, state: FSMContext) -> None:
    """As far as the words lead; what they leave open is asked."""
    await state.clear()
    reader = desk.reader(person.account_id, private=True)
    asked = understand(text, reader.today, _NAMES)
    export = _allowed(asked.what, person)
    if export is None:
        await show(message, desk, choose_screen(reader, person, puzzled=bool(asked.left and not asked.what)))
    elif export.dated and (asked.left or (asked.period is None and not asked.ever)):
        await _ask_days(message, state, desk, export, days_screen(reader, export, puzzled=asked.left))
    elif asked.format is None or (export.dated and asked.turned):
        await show(message, desk, format_screen(reader, _wish(reader, export, asked)))
    else:
        wish = _wish(reader, export, asked, id_=f"{person.user_id}:m{message.message_id}")
        await _begin(message, person, desk, wish, begun_screen(reader, wish))


async def typed_days(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    """The days in words, for the list that was chosen. What has no digit in it is about something else: it is asked once."""
    text, reader = message.text or "", desk.reader(person.account_id, private=True)
    export = _allowed((await state.get_data()).get("what", ""), person)
    asked = understand(text, reader.today, ())
    await state.clear()
    if export is None or asks(text):
        await _answer(message, text, person, desk, state)
    elif asked.what or asked.left or (asked.period is None and not asked.ever):
        screen = days_screen(reader, export, puzzled=shortened(text, TITLE))
        if any(map(str.isdigit, text)):
            await _ask_days(message, state, desk, export, screen)
        else:
            await show(message, desk, screen)
    else:
        await show(message, desk, format_screen(reader, _wish(reader, export, asked)))


async def _ask_days(message: ChatMessage, state: FSMContext, desk: Desk, export: Export, screen: Message) -> None:
    await state.set_state(Exporting.days)
    await state.set_data({"what": export.name})
    await show(message, desk, screen)


async def choose(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    await redraw(callback, desk, choose_screen(desk.reader(person.account_id, private=True), person))


async def choose_days(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    """What has no dates needs none."""
    export = await _pressed(callback, argument, person, desk)
    if export is None:
        return
    reader = desk.reader(person.account_id, private=True)
    if not export.dated:
        await redraw(callback, desk, format_screen(reader, _of_button(reader, export, "0")))
        return
    await state.set_state(Exporting.days)
    await state.set_data({"what": export.name})
    await redraw(callback, desk, days_screen(reader, export))


async def choose_format(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    wish = await _pressed_wish(callback, argument, person, desk)
    if wish is not None:
        await state.clear()
        await redraw(callback, desk, format_screen(desk.reader(person.account_id, private=True), wish))


async def begin(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    """The message under the button tells from now on what becomes of the file."""
    wish, message = await _pressed_wish(callback, argument, person, desk), pressed_on(callback)
    if wish is None:
        return
    if message is None or not in_private(message):
        await toast(callback, desk.texts.get("export.private_only"), alert=True)
        return
    await state.clear()
    if await _busy(desk, person):
        await toast(callback, desk.texts.get("export.busy"), alert=True)
        return
    await toast(callback)
    screen = begun_screen(desk.reader(person.account_id, private=True), wish)
    await desk.take_over(person.account_id, place_of(message), screen, message.message_id)
    await _submit(person, desk, wish, place_of(message))


async def begin_below(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """«Excel» under a figure or a list: that stays as it is. With people in it, the file goes to the presser's own chat."""
    wish, message = await _pressed_wish(callback, argument, person, desk), pressed_on(callback)
    if wish is None or message is None:
        return
    if await _busy(desk, person):
        await toast(callback, desk.texts.get("export.busy"), alert=True)
        return
    private = in_private(message) or not wish.export.guarded
    await toast(callback, "" if private else desk.texts.get("webinar.file_in_private"), alert=not private)
    place = place_of(message) if private else Destination(chat_id=person.telegram_id)
    await desk.send(person.account_id, place, begun_screen(desk.reader(person.account_id, private=True), wish))
    await _submit(person, desk, wish, place)


async def stop(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Only one's own, and while it is being made."""
    if desk.exports is None or not argument.startswith(f"{person.user_id}:") or not await _busy(desk, person):
        await toast(callback, desk.texts.get("export.over"), alert=True)
        return
    desk.exports.stop(argument)
    await toast(callback, desk.texts.get("export.stopping"))


async def _begin(message: ChatMessage, person: Person, desk: Desk, wish: Wish, screen: Message) -> None:
    """The message first: what becomes of the file goes into its place."""
    if await _busy(desk, person):
        await show(message, desk, say(desk.texts.get("export.busy")))
        return
    await desk.send(person.account_id, place_of(message), screen)
    await _submit(person, desk, wish, place_of(message))


async def _submit(person: Person, desk: Desk, wish: Wish, place: Destination) -> None:
    days = wish.days
    asked = ExportAsked(
        vendor="svodka", external_id=wish.id, occurred_at=None, what=wish.export.name, format=wish.format.value,
        chat_id=place.chat_id, topic_id=place.topic_id, first=days.first, last=days.last, webinar_id=days.webinar_id,
        segment=days.segment if days.webinar_id else "", about=wish.about,
    )  # fmt: skip
    await desk.submit(person.account_id, asked)


async def _busy(desk: Desk, person: Person) -> bool:
    return desk.exports is not None and await desk.exports.busy(person.account_id, f"svodka:{person.user_id}:")


async def _pressed(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> Export | None:
    """The list of a button; where there is none, or it is not for the presser, they are told."""
    name, days = f"{argument}:".split(":")[:2]
    export = find_export(name) if _WEBINAR.match(days) else _allowed(name, person)  # the people of one are everybody's
    if export is None:
        await toast(callback, desk.texts.get("export.people_hint"), alert=True)
    return export


async def _pressed_wish(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> Wish | None:
    """What «name:days:format» asks for; None, and the presser is told, where it is not to be had."""
    export = await _pressed(callback, argument, person, desk)
    if export is None:
        return None
    _, days, format_ = f"{argument}::".split(":")[:3]
    wish = _of_button(desk.reader(person.account_id, private=True), export, days, format_)
    wish = replace(wish, id=f"{person.user_id}:{callback.id}")
    found = _WEBINAR.match(days)
    if found is None:
        return wish
    line = await webinar_line(desk.database, person.account_id, number(found[1]) or 0)
    if line is None:
        await toast(callback, desk.texts.get("guests.webinar_gone"), alert=True)
        return None
    return _of_webinar(desk.reader(person.account_id, private=True), wish, line, found[2])


def _allowed(name: str, person: Person) -> Export | None:
    export = find_export(name)
    return export if export is not None and export.allowed(person.role) else None


def _wish(reader: Reader, export: Export, asked: Asked, *, id_: str = "") -> Wish:
    days, kind = days_of(asked.period, reader), asked.format or Format.XLSX
    return Wish(export=export, days=days, format=kind, id=id_, turned=export.dated and asked.turned)


def _of_button(reader: Reader, export: Export, days: str, format_: str = "") -> Wish:
    kind = Format(format_) if format_ in set(Format) else Format.XLSX
    return Wish(export=export, days=days_of(period_off_button(days, reader.today), reader), format=kind)


def _of_webinar(reader: Reader, wish: Wish, line: WebinarLine, letter: str) -> Wish:
    """Of one webinar, and of a part of its people where a letter names one."""
    part = Part(letter) if letter in set(Part) else None
    when = reader.day(line.started_at) if line.started_at else shortened(line.title, TITLE)
    about = f"{when}, {reader.say(f'segment.name.{part.texts}').lower()}" if part is not None else when
    segment = part.segment if part is not None and part.segment is not None else Segment.ALL
    return replace(wish, days=Days(zone=reader.zone, webinar_id=line.id, segment=segment), about=about)
