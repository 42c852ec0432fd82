"""Who registered for a webinar: each registration kept once with all that was told, and joined to the person it is of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.leads import Lead
from domain.ports import Tx
from domain.webinars import MatchedBy, PageId, Registrant, Registration
from storage.changes import mark_registered
from storage.identities import add_keys, keys_of
from storage.joins import UNITED, Reason, add_pair, are_parted, unite
from storage.leads import rematch_key, save_leads
from storage.matching import EMAIL, PHONE, Found, Seeker, find_people, have_phones, leads_of
from storage.models import people, registrations
from storage.models.types import driver_time
from storage.sets import BulkWrite, Value, storable

PLATFORM_ZONE = ZoneInfo("Europe/Moscow")  # in which the platform shows the time of a session

LISTED = "api"
MARKS = ("source", "medium", "campaign", "term", "content", "keyword", "banner", "phrase", "group")
_TOLD = (
    "sublist_id", "room", "name", "email", "email_key", "phone", "phone_key", "webinar_time", "webinar_date", "secret",
    "url_marker", "url_marker_name", *(f"utm_{name}" for name in MARKS), "link",
)  # fmt: skip
_MATCH = ("person_id", "other_person_id", "lead_id", "matched_by")
_COLUMNS = (
    "account_id", "dedup_key", "source", "webinar_datetime", "registered_by", "created", "created_at", *_TOLD, *_MATCH,
)  # fmt: skip
# What is not told again stays: a replayed registration comes without its secret.
_KEPT = ", ".join(f"{name} = coalesce(nullif(excluded.{name}, ''), t.{name})" for name in _TOLD)
_KEPT += ", registered_by = coalesce(t.registered_by, excluded.registered_by), created = t.created OR excluded.created"
_KEPT += "".join(f", {name} = CASE WHEN t.matched_by = 'hand' THEN t.{name} ELSE excluded.{name} END" for name in _MATCH)


class RegistrationStore:
    """Registrations. ``zone`` is the one in which the platform shows times."""

    def __init__(self, zone: ZoneInfo = PLATFORM_ZONE) -> None:
        self._zone = zone

    async def add_registration(
        self, tx: Tx, account_id: int, vendor: str, registration: Registration, *, source: str, heard_at: datetime,
        link: str = "", registered_by: int | None = None,
    ) -> Registrant:  # fmt: skip
        """Keep it and find whose it is: by phone, else e-mail, else link; else a new person and lead if there is a phone.

        ``source``: hook, bot, api. The same person for the same session of the same page is one registration. Of those whom
        only the platform's list names nobody is made: thousands of old subscribers are no leads of this month.
        """
        connection = cast("AsyncConnection", tx)
        keys = keys_of(registration.phone, registration.email, ())
        phone, email = (next((value for own, value in keys if own == kind), "") for kind in (PHONE, EMAIL))
        key = _key_of(registration, email or phone)
        known = await _known(connection, account_id, key)
        created = known is not None and bool(known.created)
        found = await _whose(connection, account_id, Seeker(phone, email, registration.link_ids))
        if found.person is not None:
            await self._learn(connection, account_id, found, [(*key, found.person, vendor, heard_at) for key in keys])
            found = await _one_of_two(connection, account_id, found, email, heard_at)
        elif phone and source != LISTED:
            await save_leads(connection, account_id, [_lead(registration, vendor, key, heard_at)])
            made = (await find_people(connection, account_id, [Seeker(phone, "")]))[0]
            found, created = replace(made, other=found.other), True
        row = await self._row(connection, account_id, registration, found, heard_at)
        row |= {"phone_key": phone, "email_key": email, "matched_by": MatchedBy.NONE.value if created else found.by}
        row |= {"dedup_key": key, "source": source, "link": link, "registered_by": registered_by, "created": created}
        await _upsert_for(connection).run(connection, [tuple(_value(row[name]) for name in _COLUMNS)])
        if registration.session_at is not None:
            await mark_registered(connection, account_id, registration.room, registration.session_at)
        stored = await _known(connection, account_id, key)
        return _registrant(stored)

    async def _learn(
        self, connection: AsyncConnection, account_id: int, found: Found, keys: Sequence[tuple[str, str, int, str, datetime]]
    ) -> None:
        """A known person's new keys; none of those who came by a link alone: it may have been forwarded to them."""
        if found.by == MatchedBy.LINK:
            return
        await add_keys(connection, account_id, keys)
        for kind, value, *_ in keys:
            await rematch_key(connection, account_id, kind, value, set())

    async def recent_registrations(
        self, tx: Tx, account_id: int, page_id: PageId, *, since: datetime, limit: int
    ) -> tuple[int, Sequence[Registrant]]:
        """How many registered on the page since then, and the newest of them first."""
        mine = [registrations.c.account_id == account_id, registrations.c.sublist_id == page_id]
        mine += [registrations.c.created_at >= since]
        connection = cast("AsyncConnection", tx)
        total = await connection.scalar(select(func.count()).select_from(registrations).where(*mine))
        order = (registrations.c.created_at.desc(), registrations.c.id.desc())
        other = (people.c.id == registrations.c.other_person_id) & (people.c.account_id == account_id)
        newest = select(registrations, people.c.name.label("other_name")).join(people, other, isouter=True).where(*mine)
        rows = await connection.execute(newest.order_by(*order).limit(limit))
        return int(total or 0), [replace(_registrant(row), other=row.other_name or "") for row in rows]

    async def _row(
        self, connection: AsyncConnection, account_id: int, registration: Registration, found: Found, now: datetime
    ) -> dict[str, Value]:
        dialect = connection.dialect.name
        moment = driver_time(now, dialect)
        people = [found.person] if found.person is not None else []
        lead = next(iter((await leads_of(connection, people, moment)).values()), None)
        session = registration.session_at
        shown = session.astimezone(self._zone) if session else None
        marks = registration.marks
        return {
            "account_id": account_id, "created_at": moment,
            "webinar_datetime": driver_time(session, dialect) if session else None,
            "sublist_id": registration.sublist_id[:160], "room": registration.room[:160], "name": registration.name,
            "email": registration.email, "phone": registration.phone,
            "webinar_time": f"{shown:%H:%M}" if shown else "", "webinar_date": f"{shown:%d.%m.%Y}" if shown else "",
            "secret": registration.secret, "url_marker": marks.partner, "url_marker_name": registration.marker_name,
            **{f"utm_{name}": getattr(marks, name) for name in MARKS},
            "person_id": found.person, "other_person_id": found.other, "lead_id": lead.id if lead else None,
        }  # fmt: skip


def _key_of(registration: Registration, person: str) -> str:
    who = person or registration.secret or registration.email or registration.phone or registration.name
    return dedup_key(registration.sublist_id or registration.room, who, registration.session_at)


def dedup_key(page_id: str, person: str, at: datetime | None) -> str:
    """What tells a registration from another: the page, the person (an e-mail, else a phone) and the session."""
    return storable(f"{page_id}|{person}|{at.isoformat() if at else ''}"[:400])


def _value(value: Value) -> Value:
    return storable(value) if isinstance(value, str) else value


def _lead(registration: Registration, vendor: str, key: str, now: datetime) -> Lead:
    name = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Lead(
        source=vendor, external_id=f"registration:{name}", created_at=now, updated_at=now, name=registration.name,
        phone=registration.phone, email=registration.email, first=registration.marks,
    )  # fmt: skip


async def _whose(connection: AsyncConnection, account_id: int, seeker: Seeker) -> Found:
    """By phone, else e-mail, else link; nobody where a phone that nobody has makes the weaker key doubtful: whom it names is
    the ``other`` then. A link is forwarded, an office shares its e-mail."""
    found = (await find_people(connection, account_id, [seeker]))[0]
    if found.person is None or not seeker.phone or found.by == MatchedBy.PHONE:
        return found
    if found.by == MatchedBy.EMAIL and not await have_phones(connection, [found.person]):
        return found
    return Found(MatchedBy.NONE.value, None, found.person)


async def _one_of_two(connection: AsyncConnection, account_id: int, found: Found, email: str, now: datetime) -> Found:
    """Who has the phone is also who was known by the e-mail alone; where both have a phone they stay two."""
    if found.by != MatchedBy.PHONE or found.person is None or found.other is None:
        return found
    if await have_phones(connection, [found.other]) or await are_parted(connection, found.person, found.other):
        return found
    pair = await add_pair(
        connection, account_id, (found.person, found.other), Reason(kind=EMAIL, value=email), state=UNITED, now=now
    )
    await unite(connection, account_id, pair)
    return replace(found, other=None)


async def _known(connection: AsyncConnection, account_id: int, key: str) -> Any:
    mine = (registrations.c.account_id == account_id) & (registrations.c.dedup_key == key)
    return (await connection.execute(select(registrations).where(mine))).one_or_none()


def _registrant(row: Any) -> Registrant:
    return Registrant(
        id=row.id, name=row.name, email=row.email, phone=row.phone_key, phone_raw=row.phone, session_at=row.webinar_datetime,
        matched_by=MatchedBy(row.matched_by), created=row.created, registered_at=row.created_at,
    )  # fmt: skip


def _upsert_for(connection: AsyncConnection) -> BulkWrite:
    types = tuple(registrations.c[name].type.compile(dialect=connection.dialect) for name in _COLUMNS)
    conflict = f"(account_id, dedup_key) DO UPDATE SET {_KEPT}"
    return BulkWrite(table="registrations", columns=_COLUMNS, types=types, conflict=conflict)
