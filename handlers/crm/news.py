"""Which leads of a CRM's delivery are news: they get the card of a new lead, and cards already shown grow."""

from collections.abc import Sequence

from domain.crm import CrmAction
from domain.events import CrmChanged
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.leads.news import grow_cards, offer_new
from handlers.leads.services import NewsServices


class CardNews:
    """The news of one delivery. ``new``: the CRM's ids of leads that it brought, whatever it said of them."""

    def __init__(self, item: WorkItem[CrmChanged], steps: Steps, services: NewsServices, new: Sequence[str]) -> None:
        self._account_id = item.account_id
        self._event = item.event
        self._steps = steps
        self._services = services
        self._new = frozenset(new)

    async def show(self, when: str, known: frozenset[str] = frozenset()) -> None:
        """``known``: leads whose time of making the API has told. Done again nothing comes of it."""
        await self._offer(when, sorted(self._news(known)))
        told = [change.lead.external_id for change in self._event.leads]
        contacts = [change.contact.external_id for change in self._event.contacts]
        leads = await self._services.cards.offers.told(self._account_id, self._event.vendor, told, contacts)
        await grow_cards(self._account_id, leads, self._steps, self._services, when=when)

    def _news(self, known: frozenset[str]) -> frozenset[str]:
        """One that is added is new even if an update was here before it; another may be as old as its time says."""
        added = {change.lead.external_id for change in self._event.leads if change.action is CrmAction.ADDED}
        dated = {change.lead.external_id for change in self._event.leads if change.lead.created_at is not None}
        return self._new & (dated | known) | added

    async def _offer(self, when: str, news: Sequence[str]) -> None:
        if not news:
            return
        leads = await self._services.cards.offers.told(self._account_id, self._event.vendor, news, ())

        async def offer(tx: Tx) -> int:
            return await offer_new(tx, self._account_id, self._event.vendor, leads, self._services)

        if await self._steps.write(f"offers{when}", offer, int):
            self._services.offered()
            self._services.cards.posted()
