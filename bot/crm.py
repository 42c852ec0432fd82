"""A CRM joined to the process: the services of its pipeline, and what is run for each kind of its work."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from bot.health import HealthBoard, observed
from domain.ports import Clock, Steps
from domain.work import WorkItem
from handlers.crm.pipeline import crm_changed, delivery_unread
from handlers.crm.services import CrmServices
from handlers.leads.services import NewsServices
from integrations.kit.vendor import Ports, Vendor
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


class Part(Protocol):
    """What is needed of a connected vendor; bot.services.Connected is the real one."""

    @property
    def vendor(self) -> Vendor[Any]: ...
    @property
    def ports(self) -> Ports: ...


def build_crm_services(
    database: Database, part: Part | None, board: HealthBoard, clock: Clock, news: NewsServices
) -> CrmServices | None:
    """None where no CRM is connected. One whose API cannot be asked still tells of changes by its hooks."""
    if part is None:
        return None
    name, platform = part.vendor.name, part.ports.crm
    board.add(name, part.vendor.title)
    seen = observed(platform, name, name, board) if platform is not None else None
    store = CrmStore(name, LeadStore(database))
    return CrmServices(store=store, title=part.vendor.title, clock=clock, news=news, platform=seen)


def crm_runs(services: CrmServices | None) -> Mapping[str, Run]:
    """Without a CRM its work waits to be given up, and says why."""

    async def changed(item: WorkItem[Any], steps: Steps) -> None:
        if services is None:
            raise RuntimeError("no CRM is configured")
        await crm_changed(item, steps, services)

    return {"crm": changed, "unread": delivery_unread}
