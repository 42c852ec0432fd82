"""The last attendances of all webinars: who, how long, and which lead it is."""

from collections.abc import Sequence

from domain.messages import Line, Message, Section, Span, Style, plain
from domain.people import phone_key
from handlers.calls.screens import ANSWER, action
from handlers.sheets import Cell, phone_cell
from handlers.wording import Reader, shortened
from storage.queries.attendees import AttendeeLine

MOST_VISITS = 20
TITLE = 40
HEADER = (
    "webinar_title", "webinar_date", "phone_number", "username", "watch_duration_sec", "attended", "lead_phone",
    "direction_id", "direction_name", "creative_id", "creative_name",
)  # fmt: skip


def visits_screen(reader: Reader, rows: Sequence[AttendeeLine]) -> Message:
    """Newest first."""
    title = Line(spans=(Span(reader.say("visits.title"), Style.BOLD),))
    if not rows:
        return Message(key=ANSWER, sections=(Section(title=title, lines=(plain(reader.say("visits.none")),)),))
    sections = [Section(title=title), *(_visit(reader, row) for row in rows)]
    return Message(key=ANSWER, sections=tuple(sections), buttons=((action(reader.say("figures.button.csv"), "viscsv:0"),),))


def _visit(reader: Reader, row: AttendeeLine) -> Section:
    known = row.phone_number or row.phone
    who = [row.username or row.email or reader.say("visits.nameless")]
    who += [reader.phone(row.phone_number, row.phone)] if known else []
    watched = reader.say("visits.unknown") if row.watch_duration_sec is None else reader.say(
        "visits.minutes", minutes=row.watch_duration_sec // 60
    )  # fmt: skip
    came = reader.say("visits.attended" if row.attended else "visits.looked_in")
    lead = reader.say("visits.lead", what=_lead(reader, row)) if row.lead_id is not None else reader.say("visits.no_lead")
    when = f"{reader.moment(row.webinar_date)} · " if row.webinar_date else ""
    head = Line(spans=(Span(who[0], Style.BOLD), *(Span(f" · {part}") for part in who[1:])))
    told = plain(f"{when}{shortened(row.webinar_title or reader.say('webinar.untitled'), TITLE)}")
    return Section(title=head, lines=(told, plain(f"{came}, {watched} · {lead}")))


def _lead(reader: Reader, row: AttendeeLine) -> str:
    parts = [part for part in (row.direction, row.creative) if part]
    key = phone_key(row.lead_phone) or ""
    if row.lead_phone and reader.private and key != row.phone_number:  # the same number is said once
        parts.append(reader.phone(key, row.lead_phone))
    return ", ".join(part for part in parts if part) or reader.say("figures.none.direction").lower()


def visit_cells(row: AttendeeLine) -> tuple[Cell, ...]:
    """In the order of HEADER."""
    lead_phone = phone_cell(phone_key(row.lead_phone) or "") or row.lead_phone
    seen = (row.webinar_title, row.webinar_date, phone_cell(row.phone_number), row.username, row.watch_duration_sec)
    return (*seen, row.attended, lead_phone, row.direction_id, row.direction, row.creative_id, row.creative)
