"""Registrations as people look at them: the newest, and one with everything its page told."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from domain.webinars import Marks, MatchedBy
from storage.engine import Database
from storage.models import leads, people, registrations
from storage.registrations import MARKS, dedup_key


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationLine:
    """One of a list; ``phone`` is a key, times are aware UTC."""

    id: int
    name: str
    phone: str
    email: str
    page_id: str
    session_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationDetail:
    """One registration. Nineteen values are the page's own; ``date`` and ``time`` of the session are as the platform shows.

    ``phone`` is the key and ``phone_raw`` what was typed. ``other``: whom the e-mail or the link names, where the phone says
    it is somebody else. ``status`` is of their lead now.
    """

    id: int
    page_id: str
    room_id: str
    name: str
    email: str
    phone: str
    phone_raw: str
    session_at: datetime | None
    date: str
    time: str
    secret: str = field(repr=False)
    marker_name: str
    marks: Marks
    link: str = field(repr=False)
    matched_by: MatchedBy
    created: bool
    other: str
    status: str
    by_team: bool
    created_at: datetime


async def newest_registrations(
    database: Database, account_id: int, *, limit: int, offset: int = 0
) -> tuple[RegistrationLine, ...]:
    """Of all pages, newest first."""
    statement = (
        select(registrations)
        .where(registrations.c.account_id == account_id)
        .order_by(registrations.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    async with database.read() as connection:
        return tuple(_line(row) for row in await connection.execute(statement))


async def find_registration(database: Database, account_id: int, registration_id: int) -> RegistrationDetail | None:
    """By the id that a button carries; None for another account's too."""
    return await _detail(database, account_id, _ONE.where(registrations.c.id == registration_id))


async def registration_of(
    database: Database, account_id: int, page_id: str, email: str, at: datetime | None
) -> RegistrationDetail | None:
    """Of this person for this session of this page."""
    return await _detail(database, account_id, _ONE.where(registrations.c.dedup_key == dedup_key(page_id, email, at)))


_ONE = (
    select(registrations, people.c.name.label("other_name"), leads.c.status.label("lead_status"))
    .join(people, people.c.id == registrations.c.other_person_id, isouter=True)
    .join(leads, leads.c.id == registrations.c.lead_id, isouter=True)
)


async def _detail(database: Database, account_id: int, one: Select[Any]) -> RegistrationDetail | None:
    async with database.read() as connection:
        row = (await connection.execute(one.where(registrations.c.account_id == account_id))).one_or_none()
    if row is None:
        return None
    marks = {name: getattr(row, f"utm_{name}") for name in MARKS}
    return RegistrationDetail(
        id=row.id, page_id=row.sublist_id, room_id=row.room, name=row.name, email=row.email, phone=row.phone_key,
        phone_raw=row.phone, session_at=row.webinar_datetime, date=row.webinar_date, time=row.webinar_time,
        secret=row.secret, marker_name=row.url_marker_name, marks=Marks(**marks, partner=row.url_marker), link=row.link,
        matched_by=MatchedBy(row.matched_by), created=row.created, other=row.other_name or "",
        status=row.lead_status or "", by_team=row.registered_by is not None, created_at=row.created_at,
    )  # fmt: skip


def _line(row: Row[Any]) -> RegistrationLine:
    return RegistrationLine(
        id=row.id, name=row.name, phone=row.phone_key, email=row.email, page_id=row.sublist_id,
        session_at=row.webinar_datetime, created_at=row.created_at,
    )  # fmt: skip
