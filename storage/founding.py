"""Leads made of viewers whom nobody knows: once for each, however often they are asked for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.leads import Lead
from domain.people import personal_key
from domain.ports import Tx
from domain.webinars import Marks, MatchedBy
from storage.assigning import assign_new
from storage.dirty import day_of, mark_days
from storage.engine import Database
from storage.identities import add_keys, keys_of
from storage.leads import MOST_LEADS, rematch_key, save_leads
from storage.models import leads
from storage.models.leads import people
from storage.models.types import driver_time
from storage.sets import fetch
from storage.webinars import WebinarStore

_UNKNOWN = """
SELECT a.id, a.person_key, a.phone_number, a.phone, a.email, a.username, a.matched_by, a.marks_from, a.utm_source,
       a.utm_medium, a.utm_campaign, a.utm_term, a.utm_content, a.url_marker, w.vendor, w.external_id
FROM webinar_attendees AS a JOIN webinars AS w ON w.id = a.session_id
WHERE a.account_id = :account AND a.id IN {ids} AND a.person_id IS NULL ORDER BY a.id
"""
_REACHABLE = "(a.phone_number <> '' OR a.email <> '')"
_COUNT = f"""
SELECT count(*), count(*) FILTER (WHERE {_REACHABLE}) FROM webinar_attendees AS a
WHERE a.account_id = :account AND a.session_id = :session AND a.person_id IS NULL
"""  # noqa: S608 - our own text
_IDS = f"""
SELECT a.id FROM webinar_attendees AS a
WHERE a.account_id = :account AND a.session_id = :session AND a.person_id IS NULL AND {_REACHABLE} ORDER BY a.id
"""  # noqa: S608 - our own text


async def count_unknown(database: Database, account_id: int, webinar_id: int) -> tuple[int, int]:
    """How many viewers of a webinar are found in no lead, and how many of them left a phone or an e-mail."""
    async with database.read() as connection:
        row = (await fetch(connection, _COUNT, {"account": account_id, "session": webinar_id}))[0]
    return row[0], row[1]


async def found_all(database: Database, account_id: int, webinar_id: int, *, now: datetime) -> int:
    """A lead for each unknown viewer who left a phone or an e-mail; how many viewers are known by it. In short writes."""
    async with database.read() as connection:
        rows = await fetch(connection, _IDS, {"account": account_id, "session": webinar_id})
    return await found_leads(database, account_id, [row[0] for row in rows], now=now)


async def found_leads(database: Database, account_id: int, attendee_ids: Sequence[int], *, now: datetime) -> int:
    """A lead for each of these viewers that nobody knows yet; how many were made known. Again it makes nothing."""
    count = 0
    for start in range(0, len(attendee_ids), MOST_LEADS):
        some = list(attendee_ids[start : start + MOST_LEADS])

        async def job(connection: AsyncConnection, some: list[int] = some) -> int:
            return await _Founding(database, connection, account_id, now).of(some)

        count += await database.write(job)
    return count


@dataclass(frozen=True, slots=True)
class _Viewer:
    """A row of ``_UNKNOWN``."""

    id: int
    person_key: str
    phone_number: str
    phone: str
    email: str
    username: str
    matched_by: str
    marks_from: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    partner: str
    vendor: str
    external_id: str

    @property
    def marks(self) -> Marks:
        """Their own; what was taken from a lead is none of theirs."""
        if self.marks_from != "viewer":
            return Marks()
        utm = {name: getattr(self, name) for name in ("source", "medium", "campaign", "term", "content")}
        return Marks(**utm, partner=self.partner)


class _Founding:
    """Some viewers in one write."""

    def __init__(self, database: Database, connection: AsyncConnection, account_id: int, now: datetime) -> None:
        self._store = WebinarStore(database)
        self._connection = connection
        self._account_id = account_id
        self._now = now

    async def of(self, attendee_ids: list[int]) -> int:
        unknown = await self._unknown(attendee_ids)
        by_keys = [row for row in unknown if _is_found_by_keys(row)]
        if by_keys:
            await save_leads(self._connection, self._account_id, [_lead(row, self._now) for row in by_keys])
        for row in await self._unknown(attendee_ids):
            await self._alone(row)
        return len(unknown)

    async def _unknown(self, attendee_ids: list[int]) -> list[_Viewer]:
        rows = await fetch(self._connection, _UNKNOWN, {"account": self._account_id, "ids": attendee_ids})
        return [_Viewer(*row) for row in rows]

    async def _alone(self, row: _Viewer) -> None:
        """Whom no key tells: they left none, or somebody said that they are not whom their key names. A word joins them."""
        person_id = await self._person(row)
        keys = keys_of(row.phone_number, row.email, ())
        since = self._now
        await add_keys(self._connection, self._account_id, [(*key, person_id, row.vendor, since) for key in keys])
        await self._store.decide(cast("Tx", self._connection), self._account_id, row.id, person_id)
        for kind, value in keys:
            await rematch_key(self._connection, self._account_id, kind, value, set())

    async def _person(self, row: _Viewer) -> int:
        """Somebody new with a lead of their own; whom this viewer was made to be before, if they were."""
        lead = _lead(row, self._now, own=True)
        mine = (leads.c.account_id == self._account_id) & (leads.c.source == lead.source)
        known = select(leads.c.person_id).where(mine & (leads.c.external_id == lead.external_id))
        before: int | None = await self._connection.scalar(known)
        if before is not None:
            return before
        new = insert(people).values(account_id=self._account_id, name=lead.name, created_at=self._now)
        person_id = int((await self._connection.execute(new.returning(people.c.id))).scalar_one())
        marks = (lead.first.source, lead.first.medium, lead.first.campaign, lead.first.term, lead.first.content)
        names = ("source", "medium", "campaign", "term", "content")
        touched = {
            f"{touch}_utm_{name}": mark for touch in ("first", "last") for name, mark in zip(names, marks, strict=True)
        }
        saved = await self._connection.execute(
            insert(leads).values(
                account_id=self._account_id, person_id=person_id, source=lead.source, external_id=lead.external_id,
                name=lead.name, phone=lead.phone, phone_key=row.phone_number, email=lead.email, email_key=row.email,
                created_at=self._now, updated_at=self._now, first_url_marker=lead.first.partner,
                last_url_marker=lead.first.partner, **touched,
            ).returning(leads.c.id)
        )  # fmt: skip
        await assign_new(self._connection, self._account_id, [saved.scalar_one()])
        day = day_of(driver_time(self._now, self._connection.dialect.name))
        await mark_days(self._connection, self._account_id, [day])
        return person_id


def _is_found_by_keys(row: _Viewer) -> bool:
    return bool(row.phone_number or row.email) and row.matched_by != MatchedBy.HAND.value


def _lead(row: _Viewer, now: datetime, *, own: bool = False) -> Lead:
    """``own``: of this visit alone. Else whoever left the same phone or e-mail elsewhere is the same lead."""
    shared = row.person_key.startswith(("phone:", "email:")) and not own
    name = row.person_key if shared else f"{row.external_id}|{row.person_key}"
    return Lead(
        source=row.vendor,
        external_id=f"viewer:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}",
        created_at=now,
        updated_at=now,
        name=row.username,
        phone=row.phone if personal_key(row.phone) == row.phone_number else row.phone_number,
        email=row.email,
        first=row.marks,
    )
