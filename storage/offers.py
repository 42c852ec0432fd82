"""New leads that somebody has to take: which they are, who may be asked, and who was quicker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import LeadOffered
from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Person
from storage.bulk import insert_work, new_work
from storage.claims import Claim
from storage.codec import dumps
from storage.engine import Database
from storage.models.types import driver_time
from storage.queries.settings import setting
from storage.sets import execute, fetch, moment

MINUTES = "lead_minutes"
DEFAULT_MINUTES = 15
SAME_STORY = timedelta(days=1)  # a form and the deal that the CRM makes of it are one card

# A person who had a lead a moment ago has a card already; an old one is told of late and is nobody's news.
_FRESH = """
SELECT l.id FROM leads AS l
WHERE l.id IN {ids} AND l.deleted_at IS NULL AND l.created_at >= :fresh AND NOT EXISTS (
    SELECT 1 FROM leads AS o WHERE o.person_id = l.person_id AND o.id < l.id AND o.deleted_at IS NULL
    AND o.created_at >= :since)
ORDER BY l.id
"""
_LEAD = """
SELECT l.id, l.person_id, l.name, l.phone, l.phone_key, l.email, l.source, l.form, l.created_at, l.first_utm_source,
       l.first_utm_medium, l.first_utm_campaign, l.url, l.deleted_at, c.taken_by, c.taken_by_name, c.taken_at
FROM leads AS l LEFT JOIN lead_claims AS c ON c.lead_id = l.id WHERE l.account_id = :account AND l.id = :lead
"""
_TEAM = """
SELECT telegram_id, name, role FROM users WHERE account_id = :account AND disabled_at IS NULL ORDER BY id
"""
_TAKE = """
INSERT INTO lead_claims (lead_id, account_id, taken_by, taken_by_name, taken_at)
VALUES (:lead, :account, :by, :name, :now) ON CONFLICT (lead_id) DO NOTHING
"""
_PLACES = "SELECT chat_id, topic_id FROM posts WHERE account_id = :account AND key = :key ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLead:
    """``phone`` is a key, ``phone_raw`` as written. ``taken``: who has it, None while nobody does."""

    id: int
    person_id: int | None
    name: str
    phone: str
    phone_raw: str
    email: str
    source: str
    form: str
    at: datetime
    ad: str
    url: str
    taken: Claim | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of the team; ``runs``: the head or an admin."""

    telegram_id: int
    name: str
    runs: bool


class OfferStore:
    """Offers of all accounts. What takes a transaction is one commit with the step it is part of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, tx: Tx, account_id: int, leads: Sequence[int], *, now: datetime, fresh: datetime) -> int:
        """Work for each of these leads that is news; how many. In the commit that brought them."""
        if not leads:
            return 0
        connection = cast("AsyncConnection", tx)
        dialect = self._database.dialect_name
        times = {"fresh": driver_time(fresh, dialect), "since": driver_time(now - SAME_STORY, dialect)}
        rows = [
            self._work(account_id, row[0], now) for row in await fetch(connection, _FRESH, {"ids": list(leads), **times})
        ]
        return await insert_work(self._database).run(connection, rows)

    def _work(self, account_id: int, lead_id: int, now: datetime) -> dict[str, object]:
        event = LeadOffered(vendor="lead", external_id=str(lead_id), occurred_at=now, lead_id=lead_id)
        return new_work(
            self._database, account_id=account_id, kind="offer", object_=f"lead:{lead_id}", source="hook",
            payload=dumps(LeadOffered, event), delivery_id=None, now=now,
        )  # fmt: skip

    async def minutes(self, account_id: int) -> int:
        """How long a lead may wait for somebody, in minutes of working time; 0: for ever."""
        value = await setting(self._database, account_id, MINUTES)
        return int(value) if value is not None and value.isdecimal() else DEFAULT_MINUTES

    async def team(self, tx: Tx, account_id: int) -> tuple[Colleague, ...]:
        """In the order they came."""
        rows = await fetch(cast("AsyncConnection", tx), _TEAM, {"account": account_id})
        return tuple(Colleague(telegram_id=row[0], name=row[1], runs=row[2] != "manager") for row in rows)

    async def read(self, tx: Tx, account_id: int, lead_id: int, *, reader: int = 0) -> OfferedLead | None:
        """None for a lead that is gone, or another account's. ``reader``: whose a claim is to be called theirs."""
        rows = await fetch(cast("AsyncConnection", tx), _LEAD, {"account": account_id, "lead": lead_id})
        return _offered(rows[0], reader) if rows and rows[0][13] is None else None

    async def take(self, tx: Tx, person: Person, lead_id: int, now: datetime) -> OfferedLead | None:
        """The lead with whoever has it now: this person, or who was quicker."""
        if await self.read(tx, person.account_id, lead_id) is None:
            return None
        values = {"lead": lead_id, "account": person.account_id, "by": person.telegram_id, "name": person.name}
        connection = cast("AsyncConnection", tx)
        await execute(connection, _TAKE, {**values, "now": driver_time(now, self._database.dialect_name)})
        return await self.read(tx, person.account_id, lead_id, reader=person.telegram_id)

    async def places(self, tx: Tx, account_id: int, key: str) -> tuple[Destination, ...]:
        """Where the card of this key is shown."""
        rows = await fetch(cast("AsyncConnection", tx), _PLACES, {"account": account_id, "key": key})
        return tuple(Destination(chat_id=row[0], topic_id=row[1]) for row in rows)


def _offered(row: Sequence[Any], reader: int) -> OfferedLead:
    taken = None
    if row[14] is not None and (at := moment(row[16])) is not None:
        taken = Claim(name=row[15], at=at, mine=row[14] == reader)
    made = moment(row[8])
    assert made is not None  # noqa: S101 - a column that is never empty
    return OfferedLead(
        id=row[0], person_id=row[1], name=row[2], phone_raw=row[3], phone=row[4], email=row[5], source=row[6], form=row[7],
        at=made, ad=" / ".join(filter(None, row[9:12])), url=row[12], taken=taken,
    )  # fmt: skip
