"""A new lead is shown until somebody takes it: the chat, then the next of the team in turn, then who runs it."""

import logging
from collections.abc import Sequence
from datetime import datetime

from domain.errors import NotReady
from domain.events import LeadOffered
from domain.hours import working_due
from domain.messages import Destination
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.leads.offer_messages import offer_card
from handlers.leads.services import OfferServices
from storage.offers import PASSES, Colleague, OfferedLead, copy_key

log = logging.getLogger(__name__)


async def offer_lead(item: WorkItem[LeadOffered], steps: Steps, services: OfferServices) -> None:
    """Each time it is due is remembered, and each passing on is one commit: a crash neither forgets nor repeats one."""
    if not await steps.write("post:card", lambda tx: _show(item, tx, services), bool):
        return
    services.posted()
    for stage in PASSES:
        if not await _waited(item, steps, services, stage):
            return
        if not await steps.write(f"pass:{stage}", lambda tx, stage=stage: _pass(item, tx, services, stage), bool):  # type: ignore[misc]
            return
        services.posted()


async def _waited(item: WorkItem[LeadOffered], steps: Steps, services: OfferServices, stage: str) -> bool:
    """True once it has waited long enough; False where it may wait for ever."""
    minutes = await services.offers.minutes(item.account_id)
    if not minutes:
        return False

    async def due() -> datetime:
        return working_due(services.clock.now(), minutes, services.timezone)

    at = await steps.run(f"due:{stage}", due, datetime)
    if (left := (at - services.clock.now()).total_seconds()) > 0:
        raise NotReady("claim", retry_after=left)
    return True


async def _show(item: WorkItem[LeadOffered], tx: Tx, services: OfferServices) -> bool:
    lead = await _open(item, tx, services)
    if lead is None:
        return False
    await services.chat.post(tx, item.account_id, offer_card(lead, services.texts, services.timezone))
    return True


async def _open(item: WorkItem[LeadOffered], tx: Tx, services: OfferServices) -> OfferedLead | None:
    """None for one that is gone, that somebody has, or whose person has turned out to have a card already."""
    lead = await services.offers.read(tx, item.account_id, item.event.lead_id)
    return None if lead is None or lead.taken is not None or lead.follows else lead


async def _pass(item: WorkItem[LeadOffered], tx: Tx, services: OfferServices, stage: str) -> bool:
    """Whether it is still nobody's: then the next one has it in private, and the card in the chat says so."""
    lead = await _open(item, tx, services)
    if lead is None:
        return False
    asked = _next(lead, stage, await services.offers.team(tx, item.account_id))
    if not asked:
        return True
    own = offer_card(lead, services.texts, services.timezone, private=True, key=copy_key(lead.id, stage))
    for one in asked:
        await services.chat.post_to(tx, item.account_id, Destination(chat_id=one.telegram_id), own)
    await redraw_card(tx, item.account_id, lead.id, services)
    log.info("lead %d is passed on: %s", lead.id, stage)
    return True


async def redraw_card(tx: Tx, account_id: int, lead_id: int, services: OfferServices) -> None:
    """Every copy of the card as the lead is now: what tells nothing new edits nothing."""
    lead = await services.offers.read(tx, account_id, lead_id)
    if lead is None:
        return
    for key, place in await services.offers.copies(tx, account_id, lead_id):
        private = key != copy_key(lead_id)
        card = offer_card(lead, services.texts, services.timezone, private=private, key=key)
        await services.chat.post_to(tx, account_id, place, card)


def _next(lead: OfferedLead, stage: str, team: Sequence[Colleague]) -> Sequence[Colleague]:
    """Managers by turns, each lead to the next one of them; then all who run the team."""
    managers = [one for one in team if not one.runs]
    if stage == "next":
        return [managers[lead.id % len(managers)]] if managers else []
    return [one for one in team if one.runs]
