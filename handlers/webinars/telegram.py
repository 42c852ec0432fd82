"""Webinars in Telegram: the list, one webinar, whom to call, who took them, and registering them again."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiogram import Router
from aiogram.enums import ChatType
from aiogram.filters import Command
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.messages import Destination
from domain.roles import Person
from domain.webinars import RegistrationPage, RoomId
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, place_of, pressed_on, redraw, show, toast
from handlers.webinars import answers
from handlers.webinars.drafts import Draft, session_at
from handlers.webinars.files import guests_file
from handlers.webinars.lists import PER_PAGE, Place, guest_screen, sessions_for, webinars_screen
from handlers.webinars.register import begin_registration
from handlers.webinars.whose import whose_screen
from handlers.wording import Reader
from storage.claims import give_back, take
from storage.queries.audience import Group, Guest, find_guest, managers_of, work_of
from storage.queries.journal import find_work
from storage.queries.webinars import WebinarLine, list_webinars, webinar_line

Handler = Callable[..., Awaitable[None]]


def build_router() -> Router:
    """Everybody the bot knows may look, take and register; what is pressed is written down with who pressed it."""
    router = Router(name="webinars")
    router.message.register(webinars_command, Command("webinars", "вебинары", ignore_case=True))
    buttons: dict[str, Handler] = {"webs": turn_page, "web": open_webinar, "wlist": open_list, "wg": turn_list}
    buttons |= {"wagain": open_again, "wga": turn_list, "wp": open_person, "wtake": take_person, "wback": return_person}
    buttons |= {
        "wra": choose_session,
        "wreg": register_again,
        "wfile": send_file,
        "wmore": explain,
        "wredo": do_again,
        "wsum": show_summary,
        "wwho": choose_whose,
    }
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def webinars_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    rows = await list_webinars(desk.database, person.account_id, limit=PER_PAGE + 1)
    await show(message, desk, webinars_screen(desk.reader(person.account_id, private=in_private(message)), rows, 0))


async def turn_page(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    offset = number(argument) or 0
    rows = await list_webinars(desk.database, person.account_id, limit=PER_PAGE + 1, offset=offset)
    await redraw(callback, desk, webinars_screen(_reader(desk, person, callback), rows, offset))


async def open_webinar(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The same card as in the chat, of what is known now, below the list."""
    webinar, message = await webinar_of(callback, argument, person, desk), pressed_on(callback)
    if webinar is not None and message is not None:
        await toast(callback)
        await show(message, desk, await answers.webinar_page(desk, person, webinar))


async def open_list(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Below the card: the card itself stays as it is for everybody."""
    await _below(callback, argument, person, desk, again=False)


async def open_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _below(callback, argument, person, desk, again=True)


async def _below(callback: CallbackQuery, argument: str, person: Person, desk: Desk, *, again: bool) -> None:
    webinar, message = await webinar_of(callback, argument, person, desk), pressed_on(callback)
    if webinar is None or message is None:
        return
    await toast(callback)
    place = Place(webinar=webinar, group=Group.NO_SHOW if again else Group.HOT, again=again)
    await show(message, desk, await answers.guests_page(desk, _reader(desk, person, callback), person, place))


async def turn_list(callback: CallbackQuery, argument: str, action: str, person: Person, desk: Desk) -> None:
    name, letter, offset, whose = f"{argument}:::".split(":")[:4]
    webinar = await webinar_of(callback, name, person, desk)
    if webinar is None or letter not in set(Group):
        return
    again = action == "wga"
    place = Place(webinar=webinar, group=Group(letter), offset=number(offset) or 0, again=again, whose=whose)
    await redraw(callback, desk, await answers.guests_page(desk, _reader(desk, person, callback), person, place))


async def choose_whose(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, _, letter = argument.partition(":")
    webinar = await webinar_of(callback, name, person, desk)
    if webinar is None or letter not in set(Group):
        return
    managers = await managers_of(desk.database, person.account_id, webinar.id)
    place = Place(webinar=webinar, group=Group(letter))
    await redraw(callback, desk, whose_screen(_reader(desk, person, callback), place, managers))


async def open_person(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is not None:
        place, guest = found
        mine = guest.taken_by_id == person.telegram_id
        await redraw(callback, desk, guest_screen(_reader(desk, person, callback), place, guest, mine=mine))


async def take_person(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The first press has them; who was later is told by whom."""
    found = await _found(callback, argument, person, desk)
    if found is None:
        return
    place, guest = found
    claim = await take(desk.database, person, place.webinar.id, guest.key, desk.clock.now())
    reader = _reader(desk, person, callback)
    word = "guests.taken_toast" if claim.mine else "guests.taken_before"
    taken = replace(guest, taken_by=claim.name, taken_at=claim.at)
    text = reader.say(word, name=claim.name, at=reader.moment(claim.at))
    await redraw(callback, desk, guest_screen(reader, place, taken, mine=claim.mine), word=text)


async def return_person(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is None:
        return
    place, guest = found
    if not await give_back(desk.database, person, place.webinar.id, guest.key):
        await toast(callback, desk.texts.get("guests.not_yours"), alert=True)
        return
    free = replace(guest, taken_by="", taken_at=None)
    screen = guest_screen(_reader(desk, person, callback), place, free, mine=False)
    await redraw(callback, desk, screen, word=desk.texts.get("guests.given_back"))


async def choose_session(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is None:
        return
    place, guest = found
    if not guest.email:
        await toast(callback, desk.texts.get("guests.no_email"), alert=True)
        return
    screen = sessions_for(_reader(desk, person, callback), place, guest, await _pages(desk, place, guest))
    await redraw(callback, desk, screen)


async def register_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The person and the session are on the button: the press is the registration."""
    who, _, moment = argument.rpartition(":")
    found, at = await _found(callback, who, person, desk), session_at(moment)
    if found is None or not at:
        return
    place, guest = found
    pages = [page for page in await _pages(desk, place, guest) if at in {one.isoformat() for one in page.sessions}]
    if not pages or not guest.email:
        await toast(callback, desk.texts.get("register.page_gone"), alert=True)
        return
    page = pages[0]
    draft = Draft(page_id=page.page_id, title=page.title, at=at, name=guest.name, email=guest.email, phone=guest.phone)
    await begin_registration(callback, draft, person, desk)


async def send_file(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    webinar, message = await webinar_of(callback, argument, person, desk), pressed_on(callback)
    if webinar is None or message is None:
        return
    place = await file_place(callback, message, person, desk)
    key = f"webinar-file:{webinar.id}:{callback.id}"
    await desk.send(person.account_id, place, await guests_file(desk, person, webinar, key=key))


async def file_place(callback: CallbackQuery, message: ChatMessage, person: Person, desk: Desk) -> Destination:
    """Where a file with everybody's phones may go: the presser's own chat; said in a toast."""
    if in_private(message):
        await toast(callback, desk.texts.get("webinar.file_on_its_way"))
        return place_of(message)
    await toast(callback, desk.texts.get("webinar.file_in_private"), alert=True)
    return Destination(chat_id=person.telegram_id)


async def explain(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """How it was counted, and a way to have it counted again."""
    webinar, message = await webinar_of(callback, argument, person, desk), pressed_on(callback)
    if webinar is None or message is None:
        return
    await toast(callback)
    work_id = await work_of(desk.database, person.account_id, webinar.id)
    await show(message, desk, answers.explanation(desk, webinar, work_id))


async def show_summary(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """What became of calling them up to now."""
    webinar, message = await webinar_of(callback, argument, person, desk), pressed_on(callback)
    if webinar is not None and message is not None:
        await toast(callback)
        await show(message, desk, await answers.summary_page(desk, person, webinar))


async def do_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The report is asked for again; it costs nothing, so anybody of the team may."""
    work = await find_work(desk.database, person.account_id, number(argument) or 0)
    if work is None or work.kind != "webinar":
        await toast(callback, desk.texts.get("guests.webinar_gone"), alert=True)
    elif await desk.replay(work.id) is None:
        await toast(callback, desk.texts.get("again.running"), alert=True)
    else:
        await toast(callback, desk.texts.get("webinar.redone"), alert=True)


async def webinar_of(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> WebinarLine | None:
    """The webinar of a button. Where it is gone the presser is told."""
    webinar = await webinar_line(desk.database, person.account_id, number(argument) or 0)
    if webinar is None:
        await toast(callback, desk.texts.get("guests.webinar_gone"), alert=True)
    return webinar


async def _found(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> tuple[Place, Guest] | None:
    """The person of a button, «webinar:a12» for who was there, «webinar:r12» for who was not; then the way back."""
    name, who, back = f"{argument}::".split(":")[:3]
    webinar = await webinar_of(callback, name, person, desk)
    if webinar is None:
        return None
    seen, id_ = who[:1] == "a", number(who[1:]) or 0
    guest = await find_guest(desk.database, person.account_id, webinar.id, seen=seen, id_=id_)
    if guest is None:
        await toast(callback, desk.texts.get("guests.gone"), alert=True)
        return None
    offset, _, whose = back[1:].partition(".")
    group = Group(back[0]) if back[:1] in set(Group) else Group.HOT if seen else Group.NO_SHOW
    return Place(webinar=webinar, group=group, offset=number(offset) or 0, whose=whose), guest


async def _pages(desk: Desk, place: Place, guest: Guest) -> list[RegistrationPage]:
    """Where they can be registered: their own page first, then those of the room."""
    if desk.webinars is None:
        return []
    pages = await desk.webinars.catalogue.pages_of(RoomId(place.webinar.room_id))
    return sorted(pages, key=lambda page: page.page_id != guest.page_id)


def _reader(desk: Desk, person: Person, callback: CallbackQuery) -> Reader:
    private = callback.message is None or callback.message.chat.type == ChatType.PRIVATE
    return desk.reader(person.account_id, private=private)
