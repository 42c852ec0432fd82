"""The stages of a CRM as people look at them: by pipeline, in the CRM's order."""

from dataclasses import dataclass

from sqlalchemy import select

from storage.engine import Database
from storage.models import crm_stages
from storage.queries.rows import fill


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStage:
    """``name`` and ``pipeline`` are the CRM's, "" where not told; ``status`` is what its leads are said to be in."""

    id: int
    pipeline_id: str
    pipeline: str
    status_id: str
    name: str
    chosen: str
    status: str


async def read_stages(database: Database, account_id: int, source: str) -> tuple[ListedStage, ...]:
    """Those the CRM has listed first, then those that were only met in leads."""
    c = crm_stages.c
    mine = select(crm_stages).where(c.account_id == account_id, c.source == source)
    async with database.read() as connection:
        rows = await connection.execute(mine.order_by(c.heard_at.is_(None), c.place, c.id))
        return tuple(fill(ListedStage, row) for row in rows)
