"""What people see when they look into a webinar: the list of webinars, whom to call, one person. Pure functions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bullet, plain
from domain.plural import spaced
from domain.webinars import RegistrationPage
from handlers.calls.screens import ANSWER, action
from handlers.wording import Reader, colleague_name, shortened
from storage.queries.audience import Group, Guest, Guests
from storage.queries.webinars import WebinarLine

PER_PAGE = 5
MOST_SESSIONS = 8
TITLE_LIMIT = 60
GROUPS = (Group.HOT, Group.WARM, Group.NO_SHOW, Group.COLD, Group.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a list somebody is: of which webinar, which group, whose people, from which row on.

    ``again``: to register them again. ``whose`` is a code of handlers.webinars.whose, "" for everybody's.
    """

    webinar: WebinarLine
    group: Group
    offset: int = 0
    again: bool = False
    whose: str = ""

    def target(self, *, group: Group | None = None, offset: int | None = None, whose: str | None = None) -> str:
        where, theirs = self.offset if offset is None else offset, self.whose if whose is None else whose
        name = f"{'wga' if self.again else 'wg'}:{self.webinar.id}:{group or self.group}:{where}"
        return f"{name}:{theirs}" if theirs else name

    def ref(self, guest: Guest) -> str:
        """Somebody of the list on a button, with the way back; short where the way back is the usual one."""
        name = f"{self.webinar.id}:{'a' if guest.seen else 'r'}{guest.id}"
        usual = Group.HOT if guest.seen else Group.NO_SHOW
        if (self.group, self.offset, self.whose) == (usual, 0, ""):
            return name
        return f"{name}:{self.group}{self.offset}.{self.whose}"


def webinars_screen(reader: Reader, rows: Sequence[WebinarLine], offset: int) -> Message:
    """Newest first, a button for each; a row more than a page holds says that there are older ones."""
    title = Line(spans=(Span(reader.say("webinars.title"), Style.BOLD),))
    if not rows:
        none = Section(title=title, lines=(plain(reader.say("webinars.none")),))
        return Message(key=ANSWER, sections=(none,), buttons=((action(reader.say("registrant.button"), "regs:0"),),))
    numbered = list(enumerate(rows[:PER_PAGE], offset + 1))
    sections = [Section(title=title), *(_webinar(reader, number, row) for number, row in numbered)]
    opening = tuple(action(str(number), f"web:{row.id}") for number, row in numbered)
    back = (action(reader.say("calls.button.newer"), f"webs:{max(offset - PER_PAGE, 0)}"),) if offset else ()
    on = (action(reader.say("calls.button.older"), f"webs:{offset + PER_PAGE}"),) if len(rows) > PER_PAGE else ()
    visits = (action(reader.say("visits.button"), "vis:0"), action(reader.say("registrant.button"), "regs:0"))
    rows_ = (opening, (*back, *on), visits)
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(row for row in rows_ if row))


def _webinar(reader: Reader, number: int, row: WebinarLine) -> Section:
    head = [Span(f"{number}. ", Style.BOLD)]
    if row.started_at is not None:
        head += [reader.moment_span(row.started_at), Span(" · ")]
    head.append(Span(shortened(row.title or reader.say("webinar.untitled"), TITLE_LIMIT)))
    return Section(title=Line(spans=tuple(head)), lines=(plain(reader.count(row.attendees, "viewer")),))


def guests_screen(reader: Reader, place: Place, page: Guests, sizes: Mapping[Group, int], *, only: str = "") -> Message:
    """Whom to call, those nobody called or took first, each with why. ``only``: whose people these are."""
    title = Line(spans=(Span(reader.say(f"guests.title.{place.group.name.lower()}"), Style.BOLD),))
    lines = [plain(shortened(place.webinar.title or reader.say("webinar.untitled"), TITLE_LIMIT))]
    if only:
        lines.append(plain(reader.say("whose.only", name=only)))
    if page.total:
        done = reader.say("guests.progress", called=spaced(page.called), taken=spaced(page.taken), total=spaced(page.total))
        lines.append(plain(done))
    else:
        lines.append(plain(reader.say("guests.nobody")))
    if place.again:
        lines.append(plain(reader.say("guests.again_hint")))
    numbered = list(enumerate(page.rows, place.offset + 1))
    people = [Section(lines=tuple(_guest(reader, number, guest, place.webinar))) for number, guest in numbered]
    opening = tuple(action(str(number), person_target(place, guest)) for number, guest in numbered)
    groups = () if place.again else _other_groups(reader, place, sizes)
    turning = pager(reader, page.total, place.offset, lambda at: place.target(offset=at))
    if place.group is Group.UNKNOWN and page.rows:
        lines.append(plain(reader.say("unknown.hint")))
    rows = (opening, *_lead_rows(reader, place, numbered), turning, groups, _whose_row(reader, place))
    return Message(
        key=ANSWER, sections=(Section(title=title, lines=tuple(lines)), *people), buttons=tuple(row for row in rows if row)
    )


def _whose_row(reader: Reader, place: Place) -> tuple[Button, ...]:
    """To mine or back to everybody's, and to a choice; nobody's are found in no lead, so they have no manager."""
    if place.again or place.group is Group.UNKNOWN:
        return ()
    first = ("whose.button.all", "") if place.whose else ("whose.button.mine", "m")
    other = action(reader.say("whose.button.other"), f"wwho:{place.webinar.id}:{place.group}")
    return action(reader.say(first[0]), place.target(offset=0, whose=first[1])), other


def _lead_rows(reader: Reader, place: Place, numbered: Sequence[tuple[int, Guest]]) -> Iterator[tuple[Button, ...]]:
    """For those nobody knows: a lead for each of them, or for all there are."""
    if place.group is not Group.UNKNOWN or not numbered:
        return
    yield tuple(
        action(reader.say("unknown.button.one", number=number), f"wone:{place.webinar.id}:{guest.id}:{place.offset}")
        for number, guest in numbered
    )
    yield (action(reader.say("unknown.button.all"), f"wall:{place.webinar.id}"),)


def _other_groups(reader: Reader, place: Place, sizes: Mapping[Group, int]) -> tuple[Button, ...]:
    others = [group for group in GROUPS if sizes.get(group) and group is not place.group]
    signs = [reader.say(f"guests.sign.{group.name.lower()}") for group in others]
    return tuple(
        action(f"{sign} {spaced(sizes[group])}", place.target(group=group, offset=0))
        for sign, group in zip(signs, others, strict=True)
    )


def person_target(place: Place, guest: Guest) -> str:
    name = "wra" if place.again else "wp"
    return f"{name}:{place.ref(guest)}"


def _guest(reader: Reader, number: int, guest: Guest, webinar: WebinarLine) -> Iterator[Line]:
    who = [_name(reader, guest)]
    if guest.phone:
        who.append(reader.phone(guest.phone))
    yield Line(spans=(Span(f"{number}. ", Style.BOLD), Span(", ".join(who))))
    yield plain(", ".join(reasons(reader, guest, webinar)))
    state = state_of(reader, guest, webinar)
    if state:
        yield plain(state)


def _name(reader: Reader, guest: Guest) -> str:
    """What they are called; an e-mail is for private eyes only."""
    return guest.name or (guest.email if reader.private else "") or reader.say("registration.nameless")


def _reached(reader: Reader, guest: Guest) -> Iterator[str]:
    """How they can be reached, as much of it as may be seen here."""
    if guest.email and reader.private:
        yield guest.email
    if guest.phone:
        yield reader.phone(guest.phone)


def reasons(reader: Reader, guest: Guest, webinar: WebinarLine, *, alone: bool = False) -> Iterator[str]:
    """Why they stand where they stand, the strongest first. ``alone``: on a page of their own, with what they did not do."""
    if not guest.seen:
        yield reader.say("guests.why.no_show")
        if guest.registered_at is not None:
            yield reader.say("guests.why.registered", at=reader.moment(guest.registered_at))
    else:
        yield _watched(reader, guest, webinar)
        if guest.messages:
            yield reader.say("guests.why.wrote", count=reader.count(guest.messages, "message"))
        if guest.clicked:
            yield reader.say("guests.why.clicked")
        if guest.ordered or alone:
            yield reader.say("guests.why.ordered" if guest.ordered else "guests.why.not_ordered")
    if not (guest.phone or guest.email):
        yield reader.say("guests.why.no_contact")
    if guest.manager:
        yield reader.say("guests.why.manager", name=colleague_name(reader.texts, guest.manager))


def _watched(reader: Reader, guest: Guest, webinar: WebinarLine) -> str:
    """«досмотрел», «смотрел 82 %», «был 12 мин», «был, сколько — неизвестно»."""
    if guest.finished:
        return reader.say("guests.why.stayed")
    if guest.watched_s is None:
        return reader.say("guests.why.unknown")
    if webinar.minutes:
        return reader.say("guests.why.share", percent=min(round(guest.watched_s / webinar.minutes / 0.6), 100))
    return reader.say("guests.why.minutes", minutes=guest.watched_s // 60)


def state_of(reader: Reader, guest: Guest, webinar: WebinarLine) -> str:
    """What was done about them: a call says so by itself, else who took them."""
    if guest.called_at is not None:
        since = guest.taken_at or webinar.report_at or guest.called_at
        minutes = max(int((guest.called_at - since).total_seconds() // 60), 0)
        if minutes < 1 or minutes > 24 * 60:
            return reader.say("guests.called_at", at=reader.moment(guest.called_at))
        return reader.say("guests.called", after=reader.count(minutes, "minute"))
    if guest.taken_by and guest.taken_at is not None:
        return reader.say("guests.taken", name=guest.taken_by, at=reader.moment(guest.taken_at))
    return ""


def guest_screen(reader: Reader, place: Place, guest: Guest, *, mine: bool) -> Message:
    """One person with what can be done: take, write, register again."""
    lines = [bullet(word) for word in (*_reached(reader, guest), guest.city) if word]
    if guest.joined_at is not None and guest.left_at is not None:
        lines.append(
            bullet(reader.say("guests.presence", since=_hour(reader, guest.joined_at), until=_hour(reader, guest.left_at)))
        )
    lines += [bullet(reason) for reason in reasons(reader, guest, place.webinar, alone=True)]
    lines.append(bullet(reader.say(f"guests.found.{guest.matched_by or 'none'}")))
    state = state_of(reader, guest, place.webinar)
    if state:
        lines.append(bullet(state))
    title = Line(spans=(Span(_name(reader, guest), Style.BOLD),))
    ref = place.ref(guest)
    taking = "wback" if mine else "wtake"
    first = (action(reader.say(f"guests.button.{taking}"), f"{taking}:{ref}"),) if mine or not guest.taken_by else ()
    again = (action(reader.say("webinar.button.again"), f"wra:{ref}"),) if guest.email else ()
    back = (action(reader.say("guests.button.back"), place.target()),)
    who = (action(reader.say("viewer.button.who"), f"vwb:{guest.id}"),) if guest.seen else ()
    rows = (first, _writing(guest) if reader.private else (), (*who, *again), back)
    return Message(
        key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=tuple(row for row in rows if row)
    )


def _writing(guest: Guest) -> tuple[Button, ...]:
    if not guest.phone:
        return ()
    return (
        Button(text="WhatsApp", kind=ButtonKind.URL, target=f"https://wa.me/{guest.phone}"),
        Button(text="Telegram", kind=ButtonKind.URL, target=f"https://t.me/+{guest.phone}"),
    )


def sessions_for(reader: Reader, place: Place, guest: Guest, pages: Sequence[RegistrationPage]) -> Message:
    """Whom is registered again, and for which of the coming sessions: the press is the registration."""
    title = Line(spans=(Span(reader.say("guests.again", name=_name(reader, guest)), Style.BOLD),))
    who = [bullet(word) for word in _reached(reader, guest)]
    ref = place.ref(guest)
    offered = sorted(((at, page) for page in pages for at in page.sessions if at > reader.now), key=lambda one: one[0])
    back = (action(reader.say("guests.button.back"), place.target()),)
    if not offered:
        who.append(plain(reader.say("guests.no_sessions")))
    rows = tuple(
        (
            action(
                shortened(f"{reader.moment(at)} · {page.title or page.page_id}", TITLE_LIMIT),
                f"wreg:{ref}:{int(at.timestamp())}",
            ),
        )
        for at, page in _first_of_each(offered)[:MOST_SESSIONS]
    )
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(who)),), buttons=(*rows, back))


def _first_of_each(offered: Sequence[tuple[datetime, RegistrationPage]]) -> list[tuple[datetime, RegistrationPage]]:
    """One button for a moment, whichever page comes first: that is how the press finds its page again."""
    return list({at: (at, page) for at, page in reversed(offered)}.values())[::-1]


def _hour(reader: Reader, at: datetime) -> str:
    return f"{at.astimezone(reader.zone):%H:%M}"


def pager(reader: Reader, total: int, offset: int, target: Callable[[int], str]) -> tuple[Button, ...]:
    """Back, where we are, on; nothing where all is on one page."""
    if total <= PER_PAGE:
        return ()
    pages, here = -(-total // PER_PAGE), offset // PER_PAGE + 1
    back = (action(reader.say("guests.button.previous"), target(max(offset - PER_PAGE, 0))),) if here > 1 else ()
    middle = action(reader.say("calls.button.page", page=here, pages=pages), target(offset))
    on = (action(reader.say("guests.button.next"), target(offset + PER_PAGE)),) if here < pages else ()
    return (*back, middle, *on)
