"""What became of a webinar: its figures, and who was there at each minute. Only complete ones are listed."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Turnout
from domain.webinars import AUTOMATIC_APART, LIVE_APART, SAME_SESSION
from storage.engine import Database
from storage.models import webinar_attendees, webinars
from storage.models.types import driver_time
from storage.queries.rows import fill
from storage.rollups import mark_key
from storage.sets import fetch, moment

MOST_MINUTES = 24 * 60

_TURNOUT = """
SELECT count(*), count(*) FILTER (WHERE attended), count(*) FILTER (WHERE presence = 'stayed'),
       count(*) FILTER (WHERE watch_duration_sec > 1800), count(*) FILTER (WHERE person_id IS NOT NULL),
       count(*) FILTER (WHERE phone_number = ''), count(*) FILTER (WHERE warmth = 'hot'),
       count(*) FILTER (WHERE warmth = 'warm')
FROM webinar_attendees WHERE session_id = :session AND part_of IS NULL
"""
_CAME_FROM = """
SELECT coalesce(nullif(l.first_utm_source, ''), l.source, ''), count(*) FROM webinar_attendees AS a
LEFT JOIN leads AS l ON l.id = a.lead_id
WHERE a.session_id = :session AND a.account_id = :account AND a.attended AND a.part_of IS NULL GROUP BY 1 ORDER BY 2 DESC, 1
"""
# One person may have registered by several pages.
_REGISTERED = """
SELECT count(DISTINCT coalesce(CAST(r.person_id AS text), nullif(r.phone_key, ''), nullif(r.email_key, ''), r.dedup_key))
"""
REGISTRATIONS = """
FROM registrations AS r WHERE r.account_id = :account AND r.webinar_datetime BETWEEN :since AND :until
AND (r.room = '' OR :room = '' OR r.room = :room)
"""
_SESSIONS = f"SELECT DISTINCT r.webinar_datetime {REGISTRATIONS}"
UNSEEN = """
AND NOT EXISTS (SELECT 1 FROM webinar_attendees AS a WHERE a.person_id = r.person_id AND a.session_id = :session)
AND NOT EXISTS (SELECT 1 FROM webinar_attendees AS a
                WHERE a.session_id = :session AND a.person_key = 'phone:' || r.phone_key AND r.phone_key <> '')
AND NOT EXISTS (SELECT 1 FROM webinar_attendees AS a WHERE a.account_id = r.account_id AND a.email = r.email_key
                AND a.email <> '' AND a.session_id = :session)
"""
# Somebody is there at a minute's beginning from the first such moment in an interval to the last: two sums over ends.
_ENDS = {
    "sqlite": """
SELECT max(0, (json_extract(j.value, '$[0]') - :start + 59) / 60),
       max(0, (json_extract(j.value, '$[1]') - :start + 59) / 60), count(*)
FROM webinar_attendees AS a, json_each(a.intervals) AS j
WHERE a.session_id = :session AND a.part_of IS NULL GROUP BY 1, 2
""",
    "postgresql": """
SELECT greatest(0, (CAST(j.value ->> 0 AS bigint) - :start + 59) / 60),
       greatest(0, (CAST(j.value ->> 1 AS bigint) - :start + 59) / 60), count(*)
FROM webinar_attendees AS a, jsonb_array_elements(CAST(a.intervals AS jsonb)) AS j(value)
WHERE a.session_id = :session AND a.part_of IS NULL GROUP BY 1, 2
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebinarLine:
    """A webinar as the list shows it. Times aware UTC; ``state``: pending_report, loading, complete; counts are people."""

    id: int
    external_id: str
    room_id: str
    title: str
    started_at: datetime | None
    minutes: int
    live: bool
    state: str
    report_at: datetime | None
    attendees: int
    vendor: str = ""
    source: str = ""  # what told of it: hook, poll, rehearsal …


_parts = webinar_attendees.c.part_of.is_not(None) & (webinar_attendees.c.session_id == webinars.c.id)
_people = webinars.c.attendees - select(func.count()).where(_parts).scalar_subquery()
_LINE = tuple(_people.label(name) if name == "attendees" else webinars.c[name] for name in WebinarLine.__slots__)


async def list_webinars(
    database: Database, account_id: int, *, limit: int, offset: int = 0, room_id: str = "", since: datetime | None = None,
    until: datetime | None = None, complete: bool = True,
) -> tuple[WebinarLine, ...]:  # fmt: skip
    """Complete webinars (or those that are not yet), newest first; of one room if given, started in [since, until)."""
    done = webinars.c.state == "complete"
    where = [webinars.c.account_id == account_id, done if complete else ~done]
    where += [webinars.c.room_id == room_id] if room_id else []
    where += [webinars.c.started_at >= since] if since is not None else []
    where += [webinars.c.started_at < until] if until is not None else []
    order = (webinars.c.started_at.desc().nulls_last(), webinars.c.id.desc())
    statement = select(*_LINE).where(*where).order_by(*order).limit(limit).offset(offset)
    async with database.read() as connection:
        return tuple(fill(WebinarLine, row) for row in await connection.execute(statement))


async def webinar_line(database: Database, account_id: int, webinar_id: int) -> WebinarLine | None:
    """One webinar, in whatever state."""
    statement = select(*_LINE).where(webinars.c.account_id == account_id, webinars.c.id == webinar_id)
    async with database.read() as connection:
        row = (await connection.execute(statement)).one_or_none()
    return fill(WebinarLine, row) if row is not None else None


async def turnout(database: Database, webinar_id: int) -> Turnout:
    """The figures of one webinar, complete or not."""
    async with database.read() as connection:
        there = (await fetch(connection, _TURNOUT, {"session": webinar_id}))[0]
        session = (await connection.execute(select(webinars).where(webinars.c.id == webinar_id))).one()
        registered = unseen = 0
        bounds = await registered_for(connection, session)
        if bounds is not None:
            registered = (await fetch(connection, _REGISTERED + REGISTRATIONS, bounds))[0][0]
            unseen = (await fetch(connection, _REGISTERED + REGISTRATIONS + UNSEEN, bounds))[0][0]
    came, attended, stayed, long, matched, no_phone, hot, warm = there
    return Turnout(
        registered=registered, came=came, attended=attended, stayed=stayed, long=long, matched=matched,
        unmatched=came - matched, no_phone=no_phone, hot=hot, warm=warm, no_show=unseen, skipped=session.skipped,
        missing=session.missing,
    )  # fmt: skip


async def came_from(database: Database, account_id: int, webinar_id: int) -> dict[str, int]:
    """What brought those who were there: the source of their lead's first touch, or where the lead came from.

    The most first; who is in no lead last, under "".
    """
    sources: Counter[str] = Counter()
    async with database.read() as connection:
        for name, people in await fetch(connection, _CAME_FROM, {"account": account_id, "session": webinar_id}):
            sources[mark_key(name)] += people
    return dict(sorted(sources.items(), key=lambda one: (not one[0], -one[1], one[0])))


async def registered_for(connection: AsyncConnection, session: Any) -> dict[str, Any] | None:
    """What tells the registrations for a webinar apart, for REGISTRATIONS and UNSEEN; None when nothing can.

    They are of one session, the nearest to its start that anybody registered for: two evenings are not one.
    """
    start = session.started_at
    if start is None:
        return None
    apart = LIVE_APART if session.live else AUTOMATIC_APART
    around = _bounds(connection, session, start, apart)
    planned = [moment(row[0]) for row in await fetch(connection, _SESSIONS, around)]
    nearest = min((at for at in planned if at is not None), key=lambda at: (abs(at - start), at), default=None)
    return around if nearest is None else _bounds(connection, session, nearest, SAME_SESSION)


def _bounds(connection: AsyncConnection, session: Any, at: datetime, apart: timedelta) -> dict[str, Any]:
    dialect = connection.dialect.name
    return {
        "account": session.account_id, "session": session.id, "room": session.room_id,
        "since": driver_time(at - apart, dialect), "until": driver_time(at + apart, dialect),
    }  # fmt: skip


async def present(database: Database, webinar_id: int) -> list[int]:
    """People there at the beginning of each minute of the webinar: as many as it is long, or up to the last who left."""
    async with database.read() as connection:
        session = (await connection.execute(select(webinars).where(webinars.c.id == webinar_id))).one()
        if session.started_at is None:
            return []
        values = {"session": webinar_id, "start": int(session.started_at.timestamp())}
        ends = await fetch(connection, _ENDS[connection.dialect.name], values)
    last = session.minutes or max((end for _, end, _ in ends), default=0)
    changes = [0] * (min(int(last), MOST_MINUTES) + 1)
    for start, end, people in ends:
        changes[min(int(start), len(changes) - 1)] += people
        changes[min(int(end), len(changes) - 1)] -= people
    return list(accumulate(changes))[:-1]
