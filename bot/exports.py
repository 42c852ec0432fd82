"""The work that makes files people ask for, and what the chat knows of it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from bot.settings import Settings
from domain.ports import Steps
from domain.work import WorkItem
from handlers.exports.desk import ExportDesk
from handlers.exports.pipeline import make_export
from handlers.exports.services import ExportServices
from handlers.leads.services import LeadServices
from storage.engine import Database
from storage.queries.underway import is_under_way

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


def build_exports(settings: Settings, database: Database, leads: LeadServices) -> ExportServices:
    """Answers go the way that those about tables go."""
    return ExportServices(
        database=database, data_dir=settings.data_dir, chat=leads.chat, clock=leads.clock, texts=leads.texts,
        timezone=settings.timezone, write=leads.write, posted=leads.posted,
        short_s=settings.call_min_duration_s, short_fixed=settings.min_duration_fixed,
        attended_s=settings.attended_min_s,
    )  # fmt: skip


def export_runs(services: ExportServices) -> Mapping[str, Run]:
    async def make(item: WorkItem[Any], steps: Steps) -> None:
        await make_export(item, steps, services)

    return {"export": make}


def build_export_desk(services: ExportServices) -> ExportDesk:
    return ExportDesk(busy=partial(_is_busy, services.database), stop=services.stopped.add)


async def _is_busy(database: Database, account_id: int, prefix: str) -> bool:
    return await is_under_way(database, account_id, "export", prefix)
