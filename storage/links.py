"""Personal and short links: whose they are, where they lead, and when somebody followed them."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.identities import add_keys
from storage.matching import LINK
from storage.models import link_clicks, links
from storage.queries.rows import fill

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another one when read aloud
MOST_CLICKS = 1000  # of a link are kept one by one: anybody may follow it, and a machine does not tire
_CODE_LENGTH = 10  # 49 bits: nobody guesses one


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """``url`` is where it leads. ``clicks`` and ``clicked_at`` (the last, aware UTC): how often and when it was followed."""

    id: int
    code: str
    url: str
    title: str
    person_id: int | None
    lead_id: int | None
    room_id: str
    created_by: int | None
    created_at: datetime
    clicks: int
    clicked_at: datetime | None


def new_code() -> str:
    """A code for a link that is about to be made: its address may carry it."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))


class LinkStore:
    """Links of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, account_id: int, code: str, url: str, *, now: datetime, title: str = "", person_id: int | None = None,
        lead_id: int | None = None, room_id: str = "", created_by: int | None = None,
    ) -> None:  # fmt: skip
        """Keep a link. With a person its code is a key of theirs: who comes by it is them."""
        row = {"account_id": account_id, "code": code, "url": url, "title": title, "person_id": person_id}
        row |= {"lead_id": lead_id, "room_id": room_id, "created_by": created_by, "created_at": now}

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(insert(links).values(**row))
            if person_id is not None:
                await add_keys(connection, account_id, [(LINK, code, person_id, LINK, now)])

        await self._database.write(job)

    async def follow(self, code: str, *, now: datetime) -> Link | None:
        """Note that somebody followed it; None for a code that is none."""

        async def job(connection: AsyncConnection) -> Link | None:
            counted = update(links).where(links.c.code == code).values(clicks=links.c.clicks + 1, clicked_at=now)
            row = (await connection.execute(counted.returning(*links.c))).one_or_none()
            if row is None:
                return None
            if row.clicks <= MOST_CLICKS:
                await connection.execute(insert(link_clicks).values(link_id=row.id, at=now))
            return fill(Link, row)

        return await self._database.write(job)

    async def of_person(self, account_id: int, person_id: int) -> tuple[Link, ...]:
        """Newest first."""
        mine = (links.c.account_id == account_id) & (links.c.person_id == person_id)
        async with self._database.read() as connection:
            rows = await connection.execute(select(links).where(mine).order_by(links.c.id.desc()))
            return tuple(fill(Link, row) for row in rows)
