"""A CRM's changes become rows: what its delivery tells at once, what only its API knows after that."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from domain.crm import ContactChange, LeadChange
from domain.errors import VendorRefused
from domain.events import CrmChanged, DeliveryUnread
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.crm.services import CrmServices
from storage.crm import MOST_CHANGES, Applied

log = logging.getLogger(__name__)

T = TypeVar("T")
NAMED = 20  # new leads of one delivery, by number in the log; the others are counted
UNREADABLE = "Поле, которое не разобрать: {problem}. Тело запроса сохранено на INBOX_DAYS дней."


async def crm_changed(item: WorkItem[CrmChanged], steps: Steps, services: CrmServices) -> None:
    """Contacts first: their phones are there when their leads are saved."""
    new: list[str] = []
    for place, contacts in _pieces(item.event.contacts):

        async def keep(tx: Tx, contacts: Sequence[ContactChange] = contacts) -> Applied:
            return await services.store.contacts(tx, item.account_id, contacts, heard_at=item.heard_at)

        await steps.write(f"contacts:{place}", keep, Applied)
    for place, leads in _pieces([_named(change) for change in item.event.leads]):

        async def save(tx: Tx, leads: Sequence[LeadChange] = leads) -> Applied:
            return await services.store.leads(tx, item.account_id, leads, heard_at=item.heard_at)

        new += (await steps.write(f"leads:{place}", save, Applied)).new
    _tell(new, services.title)


async def delivery_unread(item: WorkItem[DeliveryUnread], _steps: Steps) -> None:
    """Nothing can be done with it but by a person, who finds it among the errors."""
    event = item.event
    raise VendorRefused(
        event.vendor, f"webhook {event.problem}", "unreadable", hint=UNREADABLE.format(problem=event.problem)
    )


def _named(change: LeadChange) -> LeadChange:
    """A stage that nobody has named keeps its number."""
    lead = change.lead
    return change if lead.status or not lead.status_id else replace(change, lead=replace(lead, status=lead.status_id))


def _pieces(changes: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    for place, start in enumerate(range(0, len(changes), MOST_CHANGES)):
        yield place, changes[start : start + MOST_CHANGES]


def _tell(new: Sequence[str], title: str) -> None:
    for lead_id in new[:NAMED]:
        log.info("New lead created from %s: %s", title, lead_id)
    if len(new) > NAMED:
        log.info("%d more leads created from %s", len(new) - NAMED, title)
