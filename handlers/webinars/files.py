"""The people of a webinar as tables that open in Excel: all of them, or those of one part."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path

from domain.messages import File, Message, Texts
from domain.people import phone_key
from domain.roles import Person
from domain.webinars import MatchedBy
from handlers.desk import Desk
from handlers.sheets import Cell, open_sheet, phone_cell
from storage.queries.attendees import AttendeeLine, NoShowLine, Segment, attendee_slices, find_no_shows
from storage.queries.webinars import WebinarLine

MOST_ROWS = 100_000
COLUMNS = (
    "webinar_title", "webinar_date", "lead_id", "phone_number", "username", "email", "joined_at", "left_at",
    "watch_duration_sec", "attended", "presence", "warmth", "messages", "clicked", "ordered", "manager", "direction",
    "creative", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "url_marker", "matched_by",
)  # fmt: skip
NO_SHOW_COLUMNS = (
    "webinar_title", "webinar_date", "lead_id", "phone_number", "username", "email", "registered_at", "presence", "manager",
)  # fmt: skip


async def guests_file(
    desk: Desk, person: Person, webinar: WebinarLine, *, key: str, segment: Segment = Segment.ALL, title: str = ""
) -> Message:
    """Everybody who was there, or those of a segment, a row each; ``title`` says which segment it is."""
    people = _people(desk, person, webinar, segment)
    return await _written(desk, person, webinar, ("webinar_id", *COLUMNS), people, key=key, title=title)


async def _people(
    desk: Desk, person: Person, webinar: WebinarLine, segment: Segment
) -> AsyncGenerator[Iterable[Sequence[Cell]]]:
    async with aclosing(attendee_slices(desk.database, person.account_id, webinar.id, segment)) as slices:
        async for lines in slices:
            yield (_cells(line, webinar, desk.texts) for line in lines)


async def no_shows_file(desk: Desk, person: Person, webinar: WebinarLine, *, key: str, title: str) -> Message:
    """Who registered and was not seen, each once."""
    lines = await find_no_shows(desk.database, person.account_id, webinar.id, limit=MOST_ROWS)
    each = {line.person_id or line.phone or line.email or -line.registration_id: line for line in lines}

    async def everybody() -> AsyncGenerator[Iterable[Sequence[Cell]]]:
        yield (_no_show_cells(line, webinar, desk.texts) for line in each.values())

    return await _written(desk, person, webinar, ("webinar_id", *NO_SHOW_COLUMNS), everybody(), key=key, title=title)


async def _written(
    desk: Desk, person: Person, webinar: WebinarLine, header: Sequence[str],
    slices: AsyncGenerator[Iterable[Sequence[Cell]]], *, key: str, title: str,
) -> Message:  # fmt: skip
    """Slices are fetched on the loop and made into cells and bytes off it: neither takes a moment that others notice."""
    zone, now = desk.timezone(person.account_id), desk.clock.now()
    name = hashlib.sha256(f"{key}:{webinar.id}:{now.isoformat()}".encode()).hexdigest()[:24]
    relative = Path("exports") / f"{now:%Y-%m-%d}" / f"{name}.csv"
    with open_sheet(desk.data_dir / relative, header, zone) as write:
        async with aclosing(slices):
            async for rows in slices:
                await asyncio.to_thread(write, rows)
    started = webinar.started_at
    when = f"{started.astimezone(zone):%d.%m.%Y}" if started else "—"
    what = title or desk.texts.get("webinar.file_people")
    shown = desk.texts.get("webinar.file_name", what=what, when=when)
    about = webinar.title or desk.texts.get("webinar.untitled")
    caption = desk.texts.get("webinar.file_caption", what=what, title=about)
    return Message(key=key, sections=(), files=(File(path=relative.as_posix(), name=shown, caption=caption),), kind="answer")


def _cells(row: AttendeeLine, webinar: WebinarLine, texts: Texts) -> list[Cell]:
    values: dict[str, Cell] = {name: getattr(row, name) for name in COLUMNS}
    values["phone_number"] = phone_cell(row.phone_number)
    parted = row.matched_by == MatchedBy.HAND and row.person_id is None
    values["presence"] = texts.get(f"sheet.presence.{row.presence}")
    values["warmth"] = texts.get(f"sheet.warmth.{row.warmth}")
    values["matched_by"] = texts.get("sheet.matched_by.parted" if parted else f"sheet.matched_by.{row.matched_by}")
    return [webinar.external_id, *values.values()]


def _no_show_cells(row: NoShowLine, webinar: WebinarLine, texts: Texts) -> list[Cell]:
    key = phone_key(row.phone)
    phone = phone_cell(key) if key else row.phone
    seen = (webinar.external_id, webinar.title, webinar.started_at, row.lead_id, phone, row.name, row.email)
    return [*seen, row.registered_at, texts.get("sheet.presence.no_show"), row.manager]
