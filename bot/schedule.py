"""What happens by the clock, in the leader: polls, the reconciliation, and tidying up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.crm import keep_names
from bot.digests import begin_due
from bot.directory import ask_every_hour
from bot.entrance import ACCOUNT
from bot.figures import keep_figures
from bot.requests import Requests
from bot.retention import Retention
from bot.services import Services
from bot.table_loads import go_on_with_all
from domain.attendance import Yardstick
from domain.errors import VendorError
from handlers.tasks.reading import refresh_all
from handlers.webinars.following import follow_changes

log = logging.getLogger(__name__)

POLL = timedelta(minutes=2)
TIDY = timedelta(hours=1)
RECONCILE = timedelta(hours=1)  # once a night would do against loss; people look at the figures by day
SETTLED = timedelta(minutes=2)  # a process that is restarted within the hour tidies and reconciles all the same
UPKEEP = timedelta(hours=1)
HOOKS = timedelta(hours=1)  # amoCRM switches a hook off by itself, and only its admins are told
CARDS = timedelta(minutes=3)  # a card that is edited at every lead is looked at by nobody
DIGESTS = timedelta(seconds=20)
NAMES = timedelta(hours=1)  # they are asked for once a day; the hour is for those that could not be had
TASKS = timedelta(minutes=20)  # the digest counts what is overdue; who asks is answered with what is there now
DIRECTORY = timedelta(minutes=5)  # its work is one an hour, by its key: a restart in between adds none
CLOCK_JUMP_SECONDS = 300.0


class Schedule:
    """Ticks only: what a tick starts is remembered in the database, not here."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scheduler: Any = AsyncIOScheduler(timezone=services.settings.timezone)
        self._retention = Retention(services)
        self._answers = Requests(services)
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._offset = self._wall_against_monotonic()

    def start(self) -> None:
        self._every(self._poll, seconds=POLL.total_seconds(), first=timedelta())
        self._every(self._requests, seconds=1)
        self._every(self._begin_digests, seconds=DIGESTS.total_seconds(), first=timedelta())
        self._every(self._load_tables, seconds=TIDY.total_seconds(), first=timedelta())
        self._every(self._tidy, seconds=TIDY.total_seconds(), first=SETTLED)
        self._every(self._watch_clock, seconds=60)
        self._every(self._reconcile, seconds=RECONCILE.total_seconds(), first=SETTLED)
        self._every(self._keep_figures, seconds=60)
        self._every(self._follow_cards, seconds=CARDS.total_seconds(), first=SETTLED)
        self._every(self._look_at_hooks, seconds=HOOKS.total_seconds(), first=SETTLED)
        self._every(self._keep_tokens, seconds=UPKEEP.total_seconds(), first=SETTLED)
        self._every(self._keep_names, seconds=NAMES.total_seconds(), first=timedelta())
        self._every(self._read_tasks, seconds=TASKS.total_seconds(), first=SETTLED)
        self._every(self._read_directory, seconds=DIRECTORY.total_seconds(), first=timedelta())
        self._scheduler.start()

    async def stop(self) -> None:
        """Begin nothing new, and end what is under way: it may still write, so the database has to be open."""
        self._scheduler.pause()
        await asyncio.sleep(0)  # what was handed over already gets as far as _guarded, which knows how to end
        self._stopping = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._answers.stop()
        self._scheduler.shutdown(wait=False)

    def _every(self, job: Callable[[], Awaitable[None]], *, seconds: float, first: timedelta | None = None) -> None:
        """``first``: how long after the start the first time is; else one period."""
        after = timedelta(seconds=seconds) if first is None else first
        self._scheduler.add_job(
            self._guarded(job),
            "interval",
            seconds=seconds,
            next_run_time=datetime.now(self._services.settings.timezone) + after,
            name=job.__name__,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def _guarded(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - the scheduler makes one for each run
            self._running.add(task)
            try:
                await job()
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except Exception:
                log.exception("scheduled job %s", job.__name__)
            finally:
                self._running.discard(task)

        return run

    async def _poll(self) -> None:
        # side by side: a vendor that is slow to answer does not make another one wait
        if sum(await asyncio.gather(*(poll.poll() for poll in self._services.polls))):
            self._services.runner.wake()

    async def _reconcile(self) -> None:
        for poll in self._services.polls:
            if await poll.reconcile() is not None:
                self._services.runner.wake()

    async def _requests(self) -> None:
        await self._answers.answer()

    async def _begin_digests(self) -> None:
        if await begin_due(self._services.database, ACCOUNT, self._services.digests):
            self._services.runner.wake()

    async def _load_tables(self) -> None:
        await go_on_with_all(self._services)

    async def _tidy(self) -> None:
        await self._retention.tidy()

    async def _keep_figures(self) -> None:
        """Mostly nothing to do: a question finds its figures ready, also after a large webinar."""
        services = self._services
        yardstick, zone = Yardstick(attended_s=services.settings.attended_min_s), services.settings.timezone
        await keep_figures(services.database, ACCOUNT, yardstick, zone, now=services.clock.now())

    async def _follow_cards(self) -> None:
        services = self._services
        if services.webinars is not None:
            await follow_changes(services.database, services.webinars, ACCOUNT)

    async def _look_at_hooks(self) -> None:
        await self._services.hook_watch.look()

    async def _keep_tokens(self) -> None:
        """What ends when nobody asks for it: a bot that nobody talks to must not lose its way in."""
        for part in self._services.connected.values():
            name = part.vendor.name
            try:
                await part.ports.upkeep()
            except VendorError as error:
                log.warning("upkeep of %s: %s", name, error)
                if self._services.board.state(name) != "off":
                    await self._services.board.bad(name, error)

    async def _keep_names(self) -> None:
        services = self._services
        if services.crm is not None:
            await keep_names(services.crm, ACCOUNT, services.clock)

    async def _read_tasks(self) -> None:
        if self._services.tasks is not None:
            await refresh_all(self._services.tasks, ACCOUNT)

    async def _read_directory(self) -> None:
        services = self._services
        if services.directory is None:
            return
        if await ask_every_hour(services.directory, services.database, ACCOUNT, services.clock.now()):
            services.runner.wake()

    async def _watch_clock(self) -> None:
        offset = self._wall_against_monotonic()
        moved = offset - self._offset
        self._offset = offset
        if abs(moved) > CLOCK_JUMP_SECONDS:
            log.warning("the machine's clock moved by %.0f s", moved)

    def _wall_against_monotonic(self) -> float:
        clock = self._services.clock
        return clock.now().timestamp() - clock.monotonic()
