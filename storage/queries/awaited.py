"""Reports that were told of and are not there yet: when each is looked for again."""

from datetime import datetime

from sqlalchemy import select

from storage.engine import Database
from storage.models import work


async def report_due(database: Database, account_id: int, room_id: str = "") -> datetime | None:
    """When the next look for a report of this room ("": of any) is, aware UTC; None when none is waited for."""
    waits = (work.c.account_id == account_id) & (work.c.kind == "webinar") & (work.c.state == "ready")
    waits &= work.c.waiting_for == "report"
    if room_id:
        waits &= work.c.object.contains(f":{room_id}*", autoescape=True)
    async with database.read() as connection:
        due: datetime | None = await connection.scalar(select(work.c.due_at).where(waits).order_by(work.c.due_at).limit(1))
    return due
