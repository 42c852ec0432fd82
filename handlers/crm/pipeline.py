"""A CRM's changes become rows: what its delivery tells at once, what only its API knows after that."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from domain.crm import ContactChange, CrmAction, LeadChange
from domain.errors import NOT_CONNECTED, VendorError, VendorRefused
from domain.events import CrmChanged, DeliveryUnread
from domain.ports import CrmPlatform, Steps, Tx
from domain.work import WorkItem
from handlers.crm.news import CardNews
from handlers.crm.services import CrmServices
from storage.crm import MOST_CHANGES, Applied

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENCE = 2  # failures of the API in a row, half a minute: then a new lead is shown without its phone
NAMED = 20  # new leads of one delivery, by number in the log; the others are counted
UNREADABLE = "Поле, которое не разобрать: {problem}. Тело запроса сохранено на INBOX_DAYS дней."


async def crm_changed(item: WorkItem[CrmChanged], steps: Steps, services: CrmServices) -> None:
    """Contacts first: their phones are there when their leads are saved. What was told is kept whatever the API says.

    New leads are shown when the API has told whose they are, or cannot: not at all, or not for a while.
    """
    event, known = item.event, frozenset[str]()
    keeping = _Keeping(item, steps, services)
    await keeping.contacts("contacts", event.contacts)
    new = await keeping.leads("leads", [_numbered(change) for change in event.leads])
    _tell(new, services.title)
    news = CardNews(item, steps, services.news, new)
    if services.platform is not None:
        try:
            known = await _complete_if_connected(event, keeping, services.platform)
        except VendorError as error:
            if isinstance(error, VendorRefused) or item.failures >= PATIENCE:
                await news.show("_early")
            raise
    await news.show("", known)


async def delivery_unread(item: WorkItem[DeliveryUnread], _steps: Steps) -> None:
    """Nothing can be done with it but by a person, who finds it among the errors."""
    event = item.event
    hint = UNREADABLE.format(problem=event.problem)
    raise VendorRefused(event.vendor, f"webhook {event.problem}", "unreadable", hint=hint)


class _Keeping:
    """Changes into rows, MOST_CHANGES a write, each a step of its own."""

    def __init__(self, item: WorkItem[CrmChanged], steps: Steps, services: CrmServices) -> None:
        self._item = item
        self._steps = steps
        self._store = services.store

    async def contacts(self, name: str, changes: Sequence[ContactChange]) -> None:
        for place, some in _pieces(changes):
            await self._steps.write(f"{name}:{place}", partial(self._keep, some), Applied)

    async def leads(self, name: str, changes: Sequence[LeadChange]) -> list[str]:
        """The CRM's ids of those that were not there."""
        new: list[str] = []
        for place, some in _pieces(changes):
            new += (await self._steps.write(f"{name}:{place}", partial(self._save, some), Applied)).new
        return new

    async def _keep(self, some: Sequence[ContactChange], tx: Tx) -> Applied:
        return await self._store.contacts(tx, self._item.account_id, some, heard_at=self._item.heard_at)

    async def _save(self, some: Sequence[LeadChange], tx: Tx) -> Applied:
        return await self._store.leads(tx, self._item.account_id, some, heard_at=self._item.heard_at)


async def _complete_if_connected(event: CrmChanged, keeping: _Keeping, platform: CrmPlatform) -> frozenset[str]:
    """Leads that the API has told all of. Who only sends us hooks has said all there is to say."""
    try:
        return await _complete(event, keeping, platform)
    except VendorRefused as error:
        if error.code != NOT_CONNECTED:
            raise
        log.info("%s is not connected: only what its hooks tell is kept", event.vendor)
        return frozenset()


async def _complete(event: CrmChanged, keeping: _Keeping, platform: CrmPlatform) -> frozenset[str]:
    """A lead's hook holds neither its contacts nor the name of its stage: both are asked for. Asked again it is the same."""
    ids = list(dict.fromkeys(one.lead.external_id for one in event.leads if one.action is not CrmAction.DELETED))
    if not ids:
        return frozenset()
    names = {(stage.pipeline_id, stage.status_id): stage.status or stage.name for stage in await platform.stages()}
    leads = await platform.leads(ids)
    contacts = await platform.contacts(list(dict.fromkeys(one for lead in leads for one in lead.contact_ids)))
    await keeping.contacts("their_contacts", [ContactChange(action=CrmAction.UPDATED, contact=one) for one in contacts])
    whole = [LeadChange(action=CrmAction.UPDATED, lead=lead) for lead in leads]
    staged = [_named(change, names.get((change.lead.pipeline_id, change.lead.status_id), "")) for change in whole]
    await keeping.leads("whole", [_numbered(change) for change in staged])
    return frozenset(lead.external_id for lead in leads)


def _named(change: LeadChange, name: str) -> LeadChange:
    lead = change.lead
    return change if lead.status or not name else replace(change, lead=replace(lead, status=name))


def _numbered(change: LeadChange) -> LeadChange:
    """A stage that nobody has named keeps its number."""
    return _named(change, change.lead.status_id)


def _pieces(changes: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    for place, start in enumerate(range(0, len(changes), MOST_CHANGES)):
        yield place, changes[start : start + MOST_CHANGES]


def _tell(new: Sequence[str], title: str) -> None:
    for lead_id in new[:NAMED]:
        log.info("New lead created from %s: %s", title, lead_id)
    if len(new) > NAMED:
        log.info("%d more leads created from %s", len(new) - NAMED, title)
