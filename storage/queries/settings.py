"""Settings that people change in the chat: read at each use, so a change holds at once."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.models import audit, settings

MIN_DURATION = "call_min_duration_s"


async def min_duration_s(database: Database, account_id: int, default: int, *, fixed: bool = False) -> int:
    """Calls must be longer than this many seconds to be worked on; ``default`` unless the chat set another.

    ``fixed``: the environment says so, and the chat cannot.
    """
    if fixed:
        return default
    value = await setting(database, account_id, MIN_DURATION)
    return int(value) if value is not None and value.isdecimal() else default


async def setting(database: Database, account_id: int, name: str) -> str | None:
    """The value set in the chat, None if nobody set one. By primary key."""
    statement = select(settings.c.value).where(settings.c.account_id == account_id, settings.c.name == name)
    async with database.read() as connection:
        value: str | None = await connection.scalar(statement)
    return value


async def change_setting(database: Database, account_id: int, name: str, value: str, *, by: int, now: datetime) -> None:
    """Set it for the account and note who did (``by``: users.id)."""

    async def job(connection: AsyncConnection) -> None:
        key = (settings.c.account_id == account_id) & (settings.c.name == name)
        await connection.execute(delete(settings).where(key))
        row = {"account_id": account_id, "name": name, "value": value, "changed_by": by, "changed_at": now}
        await connection.execute(insert(settings).values(**row))
        note = {"account_id": account_id, "at": now, "actor": by, "action": "setting", "detail": f"{name}={value}"}
        await connection.execute(insert(audit).values(**note))

    await database.write(job)
