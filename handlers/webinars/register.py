"""/register in Telegram: a dialogue from the page to the check, or one line, and one press that does it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.events import RegistrationAsked
from domain.messages import Destination, Message
from domain.people import phone_key
from domain.roles import Person
from handlers.calls.screens import ANSWER, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, place_of, pressed_on, redraw, show, toast
from handlers.webinars.desk import Asking, WebinarDesk, registration_asked
from handlers.webinars.drafts import (
    Draft,
    check_screen,
    draft_of,
    email_screen,
    page_ref,
    pages_screen,
    person_screen,
    session_at,
    sessions_screen,
)
from handlers.webinars.notes import Answer, Made, answer
from handlers.webinars.problems import problem_section
from handlers.webinars.typed import (
    PersonLine,
    Problem,
    RegistrationLine,
    past,
    read_email,
    read_moment,
    read_person,
    read_registration,
)
from handlers.wording import Reader
from storage.queries.contacts import find_contact
from storage.queries.registrations import registration_of

Handler = Callable[..., Awaitable[None]]


class Register(StatesGroup):
    """What the next message is expected to be."""

    page = State()
    session = State()
    person = State()
    email = State()
    check = State()


def build_router() -> Router:
    """Messages of the dialogue are taken in private only: in a group the bot does not hear them."""
    router = Router(name="register")
    router.message.register(register_command, Command("register", "записать", ignore_case=True))
    words = (F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(typed_session, StateFilter(Register.session), *words)
    whose = StateFilter(Register.person, Register.email, Register.check)
    router.message.register(sent_contact, whose, F.contact, in_private)
    router.message.register(typed_person, StateFilter(Register.person), *words)
    router.message.register(typed_email, StateFilter(Register.email), *words)
    buttons: dict[str, Handler] = {"rpage": choose_page, "rat": choose_session, "rconf": switch_confirm}
    buttons |= {"redit": edit_person, "rgo": go, "rno": cancel}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def register_command(
    message: ChatMessage, command: CommandObject, person: Person, desk: Desk, state: FSMContext
) -> None:
    if command.args and desk.webinars is not None:
        await _one_line(message, command.args, person, desk, state)
    else:
        await begin_dialogue(message, person, desk, state)


async def begin_dialogue(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    if desk.webinars is None:
        await show(message, desk, say(desk.texts.get("webinars.not_connected")))
    elif not in_private(message):
        await show(message, desk, say(desk.texts.get("register.in_private")))
    else:
        pages = [page for page in await desk.webinars.catalogue.pages() if page.enabled]
        await _begin(state, Register.page)
        await show(message, desk, pages_screen(_reader(desk, person), pages))


async def _one_line(message: ChatMessage, text: str, person: Person, desk: Desk, state: FSMContext) -> None:
    line = read_registration(text)
    problems, title = line.problems, ""
    problems += past(line.moment(desk.timezone(person.account_id)), desk.clock.now())
    if line.page_id and desk.webinars is not None:
        page = await desk.webinars.catalogue.page(line.page_id)
        title = page.title if page else ""
        problems += () if page else (await _no_page(desk.webinars, line.page_id),)
    if problems:
        await show(message, desk, _said(desk, problems, example=True))
        return
    draft = await _filled(desk, person, _draft_of_line(line, title, _reader(desk, person)))
    await _keep(state, draft, Register.check)
    await show(message, desk, check_screen(_reader(desk, person, private=in_private(message)), draft))


async def _no_page(webinars: WebinarDesk, page_id: str) -> Problem:
    room = await webinars.catalogue.room(page_id)
    return Problem("page", "page_is_a_room" if room else "page_unknown", given=page_id)


def _draft_of_line(line: RegistrationLine, title: str, reader: Reader) -> Draft:
    at = line.moment(reader.zone)
    marks = {name: value for name in line.marks.__slots__ if (value := getattr(line.marks, name))}
    return Draft(
        page_id=line.page_id,
        title=title,
        at=at.isoformat() if at else "",
        email=line.email,
        phone=line.phone,
        confirm=line.confirm,
        marks=marks or None,
    )


async def choose_page(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    pages = await desk.webinars.catalogue.pages() if desk.webinars else ()
    page = next((one for one in pages if page_ref(one) == argument), None)
    if page is None:
        await toast(callback, desk.texts.get("register.page_gone"), alert=True)
        return
    await _keep(state, Draft(page_id=page.page_id, title=page.title), Register.session)
    await redraw(callback, desk, sessions_screen(_reader(desk, person), page))


async def choose_session(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    draft, at = await _draft(state), session_at(argument)
    if draft is None or not at:
        await toast(callback, desk.texts.get("register.ended"), alert=True)
        return
    draft = replace(draft, at=at)
    await _keep(state, draft, Register.person)
    await redraw(callback, desk, person_screen(_reader(desk, person), draft))


async def typed_session(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    draft, reader = await _draft(state), _reader(desk, person)
    if draft is None:
        await show(message, desk, say(desk.texts.get("register.ended")))
        return
    try:
        at = read_moment(message.text or "", reader.zone)
    except Problem as problem:
        await show(message, desk, _said(desk, (problem,)))
        return
    if problems := past(at, reader.now):
        await show(message, desk, _said(desk, problems))
        return
    draft = replace(draft, at=at.isoformat())
    await _keep(state, draft, Register.person)
    await show(message, desk, person_screen(reader, draft))


async def sent_contact(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    """A contact sent or forwarded from the address book: another person than was spoken of, if anybody was."""
    contact, draft = message.contact, await _draft(state)
    if contact is None:
        return
    if draft is not None:
        await _keep(state, replace(draft, name="", email="", phone=""), Register.person)
    name = " ".join(filter(None, (contact.first_name, contact.last_name)))
    line = PersonLine(name=name, phone=phone_key(f"+{contact.phone_number.lstrip('+')}") or "")
    await _with_person(message, line, person, desk, state)


async def typed_person(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    line = read_person(message.text or "")
    if line.problems:
        await show(message, desk, _said(desk, line.problems))
    else:
        await _with_person(message, line, person, desk, state)


async def typed_email(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    try:
        email = read_email((message.text or "").strip())
    except Problem as problem:
        await show(message, desk, _said(desk, (problem,)))
        return
    await _with_person(message, PersonLine(email=email), person, desk, state)


async def _with_person(message: ChatMessage, line: PersonLine, person: Person, desk: Desk, state: FSMContext) -> None:
    """Take in what was said, fill in what we know, and ask for the e-mail while there is none."""
    draft = await _draft(state)
    if draft is None:
        await show(message, desk, say(desk.texts.get("register.ended")))
        return
    draft = replace(draft, name=line.name or draft.name, email=line.email or draft.email, phone=line.phone or draft.phone)
    draft = await _filled(desk, person, draft)
    reader = _reader(desk, person)
    await _keep(state, draft, Register.check if draft.email else Register.email)
    await show(message, desk, check_screen(reader, draft) if draft.email else email_screen(reader, draft))


async def _filled(desk: Desk, person: Person, draft: Draft) -> Draft:
    """What a lead or an earlier registration knows of this phone or e-mail; what was typed stays."""
    known = await find_contact(desk.database, person.account_id, phone=draft.phone, email=draft.email)
    if known is None:
        return draft
    return replace(draft, name=draft.name or known.name, email=draft.email or known.email, phone=draft.phone or known.phone)


async def edit_person(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    draft = await _draft(state)
    if draft is None:
        await toast(callback, desk.texts.get("register.ended"), alert=True)
        return
    draft = replace(draft, name="", email="", phone="")
    await _keep(state, draft, Register.person)
    await redraw(callback, desk, person_screen(_reader(desk, person), draft))


async def switch_confirm(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    draft = await _draft(state)
    if draft is None or not draft.email:
        await toast(callback, desk.texts.get("register.ended"), alert=True)
        return
    draft = replace(draft, confirm=argument == "1")
    await _keep(state, draft, Register.check)
    message = pressed_on(callback)
    await redraw(callback, desk, check_screen(_reader(desk, person, private=message is None or in_private(message)), draft))


async def go(callback: CallbackQuery, person: Person, desk: Desk, state: FSMContext) -> None:
    """The one press that is seen outside. Pressed twice it is one registration."""
    draft = await _draft(state)
    if draft is None or not draft.email:
        await toast(callback, desk.texts.get("register.ended"), alert=True)
        return
    await state.clear()
    await begin_registration(callback, draft, person, desk)


async def begin_registration(callback: CallbackQuery, draft: Draft, person: Person, desk: Desk) -> None:
    """Begin the work. In private its answer takes the place of what was pressed; a group has it as a message of its own."""
    message, webinars = pressed_on(callback), desk.webinars
    if message is None or webinars is None:
        await toast(callback, desk.texts.get("register.ended"), alert=True)
        return
    if past(draft.session, desk.clock.now()):  # a button lives longer than its session
        await toast(callback, desk.texts.get("register.past"), alert=True)
        return
    place, private = place_of(message), in_private(message)
    event = registration_asked(webinars.vendor, draft.request(), title=draft.title, asked_by=person.telegram_id, place=place)
    account, zone = person.account_id, desk.timezone(person.account_id)
    asked = answer(event, Answer.ASKED, desk.texts, zone, private=private)
    if private:  # before it begins: it may be through before the next line
        await toast(callback)
        await desk.take_over(account, place, asked, message.message_id)
    asking = await webinars.ask(account, event)
    if asking is Asking.RUNNING and not private:
        # what comes of it is told where «Записываю» stands under its key: here, and with the link to who pressed
        await desk.take_over(account, place, asked, message.message_id)
        mine = answer(event, Answer.ASKED, desk.texts, zone, private=True)
        await desk.send(account, Destination(chat_id=person.telegram_id), mine)
        asking = await webinars.ask(account, event)  # it may have been through before it stood there
    if asking is Asking.DONE:
        shown = await _before(desk, person, event, private=private)
        await (desk.send(account, place, shown) if private else redraw(callback, desk, shown))
    elif asking is Asking.STARTED and not private:
        await redraw(callback, desk, asked)


async def _before(desk: Desk, person: Person, event: RegistrationAsked, *, private: bool) -> Message:
    """They are registered already: that, and the link that was told then."""
    request, word = event.request, say(desk.texts.get("register.done_before"))
    kept = await registration_of(desk.database, person.account_id, request.page_id, request.email, request.at)
    made = Made(row_id=kept.id, link=kept.link) if kept is not None else Made()
    shown = answer(event, Answer.DONE, desk.texts, desk.timezone(person.account_id), private=private, made=made)
    return replace(shown, sections=(*word.sections, *shown.sections))


async def cancel(callback: CallbackQuery, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    await redraw(callback, desk, say(desk.texts.get("register.cancelled")))


async def _begin(state: FSMContext, step: State) -> None:
    await state.clear()
    await state.set_state(step)


async def _keep(state: FSMContext, draft: Draft, step: State) -> None:
    await state.set_data(draft.kept())
    await state.set_state(step)


async def _draft(state: FSMContext) -> Draft | None:
    return draft_of(await state.get_data())


def _said(desk: Desk, problems: tuple[Problem, ...], *, example: bool = False) -> Message:
    sections = [problem_section(problems, desk.texts)]
    if example:
        sections += say(desk.texts.get("register.example")).sections
    return Message(key=ANSWER, sections=tuple(sections))


def _reader(desk: Desk, person: Person, *, private: bool = True) -> Reader:
    return desk.reader(person.account_id, private=private)
