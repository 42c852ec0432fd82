"""What loading tables and taking leads in stand on, built for the default account."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.settings import Settings
from domain.messages import Texts
from domain.ports import Clock, Steps, Tx
from domain.work import WorkItem
from handlers.ads.pipeline import apply_rules
from handlers.ads.services import AdServices
from handlers.leads.arriving import leads_changed
from handlers.leads.loading import Loader
from handlers.leads.offering import offer_lead
from handlers.leads.pipeline import load_table
from handlers.leads.services import ArrivalServices, LeadServices, NewsServices, OfferServices
from storage.ad_runs import AdRunStore
from storage.engine import Database
from storage.imports import ImportStore
from storage.leads import LeadStore
from storage.offers import OfferStore
from storage.posts import StoredChat

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


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


def table_runs(leads: LeadServices) -> Mapping[str, Run]:
    """What is done with a table that somebody sent."""

    async def table(item: WorkItem[Any], steps: Steps) -> None:
        await load_table(item, steps, leads)

    return {"table": table}


def ad_runs(database: Database, leads: LeadServices) -> Mapping[str, Run]:
    """What is done with leads that were there before a rule for them was."""
    services = AdServices(
        runs=AdRunStore(database), chat=leads.chat, clock=leads.clock, texts=leads.texts, timezone=leads.timezone,
        write=leads.write, posted=leads.posted,
    )  # fmt: skip

    async def apply(item: WorkItem[Any], steps: Steps) -> None:
        await apply_rules(item, steps, services)

    return {"ads": apply}


def build_news(
    settings: Settings, database: Database, chat: StoredChat, clock: Clock, *, texts: Texts, quiet_before: datetime | None,
    posted: Callable[[], None], offered: Callable[[], None],
) -> NewsServices:  # fmt: skip
    """What makes new leads known, of forms and of a CRM alike."""
    cards = OfferServices(
        offers=OfferStore(database), chat=chat, clock=clock, texts=texts, timezone=settings.timezone, posted=posted
    )
    return NewsServices(cards=cards, catchup_max_age=settings.catchup_max_age, quiet_before=quiet_before, offered=offered)


def lead_runs(database: Database, news: NewsServices) -> Mapping[str, Run]:
    """What is done with leads that come in, and with new ones until somebody takes them."""
    arrivals = ArrivalServices(leads=LeadStore(database), news=news, texts=news.cards.texts)

    async def arrive(item: WorkItem[Any], steps: Steps) -> None:
        await leads_changed(item, steps, arrivals)

    async def offer(item: WorkItem[Any], steps: Steps) -> None:
        await offer_lead(item, steps, news.cards)

    return {"leads": arrive, "offer": offer}
