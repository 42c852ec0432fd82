"""Whether work of a kind is still to be done for somebody."""

from sqlalchemy import select

from storage.engine import Database
from storage.models import work


async def is_under_way(database: Database, account_id: int, kind: str, prefix: str) -> bool:
    """Work whose object begins with ``prefix`` is ready or running."""
    mine = (work.c.account_id == account_id) & (work.c.kind == kind) & work.c.object.startswith(prefix, autoescape=True)
    statement = select(work.c.id).where(mine, work.c.state.in_(("ready", "running"))).limit(1)
    async with database.read() as connection:
        return await connection.scalar(statement) is not None
