"""What is known of somebody by a phone or an e-mail, to fill in what a manager did not type."""

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.hidden import seen
from storage.models import identities, leads, registrations
from storage.models.leads import people

PHONE, EMAIL = "phone", "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Name, e-mail and phone (a key) as we know them; "" for what we do not. ``person_id`` None: only registrations do."""

    name: str
    email: str
    phone: str
    person_id: int | None = None


async def find_contact(database: Database, account_id: int, *, phone: str = "", email: str = "") -> Contact | None:
    """By phone (a key) first, then by e-mail (lower case); people before registrations. None when nobody is known."""
    async with database.read() as connection:
        for kind, value in ((PHONE, phone), (EMAIL, email)):
            if value and (found := await _person(connection, account_id, kind, value)) is not None:
                return found
        for kind, value in ((PHONE, phone), (EMAIL, email)):
            if value and (found := await _registered(connection, account_id, kind, value)) is not None:
                return found
    return None


async def _person(connection: AsyncConnection, account_id: int, kind: str, value: str) -> Contact | None:
    active = (identities.c.account_id == account_id) & identities.c.undone_at.is_(None) & text(seen("identities"))
    whose = select(identities.c.person_id).where(active, identities.c.kind == kind, identities.c.value == value)
    person_id = await connection.scalar(whose)
    if person_id is None:
        return None
    name = await connection.scalar(select(people.c.name).where(people.c.id == person_id))
    if not name:
        of_lead = select(leads.c.name).where(
            leads.c.person_id == person_id, leads.c.name != "", leads.c.deleted_at.is_(None), text(seen("leads"))
        )
        name = await connection.scalar(of_lead.order_by(leads.c.created_at.desc()).limit(1))
    known = select(identities.c.kind, identities.c.value).where(active, identities.c.person_id == person_id)
    by_kind = {row.kind: row.value for row in await connection.execute(known.order_by(identities.c.id))}
    return Contact(
        name=name or "",
        email=value if kind == EMAIL else by_kind.get(EMAIL, ""),
        phone=value if kind == PHONE else by_kind.get(PHONE, ""),
        person_id=person_id,
    )


async def _registered(connection: AsyncConnection, account_id: int, kind: str, value: str) -> Contact | None:
    column = registrations.c.phone_key if kind == PHONE else registrations.c.email_key
    newest = (
        select(registrations.c.name, registrations.c.email_key, registrations.c.phone_key)
        .where(registrations.c.account_id == account_id, column == value)
        .order_by(registrations.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(newest)).one_or_none()
    return Contact(name=row.name, email=row.email_key, phone=row.phone_key) if row is not None else None
