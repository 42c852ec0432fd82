"""What loading a table and taking leads in work with, per account; built by the composition root."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.imports import Import, State
from domain.leads import Arrived, Lead
from domain.messages import Destination, Message, Texts
from domain.ports import Clock, Tx
from handlers.leads.loading import Loader
from storage.leads import Saved


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalServices:
    """What leads come in by, whatever vendor tells of them."""

    leads: LeadKeeper
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    posted: Callable[[], None]
