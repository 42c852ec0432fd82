"""Leads follow their stages when these mean something else: piece by piece, and their cards with them."""

from domain.events import StagesChanged
from domain.ports import Steps
from domain.work import WorkItem
from handlers.crm.services import CrmServices
from handlers.leads.news import grow_cards


async def stages_changed(item: WorkItem[StagesChanged], steps: Steps, services: CrmServices) -> None:
    """Every piece is a short write, and what is done is not found again: after a crash it goes on with the rest.

    So their cards are found before: those of leads that have moved would be nobody's after a crash.
    """
    cards = await steps.run("cards", lambda: _cards(item.account_id, services), tuple[int, ...])
    last = 0
    while moved := await services.stages.follow(item.account_id, last):
        last = moved[-1]
    await grow_cards(item.account_id, cards, steps, services.news)


async def _cards(account_id: int, services: CrmServices) -> tuple[int, ...]:
    """Leads that are shown in the chat and are to follow, or whose people's leads are."""
    offers, now = services.news.cards.offers, services.clock.now()
    last, shown = 0, set[int]()
    while behind := await services.stages.behind(account_id, last):
        last = behind[-1]
        shown |= set(await offers.shown(account_id, behind, now))
    return tuple(sorted(shown))
