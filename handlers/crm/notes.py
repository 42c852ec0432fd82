"""A note on a CRM's lead: who has taken it, or the summary of a call of its person; once, whatever crashes."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.crm import CLOSED, CrmLead
from domain.errors import NOT_CONNECTED, VendorRefused
from domain.events import NoteAsked
from domain.messages import Texts
from domain.ports import Attempt, CrmPlatform, Steps, Tx
from domain.work import WorkItem
from handlers.calls.messages import call_note
from storage.notes import NotedCall, Taking

log = logging.getLogger(__name__)

NOT_FOUND = "not_found"
PASSED_OVER = frozenset({NOT_CONNECTED, NOT_FOUND})  # nobody has let us in yet, or the lead is gone there: no note, no alarm
_EVER = datetime.min.replace(tzinfo=UTC)


class Noted(Protocol):
    """What notes tell of, and whose lead it is; storage.notes.NoteStore is the real one."""

    async def taking(self, account_id: int, lead_id: int) -> Taking | None: ...
    async def call(self, account_id: int, row_id: int) -> NotedCall | None: ...
    async def newest_open(self, account_id: int, source: str, phone: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteServices:
    """``platform`` is None where no CRM takes notes, or they were switched off since one was asked for."""

    store: Noted
    platform: CrmPlatform | None
    texts: Texts
    timezone: ZoneInfo


async def write_note(item: WorkItem[NoteAsked], steps: Steps, services: NoteServices) -> None:
    """Looked for by its marker before it is tried again. VendorUnavailable, VendorRefused."""
    if services.platform is None:
        return
    try:
        await _write(item, steps, services, services.platform)
    except VendorRefused as error:
        if error.code not in PASSED_OVER:
            raise
        log.info("no note on a lead of %s: %s", item.event.vendor, error.code)


async def _write(item: WorkItem[NoteAsked], steps: Steps, services: NoteServices, platform: CrmPlatform) -> None:
    text, marker = await _text(item, services), marker_of(item.event)
    if not text:
        return
    lead = await steps.run("lead", lambda: _lead(item, services, platform), str)
    if not lead:
        log.info("whoever called has no open lead in %s", item.event.vendor)
        return

    async def add(_: Attempt) -> str:
        return await platform.add_note(lead, text)

    async def keep(_: Tx, note_id: str) -> str:
        return note_id

    await steps.outward("note", add, keep, str, lookup=lambda: platform.find_note(lead, marker))


def marker_of(event: NoteAsked) -> str:
    """What the note carries, so that it is found instead of added again."""
    return "svodka-" + hashlib.sha256(f"{event.vendor}:{event.external_id}".encode()).hexdigest()[:12]


async def _text(item: WorkItem[NoteAsked], services: NoteServices) -> str:
    """ "" where there is nothing to tell any more: the claim or the summary is gone."""
    event, texts, marker = item.event, services.texts, marker_of(item.event)
    if event.taken_id:
        taking = await services.store.taking(item.account_id, event.taken_id)
        if taking is None:
            return ""
        name = taking.name or texts.get("offer.somebody")
        return texts.get("note.taken", name=name, at=f"{taking.at.astimezone(services.timezone):%H:%M}", marker=marker)
    call = await services.store.call(item.account_id, event.call_id)
    if call is None or call.summary is None:
        return ""
    return call_note(call.started_at, call.summary, texts, timezone=services.timezone, marker=marker)


async def _lead(item: WorkItem[NoteAsked], services: NoteServices, platform: CrmPlatform) -> str:
    """The CRM's id of the lead to note on: for a call the newest open one of its person, by our rows, else by the CRM."""
    event = item.event
    if event.lead:
        return event.lead
    call = await services.store.call(item.account_id, event.call_id)
    if call is None or not call.phone:
        return ""
    known = await services.store.newest_open(item.account_id, event.vendor, call.phone)
    return known or await _asked(platform, call.phone)


async def _asked(platform: CrmPlatform, phone: str) -> str:
    contacts = await platform.find_by_phone(phone)
    ids = list(dict.fromkeys(lead for contact in contacts for lead in contact.lead_ids))
    return _newest([lead for lead in await platform.leads(ids) if lead.status not in CLOSED]) if ids else ""


def _newest(leads: Sequence[CrmLead]) -> str:
    newest = max(leads, key=lambda lead: lead.created_at or _EVER, default=None)
    return newest.external_id if newest is not None else ""
