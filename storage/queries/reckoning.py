"""The proof that nothing is lost: what a vendor lists of a day against what became of it here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import calls, notices
from storage.upsert import upsert

_FILTERED = {"short", "old"}
_WAITING = {"heard", "drafted"}
_CHUNK = 500  # ids in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """``listed`` = ``processed`` + ``filtered`` + ``waiting``; ``found`` of them had no event. ``at`` aware UTC."""

    vendor: str
    at: datetime
    listed: int
    processed: int
    filtered: int
    waiting: int
    found: int


async def reckon(
    database: Database, account_id: int, vendor: str, call_ids: Sequence[str], *, now: datetime, found: int
) -> Reckoning:
    """What became of these calls; one that has no row yet is waiting."""
    states: Counter[str] = Counter()
    async with database.read() as connection:
        for start in range(0, len(call_ids), _CHUNK):
            some = calls.c.call_id.in_(call_ids[start : start + _CHUNK])
            mine = (calls.c.account_id == account_id) & (calls.c.vendor == vendor)
            states.update(await connection.scalars(select(calls.c.state).where(mine, some)))
    filtered = sum(states[state] for state in _FILTERED)
    processed = states.total() - filtered - sum(states[state] for state in _WAITING)
    return Reckoning(
        vendor=vendor,
        at=now,
        listed=len(call_ids),
        processed=processed,
        filtered=filtered,
        waiting=len(call_ids) - processed - filtered,
        found=found,
    )


async def keep_reckoning(database: Database, account_id: int, reckoning: Reckoning) -> None:
    """The newest one of a vendor is kept."""
    values = {"active": True, "since": reckoning.at, "detail": dumps(Reckoning, reckoning)}
    row = upsert(database, notices).values(key=_key(account_id, reckoning.vendor), **values)

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    await database.write(job)


async def last_reckonings(database: Database, account_id: int) -> tuple[Reckoning, ...]:
    """The newest of each vendor, by its name. A handful of rows."""
    statement = select(notices.c.detail).where(notices.c.key.startswith(_key(account_id, ""))).order_by(notices.c.key)
    async with database.read() as connection:
        return tuple(loads(Reckoning, detail) for detail in await connection.scalars(statement))


def _key(account_id: int, vendor: str) -> str:
    return f"reckoning:{account_id}:{vendor}"
