"""A request to the running leader: written, waited for, and taken back when nobody answers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.ground import somebody_leads
from bot.requests import answer_of, ask
from bot.settings import Settings
from storage.engine import Database
from storage.models import requests

NOBODY = "Сводка не запущена: запустите её (svodka run) и повторите."


class NoAnswerError(Exception):
    """Nobody leads, or nobody answered in time. The text is Russian."""


async def ask_leader(
    settings: Settings, database: Database, kind: str, payload: dict[str, Any], *, seconds: float
) -> dict[str, Any]:
    """The leader's answer. NoAnswerError leaves nothing behind that could be carried out later."""
    if not await somebody_leads(settings, database):
        raise NoAnswerError(NOBODY)
    request = await ask(database, kind, payload, datetime.now(UTC))
    answer = await answer_of(database, request, seconds=seconds)
    if answer is None:
        await _take_back(database, request)
        raise NoAnswerError(f"Сводка не ответила за {seconds:.0f} с: посмотрите её журнал и svodka status.")
    return answer


async def _take_back(database: Database, request: int) -> None:
    mine = (requests.c.id == request) & (requests.c.state == "asked")

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(update(requests).where(mine).values(state="failed", answer='{"error": "withdrawn"}'))

    await database.write(job)
