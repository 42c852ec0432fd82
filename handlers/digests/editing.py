"""Schedules of digests in Telegram: those who run the bot change when, where to and what of, mostly by taps."""

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.digests import DigestKind
from domain.errors import BadInput
from domain.events import DigestDue
from domain.messages import Destination, Message
from domain.roles import Person
from domain.schedules import SENDER, Schedule
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.digests import screens
from handlers.digests.altering import ALTERATIONS, Alter, move_to, typed_time, typed_zone
from handlers.digests.desk import places_for, set_schedule
from handlers.digests.typed import Typed
from handlers.digests.words import where_to
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, place_of, pressed_on, redraw, show, toast
from handlers.wording import Reader
from storage.schedules import ScheduleStore

STAYS = frozenset({"dgd", "dgt", "dgp"})  # where one tap is seldom the last


class Editing(StatesGroup):
    """What the next message is, of the schedule in the data."""

    time = State()
    zone = State()


REFUSED = {"dgd": "digest.no_days", "dgp": "digest.no_parts", "dgc": "digest.place_gone"}
TYPED = {"dgt": Editing.time, "dgz": Editing.zone}


def build_router() -> Router:
    router = Router(name="digest schedules")
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    for typed in (Editing.time, Editing.zone):
        router.message.register(type_it, StateFilter(typed), *words, flags=ADMINS)
    router.callback_query.register(open_list, Pressed("dgs"), flags=ADMINS)
    router.callback_query.register(add, Pressed("dgnew"), flags=ADMINS)
    router.callback_query.register(
        edit, Pressed("dg", "dgd", "dgt", "dgz", "dgp", "dgc", "dgk", "dgpic", "dgon"), flags=ADMINS
    )
    router.callback_query.register(send, Pressed("dgsend"), flags=ADMINS)
    router.callback_query.register(ask_delete, Pressed("dgdel"), flags=ADMINS)
    router.callback_query.register(delete, Pressed("dgdelgo"), flags=ADMINS)
    return router


async def open_list(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    await _redraw_list(callback, person, desk)


async def add(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """One tap: what is usual, for this chat."""
    message = pressed_on(callback)
    if message is None or argument not in set(DigestKind):
        await toast(callback)
        return
    here = place_of(message)
    usual = Typed(at=None, days=None, kind=DigestKind(argument), zone="", day="", left="")
    try:
        made = await set_schedule(desk, person, here, usual)
    except BadInput as error:
        await toast(callback, error.hint, alert=True)
        return
    screen = screens.made_screen(
        _reader(desk, person, message), made.schedule, await places_for(desk, person, here), known=made.known
    )
    await redraw(callback, desk, screen)


async def edit(
    callback: CallbackQuery, *, action: str, argument: str, person: Person, desk: Desk, state: FSMContext
) -> None:
    """``argument`` is the schedule's number, alone to open a screen of it, with a value to change it."""
    ref, _, value = argument.partition(":")
    await state.clear()
    alter = await _alteration(action, value, desk, person) if value else None
    if value and alter is None:
        await toast(callback, desk.texts.get(REFUSED[action]), alert=True)
        return
    one = await _found(callback, ref, person, desk, alter)
    message = pressed_on(callback)
    if one is None or message is None:
        return
    step = TYPED.get(action) if in_private(message) else None
    if step is not None and (not value or action in STAYS):
        await state.set_state(step)
        await state.update_data(schedule=one.id)
    shown = action if not value or action in STAYS else "dg"
    await redraw(callback, desk, await _screen(shown, message, one, person, desk))


async def type_it(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    """A time or a zone in words; what is none of that is said, and asked for again."""
    words = " ".join((message.text or "").split())
    asked = "dgt" if await state.get_state() == Editing.time.state else "dgz"
    try:
        alter = typed_time(words, desk.texts) if asked == "dgt" else typed_zone(words, desk.texts)
    except BadInput as error:
        await show(message, desk, say(error.hint))
        return
    ref = number(str((await state.get_data()).get("schedule", "")))
    await state.clear()
    one = await ScheduleStore(desk.database).change(person, ref or 0, alter, desk.clock.now())
    if one is None:
        await show(message, desk, say(desk.texts.get("digest.gone")))
        return
    await show(message, desk, await _screen("dg", message, one, person, desk))


async def send(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Once a minute at most: a second tap is no second digest."""
    one, message, now = await _found(callback, argument, person, desk), pressed_on(callback), desk.clock.now()
    if one is None or message is None:
        return
    event = DigestDue(
        vendor=SENDER, external_id=f"{one.id}:now:{now:%Y%m%d%H%M}", occurred_at=now, schedule_id=one.id, asked=True
    )
    await desk.submit(person.account_id, event)
    places = await places_for(desk, person, place_of(message))
    where = where_to(_reader(desk, person, message), one.destination, places)
    await toast(callback, desk.texts.get("digest.sent_now", where=where))


async def ask_delete(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    one, message = await _found(callback, argument, person, desk), pressed_on(callback)
    if one is not None and message is not None:
        places = await places_for(desk, person, place_of(message))
        await redraw(callback, desk, screens.delete_screen(_reader(desk, person, message), one, places))


async def delete(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    gone = await ScheduleStore(desk.database).drop(person, number(argument) or 0, desk.clock.now())
    await _redraw_list(callback, person, desk, word=desk.texts.get("digest.deleted" if gone else "digest.gone"))


async def _found(
    callback: CallbackQuery, ref: str, person: Person, desk: Desk, alter: Alter | None = None
) -> Schedule | None:
    """The schedule of a button, changed if something is to be; where it is gone the list is shown instead."""
    store, known = ScheduleStore(desk.database), number(ref) or 0
    if alter is None:
        one = await store.find(person.account_id, known)
    else:
        one = await store.change(person, known, alter, desk.clock.now())
    if one is None:
        await _redraw_list(callback, person, desk, word=desk.texts.get("digest.gone"))
    return one


async def _redraw_list(callback: CallbackQuery, person: Person, desk: Desk, *, word: str = "") -> None:
    message = pressed_on(callback)
    if message is None:
        await toast(callback, word)
        return
    places = await places_for(desk, person, place_of(message))
    found = await ScheduleStore(desk.database).all(person.account_id)
    screen = screens.list_screen(_reader(desk, person, message), found, places, webinars=desk.webinars is not None)
    await redraw(callback, desk, screen, word=word)


async def _screen(name: str, message: ChatMessage, one: Schedule, person: Person, desk: Desk) -> Message:
    """What a button opens, for the chat of ``message``."""
    reader, here = _reader(desk, person, message), place_of(message)
    if name == "dgc":
        return screens.place_screen(reader, one, await places_for(desk, person, here))
    small = {
        "dgd": screens.days_screen, "dgt": screens.time_screen, "dgz": screens.zone_screen, "dgp": screens.parts_screen,
        "dgk": screens.kind_screen,
    }  # fmt: skip
    if name in small:
        return small[name](reader, one)
    return screens.schedule_screen(reader, one, await places_for(desk, person, here))


async def _alteration(action: str, value: str, desk: Desk, person: Person) -> Alter | None:
    """What a button with a value does to its schedule; None for what may not be."""
    if action != "dgc":
        return ALTERATIONS[action](value)
    if value == "me":
        return move_to(Destination(chat_id=person.telegram_id))
    bound = await desk.destinations.all(person.account_id)
    found = next((one for one in bound if one.id == number(value)), None)
    return move_to(Destination(chat_id=found.chat_id, topic_id=found.topic_id)) if found is not None else None


def _reader(desk: Desk, person: Person, message: ChatMessage) -> Reader:
    return desk.reader(person.account_id, private=in_private(message))
