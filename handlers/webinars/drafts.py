"""A registration being put together in a dialogue: what is known so far, and the screen for each step. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from domain.messages import Button, Line, Message, Section, Span, Style, bullet, plain
from domain.webinars import Marks, PageId, RegistrationPage, RegistrationRequest
from handlers.calls.screens import ANSWER, action
from handlers.webinars.notes import short_name
from handlers.wording import Reader, shortened

MOST_PAGES = 20
MOST_SESSIONS = 10
TITLE_LIMIT = 40
LONGEST_REF = 40  # bytes of what a button carries, of 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Strings only: it is kept as JSON. ``at`` is an ISO time in UTC, "" while not chosen or not needed."""

    page_id: str
    title: str = ""
    at: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    confirm: bool = False
    marks: Mapping[str, str] | None = None

    @property
    def session(self) -> datetime | None:
        return datetime.fromisoformat(self.at) if self.at else None

    def request(self) -> RegistrationRequest:
        return RegistrationRequest(
            page_id=PageId(self.page_id),
            email=self.email,
            at=self.session,
            name=self.name,
            phone=self.phone,
            confirm=self.confirm,
            marks=Marks(**(self.marks or {})),
        )

    def kept(self) -> dict[str, Any]:
        return asdict(self)


def draft_of(data: Mapping[str, Any]) -> Draft | None:
    """What ``kept`` gave; None where the dialogue has ended or was never begun."""
    return Draft(**data) if data.get("page_id") else None


def pages_screen(reader: Reader, pages: Sequence[RegistrationPage]) -> Message:
    """Which page; the platform's own order."""
    if not pages:
        return _screen(reader, "register.no_pages")
    rows = tuple((action(shortened(page.title or page.page_id, TITLE_LIMIT), f"rpage:{page_ref(page)}"),) for page in pages)
    return _screen(reader, "register.which_page", rows=(*rows[:MOST_PAGES], (_cancel(reader),)))


def page_ref(page: RegistrationPage) -> str:
    """A page on a button, which is short: its id, or the hash of a long one."""
    whole = page.page_id.encode()
    return page.page_id if len(whole) <= LONGEST_REF else f"~{hashlib.sha256(whole).hexdigest()[:16]}"


def sessions_screen(reader: Reader, page: RegistrationPage) -> Message:
    """Which session of the page; it can be typed as well, and must be where the page tells none."""
    sessions = [at for at in page.sessions if at > reader.now][:MOST_SESSIONS]
    rows = tuple((action(reader.moment(at), f"rat:{int(at.timestamp())}"),) for at in sessions)
    name = "register.which_session" if sessions else "register.type_session"
    return _screen(reader, name, rows=(*rows, (_cancel(reader),)), lines=(plain(page.title or page.page_id),))


def person_screen(reader: Reader, draft: Draft) -> Message:
    return _screen(reader, "register.whom", rows=((_cancel(reader),),), lines=_about_session(reader, draft))


def email_screen(reader: Reader, draft: Draft) -> Message:
    """Without an e-mail nobody can be registered."""
    return _screen(reader, "register.need_email", rows=((_cancel(reader),),), lines=_about_person(reader, draft))


def check_screen(reader: Reader, draft: Draft) -> Message:
    """Everything once more before it is done; whether a letter asks to confirm is switched here."""
    lines = (*_about_person(reader, draft), *_about_session(reader, draft))
    confirm = reader.say("switch.on" if draft.confirm else "switch.off", title=reader.say("register.button.confirm"))
    rows = (
        (action(reader.say("register.button.go"), "rgo:0"),),
        (action(confirm, f"rconf:{int(not draft.confirm)}"), action(reader.say("register.button.edit"), "redit:0")),
        (_cancel(reader),),
    )
    return _screen(reader, "register.check", rows=rows, lines=lines)


def session_at(argument: str) -> str:
    """The ISO time behind a button of ``sessions_screen``, "" for what is none."""
    if not (argument.isascii() and argument.isdigit()) or len(argument) > 11:
        return ""
    return datetime.fromtimestamp(int(argument), UTC).isoformat()


def _about_session(reader: Reader, draft: Draft) -> tuple[Line, ...]:
    lines = [bullet(draft.title or draft.page_id)]
    if draft.session is not None:
        lines.append(bullet(Span(reader.moment(draft.session), Style.TIME, draft.at)))
    return tuple(lines)


def _about_person(reader: Reader, draft: Draft) -> tuple[Line, ...]:
    """As much as may be seen here: what was filled in by us is no group's business."""
    phone = reader.phone(draft.phone) if draft.phone else ""
    known = (draft.name, draft.email, phone) if reader.private else (short_name(draft.name), phone)
    lines = [bullet(word) for word in known if word]
    if draft.marks:
        lines.append(bullet(reader.say("register.marks", marks=", ".join(f"{k}={v}" for k, v in draft.marks.items() if v))))
    return tuple(lines)


def _cancel(reader: Reader) -> Button:
    return action(reader.say("register.button.cancel"), "rno:0")


def _screen(
    reader: Reader, name: str, *, rows: tuple[tuple[Button, ...], ...] = (), lines: tuple[Line, ...] = ()
) -> Message:
    title = Line(spans=(Span(reader.say(name), Style.BOLD),))
    hint = reader.texts.entries.get(f"{name}_hint")
    hints = (Section(lines=(plain(hint),)),) if hint else ()
    return Message(key=ANSWER, sections=(Section(title=title, lines=lines), *hints), buttons=rows)
