"""What is said about registrations: the team's note of a day, and the answer to who asked for one. Pure functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.events import RegistrationAsked
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, Texts, bullet, plain
from domain.people import show_phone
from domain.plural import spaced
from domain.webinars import Registered, Registrant

KIND = "registration"


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


def note(view: RegisteredNote, texts: Texts, *, key: str) -> Message:
    """For the staff's chats only: it carries phones."""
    head = Line(spans=(Span(texts.get("registration.title"), Style.BOLD),))
    lines = [plain(view.title)]
    if view.total > 1:
        lines.append(plain(texts.get("registration.total", total=spaced(view.total))))
    people = tuple(Section(lines=tuple(_person(person, view.timezone, texts))) for person in view.newest)
    left = view.total - len(view.newest)
    foot = (Section(lines=(plain(texts.get("registration.left", left=spaced(left))),)),) if left > 0 else ()
    return Message(key=key, sections=(Section(title=head, lines=tuple(lines)), *people, *foot), kind=KIND)


def _person(person: Registrant, zone: ZoneInfo, texts: Texts) -> Iterator[Line]:
    who = [person.name, show_phone(person.phone) if person.phone else person.phone_raw, person.email]
    yield bullet(", ".join(filter(None, who)) or texts.get("registration.nameless"))
    found = "created" if person.created else str(person.matched_by)
    session = person.session_at
    when = (texts.get("registration.session", at=f"{session.astimezone(zone):%d.%m %H:%M}"),) if session else ()
    yield plain(" · ".join((*when, texts.get(f"registration.found.{found}"))))
    if person.phone:
        yield Line(
            spans=(
                Span(texts.get("registration.write") + " "),
                Span("WhatsApp", Style.LINK, f"https://wa.me/{person.phone}"),
                Span(" · "),
                Span("Telegram", Style.LINK, f"https://t.me/+{person.phone}"),
            )
        )


def answer(
    event: RegistrationAsked,
    stage: Answer,
    texts: Texts,
    zone: ZoneInfo,
    *,
    done: Registered | None = None,
    hint: str = "",
) -> Message:
    """The answer of ``stage``; the personal link is a button and can be copied."""
    request = event.request
    head = Line(spans=(Span(texts.get(f"register.{stage}"), Style.BOLD),))
    lines = [
        bullet(", ".join(filter(None, (request.name, request.email, show_phone(request.phone) if request.phone else "")))),
        bullet(event.title or request.page_id),
    ]
    if request.at is not None:
        lines.append(bullet(Span(f"{request.at.astimezone(zone):%d.%m.%Y %H:%M}", Style.TIME, request.at.isoformat())))
    if hint:
        lines.append(plain(hint))
    link = done.link if done is not None else ""
    if stage is Answer.DONE and not link:
        lines.append(plain(texts.get("register.no_link")))
    return Message(
        key=answer_key(event),
        sections=(Section(title=head, lines=tuple(lines)),),
        buttons=((_open(link, texts), _copy(link, texts)),) if link else (),
        kind="answer",
    )


def answer_key(event: RegistrationAsked) -> str:
    return f"register:{event.vendor}:{event.external_id}"


def _open(link: str, texts: Texts) -> Button:
    return Button(text=texts.get("register.button.open"), kind=ButtonKind.URL, target=link)


def _copy(link: str, texts: Texts) -> Button:
    return Button(text=texts.get("register.button.copy"), kind=ButtonKind.COPY, target=link)
