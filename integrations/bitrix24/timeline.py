"""The history of CRM cards: where a call belongs, our comment on it, and the names of who took part."""

import asyncio
import html
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from domain.calls import CallFacts, Parties
from domain.errors import VendorRefused, VendorUnavailable
from domain.ports import Clock
from integrations.bitrix24.client import Client
from integrations.bitrix24.codes import ENTITY_PREFERENCE, VENDOR_NAME, card_path, entity_type
from integrations.bitrix24.faults import DENIED, MISSING
from integrations.bitrix24.models import Binding, CommentRow, PersonRow, read_row, read_rows, whole_or_text

ADD = "crm.timeline.comment.add"
NAMES_TTL_S = 600.0
BINDINGS_TTL_S = 180.0
REMEMBERED = 2000
COMMENT_PAGES = 40

_INVISIBLE = "\u200b"  # zero-width space: the eye sees "[b]", the markup parser does not
_GET_CLIENT = {"contact": "crm.contact.get", "lead": "crm.lead.get", "company": "crm.company.get"}

T = TypeVar("T")


class Timeline:
    """Implements Timeline of domain.ports over one portal."""

    def __init__(self, client: Client, portal_url: str, clock: Clock) -> None:
        self._client = client
        self._portal_url = portal_url
        self._names: Remembered[str] = Remembered(clock, NAMES_TTL_S)
        self._bindings: Remembered[tuple[tuple[str, str], ...]] = Remembered(clock, BINDINGS_TTL_S)

    async def target(self, facts: CallFacts) -> tuple[str, str] | None:
        """Deal, lead, contact or company of the call's activity, in this order; else what the statistics name."""
        bound = await self._cards(facts.activity_id)
        return min(bound, key=_rank) if bound else facts.crm_entity

    async def find_comment(self, target: tuple[str, str], marker: str) -> str | None:
        """The newest comment with ``marker``; a card with more than 2,000 newer comments counts as not having it."""
        entity_kind, entity_id = target
        asked = {
            "filter": {"ENTITY_ID": whole_or_text(entity_id), "ENTITY_TYPE": entity_kind},
            "select": ["ID", "COMMENT"],
            "order": {"ID": "DESC"},
        }
        async for result in self._client.iterate("crm.timeline.comment.list", asked, pages=COMMENT_PAGES):
            for row in read_rows(CommentRow, result):
                if marker in plain_text(row.comment):
                    return row.row_id
        return None

    async def add_comment(self, target: tuple[str, str], text: str) -> str:
        """See Timeline. An answer without an id means that the comment may be there: ``uncertain``."""
        entity_kind, entity_id = target
        fields = {"ENTITY_ID": whole_or_text(entity_id), "ENTITY_TYPE": entity_kind, "COMMENT": escaped(text)}
        reply = await self._client.call(ADD, {"fields": fields}, idempotent=False)
        comment_id = reply.result
        if isinstance(comment_id, (int, str)) and str(comment_id).isdecimal():
            return str(comment_id)
        raise VendorUnavailable(VENDOR_NAME, ADD, "no id in the answer", uncertain=True)

    async def update_comment(self, comment_id: str, target: tuple[str, str], text: str) -> None:  # noqa: ARG002 - the port's
        """By its id; writing the same text twice changes nothing."""
        asked = {"id": whole_or_text(comment_id), "fields": {"COMMENT": escaped(text)}}
        await self._client.call("crm.timeline.comment.update", asked, idempotent=False)

    async def parties(self, facts: CallFacts) -> Parties:
        """Names from the portal, remembered for ten minutes; what the webhook may not see stays empty."""
        target = await self._or_empty(lambda: self.target(facts), facts.crm_entity)
        return Parties(
            employee_name=await self._employee(facts.employee_id),
            client_name=await self._client_name(facts),
            crm_url=self._portal_url + card_path(target) if target else "",
        )

    async def _cards(self, activity_id: str) -> tuple[tuple[str, str], ...]:
        """The cards of an activity, empty when it is gone or not for our eyes."""
        if not activity_id:
            return ()

        async def ask() -> tuple[tuple[str, str], ...]:
            try:
                reply = await self._client.call("crm.activity.binding.list", {"activityId": whole_or_text(activity_id)})
            except VendorRefused as refusal:
                if refusal.code in MISSING | DENIED:
                    return ()
                raise
            cards = ((entity_type(row.type_id), row.entity_id) for row in read_rows(Binding, reply.result))
            return tuple(card for card in cards if all(card))

        return await self._bindings.get(activity_id, ask)

    async def _employee(self, user_id: str) -> str:
        if not user_id:
            return ""

        async def ask() -> str:
            reply = await self._client.call("user.get", {"FILTER": {"ID": whole_or_text(user_id)}})
            people = read_rows(PersonRow, reply.result)
            return next((person.full_name for person in people if person.row_id == user_id), "")

        return await self._names.get(f"user:{user_id}", lambda: self._or_empty(ask, ""))

    async def _client_name(self, facts: CallFacts) -> str:
        """The statistics name the client's own card; without it the activity's cards are searched, contact first."""
        cards = [facts.crm_entity] if facts.crm_entity else []
        cards += await self._or_empty(lambda: self._cards(facts.activity_id), ())
        for kind in _GET_CLIENT:
            for card_kind, card_id in cards:
                if card_kind == kind and (name := await self._card_name(kind, card_id)):
                    return name
        return ""

    async def _card_name(self, kind: str, card_id: str) -> str:
        async def ask() -> str:
            reply = await self._client.call(_GET_CLIENT[kind], {"id": whole_or_text(card_id)})
            person = read_row(PersonRow, reply.result)
            if person is None:
                return ""
            return person.title if kind == "company" else person.full_name

        return await self._names.get(f"{kind}:{card_id}", lambda: self._or_empty(ask, ""))

    async def _or_empty(self, ask: Callable[[], Awaitable[T]], empty: T) -> T:
        """A refusal is no reason to keep a card back: the name stays empty, and `check` names the missing right."""
        try:
            return await ask()
        except VendorRefused:
            return empty


class Remembered(Generic[T]):
    """Answers kept for ``ttl_s`` seconds, the oldest dropped beyond REMEMBERED; failures are not kept.

    Those who ask for one key at the same time share one question; when it fails, the next of them asks for itself.
    """

    def __init__(self, clock: Clock, ttl_s: float) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        asking = self._asking.setdefault(key, asyncio.Lock())
        async with asking:  # not a shared task: whoever asks first may be cancelled without harm to the others
            return await self._kept_or_asked(key, ask)

    async def _kept_or_asked(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        kept = self._kept.get(key)
        now = self._clock.monotonic()
        if kept is not None and now < kept[0]:
            return kept[1]
        value = await ask()
        self._kept[key] = (now + self._ttl_s, value)
        self._kept.move_to_end(key)
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return value


def escaped(text: str) -> str:
    """Text that Bitrix24 shows as it is: without this, «[b]» said in a call would be markup."""
    return text.replace("[", "[" + _INVISIBLE).encode("utf-8", "replace").decode("utf-8")


def plain_text(comment: str) -> str:
    """A comment as it was before ``escaped``, and before any HTML escaping of the portal's."""
    return html.unescape(comment).replace(_INVISIBLE, "")


def _rank(card: tuple[str, str]) -> tuple[int, int]:
    """Wanted kinds first, within a kind the newest card."""
    kind, card_id = card
    place = ENTITY_PREFERENCE.index(kind) if kind in ENTITY_PREFERENCE else len(ENTITY_PREFERENCE)
    return place, -int(card_id) if card_id.isdecimal() else 0
