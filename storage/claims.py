"""Taking a person from a webinar's list: the first press wins, and can be given back by who made it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.roles import Person
from storage.engine import Database
from storage.models import webinar_claims


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who has somebody, and since when (aware UTC). ``mine``: it is whom was asked for."""

    name: str
    at: datetime
    mine: bool


async def take(database: Database, person: Person, session_id: int, person_key: str, now: datetime) -> Claim:
    """Whoever has them now: this person, or who was quicker."""
    key = {"session_id": session_id, "person_key": person_key}
    row = {**key, "account_id": person.account_id, "taken_by": person.telegram_id, "taken_by_name": person.name}

    async def job(connection: AsyncConnection) -> Claim:
        held = (await connection.execute(_of(session_id, person_key))).one_or_none()
        if held is None:
            await connection.execute(insert(webinar_claims).values(**row, taken_at=now))
            return Claim(name=person.name, at=now, mine=True)
        return Claim(name=held.taken_by_name, at=held.taken_at, mine=held.taken_by == person.telegram_id)

    try:
        return await database.write(job)
    except IntegrityError:  # another process was quicker between the look and the row
        return await database.write(job)


async def give_back(database: Database, person: Person, session_id: int, person_key: str) -> bool:
    """False when they were not this person's to give back."""
    mine = (webinar_claims.c.session_id == session_id) & (webinar_claims.c.person_key == person_key)
    mine &= webinar_claims.c.taken_by == person.telegram_id

    async def job(connection: AsyncConnection) -> bool:
        return bool((await connection.execute(delete(webinar_claims).where(mine))).rowcount)

    return await database.write(job)


def _of(session_id: int, person_key: str) -> Select[Any]:
    mine = (webinar_claims.c.session_id == session_id) & (webinar_claims.c.person_key == person_key)
    return select(webinar_claims).where(mine)
