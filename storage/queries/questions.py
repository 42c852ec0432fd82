"""Questions behind buttons: what a list was asked for is kept, so that its next page can be shown weeks later."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import fsm

KEPT = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``text`` as a person wrote it; "today" in it is the day of ``asked_at``; only calls before ``until``. Aware UTC."""

    account_id: int
    text: str
    asked_at: datetime
    until: datetime | None = None


async def keep_question(database: Database, question: Question) -> str:
    """A name of 12 letters for it. The same question of one account in the same hour has the same name."""
    hour = question.asked_at.strftime("%Y-%m-%dT%H")
    digest = hashlib.sha256(f"{question.account_id}\0{hour}\0{question.until}\0{question.text}".encode()).hexdigest()
    name = digest[:12]

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(delete(fsm).where(fsm.c.key == _key(name)))
        row = {"key": _key(name), "state": "question", "data": dumps(Question, question), "version": 1}
        await connection.execute(insert(fsm).values(**row, expires_at=question.asked_at + KEPT))

    await database.write(job)
    return name


async def kept_question(database: Database, account_id: int, name: str, now: datetime) -> Question | None:
    """The question of that name, None when it is another account's or too old. By primary key."""
    async with database.read() as connection:
        data = await connection.scalar(select(fsm.c.data).where(fsm.c.key == _key(name), fsm.c.expires_at > now))
    question = loads(Question, data) if data is not None else None
    return question if question is not None and question.account_id == account_id else None


def _key(name: str) -> str:
    return f"question:{name}"
