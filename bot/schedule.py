"""What happens by the clock, in the leader: polls, the reconciliation, and tidying up."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.requests import answer_requests
from bot.retention import Retention
from bot.services import Services

log = logging.getLogger(__name__)

POLL = timedelta(minutes=2)
RECONCILE = timedelta(hours=1)  # once a night would do against loss; people look at the figures by day
CLOCK_JUMP_SECONDS = 300.0


class Schedule:
    """Ticks only: what a tick starts is remembered in the database, not here."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scheduler: Any = AsyncIOScheduler(timezone=services.settings.timezone)
        self._retention = Retention(services)
        self._offset = self._wall_against_monotonic()

    def start(self) -> None:
        self._every(self._poll, seconds=POLL.total_seconds(), now=True)
        self._every(self._requests, seconds=1)
        self._every(self._tidy, seconds=3600)
        self._every(self._watch_clock, seconds=60)
        self._every(self._count, seconds=60)
        self._every(self._reconcile, seconds=RECONCILE.total_seconds())
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    def _every(self, job: Callable[[], Awaitable[None]], *, seconds: float, now: bool = False) -> None:
        first = {"next_run_time": datetime.now(self._services.settings.timezone)} if now else {}
        self._scheduler.add_job(
            self._guarded(job), "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None, **first
        )

    @staticmethod
    def _guarded(job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            try:
                await job()
            except Exception:
                log.exception("scheduled job %s", job.__name__)

        return run

    async def _poll(self) -> None:
        found = 0
        for poll in self._services.polls:
            found += await poll.poll()
        if found:
            self._services.runner.wake()

    async def _reconcile(self) -> None:
        for poll in self._services.polls:
            if await poll.reconcile() is not None:
                self._services.runner.wake()

    async def _requests(self) -> None:
        await answer_requests(self._services)

    async def _tidy(self) -> None:
        await self._retention.tidy()

    async def _count(self) -> None:
        await self._retention.keep_counters()

    async def _watch_clock(self) -> None:
        offset = self._wall_against_monotonic()
        moved = offset - self._offset
        self._offset = offset
        if abs(moved) > CLOCK_JUMP_SECONDS:
            log.warning("the machine's clock moved by %.0f s", moved)

    def _wall_against_monotonic(self) -> float:
        clock = self._services.clock
        return clock.now().timestamp() - clock.monotonic()
