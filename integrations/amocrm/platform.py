"""amoCRM as a CRM: leads with whose they are, contacts, stages, notes, and the hooks that tell us of changes."""

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.crm import CrmContact, CrmLead, CrmPerson, CrmStage
from domain.errors import VendorRefused, VendorUnavailable
from domain.people import find_phones
from domain.ports import Clock
from integrations.amocrm.client import USERS, WEBHOOKS, Client, Json, embedded
from integrations.amocrm.entities import FieldNames, id_of, read_contact, read_lead
from integrations.amocrm.faults import BAD_REQUEST, FORBIDDEN, NO_STAGE, NOT_FOUND, VENDOR_NAME, refusal
from integrations.amocrm.listing import A_PAGE, changed
from integrations.amocrm.settings import Settings
from integrations.kit.values import flag_of, list_of, mapping_of, text_of

log = logging.getLogger(__name__)

PIPELINES = "leads/pipelines"
IDS_A_REQUEST = 100  # longer addresses are refused by servers in between
ONE_BY_ONE = 2  # leads that are asked for by their own address, which always tells their contacts
STAGES_TTL_S = 600.0
NOTE_PAGES = 20
_PLACE = re.compile(r"[0-9]{1,9}")
LAST_DIGITS = 10  # a phone is searched for as people write it, with or without its country


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRow:
    """A hook as the account lists it. ``disabled``: amoCRM itself has switched it off."""

    destination: str
    disabled: bool = False
    events: tuple[str, ...] = ()


class Crm:
    """Implements CrmPlatform of domain.ports over one account."""

    def __init__(self, client: Client, settings: Settings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._names = FieldNames.of(settings)
        self._clock = clock
        self._stages: tuple[float, Sequence[CrmStage]] | None = None

    async def leads(self, ids: Sequence[str]) -> Sequence[CrmLead]:
        if len(ids) <= ONE_BY_ONE:
            return [lead for one in ids if (lead := await self._lead(one)) is not None]
        found = [lead async for page in self._by_id("leads", ids, ("with", "contacts")) for lead in self._leads_of(page)]
        return [lead for lead in found if lead.external_id in set(ids)]

    async def contacts(self, ids: Sequence[str]) -> Sequence[CrmContact]:
        found = [one async for page in self._by_id("contacts", ids, ("with", "leads")) for one in self._contacts_of(page)]
        return [contact for contact in found if contact.external_id in set(ids)]

    async def changed_since(self, since: datetime) -> AsyncGenerator[Sequence[CrmLead], None]:
        async for page in changed(self._client, "leads", since, self._leads_of, [("with", "contacts")]):
            yield page

    async def contacts_changed_since(self, since: datetime) -> AsyncGenerator[Sequence[CrmContact], None]:
        async for page in changed(self._client, "contacts", since, self._contacts_of, [("with", "leads")]):
            yield page

    async def deleted_since(self, since: datetime) -> AsyncGenerator[Sequence[CrmLead], None]:
        """What lies in the basket. An account that does not know the question is one whose hooks alone tell of it."""
        try:
            async for page in changed(self._client, "leads", since, self._deleted_of, [("with", "only_deleted")]):
                yield page
        except VendorRefused as error:
            if error.code != BAD_REQUEST:
                raise
            log.info("amoCRM does not list what was deleted")

    async def find_by_phone(self, phone: str) -> Sequence[CrmContact]:
        wanted = {one.key for one in find_phones(phone)}
        if not wanted:
            return ()
        query = [("query", min(wanted)[-LAST_DIGITS:]), ("with", "leads"), ("limit", "50")]
        found = self._contacts_of(await self._client.get("contacts", query))
        return [one for one in found if wanted & {key.key for text in one.phones for key in find_phones(text)}]

    async def stages(self) -> Sequence[CrmStage]:
        page = await self._client.get(PIPELINES)
        listed = [stage for pipeline in sorted(embedded(page, "pipelines"), key=_place) for stage in _stages_of(pipeline)]
        self._stages = (self._clock.monotonic() + STAGES_TTL_S, listed)
        return listed

    async def people(self) -> Sequence[CrmPerson] | None:
        """An administrator's to see."""
        try:
            pages = self._client.pages(USERS, [("limit", str(A_PAGE))])
            found = [one async for page in pages for one in embedded(page, "users")]
        except VendorRefused as error:
            if error.code == FORBIDDEN:
                return None
            raise
        return [
            CrmPerson(
                external_id=number,
                name=text_of(one.get("name")),
                active=bool(mapping_of(one.get("rights")).get("is_active", True)),
            )
            for one in found
            if (number := id_of(one.get("id")))
        ]

    async def fields(self, entity: str) -> Sequence[tuple[str, str, str]]:
        """(number, name, code) of every field of "leads" or "contacts"."""
        pages = self._client.pages(f"{entity}/custom_fields", [("limit", "250")])
        found = [one async for page in pages for one in embedded(page, "custom_fields")]
        return [(text_of(one.get("id")), text_of(one.get("name")), text_of(one.get("code"))) for one in found]

    async def account(self) -> Json:
        return await self._client.get("account")

    async def find_note(self, lead_id: str, marker: str) -> str | None:
        query = [("filter[note_type]", "common"), ("order[id]", "desc"), ("limit", str(A_PAGE))]
        async for page in self._client.pages(f"leads/{lead_id}/notes", query, most=NOTE_PAGES):
            for note in embedded(page, "notes"):
                params = note.get("params")
                if isinstance(params, dict) and marker in text_of(params.get("text")):
                    return text_of(note.get("id"))
        return None

    async def add_note(self, lead_id: str, text: str) -> str:
        body = [{"note_type": "common", "params": {"text": text}}]
        action = f"leads/{lead_id}/notes"
        answer = await self._client.write(action, body)
        note_id = next((id_of(one.get("id")) for one in embedded(answer, "notes")), "")
        if not note_id:
            raise VendorUnavailable(VENDOR_NAME, action, "no id in the answer", uncertain=True)
        return note_id

    async def move(self, lead_id: str, status: str, *, also: Collection[tuple[str, str]] = ()) -> None:
        """Funnel of domain.ports. The stage is looked for in the lead's own pipeline, then in the others."""
        lead = await self._lead(lead_id)
        if lead is None:
            raise refusal(f"leads/{lead_id}", NOT_FOUND)
        wanted = status.casefold()
        named = [one for one in await self._stages_lately() if self._is_called(one, wanted, also)]
        stage = min(named, key=lambda one: one.pipeline_id != lead.pipeline_id, default=None)
        if stage is None:
            raise refusal(f"leads/{lead_id}", NO_STAGE)
        if (lead.pipeline_id, lead.status_id) != (stage.pipeline_id, stage.status_id):
            body = {"status_id": int(stage.status_id), "pipeline_id": int(stage.pipeline_id)}
            await self._client.write(f"leads/{lead_id}", body, method="PATCH")

    async def hooks(self) -> Sequence[HookRow]:
        """Every hook of the account; an administrator's to see."""
        found = [one async for page in self._client.pages(WEBHOOKS) for one in embedded(page, "webhooks")]
        return [
            HookRow(
                destination=text_of(one.get("destination")),
                disabled=flag_of(one.get("disabled")),
                events=tuple(map(text_of, list_of(one.get("settings")))),
            )
            for one in found
        ]

    async def subscribe(self, destination: str, events: Sequence[str]) -> None:
        """The same address again changes what it is told of."""
        await self._client.write(WEBHOOKS, {"destination": destination, "settings": list(events), "sort": 10})

    async def unsubscribe(self, destination: str) -> None:
        await self._client.write(WEBHOOKS, {"destination": destination}, method="DELETE")

    async def _stages_lately(self) -> Sequence[CrmStage]:
        """As they were some minutes ago at most."""
        known = self._stages
        return known[1] if known is not None and self._clock.monotonic() < known[0] else await self.stages()

    def _is_called(self, stage: CrmStage, wanted: str, also: Collection[tuple[str, str]]) -> bool:
        numbers = (stage.pipeline_id, stage.status_id)
        means = self._settings.stage_map.status_of(*numbers, name=stage.name)
        return numbers in also or wanted in {stage.name.casefold(), stage.status_id, means.casefold()}

    async def _lead(self, lead_id: str) -> CrmLead | None:
        """None for one that is deleted: there it is not found, or the list is empty."""
        try:
            answer = await self._client.get(f"leads/{lead_id}", [("with", "contacts")])
        except VendorRefused as error:
            if error.code == NOT_FOUND:
                return None
            raise
        return self._read(answer, lead_id) if answer and not _is_deleted(answer) else None

    async def _by_id(self, entity: str, ids: Sequence[str], also: tuple[str, str]) -> AsyncIterator[Json]:
        for start in range(0, len(ids), IDS_A_REQUEST):
            some = ids[start : start + IDS_A_REQUEST]
            query = [*(("filter[id][]", one) for one in some), also, ("limit", str(A_PAGE))]
            async for page in self._client.pages(entity, query):
                yield page

    def _leads_of(self, page: Json) -> list[CrmLead]:
        rows = [(id_of(row.get("id")), row) for row in embedded(page, "leads") if not _is_deleted(row)]
        return [self._read(row, number) for number, row in rows if number]

    def _deleted_of(self, page: Json) -> list[CrmLead]:
        """Of a deleted lead only its number and time are told."""
        rows = [(id_of(row.get("id")), row) for row in embedded(page, "leads") if _is_deleted(row)]
        return [CrmLead(external_id=number, updated_at=self._read(row, number).updated_at) for number, row in rows if number]

    def _read(self, row: Json, number: str) -> CrmLead:
        return read_lead(row, number, self._settings, self._names)

    def _contacts_of(self, page: Json) -> list[CrmContact]:
        rows = [(id_of(row.get("id")), row) for row in embedded(page, "contacts")]
        return [read_contact(row, number, self._names) for number, row in rows if number]


def _is_deleted(row: Json) -> bool:
    return flag_of(row.get("is_deleted"))


def _stages_of(pipeline: Json) -> list[CrmStage]:
    number, title = text_of(pipeline.get("id")), text_of(pipeline.get("name"))
    return [
        CrmStage(pipeline_id=number, pipeline=title, status_id=text_of(one.get("id")), name=text_of(one.get("name")))
        for one in sorted(embedded(pipeline, "statuses"), key=_place)
    ]


def _place(one: Json) -> int:
    """Where the account's people have put it; those that do not say stay as they are listed."""
    text = text_of(one.get("sort"))
    return int(text) if _PLACE.fullmatch(text) else 0
