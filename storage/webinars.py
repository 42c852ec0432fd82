"""Webinars as rows: registered once, loaded in short writes, matched with people, and counted when they are complete."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Turnout, Yardstick
from domain.errors import BadInput
from domain.followup import Followup
from domain.ports import Tx
from domain.webinars import MatchedBy, Viewer, WebinarReport
from storage.attendance import ReportLoad, Reread, Session
from storage.codec import dumps
from storage.dirty import mark_dirty
from storage.engine import Database
from storage.hidden import shown_tables
from storage.judging import judge
from storage.matching import rematch, rematch_session
from storage.models import webinar_attendees, webinars
from storage.queries.audience import followup
from storage.queries.webinars import present, turnout
from storage.sets import execute, fetch
from storage.wholes import settle

PENDING, LOADING, COMPLETE = "pending_report", "loading", "complete"
_MOST_MATCHED = 500  # attendees looked at in one write


class WebinarStore:
    """Sessions and who was there. Methods that take no ``tx`` write in transactions of their own, short and safe to repeat.

    ``yardstick`` is the account's; rows keep what it made of them, ``recount`` brings them to another.
    """

    def __init__(self, database: Database, yardstick: Yardstick | None = None) -> None:
        self._database = database
        self._yardstick = yardstick or Yardstick()
        self._words = dumps(Yardstick, self._yardstick)
        self._loads: dict[int, ReportLoad] = {}
        self._known: dict[int, tuple[int, int, str]] = {}  # the newest identity and lead when the load began, and tables

    async def register(
        self, tx: Tx, account_id: int, vendor: str, report: WebinarReport, *, source: str, heard_at: datetime
    ) -> int:
        """The row of this session, made or brought up to the report; its id. What the report does not tell stays."""
        told: dict[str, Any] = {
            "room_id": report.room_id, "title": report.title, "started_at": report.started_at, "minutes": report.minutes,
            "peak": report.peak, "report_at": report.created_at,
        }  # fmt: skip
        values = {name: value for name, value in told.items() if value} | {"live": report.live}
        connection = cast("AsyncConnection", tx)
        mine = (webinars.c.account_id == account_id) & (webinars.c.vendor == vendor)
        mine &= webinars.c.external_id == report.external_id[:200]
        known = (await connection.execute(select(webinars).where(mine))).one_or_none()
        if known is not None:
            kept = {name: values.get(name) or getattr(known, name) for name in told}
            values["ended_at"] = _ended_at(kept, known.heard_at)
            await connection.execute(update(webinars).where(webinars.c.id == known.id).values(**values))
            return int(known.id)
        values["ended_at"] = _ended_at(told, heard_at)
        row = {"account_id": account_id, "vendor": vendor, "external_id": report.external_id[:200], "state": PENDING}
        added = insert(webinars).values(**row, **values, source=source, heard_at=heard_at).returning(webinars.c.id)
        return int((await connection.execute(added)).scalar_one())

    async def begin_load(self, webinar_id: int, *, stored: int = 0, reread: Reread | None = None) -> None:
        """From the first record on, or from the one after the ``stored`` of an earlier try, which ``reread`` reads again.

        Readers do not see a webinar that is being loaded, unless it was complete before.
        """
        state = {"session": webinar_id, "loading": LOADING, "complete": COMPLETE, "yardstick": self._words}
        sql = """UPDATE webinars SET yardstick = :yardstick, state = CASE WHEN state = :complete THEN state ELSE :loading END
                 WHERE id = :session"""

        async def job(connection: AsyncConnection) -> None:
            await execute(connection, sql, state)

        await self._database.write(job)
        async with self._database.read() as connection:
            session = await _session(connection, webinar_id)
            newest = await fetch(connection, "SELECT (SELECT max(id) FROM identities), (SELECT max(id) FROM leads)", {})
            tables = await shown_tables(connection)
        self._known[webinar_id] = (newest[0][0] or 0, newest[0][1] or 0, tables)
        load = self._loads[webinar_id] = ReportLoad(self._database, session, self._yardstick)
        if reread is not None:
            await load.take_up(stored, reread)

    async def add_viewers(self, webinar_id: int, viewers: Sequence[Viewer], *, first: int) -> None:
        """The next records, whole; ``first`` is the place of the first of them in the report, from 0."""
        await self._loads[webinar_id].add(viewers, first=first)

    async def finish_load(self, webinar_id: int, *, records: int, skipped: int, missing: int = 0) -> None:
        """Everybody of the report as rows, matched; who is in it no more is gone. The same report again changes nothing."""
        people = await self._loads[webinar_id].finish(records=records)
        del self._loads[webinar_id]
        values = {"records": records, "skipped": skipped, "missing": missing, "attendees": people}

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(webinars).where(webinars.c.id == webinar_id).values(**values))

        await self._database.write(job)

    async def match(self, webinar_id: int) -> None:
        """Its people against all we know now. After a load in this process only what came in meanwhile is looked at.

        A table that was shown meanwhile, or taken out, brought its leads long before: then everybody is looked at.
        """
        async with self._database.read() as connection:
            account_id = (await _session(connection, webinar_id)).account_id
            tables = await shown_tables(connection)
        known = self._known.pop(webinar_id, None)
        if known is not None and known[2] == tables:
            await self._match_newer(account_id, *known[:2])
            return
        last: str | None = ""
        while last is not None:
            after = last

            async def job(connection: AsyncConnection, after: str = after) -> str | None:
                return await rematch_session(connection, account_id, webinar_id, after=after, most=_MOST_MATCHED)

            last = await self._database.write(job)

    async def _match_newer(self, account_id: int, identity_id: int, lead_id: int) -> None:
        """What people and leads that came during a load mean for the rows it wrote before and after."""
        mine = {"account": account_id, "identity": identity_id, "lead": lead_id, "most": _MOST_MATCHED}

        async def job(connection: AsyncConnection) -> tuple[int, int]:
            new = await fetch(connection, _NEW_IDENTITIES, mine)
            people = await fetch(connection, _NEW_LEADS, mine)
            phones, emails = ({row[2] for row in new if row[1] == kind} for kind in ("phone", "email"))
            await rematch(connection, account_id, phones=phones, emails=emails, people={row[1] for row in people})
            return (new[-1][0] if new else 0, people[-1][0] if people else 0)

        while any(newest := await self._database.write(job)):
            mine |= {"identity": newest[0] or mine["identity"], "lead": newest[1] or mine["lead"]}

    async def complete(self, tx: Tx, webinar_id: int) -> None:
        """From here on readers count it."""
        done = update(webinars).where(webinars.c.id == webinar_id).values(state=COMPLETE)
        await cast("AsyncConnection", tx).execute(done)

    async def turnout(self, webinar_id: int) -> Turnout:
        """The figures of one webinar, complete or not."""
        return await turnout(self._database, webinar_id)

    async def present(self, webinar_id: int) -> list[int]:
        """People there at the beginning of each minute, from the start on."""
        return await present(self._database, webinar_id)

    async def followup(self, account_id: int, webinar_id: int) -> Followup:
        """What became of calling its people up to now."""
        return await followup(self._database, account_id, webinar_id)

    async def decide(self, tx: Tx, account_id: int, attendee_id: int, person_id: int | None) -> None:
        """Somebody of the team says who this attendee is, None: nobody we know. Later runs obey. BadInput: no such row."""
        connection = cast("AsyncConnection", tx)
        mine = (webinar_attendees.c.account_id == account_id) & (webinar_attendees.c.id == attendee_id)
        values = {"matched_by": MatchedBy.HAND.value, "person_id": person_id, "other_person_id": None}
        changed = await connection.execute(update(webinar_attendees).where(mine).values(**values))
        if not changed.rowcount:
            raise BadInput("attendee", "Этого участника больше нет: отчёт загружен заново.")
        await rematch(connection, account_id, attendees=[attendee_id])

    async def recount(self, account_id: int) -> int:
        """Bring every stored row to the yardstick; how many there are. For when the account changes its words.

        People whom an older version kept in several rows are counted once from then on.
        """
        last, count = 0, 0
        while True:

            async def job(connection: AsyncConnection, after: int = last) -> tuple[int, int]:
                return await _recount(connection, account_id, self._yardstick, after=after)

            last, changed = await self._database.write(job)
            if not changed:
                return count
            count += changed


# The plus keeps SQLite from the account's index: it read and sorted a million rows, under the write lock, to find ten.
_NEW_IDENTITIES = """
SELECT id, kind, value FROM identities
WHERE id > :identity AND +account_id = :account AND undone_at IS NULL ORDER BY id LIMIT :most
"""
_NEW_LEADS = """
SELECT id, person_id FROM leads
WHERE id > :lead AND +account_id = :account AND person_id IS NOT NULL ORDER BY id LIMIT :most
"""


async def _session(connection: AsyncConnection, webinar_id: int) -> Session:
    row = (await connection.execute(select(webinars).where(webinars.c.id == webinar_id))).one()
    return Session(
        id=row.id,
        account_id=row.account_id,
        external_id=row.external_id,
        title=row.title,
        started_at=row.started_at,
        ended_at=row.ended_at,
        minutes=row.minutes,
        complete=row.state == COMPLETE,
    )


def _ended_at(told: dict[str, Any], heard_at: datetime) -> datetime:
    """By its start and length; else it was over when the report was made, or when we heard of it."""
    if told["started_at"] and told["minutes"]:
        return cast("datetime", told["started_at"] + timedelta(minutes=told["minutes"]))
    return cast("datetime", told["report_at"] or heard_at)


async def _recount(connection: AsyncConnection, account_id: int, yardstick: Yardstick, *, after: int) -> tuple[int, int]:
    """Up to _MOST_MATCHED rows after this id: the last id, and how many there were."""
    rows = await fetch(
        connection,
        """SELECT a.id, a.session_id, a.lead_id, w.minutes FROM webinar_attendees AS a
           JOIN webinars AS w ON w.id = a.session_id
           WHERE a.account_id = :account AND a.id > :after ORDER BY a.id LIMIT :most""",
        {"account": account_id, "after": after, "most": _MOST_MATCHED},
    )
    sessions = {"ids": list({row[1] for row in rows}), "yardstick": dumps(Yardstick, yardstick)}
    await execute(connection, "UPDATE webinars SET yardstick = :yardstick WHERE id IN {ids}", sessions)
    for minutes in {row[3] for row in rows}:
        await judge(connection, [row[0] for row in rows if row[3] == minutes], minutes=minutes, yardstick=yardstick)
    for session in sessions["ids"]:
        leads = {row[2] for row in rows if row[1] == session and row[2] is not None}
        await mark_dirty(connection, account_id, leads, session_id=session)
    await settle(connection, account_id, [row[0] for row in rows])
    return (rows[-1][0] if rows else after), len(rows)
