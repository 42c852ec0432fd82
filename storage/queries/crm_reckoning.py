"""The proof that no lead of a CRM is lost: what it says was changed in a day against how we came to know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import notices
from storage.queries.crm_known import KnownLead, Telling
from storage.upsert import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmReckoning:
    """``listed`` = ``hook`` + ``poll`` + ``waiting``, in leads. ``at`` aware UTC.

    ``hook``: known as they are, from hooks; ``poll``: known because we asked; ``waiting``: not known as they are yet.
    """

    vendor: str
    at: datetime
    listed: int
    hook: int
    poll: int
    waiting: int


def reckon_crm(
    vendor: str, listed: Sequence[Telling], known: Mapping[str, KnownLead], asked: set[Telling], *, now: datetime
) -> CrmReckoning:
    """``asked``: what polls found."""
    newest = dict(sorted(listed, key=lambda one: one[1] or now))
    here = {one for one in newest.items() if one[0] in known and known[one[0]].covers(one[1])}
    poll = len(here & asked)
    return CrmReckoning(
        vendor=vendor, at=now, listed=len(newest), hook=len(here) - poll, poll=poll, waiting=len(newest) - len(here)
    )


async def keep_crm_reckoning(database: Database, account_id: int, reckoning: CrmReckoning) -> None:
    """The newest one of a CRM is kept."""
    values = {"active": True, "since": reckoning.at, "detail": dumps(CrmReckoning, reckoning)}
    row = upsert(database, notices).values(key=_key(account_id, reckoning.vendor), **values)

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    await database.write(job)


async def last_crm_reckonings(database: Database, account_id: int) -> tuple[CrmReckoning, ...]:
    """The newest of each CRM, by its name. A handful of rows."""
    statement = select(notices.c.detail).where(notices.c.key.startswith(_key(account_id, ""))).order_by(notices.c.key)
    async with database.read() as connection:
        return tuple(loads(CrmReckoning, detail) for detail in await connection.scalars(statement))


def _key(account_id: int, vendor: str) -> str:
    return f"crm:{account_id}:{vendor}"
