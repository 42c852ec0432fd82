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
from handlers.leads.offer_messages import offer_card, offer_key
from handlers.leads.services import OfferServices
from storage.offers import Colleague, OfferedLead

log = logging.getLogger(__name__)


async def offer_lead(item: WorkItem[LeadOffered], steps: Steps, services: OfferServices) -> None:
    """Each time it is due is remembered, and each passing on is one commit: a crash neither forgets nor repeats one."""
    if not await steps.write("post:card", lambda tx: _show(item, tx, services), bool):
        return
    services.posted()
    for stage in ("next", "head"):
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
    lead = await services.offers.read(tx, item.account_id, item.event.lead_id)
    if lead is None or lead.taken is not None:
        return False
    await services.chat.post(tx, item.account_id, offer_card(lead, services.texts, services.timezone))
    return True


async def _pass(item: WorkItem[LeadOffered], tx: Tx, services: OfferServices, stage: str) -> bool:
    """Whether it is still nobody's: then the next one has it in private, and the card in the chat says so."""
    lead = await services.offers.read(tx, item.account_id, item.event.lead_id)
    if lead is None or lead.taken is not None:
        return False
    asked = _next(lead, stage, await services.offers.team(tx, item.account_id))
    if not asked:
        return True
    names = ", ".join(filter(None, (one.name for one in asked)))
    note = services.texts.get(f"offer.{stage}", name=names or services.texts.get("offer.somebody"))
    shared = offer_card(lead, services.texts, services.timezone, note=note)
    for place in await services.offers.places(tx, item.account_id, offer_key(lead)):
        await services.chat.post_to(tx, item.account_id, place, shared)
    own = offer_card(lead, services.texts, services.timezone, private=True, key=f"{offer_key(lead)}:{stage}")
    for one in asked:
        await services.chat.post_to(tx, item.account_id, Destination(chat_id=one.telegram_id), own)
    log.info("lead %d is passed on: %s", lead.id, stage)
    return True


def _next(lead: OfferedLead, stage: str, team: Sequence[Colleague]) -> Sequence[Colleague]:
    """Managers by turns, each lead to the next one of them; then all who run the team."""
    managers = [one for one in team if not one.runs]
    if stage == "next":
        return [managers[lead.id % len(managers)]] if managers else []
    return [one for one in team if one.runs]
