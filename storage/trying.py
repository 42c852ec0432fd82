"""What would be written, without its being written: for a rehearsal, which nobody is to find afterwards."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from storage.sets import fetch

_NAMED = (
    "SELECT id FROM leads WHERE account_id = :account AND source = :source AND external_id = :name AND external_id <> ''"
)

T = TypeVar("T")


async def tried(tx: Tx, job: Callable[[], Awaitable[T]]) -> T:
    """What ``job`` gives when it writes and reads within ``tx``; then every row is as it was before."""
    savepoint = await cast("AsyncConnection", tx).begin_nested()
    try:
        return await job()
    finally:
        await savepoint.rollback()


async def lead_named(tx: Tx, account_id: int, source: str, external_id: str) -> int | None:
    """Our id of a lead by its source's, as ``tx`` has it now."""
    mine = {"account": account_id, "source": source, "name": external_id}
    rows = await fetch(cast("AsyncConnection", tx), _NAMED, mine)
    return rows[0][0] if rows else None
