"""From what a person presses about webinars to the screen or file that answers, without a messenger."""

import asyncio
import hashlib
from pathlib import Path

from domain.messages import File, Line, Message, Section, Span, Style, bullet
from domain.roles import Person
from handlers.calls.screens import ANSWER, action
from handlers.desk import Desk
from handlers.sheets import Cell, phone_cell, write_sheet
from handlers.webinars.lists import PER_PAGE, Place, guests_screen
from handlers.webinars.messages import Stage, WebinarView, webinar_card
from handlers.wording import Reader
from storage.queries.attendees import AttendeeLine, find_attendees
from storage.queries.audience import group_sizes, guests
from storage.queries.webinars import WebinarLine, turnout

MOST_ROWS = 100_000
COLUMNS = (
    "webinar_title", "webinar_date", "lead_id", "phone_number", "username", "email", "joined_at", "left_at",
    "watch_duration_sec", "attended", "presence", "warmth", "messages", "clicked", "ordered", "manager", "direction",
    "creative", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "url_marker", "matched_by",
)  # fmt: skip


async def webinar_page(desk: Desk, person: Person, webinar: WebinarLine) -> Message:
    """The card of a webinar with the figures of now."""
    return webinar_card(await webinar_view(desk, person.account_id, webinar), desk.texts, key=ANSWER)


async def webinar_view(desk: Desk, account_id: int, webinar: WebinarLine) -> WebinarView:
    """What a card of it is made of now."""
    return WebinarView(
        stage=Stage.READY,
        title=webinar.title,
        timezone=desk.timezone(account_id),
        row_id=webinar.id,
        started_at=webinar.started_at,
        minutes=webinar.minutes,
        attended_s=desk.webinars.yardstick.attended_s if desk.webinars else 120,
        turnout=await turnout(desk.database, webinar.id),
        rehearsal=webinar.source == "rehearsal",
    )


async def guests_page(desk: Desk, reader: Reader, person: Person, place: Place) -> Message:
    page = await guests(desk.database, person.account_id, place.webinar.id, place.group, limit=PER_PAGE, offset=place.offset)
    sizes = {} if place.again else await group_sizes(desk.database, person.account_id, place.webinar.id)
    return guests_screen(reader, place, page, sizes)


def explanation(desk: Desk, webinar: WebinarLine, work_id: int | None) -> Message:
    """What each figure of the card means, in the account's words."""
    yardstick = desk.webinars.yardstick if desk.webinars else None
    minimum = yardstick.attended_s if yardstick else 120
    share = round((yardstick.hot_share if yardstick else 0.7) * 100)
    lines = desk.texts.get("webinar.how", minimum=minimum, share=share, room=webinar.room_id or "—").split("|")
    title = Line(spans=(Span(desk.texts.get("webinar.how_title"), Style.BOLD),))
    rows = ((action(desk.texts.get("webinar.button.redo"), f"wredo:{work_id}"),),) if work_id else ()
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(bullet(line) for line in lines)),), buttons=rows)


async def guests_file(desk: Desk, person: Person, webinar: WebinarLine, *, key: str) -> Message:
    """Everybody who was there, a row each, as a table that opens in Excel."""
    page = await find_attendees(desk.database, person.account_id, webinar.id, limit=MOST_ROWS)
    zone, now = desk.timezone(person.account_id), desk.clock.now()
    name = hashlib.sha256(f"{key}:{webinar.id}:{now.isoformat()}".encode()).hexdigest()[:24]
    relative = Path("exports") / f"{now:%Y-%m-%d}" / f"{name}.csv"
    rows = (_cells(row, webinar) for row in page.rows)
    await asyncio.to_thread(write_sheet, desk.data_dir / relative, ("webinar_id", *COLUMNS), rows, zone)
    started = webinar.started_at
    when = f"{started.astimezone(zone):%d.%m.%Y}" if started else "—"
    shown = desk.texts.get("webinar.file_name", when=when)
    caption = desk.texts.get("webinar.file_caption", title=webinar.title or desk.texts.get("webinar.untitled"))
    return Message(key=key, sections=(), files=(File(path=relative.as_posix(), name=shown, caption=caption),), kind="answer")


def _cells(row: AttendeeLine, webinar: WebinarLine) -> list[Cell]:
    values: dict[str, Cell] = {name: getattr(row, name) for name in COLUMNS}
    values["phone_number"] = phone_cell(row.phone_number)
    return [webinar.external_id, *values.values()]
