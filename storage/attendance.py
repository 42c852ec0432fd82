"""A report on its way into rows: records kept whole as they come, then people, matched and written in short writes."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Gathering, Visit, Yardstick, attended, judged
from domain.people import shorten_phone
from domain.webinars import MatchedBy, Viewer
from storage.dirty import day_of, mark_days
from storage.engine import Database
from storage.matching import Found, LeadOf, find_people, leads_of
from storage.models import webinar_attendees
from storage.models.types import driver_time
from storage.sets import BulkWrite, Value, execute, fetch, storable
from storage.wholes import loosen, of_many_rows, settle

T = TypeVar("T")
Reread = Callable[[Sequence[str]], Sequence[Viewer]]  # stored records, in the words of the platform that gave them
log = logging.getLogger(__name__)

CHUNK = 250  # rows of a write: five milliseconds of SQLite's only writer, and as long again for the interpreter's lock
MOST_UNMATCHED_TOLD = 10
_LONGEST_KEY = 300
_STRIDE = 250  # rows made before others get their turn of the loop

_SAME = ("account_id", "session_id", "webinar_id", "webinar_title", "webinar_date")  # of every row of a session
_OWN = (
    "phone_number", "phone", "username", "email", "joined_at", "left_at", "watch_duration_sec", "attended", "presence",
    "warmth", "finished", "messages", "clicked", "ordered", "intervals", "link_ids", "city", "country", "positions",
)  # fmt: skip
_MATCH = (
    "person_id", "matched_by", "other_person_id", "lead_id", "utm_source", "utm_medium", "utm_campaign", "utm_term",
    "utm_content", "url_marker", "marks_from",
)  # fmt: skip
_TOLD = ("webinar_title", "webinar_date", *_OWN)  # what another report of the same session may change
_COLUMNS = (*_SAME, "person_key", *_OWN, *_MATCH)

_NO_MARKS = ("",) * 7

_KEEP_RAW = BulkWrite(
    table="webinar_records",
    columns=("session_id", "position", "raw"),
    types=("int", "int", "text"),
    conflict="(session_id, position) DO UPDATE SET raw = excluded.raw WHERE t.raw <> excluded.raw",
    alike=1,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What every row of a webinar repeats. ``complete``: readers see it, whatever is written next."""

    id: int
    account_id: int
    external_id: str
    title: str
    started_at: datetime | None
    ended_at: datetime
    minutes: int
    complete: bool


class ReportLoad:
    """One report in one process: ``add`` its records in order, then ``finish``. Begun anew it writes the same rows.

    Only what a person is made of stays in memory; the records themselves are in webinar_records at once.
    """

    def __init__(self, database: Database, session: Session, yardstick: Yardstick) -> None:
        self._database = database
        self._session = session
        self._yardstick = yardstick
        self._gathering = Gathering()
        self._upsert = _upsert_for(database)
        self._dialect = database.dialect_name
        self._untold = MOST_UNMATCHED_TOLD
        self._on_sqlite = database.is_sqlite
        # the driver of SQLite takes a bool for a stranger and asks all its adapters: 3 µs each
        self._flag: type[int] = int if database.is_sqlite else bool
        started = self._time(session.started_at)
        self._same = (session.account_id, session.id, session.external_id, session.title, started)
        self._marked: set[str] = set()  # days; their marks wait for a session that nobody sees yet

    async def add(self, viewers: Sequence[Viewer], *, first: int) -> None:
        """``first`` is the place of the first of them in the report, from 0."""
        rows = [(place, storable(viewer.raw)) for place, viewer in enumerate(viewers, first)]
        for some in _chunks(rows, CHUNK):
            await self._database.write(partial(_KEEP_RAW.run, rows=some, same=(self._session.id,)))
        for few in _chunks(viewers, _STRIDE):
            self._gathering.add(few)
            await asyncio.sleep(0)

    async def take_up(self, records: int, reread: Reread) -> None:
        """The first ``records``, which an earlier try has stored: they need not be fetched again."""
        sql = "SELECT raw FROM webinar_records WHERE session_id = :session AND position >= :first AND position < :until"
        for first in range(0, records, _STRIDE):
            values = {"session": self._session.id, "first": first, "until": min(first + _STRIDE, records)}
            async with self._database.read() as connection:
                rows = await fetch(connection, sql + " ORDER BY position", values)
            self._gathering.add(reread([row[0] for row in rows]))
            await asyncio.sleep(0)

    async def finish(self, *, records: int) -> int:
        """Write everybody, forget who is no longer in the report; how many people there are."""
        again = await self._stored() > 0
        count = 0
        writing: asyncio.Task[None] | None = None
        try:
            people = self._gathering.visits()
            while visits := await _next(people, CHUNK):
                rows, days = await self._rows(visits)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._write(rows, days, again=again))
                count += len(rows)
        finally:
            if writing is not None:
                await writing
        if await self._stored() != count:
            await self._forget_the_rest()
        await self._settle()
        beyond = "DELETE FROM webinar_records WHERE session_id = :session AND position >= :records"
        await self._database.write(partial(execute, sql=beyond, values={"session": self._session.id, "records": records}))
        return count

    async def _rows(self, visits: list[Visit]) -> tuple[list[tuple[Value, ...]], set[str]]:
        """The rows of these people, and the days of the leads they were matched with."""
        session = self._session
        async with self._database.read() as connection:
            found = await find_people(connection, session.account_id, visits)
            people = {one.person for one in found if one.person is not None}
            leads = await leads_of(connection, people, self._time(session.ended_at))
        self._tell_unmatched(visits, found)
        matches = [(one, leads.get(one.person) if one.person is not None else None) for one in found]
        rows: list[tuple[Value, ...]] = []
        for some in _chunks(list(zip(visits, matches, strict=True)), _STRIDE):
            rows += [self._row(visit, *match) for visit, match in some]
            await asyncio.sleep(0)
        return rows, {day_of(lead.created_at) for lead in leads.values()}

    def _tell_unmatched(self, visits: list[Visit], found: list[Found]) -> None:
        """Some of them, for whoever looks into the log for why somebody is not found; the card counts them all."""
        for visit, one in zip(visits, found, strict=True):
            if self._untold and one.person is None and visit.phone:
                self._untold -= 1
                phone = shorten_phone(visit.phone)
                log.info("No matching lead in webinar %s, phone %s", self._session.external_id, phone)

    def _row(self, visit: Visit, found: Found, lead: LeadOf | None) -> tuple[Value, ...]:
        session, yardstick, flag = self._session, self._yardstick, self._flag
        presence, warmth = judged(visit, session.minutes * 60, yardstick)
        return (
            _key(visit), visit.phone, storable(visit.phone_raw[:200]), storable(visit.name[:200]), visit.email,
            self._time(visit.joined_at), self._time(visit.left_at), visit.watched_s, flag(attended(visit, yardstick)),
            str(presence), str(warmth), flag(visit.finished), visit.messages, flag(visit.clicked), flag(visit.ordered),
            _pairs(visit), _listed(visit.link_ids), storable(visit.city[:200]), storable(visit.country[:100]),
            _listed(visit.positions), found.person, found.by, found.other, lead.id if lead else None, *_marks(visit, lead),
        )  # fmt: skip

    def _time(self, value: datetime | None) -> str | datetime | None:
        if self._on_sqlite and value is not None and value.tzinfo is UTC:
            return value.isoformat(" ", "microseconds")[:26]  # as driver_time, which is asked twice for every row
        return None if value is None else driver_time(value, self._dialect)

    async def _write(self, rows: list[tuple[Value, ...]], days: set[str], *, again: bool) -> None:
        session = self._session

        async def job(connection: AsyncConnection) -> None:
            keys = [str(row[0]) for row in rows]
            before = await _days_before(connection, session, keys) if again else set()
            loose = await loosen(connection, session.account_id, session.id, keys) if again else []
            if await self._upsert.run(connection, rows, self._same):
                unmarked = (days | before) - self._marked
                await mark_days(connection, session.account_id, unmarked, session_id=session.id)
            await settle(connection, session.account_id, loose)

        try:
            await self._database.write(job)
        except Exception as error:
            log.error("Error inserting attendees of webinar %s: %s", session.external_id, type(error).__name__)  # noqa: TRY400
            raise
        if not again and not session.complete:
            self._marked |= days

    async def _settle(self) -> None:
        """Whoever came under several keys is counted once."""
        async with self._database.read() as connection:
            people = await of_many_rows(connection, self._session.id)
        for some in _chunks(people, CHUNK):
            await self._database.write(partial(settle, account_id=self._session.account_id, attendees=some))

    async def _stored(self) -> int:
        sql = "SELECT count(*) FROM webinar_attendees WHERE session_id = :session"
        async with self._database.read() as connection:
            return int((await fetch(connection, sql, {"session": self._session.id}))[0][0])

    async def _forget_the_rest(self) -> None:
        """What an earlier report of this webinar had and this one has not."""
        sql = "SELECT person_key FROM webinar_attendees WHERE session_id = :session"
        async with self._database.read() as connection:
            stored = await fetch(connection, sql, {"session": self._session.id})
        here = {key[:_LONGEST_KEY] for key in self._gathering.people()}
        for some in _chunks([row[0] for row in stored if row[0] not in here], CHUNK):
            await self._database.write(partial(_forget, session=self._session, keys=some))


async def _forget(connection: AsyncConnection, session: Session, keys: list[str]) -> None:
    await mark_days(connection, session.account_id, await _days_before(connection, session, keys), session_id=session.id)
    left = await loosen(connection, session.account_id, session.id, keys)
    sql = "DELETE FROM webinar_attendees WHERE session_id = :session AND person_key IN {texts}"
    await execute(connection, sql, {"session": session.id, "texts": keys})
    await settle(connection, session.account_id, left)


async def _days_before(connection: AsyncConnection, session: Session, keys: list[str]) -> set[str]:
    """The days of the leads that these rows count for as they are stored."""
    sql = """SELECT DISTINCT l.created_at FROM webinar_attendees AS a JOIN leads AS l ON l.id = a.lead_id
             WHERE a.session_id = :session AND a.person_key IN {texts}"""
    return {day_of(row[0]) for row in await fetch(connection, sql, {"session": session.id, "texts": keys})}


def _key(visit: Visit) -> str:
    return visit.person[:_LONGEST_KEY]


def _marks(visit: Visit, lead: LeadOf | None) -> tuple[str, ...]:
    """The viewer's own first, else the lead's; whose they are comes last. Never some of each: that was nobody's way here."""
    own = visit.marks
    if own.source or own.medium or own.campaign or own.term or own.content or own.partner:
        given = (own.source, own.medium, own.campaign, own.term, own.content, own.partner)
        return (*(storable(text[:500]) for text in given), "viewer")
    if lead is not None and any(lead.marks):
        return (*lead.marks, "lead")
    return _NO_MARKS


def _pairs(visit: Visit) -> str:
    pairs = [f"[{int(one.start.timestamp())},{int(one.end.timestamp())}]" for one in visit.intervals]
    return f"[{','.join(pairs)}]"


def _listed(values: Sequence[str] | Sequence[int]) -> str:
    if len(values) == 1 and isinstance(values[0], int):
        return f"[{values[0]}]"
    return json.dumps(list(values), ensure_ascii=False) if values else "[]"


async def _next(visits: Iterator[Visit], count: int) -> list[Visit]:
    """Up to so many; others have the loop in between."""
    some: list[Visit] = []
    while len(some) < count and (few := list(islice(visits, min(_STRIDE, count - len(some))))):
        some += few
        await asyncio.sleep(0)
    return some


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def _upsert_for(database: Database) -> BulkWrite:
    """Rows that are there are changed only where they differ, and their match only where no person has said who it is."""
    dialect = database.url.get_dialect()()
    by_hand = f"t.matched_by = '{MatchedBy.HAND.value}'"
    kept = ", ".join(f"{name} = CASE WHEN {by_hand} THEN t.{name} ELSE excluded.{name} END" for name in _MATCH)
    taken = ", ".join(f"{name} = excluded.{name}" for name in _TOLD)
    differs = "IS NOT" if database.is_sqlite else "IS DISTINCT FROM"
    own = f"({_of('t', _TOLD)}) {differs} ({_of('excluded', _TOLD)})"
    match = f"({_of('t', _MATCH)}) {differs} ({_of('excluded', _MATCH)})"
    conflict = f"(session_id, person_key) DO UPDATE SET {taken}, {kept} WHERE {own} OR (NOT {by_hand} AND {match})"
    types = tuple(webinar_attendees.c[name].type.compile(dialect=dialect) for name in _COLUMNS)
    return BulkWrite(table="webinar_attendees", columns=_COLUMNS, types=types, conflict=conflict, alike=len(_SAME))


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in columns)
