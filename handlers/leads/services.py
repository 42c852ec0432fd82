"""What loading a table and taking leads in work with, per account; built by the composition root."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.imports import Import, State
from domain.leads import Arrived, Lead
from domain.messages import Destination, Message, Texts
from domain.ports import Clock, Tx
from handlers.leads.loading import Loader
from storage.leads import Saved
from storage.offers import Colleague, OfferedLead


class Imports(Protocol):
    """What is known of tables; storage.imports.ImportStore is the real one."""

    async def get(self, account_id: int, import_id: int) -> Import | None: ...
    async def settle(self, tx: Tx, import_id: int, *, state: State, saved: Saved, now: datetime) -> bool: ...


class PlaceChat(Protocol):
    """One chat, whatever is bound: who asked gets the answer."""

    async def post_to(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, *, priority: int = ...
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadServices:
    """``write`` commits what is no step: how far a load is. ``posted`` is called after an answer was committed."""

    imports: Imports
    loader: Loader
    chat: PlaceChat
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    write: Callable[[Callable[[Tx], Awaitable[int]]], Awaitable[int]]
    posted: Callable[[], None]


class LeadKeeper(Protocol):
    """Where leads and their people are kept; storage.leads.LeadStore is the real one."""

    async def arrive(self, tx: Tx, account_id: int, some: Sequence[Lead]) -> Arrived: ...


class OfferBook(Protocol):
    """New leads that wait for somebody; storage.offers.OfferStore is the real one."""

    async def begin(self, tx: Tx, account_id: int, leads: Sequence[int], *, now: datetime, fresh: datetime) -> int: ...
    async def minutes(self, account_id: int) -> int: ...
    async def team(self, tx: Tx, account_id: int) -> Sequence[Colleague]: ...
    async def read(self, tx: Tx, account_id: int, lead_id: int) -> OfferedLead | None: ...
    async def copies(self, tx: Tx, account_id: int, lead_id: int) -> Sequence[tuple[str, Destination]]: ...
    async def told(self, account_id: int, source: str, leads: Sequence[str], contacts: Sequence[str]) -> Sequence[int]: ...
    async def shown(self, account_id: int, leads: Sequence[int], now: datetime) -> Sequence[int]: ...


class OfferChat(PlaceChat, Protocol):
    """All bound chats, and one of them."""

    async def post(self, tx: Tx, account_id: int, message: Message) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferServices:
    """What a new lead is shown by until somebody takes it."""

    offers: OfferBook
    chat: OfferChat
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    posted: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsServices:
    """What makes new leads known, whoever tells of them. ``offered``: called when there may be work on them.

    Leads made longer ago than ``catchup_max_age``, or before ``quiet_before``, are kept without a card.
    """

    cards: OfferServices
    catchup_max_age: timedelta
    quiet_before: datetime | None
    offered: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalServices:
    """What leads of forms come in by."""

    leads: LeadKeeper
    news: NewsServices
    texts: Texts
