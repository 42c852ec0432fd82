"""What applying rules works with, per account; built by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.ads import AdRun, RunState
from domain.messages import Texts
from domain.ports import Clock, Tx
from handlers.leads.services import PlaceChat


class Runs(Protocol):
    """Runs and what they change; storage.ad_runs.AdRunStore is the real one."""

    async def get(self, account_id: int, run_id: int) -> AdRun | None: ...
    async def go_on(self, run: AdRun) -> AdRun: ...
    async def take_back(self, run: AdRun) -> AdRun | None: ...
    async def settle(self, tx: Tx, run: AdRun, state: RunState, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdServices:
    """``write`` commits what is no step: how far a run is. ``posted`` is called after an answer was committed."""

    runs: Runs
    chat: PlaceChat
    clock: Clock
    texts: Texts
    timezone: ZoneInfo
    write: Callable[[Callable[[Tx], Awaitable[int]]], Awaitable[int]]
    posted: Callable[[], None]
