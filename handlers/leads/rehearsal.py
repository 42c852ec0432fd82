"""A lead of our own goes the way of all leads; the card of it is for those who run the bot, and the lead is gone again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from domain.errors import VendorRefused
from domain.events import CrmChanged, LeadsChanged
from domain.messages import Destination, Message, Span, Style, Texts
from domain.ports import CrmPlatform, Steps, Tx
from domain.work import WorkItem
from handlers.crm.services import Leads
from handlers.leads.offer_messages import offer_card
from handlers.leads.services import LeadKeeper, OfferBook, PlaceChat
from storage.offers import OfferedLead
from storage.trying import lead_named, tried

NOT_KEPT = "Лид проверки не прочёлся из базы. Посмотрите /errors и журнал за эту минуту."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialServices:
    """``leads`` and ``crm``: where leads of forms and of the CRM are kept; ``platform`` where the CRM can be asked."""

    leads: LeadKeeper
    offers: OfferBook
    chat: PlaceChat
    texts: Texts
    timezone: ZoneInfo
    posted: Callable[[], None]
    crm: Leads | None = None
    platform: CrmPlatform | None = None


def card_key(event: LeadsChanged | CrmChanged) -> str:
    return f"rehearsal:{event.vendor}:{event.external_id}"


async def try_form(item: WorkItem[LeadsChanged], steps: Steps, services: TrialServices) -> None:
    """A form of a site."""

    async def keep(tx: Tx) -> None:
        await services.leads.arrive(tx, item.account_id, item.event.leads)

    await _show(item, steps, services, keep, named=item.event.leads[0].external_id)


async def try_crm(item: WorkItem[CrmChanged], steps: Steps, services: TrialServices) -> None:
    """A contact and a deal of a CRM, which is asked for its stages as it is after a real deal."""
    platform, store, event = services.platform, services.crm, item.event
    if platform is not None:

        async def ask() -> int:
            return len(await platform.stages())

        await steps.run("rehearse_ask", ask, int)

    async def keep(tx: Tx) -> None:
        if store is not None:
            await store.contacts(tx, item.account_id, event.contacts, heard_at=item.heard_at)
            await store.leads(tx, item.account_id, event.leads, heard_at=item.heard_at)

    await _show(item, steps, services, keep, named=event.leads[0].lead.external_id)


async def _show(
    item: WorkItem[Any], steps: Steps, services: TrialServices, keep: Callable[[Tx], Awaitable[None]], *, named: str
) -> None:
    """Kept, read as its card reads it and taken back in one commit: no figure, no list and no manager ever sees it."""

    async def read(tx: Tx) -> OfferedLead | None:
        await keep(tx)
        lead_id = await lead_named(tx, item.account_id, item.event.vendor, named)
        return await services.offers.read(tx, item.account_id, lead_id) if lead_id is not None else None

    async def write(tx: Tx) -> int:
        lead = await tried(tx, lambda: read(tx))
        if lead is None:
            raise VendorRefused(item.event.vendor, "rehearsal", "not kept", hint=NOT_KEPT)
        card = _marked(lead, services, key=card_key(item.event))
        runs = [one for one in await services.offers.team(tx, item.account_id) if one.runs]
        for one in runs:
            await services.chat.post_to(tx, item.account_id, Destination(chat_id=one.telegram_id), card)
        return len(runs)

    await steps.write("rehearse_card", write, int)
    services.posted()


def _marked(lead: OfferedLead, services: TrialServices, *, key: str) -> Message:
    """The card of any new lead with the mark before its title, and without buttons: there is nothing to take."""
    card = offer_card(lead, services.texts, services.timezone, private=True, key=key)
    first, *rest = card.sections
    mark = Span(services.texts.get("card.rehearsal") + " ", Style.BOLD)
    title = replace(first.title, spans=(mark, *first.title.spans)) if first.title is not None else None
    return replace(card, sections=(replace(first, title=title), *rest), buttons=())
