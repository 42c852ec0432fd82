"""Reports that were told of and are not there yet: when each is looked for again."""

import json
from datetime import datetime

from sqlalchemy import select

from storage.engine import Database
from storage.models import work


async def report_due(
    database: Database, account_id: int, room_id: str = "", *, since: datetime | None = None, until: datetime | None = None
) -> datetime | None:
    """When the next look for a report of this room ("": of any) is, aware UTC; None when none is waited for.

    ``since`` and ``until``: of a webinar that began between them, or at a time that nobody told us.
    """
    waits = (work.c.account_id == account_id) & (work.c.kind == "webinar") & (work.c.state == "ready")
    waits &= work.c.waiting_for == "report"
    if room_id:
        waits &= work.c.object.contains(f":{room_id}*", autoescape=True)
    async with database.read() as connection:
        rows = await connection.execute(select(work.c.due_at, work.c.payload).where(waits).order_by(work.c.due_at))
        return next((row.due_at for row in rows if _within(_begun(row.payload), since, until)), None)


def _begun(payload: str) -> datetime | None:
    told = json.loads(payload).get("occurred_at")
    return datetime.fromisoformat(told) if told else None


def _within(begun: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if begun is None:
        return True
    return (since is None or begun >= since) and (until is None or begun < until)
