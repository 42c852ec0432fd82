"""/client in Telegram and inline: one person by phone, e-mail or name, and what somebody says of who they are."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, InlineQuery, InlineQueryResultArticle, InputTextMessageContent
from aiogram.types import Message as ChatMessage

from domain.errors import BadInput, VendorError
from domain.messages import Message
from domain.roles import Person
from domain.webinars import RegistrationPage
from handlers.calls.screens import action, say
from handlers.clients.screens import PER_PAGE, choice_screen, client_name, client_screen, summary_line, ties_screen
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, pressed_on, redraw, show, toast
from handlers.webinars.drafts import Draft
from handlers.webinars.problems import problem_section
from handlers.webinars.register import begin_registration
from handlers.webinars.typed import read_person
from handlers.wording import Reader, shortened
from storage.pairs import By, PairStore
from storage.queries.client import MOST_FOUND, Client, find_client, read_client
from storage.queries.viewers import find_people, find_people_named

INLINE_CACHE_SECONDS = 5
INLINE = re.compile(r"^(?:клиент\s+\S.*|\+?[\d\s().-]{10,20}|\S+@\S+\.\S+)$", re.IGNORECASE)
MOST_SESSIONS = 8
TITLE_LIMIT = 60

Buttons = dict[str, Callable[..., Awaitable[None]]]


def build_router() -> Router:
    """Everybody the bot knows may look; who says that people are one, or two, is written down."""
    router = Router(name="clients")
    router.message.register(client_command, Command("client", "клиент", ignore_case=True))
    router.inline_query.register(ask_inline, F.query[:200].regexp(INLINE))
    buttons: Buttons = {"cl": open_client, "cties": open_ties, "cpart": part, "cjoin": join, "csplit": split}
    buttons |= {"creg": choose_session, "cgo": register}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def client_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    reader = desk.reader(person.account_id, private=in_private(message))
    await show(message, desk, await answer(desk, reader, person, command.args or ""))


async def answer(desk: Desk, reader: Reader, person: Person, text: str) -> Message:
    """The card, or the question who is meant, or what cannot be read."""
    line = read_person(text)
    if line.problems:
        return Message(key="answer", sections=(problem_section(line.problems, desk.texts),))
    if not (line.phone or line.email or line.name):
        return say(desk.texts.get("client.usage"))
    if line.phone or line.email:
        ids = await find_client(desk.database, person.account_id, phone=line.phone, email=line.email)
    else:
        named = await find_people_named(desk.database, person.account_id, line.name, limit=MOST_FOUND)
        ids = tuple(one.person_id for one in named)
    if len(ids) > 1:
        people = await find_people(desk.database, person.account_id, ids)
        return choice_screen(reader, people, by_name=not (line.phone or line.email))
    client = await read_client(desk.database, person.account_id, ids[0]) if ids else None
    return client_screen(reader, client) if client is not None else say(desk.texts.get("client.unknown"))


async def ask_inline(query: InlineQuery, person: Person, desk: Desk) -> None:
    """«клиент Иванов», a phone, an e-mail: the card as guests of a chat may read it. A phone of nobody is left to calls."""
    word, _, rest = query.query.strip().partition(" ")
    asked = word.casefold() == "клиент"
    line = read_person(rest if asked else query.query)
    ids = await find_client(desk.database, person.account_id, phone=line.phone, email=line.email)
    if not ids and line.name:
        named = await find_people_named(desk.database, person.account_id, line.name, limit=MOST_FOUND)
        ids = tuple(one.person_id for one in named)
    found = [await read_client(desk.database, person.account_id, id_) for id_ in ids[:MOST_FOUND]]
    if not (ids or asked):
        raise SkipHandler
    results = [_article(desk, person, client) for client in found if client is not None]
    await query.answer(list(results), is_personal=True, cache_time=INLINE_CACHE_SECONDS)


def _article(desk: Desk, person: Person, client: Client) -> InlineQueryResultArticle:
    """The title is for who asks, the text for whoever reads the chat; buttons are for chats that the bot is in."""
    shared, own = (desk.reader(person.account_id, private=private) for private in (False, True))
    screen = client_screen(shared, client)
    ready = desk.render(Message(key=screen.key, sections=screen.sections))
    content = InputTextMessageContent(message_text=ready["text"], entities=ready.get("entities"))
    title, about = shortened(client_name(own, client), 60), shortened(summary_line(own, client), 120)
    return InlineQueryResultArticle(
        id=f"client{client.person_id}", title=title, description=about, input_message_content=content
    )


async def open_client(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    id_, _, offset = argument.partition(":")
    client = await _client(callback, id_, person, desk)
    if client is not None:
        screen = client_screen(_reader(desk, person, callback), client, offset=(number(offset) or 0) // PER_PAGE * PER_PAGE)
        await redraw(callback, desk, screen)


async def open_ties(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    client = await _client(callback, argument, person, desk)
    if client is not None:
        await redraw(callback, desk, ties_screen(_reader(desk, person, callback), client))


async def part(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _say(callback, argument, person, desk, "parted")


async def join(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await _say(callback, argument, person, desk, "united")


async def split(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """A key that is somebody else's; the button that takes it back is on the answer."""
    key, _, id_ = argument.partition(":")
    try:
        await PairStore(desk.database).split(person.account_id, number(key) or 0, _by(person, desk))
    except BadInput as problem:
        await toast(callback, problem.hint, alert=True)
        return
    await _ties_after(callback, number(id_) or 0, person, desk, "parted")


async def _say(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: str) -> None:
    store, pair = PairStore(desk.database), number(argument) or 0
    try:
        await (store.unite if state == "united" else store.part)(person.account_id, pair, _by(person, desk))
    except BadInput as problem:
        await toast(callback, problem.hint, alert=True)
        return
    first = await store.first_of(person.account_id, pair)
    await _ties_after(callback, first or 0, person, desk, state)


async def _ties_after(callback: CallbackQuery, id_: int, person: Person, desk: Desk, state: str) -> None:
    client = await read_client(desk.database, person.account_id, id_)
    if client is not None:
        word = desk.texts.get(f"client.{state}")
        await redraw(callback, desk, ties_screen(_reader(desk, person, callback), client, word=word))


async def choose_session(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    client = await _client(callback, argument, person, desk)
    if client is None:
        return
    if desk.webinars is None:
        await toast(callback, desk.texts.get("webinars.not_connected"), alert=True)
        return
    if not client.key("email"):
        await toast(callback, desk.texts.get("client.no_email"), alert=True)
        return
    reader, offered = _reader(desk, person, callback), _offered(await _pages(desk), desk.clock.now())
    rows = [
        (action(shortened(f"{reader.moment(at)} · {page.title or page.page_id}", TITLE_LIMIT), _go(client, page, at)),)
        for at, page in offered[:MOST_SESSIONS]
    ]
    rows.append((action(reader.say("client.button.back"), f"cl:{client.person_id}:0"),))
    word = "client.sessions" if offered else "client.no_sessions"
    await redraw(callback, desk, say(desk.texts.get(word, name=client_name(reader, client)), *rows))


async def register(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The person, the page and the session are on the button: the press is the registration."""
    id_, _, rest = argument.partition(":")
    client = await _client(callback, id_, person, desk)
    if client is None:
        return
    offered = _offered(await _pages(desk), desk.clock.now())
    chosen = next(((at, page) for at, page in offered if _go(client, page, at).endswith(f":{rest}")), None)
    if chosen is None or not client.key("email"):
        await toast(callback, desk.texts.get("register.page_gone"), alert=True)
        return
    at, page = chosen
    draft = Draft(
        page_id=page.page_id, title=page.title, at=at.astimezone(UTC).isoformat(), name=client.name,
        email=client.key("email"), phone=client.key("phone"),
    )  # fmt: skip
    await begin_registration(callback, draft, person, desk)


def _go(client: Client, page: RegistrationPage, at: datetime) -> str:
    """A page's id may be longer than a button holds."""
    return f"cgo:{client.person_id}:{hashlib.sha256(page.page_id.encode()).hexdigest()[:8]}:{int(at.timestamp())}"


def _offered(pages: Sequence[RegistrationPage], now: datetime) -> list[tuple[datetime, RegistrationPage]]:
    coming = [(at, page) for page in pages for at in page.sessions if page.enabled and at > now]
    return sorted(coming, key=lambda one: one[0])


async def _pages(desk: Desk) -> Sequence[RegistrationPage]:
    try:
        return await desk.webinars.catalogue.pages() if desk.webinars is not None else ()
    except VendorError:
        return ()


async def _client(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> Client | None:
    """Who is on the button; said when they are not there any more."""
    client = await read_client(desk.database, person.account_id, number(argument) or 0)
    if client is None:
        await toast(callback, desk.texts.get("client.gone"), alert=True)
    return client


def _by(person: Person, desk: Desk) -> By:
    return By(user=person.telegram_id, now=desk.clock.now())


def _reader(desk: Desk, person: Person, callback: CallbackQuery) -> Reader:
    message = pressed_on(callback)
    private = message is None or message.chat.type == ChatType.PRIVATE
    return desk.reader(person.account_id, private=private)
