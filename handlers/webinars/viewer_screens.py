"""What people see of one viewer: their page, those who may be meant, every visit of theirs. Pure functions."""

from collections.abc import Iterator, Sequence

from domain.attendance import Presence
from domain.messages import Button, ButtonKind, Line, Message, Section, Span, Style, bullet, plain
from domain.webinars import MatchedBy
from handlers.calls.screens import ANSWER, action
from handlers.webinars.records import report_of
from handlers.wording import Reader, colleague_name, shortened, stage_name
from storage.queries.attendees import AttendeeLine
from storage.queries.viewers import Somebody, ViewerFound

PER_PAGE = 8
MOST_CHOICES = 8
MOST_PARTS = 4
TITLE_LIMIT = 40
_BY_KEY = {MatchedBy.PHONE.value: "phone", MatchedBy.EMAIL.value: "email"}


def viewer_screen(reader: Reader, found: ViewerFound, *, word: str = "", before: ViewerFound | None = None) -> Message:
    """``word`` says what was just done; ``before``: how it was until somebody said that this is another person."""
    line = found.line
    title = Line(spans=(Span(name_of(reader, line), Style.BOLD),))
    sections = [Section(title=title, lines=tuple(_who(reader, line)))]
    sections.append(Section(title=plain(report_of(reader, line)), lines=(*_seen(reader, line), *_together(reader, found))))
    base = Line(spans=(Span(reader.say("webinar.base"), Style.BOLD),))
    sections.append(Section(title=base, lines=tuple(_known(reader, found))))
    if word:
        sections.append(Section(lines=(plain(word),)))
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(_buttons(reader, found, before)))


def name_of(reader: Reader, line: AttendeeLine) -> str:
    """What they are called; an e-mail is for private eyes only."""
    return line.username or (line.email if reader.private else "") or reader.say("registration.nameless")


def _who(reader: Reader, line: AttendeeLine) -> Iterator[Line]:
    if line.phone_number or (line.phone and reader.private):
        yield bullet(reader.phone(line.phone_number, line.phone))
    if line.email and reader.private:
        yield bullet(line.email)
    place = ", ".join(filter(None, (line.city, line.country)))
    if place:
        yield bullet(place)


def _seen(reader: Reader, line: AttendeeLine) -> Iterator[Line]:
    yield bullet(watched(reader, line))
    if line.presence in {Presence.STAYED, Presence.LEFT_EARLY, Presence.LOOKED_IN}:
        yield bullet(reader.say(f"viewer.presence.{line.presence}"))
    if line.messages:
        yield bullet(reader.say("guests.why.wrote", count=reader.count(line.messages, "message")))
    if line.clicked:
        yield bullet(reader.say("guests.why.clicked"))
    if line.ordered:
        yield bullet(reader.say("guests.why.ordered"))
    marks = " / ".join(
        filter(None, (line.utm_source, line.utm_medium, line.utm_campaign, line.utm_content, line.url_marker))
    )
    if marks:
        yield bullet(reader.say(f"viewer.marks.{line.marks_from or 'viewer'}", marks=marks))


def _together(reader: Reader, found: ViewerFound) -> Iterator[Line]:
    """They came under several keys: what this row has of the others, or what says more than this one."""
    for part in found.parts:
        yield bullet(reader.say("viewer.part", how=_how(reader, part), watched=watched(reader, part)))
    if found.whole is not None:
        yield bullet(reader.say("viewer.whole", watched=watched(reader, found.whole)))


def _how(reader: Reader, line: AttendeeLine) -> str:
    return reader.say(f"viewer.how.{line.matched_by}")


def watched(reader: Reader, line: AttendeeLine) -> str:
    """«15 мин, 19:24–19:39»; the hours are the first and the last, the minutes those between that they were there."""
    if line.watch_duration_sec is None:
        return reader.say("guests.why.unknown")
    minutes = reader.say("visits.minutes", minutes=round(line.watch_duration_sec / 60))
    if line.joined_at is None or line.left_at is None:
        return minutes
    since, until = (at.astimezone(reader.zone) for at in (line.joined_at, line.left_at))
    return f"{minutes}, {since:%H:%M}–{until:%H:%M}"


def _known(reader: Reader, found: ViewerFound) -> Iterator[Line]:
    """Whom they are taken for and why, the lead their visit counts for, and what speaks against it."""
    line = found.line
    if line.person_id is None:
        yield bullet(reader.say("viewer.parted" if line.matched_by == MatchedBy.HAND else "guests.found.none"))
        if found.former is not None:
            name = _known_as(reader, found.former.name)
            yield bullet(reader.say(f"viewer.former.{found.former.kind}", name=name))
        return
    yield bullet(reader.say(f"viewer.by.{line.matched_by}", name=_known_as(reader, found.known_as)))
    if line.lead_id is not None:
        parts = [part for part in (stage_name(reader.texts, line.lead_status), line.direction, line.creative) if part]
        yield bullet(reader.say("viewer.lead", what=", ".join(parts) or reader.say("viewer.lead_bare")))
    if line.manager:
        yield bullet(reader.say("guests.why.manager", name=colleague_name(reader.texts, line.manager)))
    if line.other_person_id is not None:
        yield bullet(reader.say("viewer.other", name=_known_as(reader, found.other)))


def _known_as(reader: Reader, name: str) -> str:
    """A person without a name is called by their phone or e-mail, in a group by neither."""
    if not name or (not reader.private and (name.isdigit() or "@" in name)):
        return reader.say("registration.nameless")
    return reader.phone(name) if name.isdigit() else name


def _buttons(reader: Reader, found: ViewerFound, before: ViewerFound | None) -> Iterator[tuple[Button, ...]]:
    line = found.line
    if reader.private and line.phone_number:
        yield (
            Button(text="WhatsApp", kind=ButtonKind.URL, target=f"https://wa.me/{line.phone_number}"),
            Button(text="Telegram", kind=ButtonKind.URL, target=f"https://t.me/+{line.phone_number}"),
        )
    yield from _known_buttons(reader, found) if line.person_id is not None else _unknown_buttons(reader, found, before)
    ways = [(part, reader.say("viewer.button.part_of", how=_how(reader, part))) for part in found.parts[:MOST_PARTS]]
    ways += [(found.whole, reader.say("viewer.button.whole"))] if found.whole is not None else []
    yield from ((action(text, f"vw:{other.id}"),) for other, text in ways)
    fields = action(reader.say("viewer.button.fields"), f"vraw:{line.id}")
    visits = action(reader.say("viewer.button.visits", count=found.visits), f"vpast:{line.id}:0")
    yield (fields, visits) if found.visits > 1 else (fields,)


def _known_buttons(reader: Reader, found: ViewerFound) -> Iterator[tuple[Button, ...]]:
    line = found.line
    yield (action(reader.say("viewer.button.part"), f"vpart:{line.id}"),)
    if line.other_person_id is not None:
        other = shortened(_known_as(reader, found.other), TITLE_LIMIT)
        yield (action(reader.say("viewer.button.is_other", name=other), f"vto:{line.id}:{line.other_person_id}"),)


def _unknown_buttons(reader: Reader, found: ViewerFound, before: ViewerFound | None) -> Iterator[tuple[Button, ...]]:
    """A lead, a person we have, and the way back from what was said before."""
    line, say = found.line, reader.say
    if line.matched_by == MatchedBy.HAND:
        by_hand = before is not None and before.line.matched_by == MatchedBy.HAND
        target = f"vto:{line.id}:{before.line.person_id}" if before is not None and by_hand else f"vundo:{line.id}"
        yield (action(say("viewer.button.undo"), target),)
        kind = _BY_KEY.get(before.line.matched_by, "") if before is not None else ""
        if kind:
            yield (action(say(f"viewer.button.take_{kind}"), f"vtake:{line.id}:{kind}"),)
    elif found.former is not None:
        target = f"vgive:{line.id}:{found.former.identity_id}"
        yield (action(say(f"viewer.button.give_{found.former.kind}"), target),)
    yield (action(say("viewer.button.lead"), f"vlead:{line.id}"), action(say("viewer.button.join"), f"vjoin:{line.id}"))


def choices_screen(reader: Reader, lines: Sequence[AttendeeLine]) -> Message:
    """Several people who may be meant, the newest visit of each."""
    title = Line(spans=(Span(reader.say("viewer.several"), Style.BOLD),))
    numbered = list(enumerate(lines[:MOST_CHOICES], 1))
    sections = [Section(title=title)]
    for number, line in numbered:
        head = [name_of(reader, line)] + ([reader.phone(line.phone_number)] if line.phone_number else [])
        told = [reader.day(line.webinar_date)] if line.webinar_date else []
        told += [part for part in (watched(reader, line), line.city) if part]
        first = Line(spans=(Span(f"{number}. ", Style.BOLD), Span(", ".join(head))))
        sections.append(Section(lines=(first, plain(" · ".join(told)))))
    if len(lines) > MOST_CHOICES:
        sections.append(Section(lines=(plain(reader.say("viewer.more_people", count=len(lines) - MOST_CHOICES)),)))
    opening = [action(str(number), f"vw:{line.id}") for number, line in numbered]
    return Message(
        key=ANSWER, sections=tuple(sections), buttons=(tuple(opening[:4]), *((tuple(opening[4:]),) if opening[4:] else ()))
    )


def visits_screen(reader: Reader, line: AttendeeLine, visits: Sequence[AttendeeLine], offset: int) -> Message:
    """Every visit of one person, newest first."""
    title = Line(spans=(Span(reader.say("viewer.visits_title", name=name_of(reader, line)), Style.BOLD),))
    lines = [plain(_sum(reader, visits))]
    numbered = list(enumerate(visits[offset : offset + PER_PAGE], offset + 1))
    rows = [Section(lines=tuple(_visit(reader, number, visit))) for number, visit in numbered]
    opening = [action(str(number), f"vw:{visit.id}") for number, visit in numbered]
    pager = ()
    if len(visits) > PER_PAGE:
        back = (action("‹", f"vpast:{line.id}:{max(offset - PER_PAGE, 0)}"),) if offset else ()
        on = (action("›", f"vpast:{line.id}:{offset + PER_PAGE}"),) if offset + PER_PAGE < len(visits) else ()
        pager = (*back, *on)
    buttons = (tuple(opening[:4]), tuple(opening[4:]), pager)
    return Message(
        key=ANSWER, sections=(Section(title=title, lines=tuple(lines)), *rows), buttons=tuple(row for row in buttons if row)
    )


def _sum(reader: Reader, visits: Sequence[AttendeeLine]) -> str:
    known = [visit.watch_duration_sec for visit in visits if visit.watch_duration_sec is not None]
    minutes = round(sum(known) / 60)
    return reader.say("viewer.visits_sum", visits=reader.count(len(visits), "visit"), minutes=minutes)


def _visit(reader: Reader, number: int, visit: AttendeeLine) -> Iterator[Line]:
    when = reader.moment(visit.webinar_date) if visit.webinar_date else "—"
    title = shortened(visit.webinar_title or reader.say("webinar.untitled"), TITLE_LIMIT)
    yield Line(spans=(Span(f"{number}. ", Style.BOLD), Span(f"{when} · {title}")))
    came = reader.say("visits.attended" if visit.attended else "visits.looked_in")
    yield plain(f"{came}, {watched(reader, visit)}")


def people_screen(reader: Reader, attendee_id: int, people: Sequence[Somebody]) -> Message:
    """Whom a viewer is to be joined to: a press is the answer."""
    title = Line(spans=(Span(reader.say("viewer.join_whom"), Style.BOLD),))
    rows = tuple(
        (action(shortened(_described(reader, one), TITLE_LIMIT), f"vto:{attendee_id}:{one.person_id}"),) for one in people
    )
    cancel = (action(reader.say("viewer.button.cancel"), f"vno:{attendee_id}"),)
    return Message(key=ANSWER, sections=(Section(title=title),), buttons=(*rows, cancel))


def _described(reader: Reader, one: Somebody) -> str:
    parts = (one.name, reader.phone(one.phone) if one.phone else "", "" if one.phone else one.email)
    return ", ".join(part for part in parts if part) or reader.say("registration.nameless")
