"""A CRM joined to the process: the services of its pipeline, and what is run for each kind of its work."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.ports import Clock, Steps
from domain.work import WorkItem
from handlers.crm.pipeline import crm_changed, delivery_unread
from handlers.crm.services import CrmServices
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


def build_crm_services(database: Database, source: str, title: str, clock: Clock) -> CrmServices:
    """``source``: what its leads are marked with, the vendor's name."""
    return CrmServices(store=CrmStore(source, LeadStore(database)), title=title, clock=clock)


def crm_runs(services: CrmServices | None) -> Mapping[str, Run]:
    """Without a CRM its work waits to be given up, and says why."""

    async def changed(item: WorkItem[Any], steps: Steps) -> None:
        if services is None:
            raise RuntimeError("no CRM is configured")
        await crm_changed(item, steps, services)

    return {"crm": changed, "unread": delivery_unread}
