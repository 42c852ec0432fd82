"""Who a viewer is, said from their page in Telegram: another person, back again, one of our leads, or a new one."""

from collections.abc import Awaitable, Callable

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.errors import BadInput
from domain.messages import Message
from domain.people import phone_key
from domain.roles import Person
from handlers.calls.screens import action, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, pressed_on, redraw, show, toast
from handlers.webinars.cards import refresh_card
from handlers.webinars.typed import PersonLine, read_person
from handlers.webinars.viewer_screens import people_screen, viewer_screen
from handlers.webinars.viewers import reader_of, viewer_of
from storage.decisions import Decisions
from storage.founding import found_leads
from storage.queries.contacts import find_contact
from storage.queries.viewers import Somebody, ViewerFound, find_people, find_people_named, find_viewer

Handler = Callable[..., Awaitable[None]]
Deed = Callable[[Decisions], Awaitable[None]]
MOST_PEOPLE = 8


class Joining(StatesGroup):
    """The next message says whose viewer it is."""

    whom = State()


def build_router() -> Router:
    """Everybody the bot knows may decide; each decision is noted with who made it and can be taken back."""
    router = Router(name="matches")
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_whom, StateFilter(Joining.whom), *words)
    router.message.register(sent_whom, StateFilter(Joining.whom), F.contact, in_private)
    buttons: dict[str, Handler] = {"vpart": part, "vundo": undo, "vto": join, "vtake": take, "vgive": give}
    buttons |= {"vlead": make_lead, "vjoin": ask_whom, "vno": leave}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def part(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    before = await viewer_of(callback, argument, person, desk)
    if before is not None and before.line.person_id is None:  # the press came twice
        await redraw(callback, desk, viewer_screen(reader_of(desk, person, callback), before))
    elif before is not None:
        await _do(callback, before, person, desk, lambda says: says.part(before.line.id), word="part", before=before)


async def undo(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await viewer_of(callback, argument, person, desk)
    if found is not None:
        await _do(callback, found, person, desk, lambda says: says.undo(found.line.id), word="undo")


async def join(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    name, _, whom = argument.partition(":")
    found, person_id = await viewer_of(callback, name, person, desk), number(whom) or 0
    if found is not None:
        await state.clear()
        await _do(callback, found, person, desk, lambda says: says.join(found.line.id, person_id), word="join")


async def take(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, _, kind = argument.partition(":")
    found = await viewer_of(callback, name, person, desk)
    if found is not None:
        await _do(callback, found, person, desk, lambda says: says.take_key(found.line.id, kind), word="take")


async def give(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, _, identity = argument.partition(":")
    found, identity_id = await viewer_of(callback, name, person, desk), number(identity) or 0
    if found is not None:
        await _do(callback, found, person, desk, lambda says: says.give_key(found.line.id, identity_id), word="give")


async def _do(
    callback: CallbackQuery, found: ViewerFound, person: Person, desk: Desk, deed: Deed, *, word: str,
    before: ViewerFound | None = None,
) -> None:  # fmt: skip
    """Decide, bring the card up to it, and show the page as it is now."""
    try:
        await deed(Decisions(database=desk.database, by=person, now=desk.clock.now()))
    except BadInput as error:
        await toast(callback, error.hint, alert=True)
        return
    await _show_after(callback, found, person, desk, desk.texts.get(f"viewer.done.{word}"), before=before)


async def _show_after(
    callback: CallbackQuery, found: ViewerFound, person: Person, desk: Desk, word: str, *, before: ViewerFound | None = None
) -> None:
    await refresh_card(desk, person.account_id, found.line.session_id)
    now = await find_viewer(desk.database, person.account_id, found.line.id)
    if now is not None:
        await redraw(callback, desk, viewer_screen(reader_of(desk, person, callback), now, word=word, before=before))


async def make_lead(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await viewer_of(callback, argument, person, desk)
    if found is None:
        return
    line = found.line
    if not (line.username or line.phone_number or line.email):
        await toast(callback, desk.texts.get("viewer.nothing_to_lead"), alert=True)
        return
    made = await found_leads(desk.database, person.account_id, [line.id], now=desk.clock.now())
    await _show_after(
        callback, found, person, desk, desk.texts.get("viewer.done.lead" if made else "viewer.done.lead_before")
    )


async def ask_whom(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    found, message = await viewer_of(callback, argument, person, desk), pressed_on(callback)
    if found is None or message is None:
        return
    if not in_private(message):  # the answer would be somebody's phone
        await toast(callback, desk.texts.get("viewer.join_in_private"), alert=True)
        return
    await state.set_state(Joining.whom)
    await state.set_data({"attendee": found.line.id})
    await toast(callback)
    await show(message, desk, _question(desk, found.line.id, "viewer.join_ask"))


async def typed_whom(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    await _offer(message, read_person(message.text or ""), person, desk, state)


async def sent_whom(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    sent = message.contact.phone_number if message.contact is not None else ""
    await _offer(message, PersonLine(phone=phone_key(f"+{sent.lstrip('+')}") or ""), person, desk, state)


async def _offer(message: ChatMessage, line: PersonLine, person: Person, desk: Desk, state: FSMContext) -> None:
    attendee_id = (await state.get_data()).get("attendee")
    if not isinstance(attendee_id, int):
        await state.clear()
        await show(message, desk, say(desk.texts.get("viewer.join_ended")))
        return
    people = await _known(desk, person, line)
    if not people:
        await show(message, desk, _question(desk, attendee_id, "viewer.join_none"))
        return
    await show(message, desk, people_screen(desk.reader(person.account_id, private=True), attendee_id, people))


async def _known(desk: Desk, person: Person, line: PersonLine) -> tuple[Somebody, ...]:
    """By phone or e-mail, else by name."""
    if line.phone or line.email:
        known = await find_contact(desk.database, person.account_id, phone=line.phone, email=line.email)
        if known is None or known.person_id is None:
            return ()
        return await find_people(desk.database, person.account_id, [known.person_id])
    return await find_people_named(desk.database, person.account_id, line.name, limit=MOST_PEOPLE)


def _question(desk: Desk, attendee_id: int, name: str) -> Message:
    return say(desk.texts.get(name), (action(desk.texts.get("viewer.button.cancel"), f"vno:{attendee_id}"),))


async def leave(callback: CallbackQuery, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    await redraw(callback, desk, say(desk.texts.get("viewer.join_left")))
