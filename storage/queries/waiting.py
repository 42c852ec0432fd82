"""Who waits for somebody of the team: clients whose calls were missed, and new leads; how long, and who still does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.engine import Database
from storage.hidden import seen
from storage.queries.company import MISSED, Span, bounds
from storage.sets import fetch, fetch_slices, moment

SLICE = 1000  # rows worked through without anybody else having a turn

# Called back: somebody dialled the number after it, or the client got through.
_BACK = """
SELECT b.started_at FROM calls AS b
WHERE b.account_id = c.account_id AND b.client_phone = c.client_phone AND b.started_at > c.started_at
AND (b.direction IN ('outgoing', 'callback') OR b.outcome = 'answered') AND NOT b.rehearsal ORDER BY b.started_at LIMIT 1
"""
_IN_SPAN = "c.account_id = :account AND c.started_at >= :since AND c.started_at < :until AND NOT c.rehearsal"
_MISSED = f"""
SELECT c.client_phone, c.started_at, ({_BACK}) FROM calls AS c WHERE {_IN_SPAN} AND {MISSED} AND c.client_phone <> ''
"""  # noqa: S608 - our own text
_NOT_BACK = f"""
SELECT max(c.id), c.client_phone, max(c.client_name), max(c.started_at), count(*), count(*) OVER ()
FROM calls AS c WHERE {_IN_SPAN} AND {MISSED} AND c.client_phone <> '' AND NOT EXISTS ({_BACK})
GROUP BY c.client_phone ORDER BY 4 DESC LIMIT :most
"""  # noqa: S608 - our own text
_HOUR_BEFORE = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', l.created_at, '-1 hour')",
    "postgresql": "l.created_at - interval '1 hour'",
}
# A CRM makes a lead of a call that is under way: what began within the hour before is about it, too.
_PHONES = """
SELECT l.phone_key WHERE l.phone_key <> '' UNION SELECT i.value FROM identities AS i
WHERE i.person_id = l.person_id AND i.kind = 'phone' AND i.undone_at IS NULL
"""
_TALK = f"""
SELECT min(c.started_at) FROM calls AS c WHERE c.account_id = l.account_id AND c.client_phone IN ({_PHONES})
AND c.started_at >= {{before}} AND c.outcome = 'answered' AND c.duration_s > :short AND NOT c.rehearsal
"""  # noqa: S608 - our own text
_TAKEN = """
SELECT min(k.taken_at) FROM lead_claims AS k WHERE k.taken_at >= {before} AND k.lead_id IN (
    SELECT l.id UNION SELECT o.id FROM leads AS o WHERE o.person_id = l.person_id AND o.deleted_at IS NULL)
"""
# Another lead of the same person says that somebody works with them: a form and the deal that a CRM makes of it.
_MOVED = """
l.status NOT IN ('', 'new') OR EXISTS (SELECT 1 FROM leads AS o WHERE o.person_id = l.person_id AND o.deleted_at IS NULL
    AND o.status NOT IN ('', 'new') AND o.created_at >= {before})
"""
_LEADS = f"""
SELECT l.id, coalesce(l.person_id, -l.id) AS person, l.name, l.phone_key, l.phone, l.email, l.created_at,
       ({_TALK}) AS talk_at, ({_TAKEN}) AS taken_at, CASE WHEN {_MOVED} THEN 1 ELSE 0 END AS moved
FROM leads AS l WHERE l.account_id = :account AND l.created_at >= :since AND l.created_at < :until
AND l.deleted_at IS NULL AND l.import_id IS NULL AND {seen("l")}
"""  # noqa: S608 - our own text
_WAITS = "SELECT person, created_at, talk_at, taken_at, moved FROM ({leads}) AS w"
_ALONE = """
SELECT max(id), person, max(name), max(phone_key), max(phone), max(email), max(created_at), count(*) OVER ()
FROM ({leads}) AS w WHERE moved = 0 AND talk_at IS NULL AND taken_at IS NULL GROUP BY person
ORDER BY 7 DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """``key`` of whoever waited, a number or a person; from when, and until when (None: still). Aware UTC.

    ``worked``: the CRM says that somebody works with them, and not since when.
    """

    key: str
    since: datetime
    until: datetime | None
    worked: bool = False

    @property
    def waiting(self) -> bool:
        return self.until is None and not self.worked


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """Somebody who waits. ``id``: their newest call or lead; ``times``: how often they called; ``phone`` is a key.

    ``person_id`` of a lead whose person is known.
    """

    id: int
    phone: str
    phone_raw: str
    name: str
    since: datetime
    times: int = 1
    person_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiters:
    """The newest of them, and how many there are in all."""

    rows: tuple[Waiter, ...] = ()
    total: int = 0


async def missed_calls(database: Database, account_id: int, span: Span) -> AsyncIterator[list[Waited]]:
    """Each missed call of a span whose number is known, some at a time, and when that number was called back."""
    values = {"account": account_id, **bounds(database, span)}
    async with database.read() as connection:
        async for rows in fetch_slices(connection, _MISSED, values, size=SLICE):
            yield [Waited(key=row[0], since=_at(row[1]), until=moment(row[2])) for row in rows]


async def new_leads(database: Database, account_id: int, span: Span, *, short_s: int) -> AsyncIterator[list[Waited]]:
    """Each new lead of a span that no table brought, some at a time, and when somebody first talked to it or took it."""
    values = {"account": account_id, "short": short_s, **bounds(database, span)}
    async with database.read() as connection:
        async for rows in fetch_slices(connection, _of(database, _WAITS), values, size=SLICE):
            yield [_lead(*row) for row in rows]


async def not_called_back(database: Database, account_id: int, span: Span, *, most: int) -> Waiters:
    """Numbers whose missed calls of the span nobody has answered yet, by the newest."""
    values = {"account": account_id, "most": most, **bounds(database, span)}
    async with database.read() as connection:
        rows = await fetch(connection, _NOT_BACK, values)
    found = (Waiter(id=row[0], phone=row[1], phone_raw=row[1], name=row[2], since=_at(row[3]), times=row[4]) for row in rows)
    return Waiters(rows=tuple(found), total=rows[0][5] if rows else 0)


async def not_contacted(database: Database, account_id: int, span: Span, *, short_s: int, most: int) -> Waiters:
    """People whose leads of the span nobody has talked to, taken or moved on in the CRM, by the newest."""
    values = {"account": account_id, "short": short_s, "most": most, **bounds(database, span)}
    async with database.read() as connection:
        rows = await fetch(connection, _of(database, _ALONE), values)
    found = (
        Waiter(
            id=row[0],
            phone=row[3],
            phone_raw=row[4] or row[5],
            name=row[2],
            since=_at(row[6]),
            person_id=row[1] if row[1] > 0 else None,
        )
        for row in rows
    )
    return Waiters(rows=tuple(found), total=rows[0][7] if rows else 0)


def _of(database: Database, sql: str) -> str:
    return sql.format(leads=_LEADS.format(before=_HOUR_BEFORE[database.dialect_name]))


def _lead(person: int, created_at: Any, talk_at: Any, taken_at: Any, moved: int) -> Waited:
    since, firsts = _at(created_at), [at for at in (moment(talk_at), moment(taken_at)) if at is not None]
    until = max(min(firsts), since) if firsts else None
    return Waited(key=str(person), since=since, until=until, worked=bool(moved))


def _at(value: Any) -> datetime:
    at = moment(value)
    assert at is not None  # noqa: S101 - columns that are never empty
    return at
