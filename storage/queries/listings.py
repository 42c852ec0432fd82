"""Whole lists for files: every call, lead, client, registration, attendee, expense and task, a slice at a time.

A list is read in one statement that sees one moment of the database, whatever is written meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from storage.engine import Database
from storage.hidden import seen
from storage.models.types import driver_time
from storage.queries.attendees import SEGMENTS, Segment, told
from storage.sets import fetch, fetch_slices, moment
from storage.staff import RESPONSIBLE

SLICE = 500  # rows that are fetched at a time: a few milliseconds
MARKS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# What a call came to is kept with its tasks as JSON.
_GIST = {
    "sqlite": "json_extract(c.summary, '$.text')",
    "postgresql": "CAST(c.summary AS json) ->> 'text'",
}
_EARLIEST = """
SELECT (SELECT min(at) FROM (SELECT min(started_at) AS at FROM calls WHERE account_id = :account
                             UNION ALL SELECT min(created_at) FROM leads WHERE account_id = :account
                             UNION ALL SELECT min(started_at) FROM webinars WHERE account_id = :account
                             UNION ALL SELECT min(at) FROM charges WHERE account_id = :account) AS firsts),
       (SELECT min(day) FROM spend WHERE account_id = :account)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """``columns``: name → SQL. ``source`` has :account in it; a period is of ``at``, a time, or of ``day``, a local date.

    ``webinar``: the id of the webinar that a row is of, where one can be asked for alone.
    """

    columns: Mapping[str, str]
    source: str
    order: str
    at: str = ""
    day: str = ""
    webinar: str = ""

    @property
    def dated(self) -> bool:
        return bool(self.at or self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Local days of ``zone``, both included; None: from the first, up to the last there is.

    ``webinar_id``: of this webinar alone, and of its people only those of ``segment``; 0: of all.
    """

    zone: ZoneInfo
    first: date | None = None
    last: date | None = None
    webinar_id: int = 0
    segment: Segment = Segment.ALL


async def earliest_day(database: Database, account_id: int, zone: ZoneInfo) -> date | None:
    """The day of the first thing that any figure is counted from; None before there is one."""
    async with database.read() as connection:
        ((at, spent),) = await fetch(connection, _EARLIEST, {"account": account_id})
    found = moment(at)
    days = [found.astimezone(zone).date()] if found is not None else []
    days += [date.fromisoformat(spent)] if spent is not None else []
    return min(days, default=None)


async def count_rows(database: Database, account_id: int, listing: Listing, days: Days) -> int:
    where, values = _period(database, listing, days)
    async with database.read() as connection:
        rows = await fetch(connection, f"SELECT count(*) {listing.source} {where}", {"account": account_id, **values})
    return int(rows[0][0])


async def row_slices(
    database: Database, account_id: int, listing: Listing, days: Days
) -> AsyncGenerator[list[tuple[object, ...]]]:
    """Values in the order of ``columns``, as the driver has them; a connection is held until the last is taken."""
    where, values = _period(database, listing, days)
    columns = ", ".join(listing.columns.values()).replace("{gist}", _GIST[database.dialect_name])
    sql = f"SELECT {columns} {listing.source} {where} ORDER BY {listing.order}"
    async with (
        database.read() as connection,
        aclosing(fetch_slices(connection, sql, {"account": account_id, **values}, size=SLICE)) as slices,
    ):
        async for rows in slices:
            yield await asyncio.to_thread(_plain, rows)


def _plain(rows: Sequence[Any]) -> list[tuple[object, ...]]:
    return [tuple(row) for row in rows]


def _period(database: Database, listing: Listing, days: Days) -> tuple[str, dict[str, Any]]:
    """The condition and its values; nothing where all is wanted."""
    column = listing.at or listing.day
    where, values = "", dict[str, Any]()
    if column and days.first is not None:
        where += f" AND {column} >= :since"
        values["since"] = _edge(database, listing, days, days.first)
    if column and days.last is not None:
        where += f" AND {column} < :until"
        values["until"] = _edge(database, listing, days, days.last + timedelta(days=1))
    if listing.webinar and days.webinar_id:
        where += f" AND {listing.webinar} = :webinar AND {SEGMENTS[days.segment]}"
        values["webinar"] = days.webinar_id
    return where, values


def _edge(database: Database, listing: Listing, days: Days, day: date) -> object:
    if listing.day:
        return day.isoformat()
    return driver_time(datetime.combine(day, time.min, days.zone).astimezone(UTC), database.dialect_name)


CALLS = Listing(
    columns={
        "started_at": "c.started_at", "call_direction": "c.direction", "outcome": "c.outcome", "duration_s": "c.duration_s",
        "client_name": "c.client_name", "client_phone": "coalesce(nullif(c.client_phone, ''), c.client_phone_raw)",
        "employee": "c.employee_name", "phone_line": "c.line", "call_kind": "c.kind", "tone": "c.tone", "gist": "{gist}",
        "call_state": "c.state", "crm_url": "c.crm_url", "call_id": "c.call_id",
    },
    source="FROM calls AS c WHERE c.account_id = :account AND NOT c.rehearsal",
    order="c.started_at, c.id",
    at="c.started_at",
)  # fmt: skip
LEADS = Listing(
    columns={
        "lead_id": "l.id", "created_at": "l.created_at", "name": "l.name",
        "phone": "coalesce(nullif(l.phone_key, ''), l.phone)", "email": "l.email", "status": "l.status",
        "manager": RESPONSIBLE, "direction": "d.name", "creative": "c.title", "value": "l.value",
        "commission": "l.commission", "currency": "l.currency", "source": "l.source", "form": "l.form", "url": "l.url",
        **{mark: f"l.first_{mark}" for mark in MARKS}, "url_marker": "l.first_url_marker",
        **{f"last_{mark}": f"l.last_{mark}" for mark in MARKS}, "updated_at": "l.updated_at",
        "external_id": "l.external_id",
    },
    source=f"""FROM leads AS l LEFT JOIN directions AS d ON d.id = l.direction_id
        LEFT JOIN creatives AS c ON c.id = l.creative_id
        WHERE l.account_id = :account AND l.deleted_at IS NULL AND {seen("l")}""",
    order="l.created_at, l.id",
    at="l.created_at",
)  # fmt: skip
_KEY = f"""(SELECT min(i.value) FROM identities AS i WHERE i.person_id = p.id AND i.kind = '{{kind}}'
    AND i.undone_at IS NULL AND {seen("i")})"""  # noqa: S608 - our own names
_OF_PERSON = f"FROM leads AS l WHERE l.person_id = p.id AND l.deleted_at IS NULL AND {seen('l')}"
_SEEN_AT = """(SELECT {what} FROM webinar_attendees AS a JOIN webinars AS w ON w.id = a.session_id
    WHERE a.person_id = p.id AND a.attended AND a.part_of IS NULL AND w.state = 'complete')"""
CLIENTS = Listing(
    columns={
        "person_id": "p.id", "name": "p.name", "phone": _KEY.format(kind="phone"), "email": _KEY.format(kind="email"),
        "leads": f"(SELECT count(*) {_OF_PERSON})", "last_lead_at": f"(SELECT max(l.created_at) {_OF_PERSON})",
        "visits": _SEEN_AT.format(what="count(*)"), "last_visit_at": _SEEN_AT.format(what="max(a.webinar_date)"),
        "created_at": "p.created_at",
    },
    source=f"""FROM people AS p WHERE p.account_id = :account AND p.merged_into IS NULL
        AND EXISTS (SELECT 1 FROM identities AS i WHERE i.person_id = p.id AND i.undone_at IS NULL AND {seen("i")})
        """,  # noqa: S608 - our own text
    order="p.id",
    at="p.created_at",
)  # fmt: skip
_SAID = ("phone_number", "joined_at", "left_at", "watch_duration_sec", "attended", "presence", "warmth", "messages",
         "clicked", "ordered", "city", "country")  # fmt: skip
ATTENDEES = Listing(
    columns={
        "webinar_id": "a.webinar_id", "webinar_title": "a.webinar_title", "webinar_date": "a.webinar_date",
        "username": told("username"), "email": told("email"), **{name: f"a.{name}" for name in _SAID},
        "lead_id": "a.lead_id", "lead_phone": "coalesce(nullif(l.phone_key, ''), l.phone)", "manager": RESPONSIBLE,
        "direction": "d.name", "creative": "c.title", **{mark: f"a.{mark}" for mark in MARKS}, "url_marker": "a.url_marker",
        "matched_by": "CASE WHEN a.matched_by = 'hand' AND a.person_id IS NULL THEN 'parted' ELSE a.matched_by END",
    },
    source="""FROM webinars AS w JOIN webinar_attendees AS a ON a.session_id = w.id LEFT JOIN leads AS l ON l.id = a.lead_id
        LEFT JOIN directions AS d ON d.id = l.direction_id LEFT JOIN creatives AS c ON c.id = l.creative_id
        WHERE w.account_id = :account AND w.state = 'complete' AND a.part_of IS NULL""",
    order="w.started_at, w.id",
    at="w.started_at",
    webinar="w.id",
)  # fmt: skip
REGISTRATIONS = Listing(
    columns={
        "created_at": "r.created_at", "name": "r.name", "phone": "coalesce(nullif(r.phone_key, ''), r.phone)",
        "email": "r.email", "page_id": "r.sublist_id", "room": "r.room", "session_at": "r.webinar_datetime",
        "lead_id": "r.lead_id", "status": "l.status", "manager": RESPONSIBLE, **{mark: f"r.{mark}" for mark in MARKS},
        "url_marker": "r.url_marker", "matched_by": "r.matched_by", "source": "r.source",
    },
    source="FROM registrations AS r LEFT JOIN leads AS l ON l.id = r.lead_id WHERE r.account_id = :account",
    order="r.created_at, r.id",
    at="r.created_at",
)  # fmt: skip
SPEND = Listing(
    columns={
        "day": "s.day", "amount": "s.amount", "currency": "s.currency", "direction": "d.name", "creative": "c.title",
        "utm_source": "s.utm_source", "source": "s.source", "created_at": "s.created_at",
    },
    source="""FROM spend AS s LEFT JOIN creatives AS c ON c.id = s.creative_id
        LEFT JOIN directions AS d ON d.id = coalesce(s.direction_id, c.direction_id)
        WHERE s.account_id = :account AND s.replaced_by IS NULL""",
    order="s.day, s.id",
    day="s.day",
)  # fmt: skip
TASKS = Listing(
    columns={
        "task_id": "t.external_id", "task": "t.title", "task_state": "t.state", "deadline": "t.deadline",
        "owner": """(SELECT min(k.employee_name) FROM employee_links AS k
            WHERE k.account_id = t.account_id AND k.employee_id = t.employee_id)""",
        "changed_at": "t.changed_at", "card_url": "t.url",
    },
    source="FROM board_tasks AS t WHERE t.account_id = :account",
    order="t.employee_id, t.deadline, t.external_id",
)  # fmt: skip
