"""Notes that CRM leads are to get: asked for as work, and what they tell of when they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.calls import Summary
from domain.crm import CLOSED
from domain.events import NoteAsked
from domain.ports import Tx
from storage.bulk import insert_work, new_work
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import calls, lead_claims
from storage.sets import fetch

KIND = "note"

_NEWEST_OPEN = """
SELECT l.external_id FROM identities AS i JOIN leads AS l ON l.person_id = i.person_id
WHERE i.account_id = :account AND i.kind = 'phone' AND i.value = :phone AND i.undone_at IS NULL
AND l.account_id = :account AND l.source = :source AND l.external_id <> '' AND l.deleted_at IS NULL
AND l.status NOT IN {texts} ORDER BY l.created_at DESC, l.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Who took a lead, and when (aware UTC)."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedCall:
    """``phone``: the client's, as a key, "" for a hidden one; ``summary`` None once it is kept no longer."""

    phone: str
    started_at: datetime
    summary: Summary | None


class NoteStore:
    """Notes of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, tx: Tx, account_id: int, asked: Sequence[NoteAsked], *, now: datetime) -> int:
        """In the commit that gives the reason; how many were not asked for yet."""
        rows = [
            new_work(
                self._database, account_id=account_id, kind=KIND, object_=f"{event.vendor}:{event.external_id}",
                payload=dumps(NoteAsked, event), source="chat", delivery_id=None, now=now,
            )
            for event in asked
        ]  # fmt: skip
        return await insert_work(self._database).run(cast("AsyncConnection", tx), rows)

    async def taking(self, account_id: int, lead_id: int) -> Taking | None:
        claim = (lead_claims.c.account_id == account_id) & (lead_claims.c.lead_id == lead_id)
        async with self._database.read() as connection:
            row = (await connection.execute(select(lead_claims).where(claim))).one_or_none()
        return Taking(name=row.taken_by_name, at=row.taken_at) if row is not None else None

    async def call(self, account_id: int, row_id: int) -> NotedCall | None:
        mine = (calls.c.account_id == account_id) & (calls.c.id == row_id)
        columns = (calls.c.client_phone, calls.c.started_at, calls.c.summary)
        async with self._database.read() as connection:
            row = (await connection.execute(select(*columns).where(mine))).one_or_none()
        if row is None:
            return None
        summary = loads(Summary, row.summary) if row.summary else None
        return NotedCall(phone=row.client_phone, started_at=row.started_at, summary=summary)

    async def newest_open(self, account_id: int, source: str, phone: str) -> str:
        """The source's id of the newest lead of whoever has this phone that is still worked with; "" for none."""
        values = {"account": account_id, "source": source, "phone": phone, "texts": sorted(CLOSED)}
        async with self._database.read() as connection:
            rows = await fetch(connection, _NEWEST_OPEN, values)
        return str(rows[0][0]) if rows else ""
