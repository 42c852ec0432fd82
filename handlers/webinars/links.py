"""/link in Telegram: a link of somebody's own, so that they are known at the webinar without a phone."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message as ChatMessage

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bullet, plain
from domain.people import show_phone
from domain.roles import Person
from domain.webinars import Entry
from handlers.calls.screens import ANSWER, say
from handlers.desk import Desk
from handlers.talk.telegram import show
from handlers.webinars.addresses import Address, personal, read_address
from handlers.webinars.problems import problem_section
from handlers.webinars.typed import PersonLine, read_person
from storage.links import LinkStore, new_code
from storage.queries.contacts import find_contact

COPY_LIMIT = 256
_REFUSED = (Entry.INDIVIDUAL, Entry.FOREIGN)  # nobody would be known by a link made of these


def build_router() -> Router:
    router = Router(name="links")
    router.message.register(link_command, Command("link", "ссылка", ignore_case=True))
    return router


async def link_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    """«/link адрес комнаты, телефон или почта»."""
    text = command.args or ""
    address = read_address(text)
    if desk.webinars is None:
        await show(message, desk, say(desk.texts.get("webinars.not_connected")))
        return
    if address is None:
        await show(message, desk, say(desk.texts.get("link.usage")))
        return
    entry = desk.webinars.entry_of(address.url)
    if entry in _REFUSED:
        await show(message, desk, say(desk.texts.get(f"link.{entry}", host=address.host)))
        return
    line = read_person(text.replace(address.url, " ", 1))
    if line.problems:
        await show(message, desk, Message(key=ANSWER, sections=(problem_section(line.problems, desk.texts),)))
    elif not (line.phone or line.email):
        await show(message, desk, say(desk.texts.get("link.whose")))
    else:
        await show(message, desk, await _made(desk, person, address, line, entry))


async def _made(desk: Desk, person: Person, address: Address, line: PersonLine, entry: Entry) -> Message:
    known = await find_contact(desk.database, person.account_id, phone=line.phone, email=line.email)
    if known is not None:
        line = PersonLine(name=line.name or known.name, email=line.email or known.email, phone=line.phone or known.phone)
    code, param = new_code(), desk.webinars.link_param if desk.webinars else ""
    short = personal(address.url, param, code)
    full = personal(address.url, param, code, phone=line.phone, email=line.email, name=line.name)
    await LinkStore(desk.database).add(
        person.account_id,
        code,
        short,  # an address that anybody can look up by the code says nothing of whose it is
        now=desk.clock.now(),
        title=line.name,
        person_id=known.person_id if known else None,
        created_by=person.telegram_id,
    )
    public = desk.webinars.public_url.rstrip("/") if desk.webinars else ""
    identified = bool(known and known.person_id)  # others are known by what the link is filled with only
    links = {"filled": full, "plain": short} | ({"short": f"{public}/r/{code}"} if public and identified else {})
    notes = [name for name, told in (("unknown", not identified), ("suspicious", address.suspicious)) if told]
    notes += ["own_domain"] if entry is Entry.OWN_DOMAIN else []
    return _screen(desk, line, links, [plain(desk.texts.get(f"link.{name}", host=address.host)) for name in notes])


def _screen(desk: Desk, line: PersonLine, links: dict[str, str], notes: list[Line]) -> Message:
    say_ = desk.texts.get
    title = Line(spans=(Span(say_("link.title"), Style.BOLD),))
    who = [word for word in (line.name, show_phone(line.phone) if line.phone else "", line.email) if word]
    lines = [bullet(", ".join(who))]
    lines += [bullet(say_(f"link.kind.{name}") + " ", Span(url, Style.LINK, url)) for name, url in links.items()]
    copies = tuple(
        (Button(text=say_(f"link.copy.{name}"), kind=ButtonKind.COPY, target=url),)
        for name, url in links.items()
        if len(url) <= COPY_LIMIT
    )
    sections = (Section(title=title, lines=tuple(lines)), *((Section(lines=tuple(notes)),) if notes else ()))
    return Message(key=ANSWER, sections=sections, buttons=copies)
