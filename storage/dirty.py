"""Days whose conversions have to be added up again: every write that changes them marks them, in its own commit."""

import secrets
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.sets import BulkWrite, fetch

_MARK = BulkWrite(
    table="conversion_dirty",
    columns=("account_id", "day", "session_id", "stamp"),
    types=("int", "text", "int", "bigint"),
    conflict="(account_id, day, session_id) DO UPDATE SET stamp = excluded.stamp",
)


async def mark_dirty(
    connection: AsyncConnection, account_id: int, lead_ids: Collection[int], *, session_id: int = 0
) -> None:
    """The days of these leads. ``session_id``: a webinar's rows changed them, so they wait until it is complete."""
    if not lead_ids:
        return
    rows = await fetch(connection, "SELECT created_at FROM leads WHERE id IN {ids}", {"ids": list(lead_ids)})
    await mark_days(connection, account_id, {day_of(row[0]) for row in rows}, session_id=session_id)


async def mark_days(connection: AsyncConnection, account_id: int, days: Iterable[str], *, session_id: int = 0) -> None:
    """UTC dates, 2026-11-28. In order: two writers that mark the same days wait for one another, and never for ever."""
    stamp = secrets.randbits(62)
    await _MARK.run(connection, [(account_id, day, session_id, stamp) for day in sorted(set(days))])


def day_of(created_at: object) -> str:
    """The UTC date of a time as the driver gives or takes it."""
    return str(created_at.astimezone(UTC) if isinstance(created_at, datetime) else created_at)[:10]
