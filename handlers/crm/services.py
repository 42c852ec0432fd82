"""What the pipeline of a CRM's changes works with; built by the composition root."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.crm import ContactChange, LeadChange
from domain.ports import Clock, CrmPlatform, Tx
from handlers.crm.directory import Directory
from handlers.leads.services import NewsServices
from storage.crm import Applied
from storage.stages import UnknownStage


class Leads(Protocol):
    """Where changes are kept; storage.crm.CrmStore is the real one."""

    async def contacts(self, tx: Tx, account_id: int, batch: Sequence[ContactChange], *, heard_at: datetime) -> Applied: ...
    async def leads(self, tx: Tx, account_id: int, batch: Sequence[LeadChange], *, heard_at: datetime) -> Applied: ...


class Stages(Protocol):
    """What stages mean, and leads that follow them; storage.stages.StageStore is the real one."""

    async def unknown(self, account_id: int, numbers: Collection[str]) -> Sequence[UnknownStage]: ...
    async def mark_hinted(self, tx: Tx, account_id: int, stages: Collection[int], *, now: datetime) -> None: ...
    async def behind(self, account_id: int, after: int) -> Sequence[int]: ...
    async def follow(self, account_id: int, after: int) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmServices:
    """``store``, ``stages`` and ``title`` (for people and the log) of one CRM.

    ``news``: what its new leads are made known by; ``platform`` and ``directory`` where it can be asked, too.
    """

    store: Leads
    stages: Stages
    title: str
    clock: Clock
    news: NewsServices
    platform: CrmPlatform | None = None
    directory: Directory | None = None
