"""Exports that are more than a list of the database: figures, webinars with what came of them, and who did not come."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, time, timedelta

from domain.people import phone_key
from handlers.analytics.answers import COST_HEADER, HEADER, cells_of, cost_cells
from handlers.analytics.catalogue import Counted, Figure, count, name_of
from handlers.exports.columns import Row
from handlers.exports.ground import Ground, period_of
from handlers.wording import Reader
from storage.queries.attendees import NoShowLine, find_no_shows
from storage.queries.listings import Days
from storage.queries.webinars import WebinarLine, list_webinars, turnout, webinar_line

MOST_WEBINARS = 10_000
MOST_NO_SHOWS = 100_000  # of a webinar
FIGURE_COLUMNS = ("figure_name", *HEADER)
COST_COLUMNS = COST_HEADER
WEBINARS = (
    "webinar_id", "webinar_title", "started_at", "minutes", "room", "live", "registered", "came", "attended_count",
    "stayed", "long_count", "hot", "warm", "matched", "no_show",
)  # fmt: skip
NO_SHOWS = ("webinar_id", "webinar_title", "webinar_date", "lead_id", "phone", "name", "email", "registered_at", "manager")

Slices = AsyncGenerator[Sequence[Row]]


async def figure(of: Figure, ground: Ground, days: Days) -> Slices:
    """As its screen counts it, all rows of it; the money it cost is empty where none was told."""
    period = await period_of(ground, days)
    found = await count(
        ground.database, ground.account_id, of, period, zone=ground.reader.zone, now=ground.reader.now
    )  # fmt: skip
    yield figure_rows(ground.reader, found)


def figure_rows(reader: Reader, found: Counted) -> list[Row]:
    """In the order of FIGURE_COLUMNS and, where the figure has costs, COST_COLUMNS."""
    costs = () if found.figure is Figure.TOP else COST_COLUMNS
    return [
        (name_of(reader, found.figure, row), *cells_of(row), *(tuple(cost_cells(found, row)) or (None,) * len(costs)))
        for row in found.rows
    ]


async def webinars(ground: Ground, days: Days) -> Slices:
    """Complete ones, newest first, with how many came and how they watched."""
    for line in await _lines(ground, days):
        told = await turnout(ground.database, line.id)
        counts = (told.registered, told.came, told.attended, told.stayed, told.long, told.hot, told.warm, told.matched)
        seen = (line.external_id, line.title, line.started_at, line.minutes, line.room_id, line.live)
        yield [(*seen, *counts, told.no_show)]


async def no_shows(ground: Ground, days: Days) -> Slices:
    """Who registered for a webinar and was not there, each once a webinar."""
    for line in await _lines(ground, days):
        missed = await find_no_shows(ground.database, ground.account_id, line.id, limit=MOST_NO_SHOWS)
        each = {one.person_id or one.phone or one.email or -one.registration_id: one for one in missed}
        session = (line.external_id, line.title, line.started_at)
        yield [(*session, *_missed(one)) for one in each.values()]


def _missed(one: NoShowLine) -> Row:
    return (one.lead_id, phone_key(one.phone) or one.phone, one.name, one.email, one.registered_at, one.manager)


async def _lines(ground: Ground, days: Days) -> Sequence[WebinarLine]:
    if days.webinar_id:
        line = await webinar_line(ground.database, ground.account_id, days.webinar_id)
        return [line] if line is not None else []
    since = datetime.combine(days.first, time.min, days.zone).astimezone(UTC) if days.first else None
    until = datetime.combine(days.last + timedelta(days=1), time.min, days.zone).astimezone(UTC) if days.last else None
    return await list_webinars(ground.database, ground.account_id, limit=MOST_WEBINARS, since=since, until=until)
