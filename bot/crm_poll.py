"""Asking a CRM for what its hooks did not tell: leads and contacts that changed, leads that were deleted."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.finds import Finds
from domain.crm import ContactChange, CrmAction, CrmContact, CrmLead, LeadChange
from domain.errors import NOT_CONNECTED, VendorError, VendorRefused
from domain.events import CrmChanged
from domain.ports import Clock, CrmPlatform
from storage.codec import dumps, loads
from storage.engine import Database
from storage.queries.crm_known import KnownLead, Telling, found_by_polls, known_contacts, known_leads
from storage.queries.crm_reckoning import CrmReckoning, keep_crm_reckoning, reckon_crm

log = logging.getLogger(__name__)

T = TypeVar("T")
BEFORE_CONNECTED = timedelta(minutes=15)  # what was changed while it was being connected; the rest is history
OVERLAP = timedelta(minutes=5)  # the CRM's clock and ours, and changes that are listed a while after the time they carry
HOOKS_FIRST = timedelta(seconds=30)  # a change this young may still be told of by its hook
PAGES_A_POLL = 40  # 10,000 leads; the rest is fetched by the next poll
PENDING = timedelta(minutes=10)  # what was found so lately may not be in our rows yet
RECKONED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The newest change that was asked for, of either kind."""

    leads: datetime
    contacts: datetime


class CrmPoll:
    """The leads and contacts of one connection; the sibling of CallPoll. ``unseal`` opens what a work's event is kept as.

    What is found goes the way of hooks: one work a page. What hooks have told already is no news.
    """

    def __init__(
        self,
        database: Database,
        finds: Finds,
        clock: Clock,
        platform: CrmPlatform,
        unseal: Callable[[str], str],
        *,
        account_id: int,
        vendor: str,
    ) -> None:
        self._database = database
        self._finds = finds
        self._clock = clock
        self._platform = platform
        self._unseal = unseal
        self._account_id = account_id
        self._vendor = vendor
        self._one_at_a_time = asyncio.Lock()  # the poll and the reconciliation find the same
        self._heard_since = clock.now()  # what was changed before was told to nobody

    async def poll(self) -> int:
        """New work from changes no hook told of; 0, and mostly a log line, without an answer."""
        try:
            async with self._one_at_a_time:
                return await self._poll()
        except VendorError as error:
            self._failed("polled", error)
            return 0

    async def reconcile(self) -> CrmReckoning | None:
        """The leads changed in the last 24 hours against our rows: what is not known gets work.

        The reckoning is kept for /status. None while the vendor is away.
        """
        try:
            async with self._one_at_a_time:
                return await self._reconcile()
        except VendorError as error:
            self._failed("reconciled", error)
            return None

    async def _poll(self) -> int:
        """Deletions first: the cursor that they are asked from is moved by the leads."""
        cursor = await self._cursor()
        asked = await self._asked(self._clock.now() - PENDING)
        found = 0
        async for gone in _bounded(self._platform.deleted_since(cursor.leads - OVERLAP)):
            found += await self._keep(None, await self._gone(gone))
        async for leads in _bounded(self._platform.changed_since(cursor.leads - OVERLAP)):
            ripe = [lead for lead in leads if not self._is_hooks(lead.updated_at)]
            cursor = replace(cursor, leads=_newest(ripe, cursor.leads))
            found += await self._keep(cursor, await self._news(ripe, asked))
        async for contacts in _bounded(self._platform.contacts_changed_since(cursor.contacts - OVERLAP)):
            told = [contact for contact in contacts if not self._is_hooks(contact.updated_at)]
            cursor = replace(cursor, contacts=_newest(told, cursor.contacts))
            found += await self._keep(cursor, contacts=await self._new_contacts(told))
        await self._keep(cursor)  # also when there was nothing: when we last asked is shown
        return found

    async def _reconcile(self) -> CrmReckoning:
        now = self._clock.now()
        since = max(now - RECKONED, await self._begin())
        asked, told, found = await self._asked(since), list[Telling](), 0
        async with aclosing(self._platform.changed_since(since)) as pages:
            async for page in pages:
                ripe = [lead for lead in page if not self._is_hooks(lead.updated_at)]
                told += [(lead.external_id, lead.updated_at) for lead in ripe]
                found += await self._keep(None, await self._news(ripe, asked))
        known = await known_leads(self._database, self._account_id, self._vendor, [lead_id for lead_id, _ in told])
        reckoning = reckon_crm(self._vendor, told, known, asked, now=now)
        await keep_crm_reckoning(self._database, self._account_id, reckoning)
        log.info("reconciled: %d leads listed, %d works for what was not known", reckoning.listed, found)
        return reckoning

    async def _cursor(self) -> Cursor:
        stored = await self._finds.cursor()
        if stored:
            return loads(Cursor, stored)
        begin = await self._begin()
        return Cursor(leads=begin, contacts=begin)

    async def _begin(self) -> datetime:
        """What was changed before is history, which is loaded only on request."""
        return await self._finds.connected_at() - BEFORE_CONNECTED

    def _is_hooks(self, updated_at: datetime | None) -> bool:
        """Left to the next poll, unless nobody was there to be told."""
        now = self._clock.now()
        return updated_at is not None and updated_at >= self._heard_since and updated_at > now - HOOKS_FIRST

    async def _news(self, listed: Sequence[CrmLead], asked: set[Telling]) -> list[LeadChange]:
        """Without what an earlier poll has found and nobody has got round to yet."""
        known = await self._known(listed)
        return [
            LeadChange(action=_action(lead, known), lead=lead)
            for lead in listed
            if not _is_known(lead, known) and (lead.external_id, lead.updated_at) not in asked
        ]

    async def _asked(self, since: datetime) -> set[Telling]:
        return await found_by_polls(self._database, self._account_id, self._vendor, since, self._unseal)

    async def _gone(self, listed: Sequence[CrmLead]) -> list[LeadChange]:
        """Those of the deleted that we have as if they were there."""
        known = await self._known(listed)
        gone = [lead for lead in listed if (here := known.get(lead.external_id)) and here.deleted_at is None]
        return [LeadChange(action=CrmAction.DELETED, lead=lead) for lead in gone]

    async def _new_contacts(self, listed: Sequence[CrmContact]) -> list[ContactChange]:
        ids = [contact.external_id for contact in listed]
        known = await known_contacts(self._database, self._account_id, self._vendor, ids)
        news = [one for one in listed if one.updated_at is None or known.get(one.external_id, _NEVER) < one.updated_at]
        return [ContactChange(action=CrmAction.UPDATED, contact=contact) for contact in news]

    async def _known(self, listed: Sequence[CrmLead]) -> dict[str, KnownLead]:
        return await known_leads(self._database, self._account_id, self._vendor, [lead.external_id for lead in listed])

    async def _keep(
        self, cursor: Cursor | None, leads: Sequence[LeadChange] = (), contacts: Sequence[ContactChange] = ()
    ) -> int:
        events = [self._event(leads, contacts)] if leads or contacts else []
        if events:
            log.info("%d leads and %d contacts found that no hook told of", len(leads), len(contacts))
        return await self._finds.keep(dumps(Cursor, cursor) if cursor is not None else None, events)

    def _event(self, leads: Sequence[LeadChange], contacts: Sequence[ContactChange]) -> CrmChanged:
        """Found again it is the same work."""
        name = hashlib.sha256("\n".join(sorted(map(repr, (*leads, *contacts)))).encode("utf-8", "surrogatepass"))
        times = [change.lead.updated_at for change in leads] + [change.contact.updated_at for change in contacts]
        return CrmChanged(
            vendor=self._vendor,
            external_id=f"poll-{name.hexdigest()[:32]}",
            occurred_at=max((at for at in times if at is not None), default=None),
            leads=tuple(leads),
            contacts=tuple(contacts),
        )

    def _failed(self, what: str, error: VendorError) -> None:
        """Who only sends us hooks cannot be asked, and nothing is wrong with that."""
        if not (isinstance(error, VendorRefused) and error.code == NOT_CONNECTED):
            log.warning("%s cannot be %s: %s", self._vendor, what, error)


def _is_known(lead: CrmLead, known: dict[str, KnownLead]) -> bool:
    here = known.get(lead.external_id)
    return here is not None and here.covers(lead.updated_at)


def _action(lead: CrmLead, known: dict[str, KnownLead]) -> CrmAction:
    """One that is listed as changed after it was deleted has been taken out of the basket."""
    here = known.get(lead.external_id)
    back = here and here.deleted_at and lead.updated_at and lead.updated_at > here.deleted_at
    return CrmAction.RESTORED if back else CrmAction.UPDATED


def _newest(listed: Sequence[CrmLead] | Sequence[CrmContact], known: datetime) -> datetime:
    return max([known, *(one.updated_at for one in listed if one.updated_at is not None)])


async def _bounded(pages: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    async with aclosing(pages):
        count = 0
        async for page in pages:
            yield page
            count += 1
            if count == PAGES_A_POLL:
                return


_NEVER = datetime.min.replace(tzinfo=UTC)
