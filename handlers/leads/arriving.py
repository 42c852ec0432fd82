"""Leads that a source tells of become rows and people: the one way in for forms and CRMs alike."""

import logging
from collections.abc import Sequence

from domain.errors import VendorRefused
from domain.events import LeadsChanged
from domain.leads import Arrived, Lead
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.leads.news import grow_cards, offer_new
from handlers.leads.services import ArrivalServices
from storage.leads import MOST_LEADS

log = logging.getLogger(__name__)


async def leads_changed(item: WorkItem[LeadsChanged], steps: Steps, services: ArrivalServices) -> None:
    """Kept first; what a person has to look at is given up afterwards, with the words for it, and so is seen in /errors."""
    event = item.event
    await take_leads(item.account_id, event.vendor, event.leads, steps, services)
    if event.problem:
        hint = services.texts.get(f"lead.problem.{event.problem}")
        raise VendorRefused(event.vendor, "lead", event.problem, hint=hint)


async def take_leads(
    account_id: int, vendor: str, leads: Sequence[Lead], steps: Steps, services: ArrivalServices
) -> tuple[Arrived, ...]:
    """All of them, MOST_LEADS a write. For pipelines that make leads of something else first, too: steps are ``save:N``."""
    pieces = [(start, leads[start : start + MOST_LEADS]) for start in range(0, len(leads), MOST_LEADS)]
    arrived = [await _take(account_id, vendor, some, steps, services, start=start) for start, some in pieces]
    added, changed = sum(one.added for one in arrived), sum(one.changed for one in arrived)
    if added:
        services.news.offered()
        await grow_cards(account_id, [new for one in arrived for new in one.new], steps, services.news)
    log.info("%s: %d leads, new lead created: %d, changed: %d", vendor, len(leads), added, changed)
    return tuple(arrived)


async def _take(
    account_id: int, vendor: str, some: Sequence[Lead], steps: Steps, services: ArrivalServices, *, start: int
) -> Arrived:
    async def save(tx: Tx) -> Arrived:
        arrived = await services.leads.arrive(tx, account_id, some)
        await offer_new(tx, account_id, vendor, arrived.new, services.news)
        return arrived

    return await steps.write(f"save:{start}", save, Arrived)
