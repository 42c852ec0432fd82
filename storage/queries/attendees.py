"""The people of webinars: of one by segment, of all the newest, one person's own, and whether somebody was there."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.people import email_key, personal_key
from storage.engine import Database
from storage.models import webinars
from storage.queries.webinars import REGISTRATIONS, UNSEEN, WebinarLine, list_webinars, registered_for
from storage.sets import fetch, fetch_slices, moment
from storage.staff import RESPONSIBLE

SLICE = 500  # rows that are fetched at a time: a few milliseconds


class Segment(StrEnum):
    """A part of a webinar's people. ``AGAIN``: attended an earlier session of the same room."""

    ALL = "all"
    ATTENDED = "attended"  # был
    STAYED = "stayed"  # досмотрел
    LEFT_EARLY = "left_early"  # ушёл рано
    LOOKED_IN = "looked_in"
    AGAIN = "again"  # повторно
    LONG = "long"  # more than 30 minutes
    HOT = "hot"
    WARM = "warm"
    MATCHED = "matched"
    UNMATCHED = "unmatched"  # не найдены
    NO_PHONE = "no_phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendeeLine:
    """A person at a webinar. ``watch_duration_sec`` None: unknown; ``lead_phone`` as the lead has it; times aware UTC.

    ``matched_by`` is a domain.webinars.MatchedBy; ``other_person_id``: whom the e-mail names where the phone names another.
    """

    id: int
    session_id: int
    webinar_title: str
    webinar_date: datetime | None
    phone_number: str
    phone: str
    username: str
    email: str
    joined_at: datetime | None
    left_at: datetime | None
    watch_duration_sec: int | None
    attended: bool
    presence: str
    warmth: str
    messages: int
    clicked: bool
    ordered: bool
    city: str
    country: str
    person_id: int | None
    other_person_id: int | None
    matched_by: str
    lead_id: int | None
    lead_phone: str
    lead_status: str
    manager: str
    direction_id: int | None
    direction: str
    creative_id: int | None
    creative: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_term: str
    utm_content: str
    url_marker: str
    marks_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendeePage:
    """``rows`` of ``total``."""

    rows: tuple[AttendeeLine, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoShowLine:
    """Somebody registered for a webinar and not seen there."""

    registration_id: int
    name: str
    phone: str
    email: str
    person_id: int | None
    lead_id: int | None
    manager: str
    registered_at: datetime


class Visited(StrEnum):
    """Whether somebody was at a webinar. ``NO_REPORT`` is no answer: there is none to look into."""

    YES = "yes"
    NO = "no"
    NO_REPORT = "no_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitAnswer:
    """``webinar`` is the one that was looked into; with NO_REPORT the one that is waited for, None when none is known.

    ``has_phones``, ``has_emails``: whether anybody left one there, so that «нет» can be believed.
    """

    visited: Visited
    webinar: WebinarLine | None = None
    attendee: AttendeeLine | None = None
    has_phones: bool = False
    has_emails: bool = False


_FIELDS = tuple(AttendeeLine.__slots__)
_HERE = "a.account_id = :account AND a.session_id = :session AND a.part_of IS NULL"


def told(name: str) -> str:
    """SQL: what a person said under this name of a column, under whichever of their keys."""
    return f"""
    CASE WHEN a.own IS NULL OR a.{name} <> '' THEN a.{name} ELSE coalesce((
        SELECT max(p.{name}) FROM webinar_attendees AS p WHERE p.session_id = a.session_id AND p.part_of = a.id), '') END
    """  # noqa: S608 - our own names


_OTHER_TABLES = {
    "username": told("username"),
    "email": told("email"),
    "lead_phone": "coalesce(nullif(l.phone_key, ''), l.phone, '')",
    "lead_status": "coalesce(l.status, '')",
    "manager": RESPONSIBLE,
    "direction_id": "l.direction_id",
    "direction": "coalesce(d.name, '')",
    "creative_id": "l.creative_id",
    "creative": "coalesce(c.title, '')",
}
_FROM = """
FROM webinar_attendees AS a JOIN webinars AS w ON w.id = a.session_id LEFT JOIN leads AS l ON l.id = a.lead_id
LEFT JOIN directions AS d ON d.id = l.direction_id LEFT JOIN creatives AS c ON c.id = l.creative_id
"""
_LINES = f"SELECT {', '.join(_OTHER_TABLES.get(name, f'a.{name}') for name in _FIELDS)} {_FROM}"
_EARLIER = """EXISTS (
    SELECT 1 FROM webinars AS v JOIN webinar_attendees AS b ON b.session_id = v.id
    WHERE v.account_id = a.account_id AND v.room_id = w.room_id AND v.started_at < w.started_at AND v.state = 'complete'
    AND b.attended AND {same})"""
_AGAIN = " OR ".join(
    _EARLIER.format(same=same)
    for same in (
        "b.person_key = a.person_key AND substr(a.person_key, 1, 4) <> 'row:'",  # nobody knows who these are
        "b.person_id = a.person_id",
        "b.account_id = a.account_id AND b.email = a.email AND b.email <> ''",
    )
)
SEGMENTS = {
    Segment.ALL: "1 = 1",
    Segment.ATTENDED: "a.attended",
    Segment.STAYED: "a.presence = 'stayed'",
    Segment.LEFT_EARLY: "a.presence = 'left_early'",
    Segment.LOOKED_IN: "a.presence = 'looked_in'",
    Segment.AGAIN: f"({_AGAIN})",
    Segment.LONG: "a.watch_duration_sec > 1800",
    Segment.HOT: "a.warmth = 'hot'",
    Segment.WARM: "a.warmth = 'warm'",
    Segment.MATCHED: "a.person_id IS NOT NULL",
    Segment.UNMATCHED: "a.person_id IS NULL",
    Segment.NO_PHONE: "a.phone_number = ''",
}
_ORDER = """
ORDER BY CASE a.warmth WHEN 'hot' THEN 0 WHEN 'warm' THEN 1 ELSE 2 END, coalesce(a.watch_duration_sec, -1) DESC, a.id
"""
_NO_SHOW = f"""
SELECT r.id, r.name, r.phone, r.email_key, r.person_id, r.lead_id, {RESPONSIBLE}, r.created_at
"""


async def find_attendees(
    database: Database, account_id: int, webinar_id: int, segment: Segment = Segment.ALL, *,
    manager: str | None = None, limit: int, offset: int = 0,
) -> AttendeePage:  # fmt: skip
    """The people of one webinar, hot first, then by how long they watched. ``manager``: of their leads only, "" for none."""
    where = f"WHERE {_HERE} AND {SEGMENTS[segment]}"
    values: dict[str, Any] = {"account": account_id, "session": webinar_id, "limit": limit, "offset": offset}
    if manager is not None:
        where += f" AND {RESPONSIBLE} = :manager"
        values["manager"] = manager
    count = f"SELECT count(*) {_FROM} {where}"
    async with database.read() as connection:
        rows = await fetch(connection, f"{_LINES} {where} {_ORDER} LIMIT :limit OFFSET :offset", values)
        total = (await fetch(connection, count, values))[0][0]
    return AttendeePage(rows=_lines(rows), total=total)


async def segment_sizes(
    database: Database, account_id: int, webinar_id: int, segments: Sequence[Segment]
) -> dict[Segment, int]:
    """How many people of one webinar are in each of these."""
    counts = ", ".join(f"count(*) FILTER (WHERE {SEGMENTS[segment]})" for segment in segments)
    sql = f"SELECT {counts} FROM webinar_attendees AS a JOIN webinars AS w ON w.id = a.session_id WHERE {_HERE}"  # noqa: S608
    async with database.read() as connection:
        row = (await fetch(connection, sql, {"account": account_id, "session": webinar_id}))[0]
    return dict(zip(segments, row, strict=True))


async def attendee_slices(
    database: Database, account_id: int, webinar_id: int, segment: Segment = Segment.ALL
) -> AsyncGenerator[tuple[AttendeeLine, ...]]:
    """All the people of ``find_attendees``, a slice at a time; a connection is held until the last is taken."""
    where = f"WHERE {_HERE} AND {SEGMENTS[segment]}"
    values: dict[str, Any] = {"account": account_id, "session": webinar_id}
    sql = f"{_LINES} {where} {_ORDER}"
    async with database.read() as connection, aclosing(fetch_slices(connection, sql, values, size=SLICE)) as slices:
        async for rows in slices:
            yield await asyncio.to_thread(_lines, rows)


async def find_no_shows(
    database: Database, account_id: int, webinar_id: int, *, limit: int, offset: int = 0
) -> tuple[NoShowLine, ...]:
    """Who registered and was not seen, in the order of registering. Somebody who registered twice is there twice."""
    mine = (webinars.c.account_id == account_id) & (webinars.c.id == webinar_id)
    async with database.read() as connection:
        session = (await connection.execute(select(webinars).where(mine))).one_or_none()
        bounds = await registered_for(connection, session) if session is not None else None
        if bounds is None:
            return ()
        source = REGISTRATIONS.replace("WHERE", "LEFT JOIN leads AS l ON l.id = r.lead_id WHERE", 1)
        sql = f"{_NO_SHOW} {source} {UNSEEN} ORDER BY r.created_at, r.id LIMIT :limit OFFSET :offset"
        slices = fetch_slices(connection, sql, bounds | {"limit": limit, "offset": offset}, size=SLICE)
        return tuple([line async for rows in slices for line in map(_no_show, rows)])


def _no_show(row: Sequence[Any]) -> NoShowLine:
    return NoShowLine(**{**dict(zip(NoShowLine.__slots__, row, strict=True)), "registered_at": moment(row[-1])})


async def last_attendances(database: Database, account_id: int, *, limit: int = 20) -> tuple[AttendeeLine, ...]:
    """The newest of all complete webinars, newest first. A handful of webinars is looked into, not all of them."""
    newest = [line for line in await list_webinars(database, account_id, limit=limit * 5) if line.attendees]
    sessions: list[int] = []
    for line in newest:
        sessions.append(line.id)
        if sum(other.attendees for other in newest[: len(sessions)]) >= limit:
            break
    where = "WHERE a.account_id = :account AND a.session_id IN {ids} AND a.part_of IS NULL"
    order = "ORDER BY w.started_at DESC, a.joined_at DESC, a.id DESC LIMIT :limit"
    async with database.read() as connection:
        values = {"account": account_id, "ids": sessions, "limit": limit}
        return tuple(map(_line, await fetch(connection, f"{_LINES} {where} {order}", values)))


async def visits_of_person(database: Database, account_id: int, person_id: int) -> tuple[AttendeeLine, ...]:
    """Every complete webinar this person was at, newest first."""
    where = """WHERE a.account_id = :account AND a.person_id = :person AND w.state = 'complete' AND a.part_of IS NULL
               ORDER BY a.webinar_date DESC, a.id"""
    async with database.read() as connection:
        return tuple(map(_line, await fetch(connection, f"{_LINES} {where}", {"account": account_id, "person": person_id})))


async def find_lines(
    connection: AsyncConnection, where: str, values: dict[str, Any], *, order: str = "a.webinar_date DESC, a.id DESC"
) -> tuple[AttendeeLine, ...]:
    """The people for whom ``where`` holds: a is who was there, w the webinar, l their lead; our own text."""
    return _lines(await fetch(connection, f"{_LINES} WHERE {where} ORDER BY {order} LIMIT :limit", values))


_RECORDS = """
SELECT r.raw FROM webinar_attendees AS a JOIN webinar_records AS r ON r.session_id = a.session_id
WHERE a.account_id = :account AND r.position IN {positions}
AND a.id IN (SELECT w.id FROM webinar_attendees AS w WHERE w.id = :attendee
             UNION ALL SELECT p.id FROM webinar_attendees AS w
             JOIN webinar_attendees AS p ON p.session_id = w.session_id AND p.part_of = w.id WHERE w.id = :attendee)
ORDER BY r.position
"""


async def raw_records(database: Database, account_id: int, attendee_id: int) -> tuple[str, ...]:
    """What the platform said of an attendee, whole, JSON, in its order. Internet addresses are in it: for admins."""
    mine = {"account": account_id, "attendee": attendee_id}
    async with database.read() as connection:
        sets = {"sqlite": "(SELECT value FROM json_each(a.positions))"}
        places = sets.get(
            connection.dialect.name, "(SELECT CAST(jsonb_array_elements_text(CAST(a.positions AS jsonb)) AS int))"
        )
        return tuple(row[0] for row in await fetch(connection, _RECORDS.replace("{positions}", places), mine))


async def is_visitor(
    database: Database, account_id: int, *, room_id: str = "", since: datetime | None = None, until: datetime | None = None,
    phone: str = "", email: str = "", person_id: int | None = None,
) -> VisitAnswer:  # fmt: skip
    """Whether somebody was at the newest webinar of ``room_id`` ("": of any) that began in [since, until).

    ``phone`` and ``email`` as typed; what is none («1») is not looked for. Somebody who was there twice is one attendee.
    """
    found = await list_webinars(database, account_id, limit=1, room_id=room_id, since=since, until=until)
    if not found:
        return VisitAnswer(visited=Visited.NO_REPORT, webinar=await _awaited(database, account_id, room_id, since, until))
    by_phone = personal_key(phone)
    keys = {"phone": f"phone:{by_phone}" if by_phone else "", "email": email_key(email), "person": person_id or 0}
    mine = {"account": account_id, "session": found[0].id}
    async with database.read() as connection:
        row = await _attendee(connection, mine | keys)
        told = (await fetch(connection, _TOLD, {"session": found[0].id}))[0]
    answer = Visited.NO if row is None else Visited.YES
    return VisitAnswer(visited=answer, webinar=found[0], attendee=row, has_phones=bool(told[0]), has_emails=bool(told[1]))


_TOLD = """
SELECT EXISTS (SELECT 1 FROM webinar_attendees WHERE session_id = :session AND phone_number <> ''),
       EXISTS (SELECT 1 FROM webinar_attendees WHERE session_id = :session AND email <> '')
"""


async def _attendee(connection: AsyncConnection, values: dict[str, Any]) -> AttendeeLine | None:
    """By phone, then by e-mail, then as the person we know; what they left under another key is theirs too."""
    for condition, given in (
        ("b.person_key = :phone", values["phone"]),
        ("b.email = :email AND b.email <> ''", values["email"]),
        ("b.person_id = :person", values["person"]),
    ):
        if given:
            where = f"{_HERE} AND a.id IN (SELECT coalesce(b.part_of, b.id) {_OF_SESSION} AND {condition})"
            rows = await fetch(connection, f"{_LINES} WHERE {where} {_FULLEST}", values)
            if rows:
                return _line(rows[0])
    return None


_OF_SESSION = "FROM webinar_attendees AS b WHERE b.account_id = :account AND b.session_id = :session"
# Several whom nobody knows may have left one e-mail.
_FULLEST = "ORDER BY a.attended DESC, coalesce(a.watch_duration_sec, -1) DESC, a.id LIMIT 1"


async def _awaited(
    database: Database, account_id: int, room_id: str, since: datetime | None, until: datetime | None
) -> WebinarLine | None:
    return next(iter(await list_webinars(
        database, account_id, limit=1, room_id=room_id, since=since, until=until, complete=False
    )), None)  # fmt: skip


def _lines(rows: Sequence[Any]) -> tuple[AttendeeLine, ...]:
    return tuple(map(_line, rows))


def _line(row: Any) -> AttendeeLine:
    values = dict(zip(_FIELDS, row, strict=True))
    for name in ("webinar_date", "joined_at", "left_at"):
        values[name] = moment(values[name])
    for name in ("attended", "clicked", "ordered"):
        values[name] = bool(values[name])
    return AttendeeLine(**values)
