"""What is known of a CRM's leads and contacts, for those who ask it what has changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from domain.events import CrmChanged
from storage.codec import loads
from storage.engine import Database
from storage.models import crm_contacts, leads, work

_NAMED = text("leads.external_id <> ''")  # as the partial index spells it
KIND, POLL = "crm", "poll"
_CHUNK = 500  # ids in one statement

Telling = tuple[str, datetime | None]  # a lead by the CRM's id, as it was changed then


@dataclass(frozen=True, slots=True)
class KnownLead:
    updated_at: datetime
    deleted_at: datetime | None

    def covers(self, updated_at: datetime | None) -> bool:
        """There is nothing newer to be learnt."""
        return updated_at is not None and self.updated_at >= updated_at


async def known_leads(database: Database, account_id: int, source: str, ids: Sequence[str]) -> dict[str, KnownLead]:
    """Those of these leads that we have, by the CRM's id. The unique index of sources."""
    mine = (leads.c.account_id == account_id) & (leads.c.source == source) & _NAMED
    columns = (leads.c.external_id, leads.c.updated_at, leads.c.deleted_at)
    known: dict[str, KnownLead] = {}
    for start in range(0, len(ids), _CHUNK):
        some = leads.c.external_id.in_(ids[start : start + _CHUNK])
        async with database.read() as connection:
            rows = await connection.execute(select(*columns).where(mine, some))
            known |= {row.external_id: KnownLead(row.updated_at, row.deleted_at) for row in rows}
    return known


async def known_contacts(database: Database, account_id: int, source: str, ids: Sequence[str]) -> dict[str, datetime]:
    """When those of these contacts that we have were changed, as far as we know."""
    mine = (crm_contacts.c.account_id == account_id) & (crm_contacts.c.source == source)
    columns = (crm_contacts.c.external_id, crm_contacts.c.updated_at)
    known: dict[str, datetime] = {}
    for start in range(0, len(ids), _CHUNK):
        some = crm_contacts.c.external_id.in_(ids[start : start + _CHUNK])
        async with database.read() as connection:
            rows = await connection.execute(select(*columns).where(mine, some))
            known |= {row.external_id: row.updated_at for row in rows}
    return known


async def found_by_polls(
    database: Database, account_id: int, vendor: str, since: datetime, unseal: Callable[[str], str]
) -> set[Telling]:
    """What no hook told of since then. One work at a time: each may hold a page of leads, and others want their turn."""
    mine = (work.c.account_id == account_id) & (work.c.kind == KIND) & (work.c.source == POLL)
    recent = select(work.c.id).where(work.c.created_at >= since, mine, work.c.object.startswith(f"{vendor}:"))
    async with database.read() as connection:
        ids = list(await connection.scalars(recent))
    found: set[Telling] = set()
    for work_id in ids:
        async with database.read() as connection:
            payload = await connection.scalar(select(work.c.payload).where(work.c.id == work_id))
        if payload:
            changes = loads(CrmChanged, unseal(payload)).leads
            found |= {(change.lead.external_id, change.lead.updated_at) for change in changes}
    return found
