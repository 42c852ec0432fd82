"""Whom to call after a webinar: its people by how warm they are and those who registered and did not come, each with why.

Somebody whom anybody has talked to on the phone since the webinar is done; the calls say so themselves, no button does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Warmth
from domain.calls import Summary
from domain.followup import Followup, Queued, followup_of
from storage.codec import loads
from storage.engine import Database
from storage.models import webinars, work
from storage.models.types import driver_time
from storage.queries.attendees import told
from storage.queries.webinars import REGISTRATIONS, UNSEEN, registered_for
from storage.sets import fetch, moment
from storage.staff import RESPONSIBLE


class Group(StrEnum):
    """A part of a webinar's people; the letters stand in buttons."""

    HOT = "h"
    WARM = "w"
    NO_SHOW = "n"
    COLD = "c"
    UNKNOWN = "u"  # found in no lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody to call. Times aware UTC; ``phone`` is a key, their lead's where they left none; ``manager`` of their lead.

    ``id`` is of the attendee, of the registration where ``seen`` is False. ``watched_s`` None: unknown. ``taken_by`` says
    who of the team took them, ``taken_by_id`` is their number in the messenger. ``called_at`` is when somebody first talked
    to them after the webinar.
    """

    id: int
    seen: bool
    key: str
    name: str
    phone: str
    email: str
    manager: str
    watched_s: int | None = None
    joined_at: datetime | None = None
    left_at: datetime | None = None
    finished: bool = False
    messages: int = 0
    clicked: bool = False
    ordered: bool = False
    city: str = ""
    matched_by: str = ""
    registered_at: datetime | None = None
    page_id: str = ""
    taken_by: str = ""
    taken_by_id: int | None = None
    taken_at: datetime | None = None
    called_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guests:
    """A page of a group: ``total`` in it, of them ``called`` and ``taken``."""

    rows: tuple[Guest, ...]
    total: int
    called: int
    taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Of a ``manager``'s leads ("" for those without one), or taken by somebody of the team: either will do."""

    manager: str | None = None
    taken_by: int | None = None


EVERYBODY = Whose()


# Who left no phone at the webinar is called by that of their lead.
_PHONE = "coalesce(nullif({own}, ''), l.phone_key, '')"
_CALLED = """
(SELECT min(c.started_at) FROM calls AS c WHERE c.account_id = :account AND c.client_phone = {phone} AND {phone} <> ''
 AND c.outcome = 'answered' AND c.started_at >= :ended)
"""
# Whoever came under several keys may have been taken by any of them.
_TAKEN = """
CASE WHEN a.own IS NULL THEN a.person_key ELSE coalesce((
    SELECT c.person_key FROM webinar_attendees AS p
    JOIN webinar_claims AS c ON c.session_id = p.session_id AND c.person_key = p.person_key
    WHERE p.id IN (SELECT a.id UNION ALL SELECT q.id FROM webinar_attendees AS q
                   WHERE q.session_id = a.session_id AND q.part_of = a.id)
    ORDER BY c.taken_at LIMIT 1), a.person_key) END
"""
_ATTENDEES = (
    """
SELECT a.id, coalesce(k.person_key, a.person_key) AS key, {name} AS username, {phone} AS phone, {email} AS email,
       {responsible} AS manager, k.taken_by_name, k.taken_at, {called} AS called_at, k.taken_by,
       a.watch_duration_sec, a.joined_at, a.left_at, a.finished, a.messages, a.clicked, a.ordered, a.city, a.matched_by,
       CASE WHEN a.ordered THEN 1 ELSE 0 END AS first_, coalesce(a.watch_duration_sec, 0) AS then_
FROM webinar_attendees AS a LEFT JOIN leads AS l ON l.id = a.lead_id
LEFT JOIN webinar_claims AS k ON k.session_id = a.session_id AND k.person_key = {taken}
WHERE a.session_id = :session AND a.account_id = :account AND a.part_of IS NULL
""".replace("{taken}", _TAKEN)
    .replace("{name}", told("username"))
    .replace("{email}", told("email"))
    .replace("{responsible}", RESPONSIBLE)
    .replace("{called}", _CALLED)
    .replace("{phone}", _PHONE.replace("{own}", "a.phone_number"))
)
_WHOLE = "(SELECT coalesce(b.part_of, b.id) FROM webinar_attendees AS b WHERE b.id = :id)"
_KEY = "coalesce('phone:' || nullif(r.phone_key, ''), 'email:' || nullif(r.email_key, ''), 'registration ' || r.id)"
_PERSON = "coalesce(CAST(r.person_id AS text), nullif(r.phone_key, ''), nullif(r.email_key, ''), r.dedup_key)"
_NO_SHOWS = (
    """
SELECT r.id, {key} AS key, r.name, {phone} AS phone, r.email_key, {responsible} AS manager,
       k.taken_by_name, k.taken_at, {called} AS called_at, k.taken_by,
       r.created_at, r.sublist_id, r.matched_by, 0 AS first_, 0 AS then_
FROM registrations AS r LEFT JOIN leads AS l ON l.id = r.lead_id
LEFT JOIN webinar_claims AS k ON k.session_id = :session AND k.person_key = {key}
WHERE r.id IN (SELECT max(r.id) {unseen} GROUP BY {person})
""".replace("{responsible}", RESPONSIBLE)
    .replace("{called}", _CALLED)
    .replace("{phone}", _PHONE.replace("{own}", "r.phone_key"))
    .replace("{key}", _KEY)
)
_NO_SHOWS = _NO_SHOWS.replace("{unseen}", REGISTRATIONS + UNSEEN).replace("{person}", _PERSON)
# What is done goes last, what nobody took goes first; then whoever ordered, and who saw the most.
_ORDER = """
ORDER BY (CASE WHEN called_at IS NULL THEN 0 ELSE 1 END), (CASE WHEN taken_by_name IS NULL THEN 0 ELSE 1 END),
         first_ DESC, then_ DESC, id LIMIT :limit OFFSET :offset
"""


# Hot, warm, and those who did not come: whom the card says to call.
_QUEUE = f"""
SELECT phone, manager, taken_by_name, called_at FROM ({_ATTENDEES} AND a.warmth IN ('hot', 'warm')) AS g
UNION ALL SELECT phone, manager, taken_by_name, called_at FROM ({_NO_SHOWS}) AS n
"""  # noqa: S608 - our own text
_AGREED = """
SELECT client_phone, summary FROM calls
WHERE account_id = :account AND client_phone IN {texts:phones} AND started_at >= :ended AND outcome = 'answered'
AND summary IS NOT NULL
"""


async def followup(database: Database, account_id: int, webinar_id: int) -> Followup:
    """What became of calling its people up to now; nothing of a webinar that is not there."""
    async with database.read() as connection:
        values = await _values(connection, account_id, webinar_id)
        if values is None:
            return Followup()
        rows = await fetch(connection, _QUEUE, values)
        phones = [row[0] for row in rows if row[3] is not None]
        mine = {"account": account_id, "ended": values["ended"], "phones": phones}
        talks = await fetch(connection, _AGREED, mine) if phones else ()
        session = (await connection.execute(select(webinars).where(webinars.c.id == webinar_id))).one()
    agreed = {row[0] for row in talks if _is_agreement(loads(Summary, row[1]))}
    queue = [
        Queued(phone=row[0], manager=row[1], taken=row[2] is not None, called_at=moment(row[3]), agreed=row[0] in agreed)
        for row in rows
    ]
    return followup_of(queue, max(session.report_at or session.ended_at, session.ended_at))


def _is_agreement(summary: Summary) -> bool:
    """Something is to be done next."""
    return summary.meaningful and bool(summary.tasks or summary.next_steps)


async def guests(
    database: Database, account_id: int, webinar_id: int, group: Group, *, limit: int, offset: int = 0,
    whose: Whose = EVERYBODY,
) -> Guests:  # fmt: skip
    """A page of those to call, of somebody's or of all. Nobody where there is no such webinar."""
    async with database.read() as connection:
        values = await _values(connection, account_id, webinar_id)
        if values is None:
            return Guests(rows=(), total=0, called=0, taken=0)
        sql, more = _group(group)
        theirs, names = _theirs(whose)
        values |= more | names | {"limit": limit, "offset": offset}
        counted = _of("count(*), count(called_at), count(taken_by_name)", sql, theirs)
        counts = (await fetch(connection, counted, values))[0]
        rows = await fetch(connection, _of("*", sql, theirs) + _ORDER, values)
    make = _no_show if group is Group.NO_SHOW else _attendee
    return Guests(rows=tuple(map(make, rows)), total=counts[0], called=counts[1], taken=counts[2])


async def find_guest(database: Database, account_id: int, webinar_id: int, *, seen: bool, id_: int) -> Guest | None:
    """One of them, by the id that a button carries."""
    async with database.read() as connection:
        values = await _values(connection, account_id, webinar_id)
        if values is None:
            return None
        if seen:
            rows = await fetch(connection, f"{_ATTENDEES} AND a.id = {_WHOLE}", values | {"id": id_})
        else:
            rows = await fetch(connection, _of("*", _NO_SHOWS, "WHERE id = :id"), values | {"id": id_})
    if not rows:
        return None
    return _attendee(rows[0]) if seen else _no_show(rows[0])


async def managers_of(database: Database, account_id: int, webinar_id: int) -> tuple[tuple[str, int], ...]:
    """Whose leads are to be called and how many, the most first; "" for those without a manager."""
    async with database.read() as connection:
        values = await _values(connection, account_id, webinar_id)
        if values is None:
            return ()
        rows = await fetch(connection, _of("manager, count(*)", _QUEUE, "GROUP BY manager ORDER BY 2 DESC, 1"), values)
    return tuple((row[0], row[1]) for row in rows)


async def group_sizes(database: Database, account_id: int, webinar_id: int, whose: Whose = EVERYBODY) -> dict[Group, int]:
    """How many there are in each group."""
    async with database.read() as connection:
        values = await _values(connection, account_id, webinar_id)
        if values is None:
            return {}
        sizes = {}
        for group in Group:
            sql, more = _group(group)
            theirs, names = _theirs(whose)
            sizes[group] = int((await fetch(connection, _of("count(*)", sql, theirs), values | more | names))[0][0])
    return sizes


async def hot_waiting(database: Database, account_id: int, webinar_id: int) -> int:
    """How many of its hot people nobody has talked to since, and nobody has taken."""
    async with database.read() as connection:
        values = await _values(connection, account_id, webinar_id)
        if values is None:
            return 0
        sql, more = _group(Group.HOT)
        asked = _of("count(*)", sql, "WHERE called_at IS NULL AND taken_by_name IS NULL")
        return int((await fetch(connection, asked, values | more))[0][0])


async def work_of(database: Database, account_id: int, webinar_id: int) -> int | None:
    """The newest work on this webinar: what «check again» repeats."""
    mine = (webinars.c.account_id == account_id) & (webinars.c.id == webinar_id)
    same = (work.c.account_id == account_id) & (work.c.kind == "webinar")
    same &= work.c.object == webinars.c.vendor + ":" + webinars.c.external_id
    newest = select(work.c.id).join(webinars, same).where(mine).order_by(work.c.generation.desc()).limit(1)
    async with database.read() as connection:
        found: int | None = await connection.scalar(newest)
    return found


def _of(what: str, sql: str, where: str = "") -> str:
    """A question about the rows of one of the texts above; nothing of it comes from outside."""
    return f"SELECT {what} FROM ({sql}) AS g {where}"  # noqa: S608


async def _values(connection: AsyncConnection, account_id: int, webinar_id: int) -> dict[str, Any] | None:
    mine = (webinars.c.account_id == account_id) & (webinars.c.id == webinar_id)
    session = (await connection.execute(select(webinars).where(mine))).one_or_none()
    if session is None:
        return None
    dialect = connection.dialect.name
    bounds = await registered_for(connection, session)
    if bounds is None:  # nobody can have registered for it: a period that ends before it begins
        since, until = session.heard_at, session.heard_at - timedelta(days=1)
        bounds = {"room": "", "since": driver_time(since, dialect), "until": driver_time(until, dialect)}
    return {"account": account_id, "session": webinar_id, "ended": driver_time(session.ended_at, dialect), **bounds}


def _theirs(whose: Whose) -> tuple[str, dict[str, Any]]:
    """The condition that leaves these, and its values."""
    values = {"manager": whose.manager, "taker": whose.taken_by}
    conditions = {"manager": "manager = :manager", "taker": "taken_by = :taker"}
    given = {name: value for name, value in values.items() if value is not None}
    return ("WHERE " + " OR ".join(conditions[name] for name in given) if given else ""), given


def _group(group: Group) -> tuple[str, dict[str, Any]]:
    if group is Group.NO_SHOW:
        return _NO_SHOWS, {}
    if group is Group.UNKNOWN:
        return f"{_ATTENDEES} AND a.person_id IS NULL", {}
    warmth = {Group.HOT: Warmth.HOT, Group.WARM: Warmth.WARM, Group.COLD: Warmth.COLD}[group]
    return f"{_ATTENDEES} AND a.warmth = :warmth", {"warmth": warmth.value}


def _shared(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0], "key": row[1], "name": row[2], "phone": row[3], "email": row[4], "manager": row[5],
        "taken_by": row[6] or "", "taken_at": moment(row[7]), "called_at": moment(row[8]),
        "taken_by_id": row[9],
    }  # fmt: skip


def _attendee(row: Sequence[Any]) -> Guest:
    return Guest(
        **_shared(row), seen=True, watched_s=row[10], joined_at=moment(row[11]), left_at=moment(row[12]),
        finished=bool(row[13]), messages=row[14], clicked=bool(row[15]), ordered=bool(row[16]), city=row[17],
        matched_by=row[18],
    )  # fmt: skip


def _no_show(row: Sequence[Any]) -> Guest:
    return Guest(**_shared(row), seen=False, registered_at=moment(row[10]), page_id=row[11], matched_by=row[12])
