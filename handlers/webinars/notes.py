"""What is said about registrations: the team's note of a day, and the answer to who asked for one. Pure functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.events import RegistrationAsked
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, Texts, bullet, plain
from domain.people import email_key, shorten_phone, show_phone
from domain.plural import spaced
from domain.webinars import Registrant

KIND = "registration"
LONGEST_COPIED = 256  # characters of a button that copies


class Answer(StrEnum):
    """How asking for a registration goes."""

    ASKED = "asked"
    WAITING = "waiting"
    REFUSED = "refused"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredNote:
    """The day of one page: ``newest`` first, ``total`` of them all."""

    title: str
    total: int
    newest: tuple[Registrant, ...]
    timezone: ZoneInfo


def note(view: RegisteredNote, texts: Texts, *, key: str, private: bool) -> Message:
    """A group sees no more of anybody's contacts than tells who it is; the button leads to the whole."""
    head = Line(spans=(Span(texts.get("registration.title"), Style.BOLD),))
    lines = [plain(view.title)]
    if view.total > 1:
        lines.append(plain(texts.get("registration.total", total=spaced(view.total))))
    people = (_person(person, view.timezone, texts, private=private) for person in view.newest)
    sections = [Section(title=head, lines=tuple(lines)), *(Section(lines=tuple(one)) for one in people)]
    left = view.total - len(view.newest)
    if left > 0:
        sections.append(Section(lines=(plain(texts.get("registration.left", left=spaced(left))),)))
    more = Button(text=texts.get("registrant.button"), kind=ButtonKind.ACTION, target="regs:0")
    return Message(key=key, sections=tuple(sections), buttons=((more,),), kind=KIND)


def _person(person: Registrant, zone: ZoneInfo, texts: Texts, *, private: bool) -> Iterator[Line]:
    who = _named(person) if private else _hinted_at(person)
    yield bullet(", ".join(filter(None, who)) or texts.get("registration.nameless"))
    found = "created" if person.created else str(person.matched_by)
    session = person.session_at
    when = (texts.get("registration.session", at=f"{session.astimezone(zone):%d.%m %H:%M}"),) if session else ()
    yield plain(" · ".join((*when, texts.get(f"registration.found.{found}"))))
    if person.email and not email_key(person.email):
        yield plain(texts.get("registration.no_email"))
    if person.other:
        other = person.other if private else short_name(person.other)
        yield plain(texts.get("registrant.other", name=other or texts.get("registration.nameless")))
    if person.phone and private:
        yield Line(
            spans=(
                Span(texts.get("registration.write") + " "),
                Span("WhatsApp", Style.LINK, f"https://wa.me/{person.phone}"),
                Span(" · "),
                Span("Telegram", Style.LINK, f"https://t.me/+{person.phone}"),
            )
        )


def _named(person: Registrant) -> tuple[str, ...]:
    return person.name, show_phone(person.phone) if person.phone else person.phone_raw, person.email


def _hinted_at(person: Registrant) -> tuple[str, ...]:
    """«Мария К., +7 999 ···-··-67»."""
    return short_name(person.name), shorten_phone(person.phone) if person.phone else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A registration that is there: ``row_id`` of ours, their personal link where the platform told it."""

    row_id: int = 0
    link: str = ""


def answer(
    event: RegistrationAsked,
    stage: Answer,
    texts: Texts,
    zone: ZoneInfo,
    *,
    private: bool,
    made: Made | None = None,
    hint: str = "",
) -> Message:
    """The answer of ``stage``. The contacts and the personal link are for private eyes; a group learns who and when."""
    made = made or Made()
    lines = list(_whole(event, zone) if private else _short(event, texts, zone))
    if hint:
        lines.append(plain(hint))
    if stage is Answer.DONE:
        lines += [plain(texts.get(name)) for name in _notes(made, private=private)]
    head = Line(spans=(Span(texts.get(f"register.{stage}"), Style.BOLD),))
    return Message(
        key=answer_key(event),
        sections=(Section(title=head, lines=tuple(lines)),),
        buttons=tuple(_ways(stage, made, texts, private=private)),
        kind="answer",
    )


def _whole(event: RegistrationAsked, zone: ZoneInfo) -> Iterator[Line]:
    request = event.request
    yield bullet(", ".join(filter(None, (request.name, request.email, show_phone(request.phone) if request.phone else ""))))
    yield bullet(event.title or request.page_id)
    if request.at is not None:
        yield bullet(Span(f"{request.at.astimezone(zone):%d.%m.%Y %H:%M}", Style.TIME, request.at.isoformat()))


def _short(event: RegistrationAsked, texts: Texts, zone: ZoneInfo) -> Iterator[Line]:
    """«Мария К., 5 декабря 19:00»."""
    request = event.request
    when = day_and_time(request.at, texts, zone) if request.at is not None else ""
    yield bullet(", ".join(filter(None, (short_name(request.name) or texts.get("registration.nameless"), when))))
    yield bullet(event.title or request.page_id)


def _notes(made: Made, *, private: bool) -> Iterator[str]:
    if private and not made.link:
        yield "register.no_link"
    if not private:
        yield "register.rest_in_private"


def _ways(stage: Answer, made: Made, texts: Texts, *, private: bool) -> Iterator[tuple[Button, ...]]:
    if private and made.link:
        yield link_buttons(made.link, texts)
    if not private and stage is Answer.DONE and made.row_id:
        yield (Button(text=texts.get("register.button.rest"), kind=ButtonKind.ACTION, target=f"rlink:{made.row_id}"),)


def link_buttons(link: str, texts: Texts) -> tuple[Button, ...]:
    """The personal link can be opened, and copied where it is short enough for a button."""
    opened = Button(text=texts.get("register.button.open"), kind=ButtonKind.URL, target=link)
    copied = Button(text=texts.get("register.button.copy"), kind=ButtonKind.COPY, target=link)
    return (opened, copied) if len(link) <= LONGEST_COPIED else (opened,)


def short_name(name: str) -> str:
    """«Мария К.»: as much as a group needs to know whom it is about; "" for what is no name."""
    words = [word for word in name.split() if not any(character in "@0123456789" for character in word)]
    if not words:
        return ""
    return words[0] if len(words) == 1 else f"{words[0]} {words[1][0].upper()}."


def day_and_time(at: datetime, texts: Texts, zone: ZoneInfo) -> str:
    """«5 декабря 19:00» of the account's zone."""
    local = at.astimezone(zone)
    return f"{local.day} {texts.get('time.months_of').split('|')[local.month - 1]} {local:%H:%M}"


def answer_key(event: RegistrationAsked) -> str:
    return f"register:{event.vendor}:{event.external_id}"
