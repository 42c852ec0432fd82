"""Leads follow their stages when these mean something else: piece by piece, and their cards with them."""

from domain.events import StagesChanged
from domain.ports import Steps
from domain.work import WorkItem
from handlers.crm.services import CrmServices
from handlers.leads.news import grow_cards


async def stages_changed(item: WorkItem[StagesChanged], steps: Steps, services: CrmServices) -> None:
    """Every piece is a short write, and what is done is not found again: after a crash it goes on with the rest."""
    last = 0
    while moved := await services.stages.follow(item.account_id, last):
        last = moved[-1]
        await grow_cards(item.account_id, moved, steps, services.news, when=f":{last}")
