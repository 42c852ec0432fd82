"""Figures kept ready: new words of an account applied to what is stored, changed days added up before anybody asks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Yardstick
from storage.codec import dumps
from storage.engine import Database
from storage.models import settings
from storage.queries.settings import setting
from storage.rollups import refresh
from storage.webinars import WebinarStore

YARDSTICK = "yardstick"  # what the stored rows were measured by


async def keep_figures(
    database: Database, account_id: int, yardstick: Yardstick, zone: ZoneInfo, *, now: datetime
) -> tuple[int, int]:
    """How many visits were measured anew, and how many days added up; both 0 when nothing has changed."""
    words = dumps(Yardstick, yardstick)
    measured = 0
    if await setting(database, account_id, YARDSTICK) != words:
        measured = await WebinarStore(database, yardstick).recount(account_id)
        await database.write(lambda connection: _remember(connection, account_id, words, now))
    return measured, await refresh(database, account_id, zone)


async def _remember(connection: AsyncConnection, account_id: int, words: str, now: datetime) -> None:
    key = (settings.c.account_id == account_id) & (settings.c.name == YARDSTICK)
    await connection.execute(delete(settings).where(key))
    row = {"account_id": account_id, "name": YARDSTICK, "value": words, "changed_at": now}
    await connection.execute(insert(settings).values(**row))
