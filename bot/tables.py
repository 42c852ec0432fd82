"""What loading tables and taking leads in stand on, built for the default account."""

from collections.abc import Awaitable, Callable
from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.settings import Settings
from domain.messages import Texts
from domain.ports import Clock, Tx
from handlers.leads.loading import Loader
from handlers.leads.services import ArrivalServices, LeadServices
from storage.engine import Database
from storage.imports import ImportStore
from storage.leads import LeadStore
from storage.posts import StoredChat


def build_lead_services(
    settings: Settings, database: Database, chat: StoredChat, clock: Clock, *, texts: Texts, posted: Callable[[], None]
) -> LeadServices:
    async def write(job: Callable[[Tx], Awaitable[int]]) -> int:
        async def run(connection: AsyncConnection) -> int:
            return await job(cast("Tx", connection))

        return await database.write(run)

    return LeadServices(
        imports=ImportStore(database),
        loader=Loader(database=database, data_dir=settings.data_dir, zone=settings.timezone),
        chat=chat,
        clock=clock,
        texts=texts,
        timezone=settings.timezone,
        write=write,
        posted=posted,
    )


def build_arrival_services(
    settings: Settings, database: Database, clock: Clock, *, texts: Texts, posted: Callable[[], None]
) -> ArrivalServices:
    return ArrivalServices(leads=LeadStore(database), clock=clock, texts=texts, timezone=settings.timezone, posted=posted)
