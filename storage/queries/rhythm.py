"""How often a vendor usually speaks: what makes a silence worth a question."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sqlalchemy import select

from storage.engine import Database
from storage.models import connections, inbox

RECENT = 50  # deliveries
LOOKED_BACK = timedelta(days=7)  # a vendor that has said nothing for longer has no rhythm, and nobody reads years for it


async def usual_gaps(database: Database, account_id: int, now: datetime) -> dict[str, timedelta]:
    """By vendor: the usual time between two of its deliveries, where there were two in a week. The index of times."""
    gaps: dict[str, timedelta] = {}
    async with database.read() as connection:
        mine = select(connections.c.id, connections.c.vendor).where(connections.c.account_id == account_id)
        for row in (await connection.execute(mine)).all():
            recent = (inbox.c.connection_id == row.id) & (inbox.c.received_at >= now - LOOKED_BACK)
            newest = select(inbox.c.received_at).where(recent).order_by(inbox.c.received_at.desc()).limit(RECENT)
            if (usual := usual_gap(list(await connection.scalars(newest)))) is not None:
                gaps[row.vendor] = usual
    return gaps


def usual_gap(times: Sequence[datetime]) -> timedelta | None:
    """``times``: newest first."""
    between = [(later - earlier).total_seconds() for later, earlier in pairwise(times)]
    return timedelta(seconds=median(between)) if between else None
