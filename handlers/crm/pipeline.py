"""A CRM's changes become rows: what its delivery tells at once, what only its API knows after that."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeVar

from domain.crm import ContactChange, CrmAction, LeadChange
from domain.errors import NOT_CONNECTED, VendorError, VendorRefused
from domain.events import CrmChanged, DeliveryUnread
from domain.ports import CrmPlatform, Steps, Tx
from domain.work import WorkItem
from handlers.crm.directory import Directory
from handlers.crm.news import CardNews
from handlers.crm.services import CrmServices
from handlers.crm.unknown import tell_unknown
from storage.crm import MOST_CHANGES, Applied

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENCE = 2  # failures of the API in a row, half a minute: then a new lead is shown without its phone
NAMED = 20  # new leads of one delivery, by number in the log; the others are counted
UNREADABLE = "Поле, которое не разобрать: {problem}. Тело запроса сохранено."
FOREIGN = (
    "Это событие другого аккаунта, оно не применено. Если переименован ваш, исправьте его адрес в настройках и нажмите "
    "«Повторить»; если нет, удалите вебхук в том аккаунте."
)


async def crm_changed(item: WorkItem[CrmChanged], steps: Steps, services: CrmServices) -> None:
    """Contacts first: their phones are there when their leads are saved. What was told is kept whatever the API says.

    New leads are shown when the API has told whose they are, or cannot: not at all, or not for a while.
    """
    event, known = item.event, frozenset[str]()
    keeping = _Keeping(item, steps, services)
    await keeping.contacts("contacts", event.contacts)
    new = await keeping.leads("leads", event.leads)
    _tell(new, services.title)
    news = CardNews(item, steps, services.news, new)
    if services.platform is not None:
        try:
            known = await _complete_if_connected(event, keeping, services.platform, services.directory)
        except VendorError as error:
            if isinstance(error, VendorRefused) or item.failures >= PATIENCE:
                await news.show("_early")
            raise
    await news.show("", known)
    await tell_unknown(item.account_id, {change.lead.status_id for change in event.leads}, steps, services)


async def delivery_unread(item: WorkItem[DeliveryUnread], _steps: Steps) -> None:
    """Nothing can be done with it but by a person, who finds it among the errors."""
    event = item.event
    hint = FOREIGN if event.problem.startswith("account.") else UNREADABLE.format(problem=event.problem)
    raise VendorRefused(event.vendor, f"webhook {event.problem}", "unreadable", hint=hint)


class _Keeping:
    """Changes into rows, MOST_CHANGES a write, each a step of its own."""

    def __init__(self, item: WorkItem[CrmChanged], steps: Steps, services: CrmServices) -> None:
        self._item = item
        self._steps = steps
        self._store = services.store
        self.account_id = item.account_id

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
        return await self._store.contacts(tx, self.account_id, some, heard_at=self._item.heard_at)

    async def _save(self, some: Sequence[LeadChange], tx: Tx) -> Applied:
        return await self._store.leads(tx, self.account_id, some, heard_at=self._item.heard_at)


async def _complete_if_connected(
    event: CrmChanged, keeping: _Keeping, platform: CrmPlatform, directory: Directory | None
) -> frozenset[str]:
    """Leads that the API has told all of. Who only sends us hooks has said all there is to say."""
    try:
        return await _complete(event, keeping, platform, directory)
    except VendorRefused as error:
        if error.code != NOT_CONNECTED:
            raise
        log.info("%s is not connected: only what its hooks tell is kept", event.vendor)
        return frozenset()


async def _complete(
    event: CrmChanged, keeping: _Keeping, platform: CrmPlatform, directory: Directory | None
) -> frozenset[str]:
    """A lead's hook holds neither its contacts nor any name: all of that is asked for. Asked again it is the same."""
    told = [change.lead for change in event.leads if change.action is not CrmAction.DELETED]
    ids = list(dict.fromkeys(lead.external_id for lead in told))
    if not ids:
        return frozenset()
    leads = await platform.leads(ids)
    contacts = await platform.contacts(list(dict.fromkeys(one for lead in leads for one in lead.contact_ids)))
    await keeping.contacts("their_contacts", [ContactChange(action=CrmAction.UPDATED, contact=one) for one in contacts])
    if directory is not None:
        await directory.meet(keeping.account_id, [*told, *leads])
    await keeping.leads("whole", [LeadChange(action=CrmAction.UPDATED, lead=lead) for lead in leads])
    return frozenset(lead.external_id for lead in leads)


def _pieces(changes: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    for place, start in enumerate(range(0, len(changes), MOST_CHANGES)):
        yield place, changes[start : start + MOST_CHANGES]


def _tell(new: Sequence[str], title: str) -> None:
    for lead_id in new[:NAMED]:
        log.info("New lead created from %s: %s", title, lead_id)
    if len(new) > NAMED:
        log.info("%d more leads created from %s", len(new) - NAMED, title)
