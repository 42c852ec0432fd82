"""Who works in a CRM, by its numbers: their names outlive an API that is away, and their own leaving."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.crm import CrmPerson
from storage.engine import Database
from storage.models import crm_people
from storage.models.types import driver_time
from storage.sets import BulkWrite, fetch, storable

# Of the lead ``l``: as a table says, else as its CRM calls them, else their number there; '' for nobody.
RESPONSIBLE = """coalesce(nullif(l.manager, ''), (SELECT u.name FROM crm_people AS u WHERE u.account_id = l.account_id
    AND u.source = l.source AND u.external_id = l.manager_id AND u.name <> ''), l.manager_id, '')"""
_LEARN = BulkWrite(
    table="crm_people",
    columns=("account_id", "source", "external_id", "name", "active", "heard_at"),
    types=("int", "text", "text", "text", "boolean", "timestamptz"),
    conflict="""(account_id, source, external_id) DO UPDATE SET name = coalesce(nullif(excluded.name, ''), t.name),
        active = excluded.active, heard_at = excluded.heard_at""",
)
_KNOWN = """
SELECT external_id FROM crm_people WHERE account_id = :account AND source = :source AND external_id IN {texts}
"""


class StaffStore:
    """The people of one CRM. ``source`` is what its leads are marked with."""

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    async def heard_at(self, account_id: int) -> datetime | None:
        """When the CRM last told who they are."""
        mine = (crm_people.c.account_id == account_id) & (crm_people.c.source == self._source)
        async with self._database.read() as connection:
            at: datetime | None = await connection.scalar(select(func.max(crm_people.c.heard_at)).where(mine))
        return at

    async def unknown(self, account_id: int, numbers: Iterable[str]) -> set[str]:
        """Those of ``numbers`` whose names nobody has told."""
        wanted = set(numbers)
        if not wanted:
            return set()
        mine = {"account": account_id, "source": self._source, "texts": sorted(wanted)}
        async with self._database.read() as connection:
            return wanted - {row[0] for row in await fetch(connection, _KNOWN, mine)}

    async def learn(self, account_id: int, people: Sequence[CrmPerson], *, now: datetime) -> None:
        """Who is not among them keeps the name they had."""

        async def job(connection: AsyncConnection) -> None:
            at = driver_time(now, connection.dialect.name)
            rows = [(account_id, self._source, one.external_id, storable(one.name), one.active, at) for one in people]
            await _LEARN.run(connection, rows)

        await self._database.write(job)
