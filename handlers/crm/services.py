"""What the pipeline of a CRM's changes works with; built by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.crm import ContactChange, LeadChange
from domain.ports import Clock, CrmPlatform, Tx
from handlers.leads.services import NewsServices
from storage.crm import Applied


class Leads(Protocol):
    """Where changes are kept; storage.crm.CrmStore is the real one."""

    async def contacts(self, tx: Tx, account_id: int, batch: Sequence[ContactChange], *, heard_at: datetime) -> Applied: ...
    async def leads(self, tx: Tx, account_id: int, batch: Sequence[LeadChange], *, heard_at: datetime) -> Applied: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmServices:
    """``store`` and ``title`` (for people and the log) of one CRM; ``platform`` where it can be asked, too.

    ``news``: what its new leads are made known by.
    """

    store: Leads
    title: str
    clock: Clock
    news: NewsServices
    platform: CrmPlatform | None = None
