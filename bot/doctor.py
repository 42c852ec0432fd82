"""The running process examines itself: the sections of `svodka check`, all at once and bounded in time, for the chat."""

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.loading import load
from bot.settings import Settings
from domain.ports import Clock
from handlers.checks.desk import Audience, Found, Listener, Part, Report
from integrations.kit.vendor import Finding
from storage.engine import Database

if TYPE_CHECKING:
    from bot.checks.examination import RunCpu, Section

log = logging.getLogger(__name__)

SECTION_SECONDS = 30.0
REPORTS_KEPT = 50  # for the buttons below them
WITH_A_VENDOR = "public"  # without a way in none of its events comes


class Doctor:
    """One examination of an account at a time. ``close`` ends those under way, and says so where they were asked for."""

    def __init__(
        self, settings: Settings, database: Database, run_cpu: "RunCpu", clock: Clock, *, within: float = SECTION_SECONDS
    ) -> None:
        self._settings = settings
        self._database = database
        self._run_cpu = run_cpu
        self._within = within
        self._clock = clock
        self._examined: set[int] = set()
        self._rehearsing: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reports: dict[tuple[int, str], Report] = {}  # the oldest first

    def begin(self, account_id: int, only: str, listener: Listener) -> bool:
        if account_id in self._examined:
            return False
        self._examined.add(account_id)
        self._beside(self._run(account_id, only, listener), "check")
        return True

    async def price(self) -> int:
        rehearser = await load("bot.rehearser")
        micro_usd: int = await rehearser.cost_of(self._settings)
        return micro_usd

    def rehearse(self, account_id: int, audience: Audience) -> bool:
        if account_id in self._rehearsing:
            return False
        self._rehearsing.add(account_id)
        self._beside(self._rehearse(account_id, audience), "rehearsal")
        return True

    def _beside(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rehearse(self, account_id: int, audience: Audience) -> None:
        try:
            await audience.rehearsing()
            rehearser = await load("bot.rehearser")
            await audience.rehearsed(await rehearser.rehearsed(self._database, self._clock))
        except asyncio.CancelledError:
            await audience.rehearsed(None)
            raise
        except Exception:
            log.exception("a rehearsal could not be finished")
            with suppress(Exception):  # the same database is away
                await audience.rehearsed(None)
        finally:
            self._rehearsing.discard(account_id)

    def report(self, account_id: int, name: str) -> Report | None:
        return self._reports.get((account_id, name))

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, account_id: int, only: str, listener: Listener) -> None:
        try:
            report = await self._report(account_id, only, listener)
            await listener.ended(report)
        except asyncio.CancelledError:
            await listener.broken()
            raise
        except Exception:
            log.exception("an examination could not be finished")
            with suppress(Exception):  # the same database is away
                await listener.broken()

    async def _report(self, account_id: int, only: str, listener: Listener) -> Report:
        """Whoever reads the result may ask again: the account is free when there is one."""
        try:
            await listener.begun()
            report = Report(name=secrets.token_hex(6), only=only, parts=await self._examine(only))
        finally:
            self._examined.discard(account_id)
        self._keep(account_id, report)
        return report

    def _keep(self, account_id: int, report: Report) -> None:
        self._reports[account_id, report.name] = report
        if len(self._reports) > REPORTS_KEPT:
            del self._reports[next(iter(self._reports))]

    async def _examine(self, only: str) -> list[Part]:
        """The sections beside each other, told in their order."""
        examination = await load("bot.checks.examination")
        ground = await examination.stand_inside(self._settings, self._database, self._run_cpu)
        sections = _chosen(examination.build_sections(ground), only)
        found = await asyncio.gather(*(examination.examine(section, self._within) for section in sections))
        told = zip(sections, found, strict=True)
        return [Part(title=section.title, found=tuple(map(_told, findings))) for section, findings in told if findings]


def _chosen(sections: "Sequence[Section]", only: str) -> "list[Section]":
    """The vendor first, then how its events reach us."""
    if not only:
        return list(sections)
    named = {section.name: section for section in sections}
    return [named[only], named[WITH_A_VENDOR]]


def _told(finding: Finding) -> Found:
    return Found(
        code=finding.code,
        title=finding.title,
        ok=finding.ok,
        detail=finding.detail,
        hint=finding.hint,
        warning=finding.warning,
        subscribe=finding.subscribe,
    )
