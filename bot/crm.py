"""A CRM joined to the process: the services of its pipeline, what its stages stand on, and what is run for its work."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.health import HealthBoard, observed
from domain.errors import NOT_CONNECTED, VendorError, VendorRefused
from domain.ports import Clock, Funnel, Steps
from domain.work import WorkItem
from handlers.crm.desk import StageDesk
from handlers.crm.directory import Directory
from handlers.crm.pipeline import crm_changed, delivery_unread
from handlers.crm.services import CrmServices
from handlers.crm.staging import stages_changed
from handlers.leads.services import NewsServices
from integrations.kit.vendor import Ports, Vendor
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore
from storage.staff import StaffStore
from storage.stages import Stage, StageStore

log = logging.getLogger(__name__)

Run = Callable[[WorkItem[Any], Steps], Awaitable[None]]


class Part(Protocol):
    """What is needed of a connected vendor; bot.services.Connected is the real one."""

    @property
    def vendor(self) -> Vendor[Any]: ...
    @property
    def settings(self) -> Any: ...
    @property
    def ports(self) -> Ports: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Crm:
    """A connected CRM."""

    services: CrmServices
    stages: StageDesk


def build_crm(database: Database, part: Part | None, board: HealthBoard, clock: Clock, news: NewsServices) -> Crm | None:
    """None where no CRM is connected. One whose API cannot be asked still tells of changes by its hooks."""
    if part is None:
        return None
    name, platform = part.vendor.name, part.ports.crm
    board.add(name, part.vendor.title)
    seen = observed(platform, name, name, board) if platform is not None else None
    stage_map = part.vendor.stage_map(part.settings)
    stages, title, come = StageStore(database, name, stage_map), part.vendor.title, news.offered
    directory = Directory(seen, stages, StaffStore(database, name), clock, come) if seen is not None else None
    services = CrmServices(
        store=CrmStore(name, LeadStore(database), stage_map), stages=stages, title=title, clock=clock, news=news,
        platform=seen, directory=directory,
    )  # fmt: skip
    return Crm(
        services=services,
        stages=StageDesk(title=title, source=name, store=stages, directory=directory, follow=come),
    )


class StagedFunnel:
    """A CRM's funnel that knows what the team calls its stages."""

    def __init__(self, funnel: Funnel, stages: StageStore, account_id: int) -> None:
        self._funnel = funnel
        self._stages = stages
        self._account_id = account_id

    async def move(self, lead_id: str, status: str, *, also: Collection[Stage] = ()) -> None:
        """Funnel of domain.ports."""
        chosen = await self._stages.chosen_as(self._account_id, status)
        await self._funnel.move(lead_id, status, also=(*also, *chosen))


def build_funnel(database: Database, part: Part, board: HealthBoard, account_id: int) -> Funnel | None:
    """None for a vendor that has no funnel."""
    name, funnel = part.vendor.name, part.ports.funnel
    if funnel is None:
        return None
    stages = StageStore(database, name, part.vendor.stage_map(part.settings))
    return StagedFunnel(observed(funnel, name, name, board), stages, account_id)


def crm_runs(crm: Crm | None) -> Mapping[str, Run]:
    """Without a CRM its work waits to be given up, and says why."""

    def services() -> CrmServices:
        if crm is None:
            raise RuntimeError("no CRM is configured")
        return crm.services

    async def changed(item: WorkItem[Any], steps: Steps) -> None:
        await crm_changed(item, steps, services())

    async def staged(item: WorkItem[Any], steps: Steps) -> None:
        await stages_changed(item, steps, services())

    return {"crm": changed, "stages": staged, "unread": delivery_unread}


async def keep_names(crm: Crm, account_id: int, clock: Clock) -> None:
    """Stages mean what the settings say now, and are called as the CRM calls them today."""
    desk = crm.stages
    if await desk.store.settle(account_id, now=clock.now()):
        desk.follow()
    if desk.directory is None:
        return
    try:
        await desk.directory.keep_fresh(account_id)
    except VendorError as error:
        if not isinstance(error, VendorRefused) or error.code != NOT_CONNECTED:
            log.warning("names of %s: %s", desk.title, error)
