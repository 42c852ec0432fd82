"""Where a short link leads: read before anything is written, so that guessing codes costs the database nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.engine import Database
from storage.models import links


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortLink:
    """``created_at`` is aware UTC."""

    url: str
    created_at: datetime


async def find_short_link(database: Database, code: str) -> ShortLink | None:
    async with database.read() as connection:
        row = (await connection.execute(select(links.c.url, links.c.created_at).where(links.c.code == code))).one_or_none()
    return ShortLink(url=row.url, created_at=row.created_at) if row is not None else None
