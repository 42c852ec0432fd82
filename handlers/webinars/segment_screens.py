"""Parts of a webinar's people as screens: how many are in each, and who they are. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from domain.messages import Line, Message, Section, Span, Style, plain
from domain.plural import spaced
from handlers.calls.screens import ANSWER, action
from handlers.webinars.lists import PER_PAGE, TITLE_LIMIT, pager, reasons
from handlers.webinars.viewer_screens import name_of, watched
from handlers.wording import Reader, colleague_name, shortened
from storage.queries.attendees import AttendeePage, Segment
from storage.queries.audience import Guests
from storage.queries.webinars import WebinarLine


class Part(StrEnum):
    """Its letter on buttons. ``segment`` None: those who registered and were not seen."""

    ATTENDED = "a"
    STAYED = "s"
    LEFT_EARLY = "e"
    NO_SHOW = "n"
    AGAIN = "r"
    LOOKED_IN = "l"
    UNMATCHED = "u"
    NO_PHONE = "p"

    @property
    def segment(self) -> Segment | None:
        return None if self is Part.NO_SHOW else Segment[self.name]

    @property
    def texts(self) -> str:
        return self.name.lower()


def parts_screen(reader: Reader, webinar: WebinarLine, sizes: Mapping[Part, int]) -> Message:
    """A button for each part; one whose size was not counted has no number, an empty one no button."""
    title = Line(spans=(Span(reader.say("segment.title"), Style.BOLD),))
    lines = [plain(shortened(webinar.title or reader.say("webinar.untitled"), TITLE_LIMIT))]
    if not any(sizes.values()):
        lines.append(plain(reader.say("guests.nobody")))
    buttons = [
        action(_with_size(reader, part, sizes.get(part)), f"sg:{webinar.id}:{part}:0")
        for part in Part
        if sizes.get(part, 1) and any(sizes.values())
    ]
    rows = tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=rows)


def _with_size(reader: Reader, part: Part, size: int | None) -> str:
    name = reader.say(f"segment.name.{part.texts}")
    return name if size is None else f"{name} {spaced(size)}"


def part_screen(reader: Reader, webinar: WebinarLine, part: Part, page: AttendeePage | Guests, offset: int) -> Message:
    """A page of its people; a number opens one of them, the file has them all."""
    head = f"{reader.say(f'segment.name.{part.texts}')}: {spaced(page.total)}"
    about = plain(shortened(webinar.title or reader.say("webinar.untitled"), TITLE_LIMIT))
    rows = list(_people(reader, webinar, page, offset))
    people = [Section(lines=lines) for _, lines in rows]
    opening = tuple(action(str(place), target) for place, (target, _) in enumerate(rows, offset + 1))
    turning = pager(reader, page.total, offset, lambda at: f"sg:{webinar.id}:{part}:{at}")
    excel = f"expn:no_shows:w{webinar.id}:xlsx" if part is Part.NO_SHOW else f"expn:attendees:w{webinar.id}{part}:xlsx"
    file = (
        action(reader.say("webinar.button.file"), f"sgf:{webinar.id}:{part}"),
        action(reader.say("export.button.excel"), excel),
    )[: 2 if page.total else 0]
    back = action(reader.say("segment.button.back"), f"seg:{webinar.id}")
    buttons = (opening, turning, (*file, back))
    title = Line(spans=(Span(head, Style.BOLD),))
    return Message(
        key=ANSWER, sections=(Section(title=title, lines=(about,)), *people), buttons=tuple(row for row in buttons if row)
    )


def _people(
    reader: Reader, webinar: WebinarLine, page: AttendeePage | Guests, offset: int
) -> Iterator[tuple[str, tuple[Line, ...]]]:
    """Where each is opened, and what is said of them."""
    if isinstance(page, Guests):
        for place, guest in enumerate(page.rows[:PER_PAGE], offset + 1):
            who = guest.name or (guest.email if reader.private else "") or reader.say("registration.nameless")
            parts = [who, *([reader.phone(guest.phone)] if guest.phone else [])]
            yield f"wp:{webinar.id}:r{guest.id}", _lines(place, parts, ", ".join(reasons(reader, guest, webinar)))
        return
    for place, line in enumerate(page.rows[:PER_PAGE], offset + 1):
        parts = [name_of(reader, line), *([reader.phone(line.phone_number)] if line.phone_number else [])]
        told = [
            watched(reader, line),
            *([reader.say("guests.why.manager", name=colleague_name(reader.texts, line.manager))] if line.manager else []),
        ]
        yield f"vwb:{line.id}", _lines(place, parts, ", ".join(told))


def _lines(place: int, who: Sequence[str], told: str) -> tuple[Line, ...]:
    return Line(spans=(Span(f"{place}. ", Style.BOLD), Span(", ".join(who)))), plain(told)
