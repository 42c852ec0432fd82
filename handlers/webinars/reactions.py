"""What a registration sets off by the team's rule: the lead's new status, and words for the client that a person sends."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from domain.messages import Button, ButtonKind, Line, Message, Quote, Section, Span, Style, Texts, bullet, plain
from domain.people import show_phone
from domain.ports import Steps, Tx
from domain.webinars import Reaction
from handlers.webinars.notes import KIND, LONGEST_COPIED, day_and_time
from handlers.webinars.services import WebinarServices
from handlers.wording import stage_name

LONGEST_MESSAGE = 1000  # characters
LONGEST_ADDRESS = 2000  # a longer one may not open: then the words are copied by hand
PLACEHOLDERS = ("имя", "вебинар", "дата", "время")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAMELESS = re.compile(r",?\s*\{имя\}")
_NO_NAME = re.compile(r"[@\d]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """Whose registration it was: ``row_id`` of it, ``phone`` a key, ``title`` of the page."""

    row_id: int
    name: str
    email: str
    phone: str
    session_at: datetime | None
    title: str


async def react(account_id: int, one: Entrant, steps: Steps, services: WebinarServices) -> None:
    """Once for each registration, however it came and however often: the mark, the status and the card are one commit.

    The CRM is told afterwards, for it may be away; moving a lead twice is moving it once.
    """

    async def write(tx: Tx) -> Reaction:
        now = services.clock.now()
        reaction = await services.rules.carry_out(tx, account_id, one.row_id, now=now)
        if reaction.message:
            await services.chat.post(tx, account_id, client_card(one, reaction, services))
        return reaction

    reaction = await steps.write("react", write, Reaction)
    if reaction.message:
        services.posted()
    funnel = services.funnels.get(reaction.source)
    if funnel is not None and reaction.status and reaction.lead:
        await steps.run("move", lambda: _move(services, reaction), bool)


async def _move(services: WebinarServices, reaction: Reaction) -> bool:
    await services.funnels[reaction.source].move(reaction.lead, reaction.status)
    return True


def client_card(one: Entrant, reaction: Reaction, services: WebinarServices) -> Message:
    """The words, and the ways to say them: nothing is ever sent to a client by the bot itself."""
    texts = services.texts
    words = filled(reaction.message, one, services)
    title = Line(spans=(Span(texts.get("reaction.title"), Style.BOLD),))
    lines = [bullet(", ".join(filter(None, (one.name, one.email))) or texts.get("registration.nameless"))]
    when = day_and_time(one.session_at, texts, services.timezone) if one.session_at else ""
    lines.append(bullet(", ".join(filter(None, (one.title, when)))))
    if reaction.status:
        lines.append(bullet(texts.get("reaction.moved", status=stage_name(texts, reaction.status))))
    ways = Section(lines=tuple(_ways(one, words, texts)))
    said = Section(lines=(Quote(lines=tuple(plain(line) for line in words.splitlines())),))
    copy = Button(text=texts.get("reaction.copy"), kind=ButtonKind.COPY, target=words)
    return Message(
        key=f"reaction:{one.row_id}",
        sections=(Section(title=title, lines=tuple(lines)), said, ways),
        buttons=((copy,),) if len(words) <= LONGEST_COPIED else (),
        kind=KIND,
    )


def _ways(one: Entrant, words: str, texts: Texts) -> Iterator[Line]:
    if not one.phone:
        yield plain(texts.get("reaction.by_email" if one.email else "reaction.no_way"))
        return
    yield Line(
        spans=(
            Span(texts.get("registration.write") + " "),
            Span("WhatsApp", Style.LINK, _with_words(f"https://wa.me/{one.phone}", words)),
            Span(" · "),
            Span("Telegram", Style.LINK, _with_words(f"https://t.me/+{one.phone}", words)),
        )
    )
    yield plain(texts.get("reaction.call", phone=show_phone(one.phone)))  # a messenger makes it a number to call


def _with_words(address: str, words: str) -> str:
    whole = f"{address}?text={quote(words, safe='')}"
    return whole if len(whole) <= LONGEST_ADDRESS else address


def filled(message: str, one: Entrant, services: WebinarServices) -> str:
    """The team's words with this client's name and session in them; what is not known leaves no hole."""
    words = one.name.split()
    name = words[0] if words and not _NO_NAME.search(words[0]) else ""
    at = one.session_at.astimezone(services.timezone) if one.session_at else None
    values = {
        "имя": name,
        "вебинар": one.title,
        "дата": day_and_time(one.session_at, services.texts, services.timezone).rpartition(" ")[0] if one.session_at else "",
        "время": f"{at:%H:%M}" if at else "",
    }
    return _fill(message if name else _NAMELESS.sub("", message), values)


def _fill(message: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1].strip().lower(), found[0]), message).strip()


def unknown_placeholders(message: str) -> list[str]:
    """What stands in braces and would be sent as it is."""
    return [name for name in _PLACEHOLDER.findall(message) if name.strip().lower() not in PLACEHOLDERS]
