"""The runner: takes due work, runs its pipeline, and decides from the error's type what happens next."""

import asyncio
import logging
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from domain.errors import NotReady, VendorError, VendorRefused, VendorUnavailable
from domain.events import Event
from domain.ports import Clock, Steps
from domain.work import WorkItem
from storage.codec import loads
from storage.engine import Database
from storage.steps import StoredSteps
from storage.work import WorkRow, WorkStore

log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
MAX_RUNNING = 200
# A busy loop or writer answers hooks late: then no more is begun, but for a few that always may run.
BEGIN_TOGETHER = 8
LATE_TURN_SECONDS = 0.005
TURNS = 3
PENDING = 16  # writes
PENDING_PAUSE_SECONDS = 0.005
# Tries at 0, 5 and 35 s; then every few minutes, so that an outage of hours costs minutes after its end; then hourly: 27 h.
PAUSES_SECONDS = (5, 30, 60, 120, *([300] * 36), *([3600] * 24))
RETRY_SPACING_SECONDS = 0.2  # what failed together does not come back as a burst
DEFECT_TRIES = 6  # an error nobody foresaw is tried this often: nine minutes
THIRD_FAILURE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one kind of work is done: the event its payload holds, and what to do with it."""

    kind: str
    event: type[Event]
    run: Callable[[WorkItem[Any], Steps], Awaitable[None]]


class Watch(Protocol):
    """Who is told how work goes; bot.health keeps the state of each vendor and speaks to people."""

    async def failed(self, row: WorkRow, error: Exception, *, failures: int, error_id: str) -> None: ...
    async def died(self, row: WorkRow, error: Exception | None, *, error_id: str) -> None: ...
    async def succeeded(self, row: WorkRow) -> None: ...
    async def poisoned(self, count: int) -> None: ...


class Runner:
    """Runs work in the leader. ``unseal`` opens what an event is kept as.

    ``wake`` after anything was stored; ``run`` until cancelled; ``stop`` lets go in order. By kind, since the start:
    ``finished`` works and the ``seconds`` from their being accepted; by code of the error: ``failed`` attempts.
    """

    def __init__(
        self,
        database: Database,
        store: WorkStore,
        routes: Mapping[str, Route],
        clock: Clock,
        watch: Watch,
        *,
        unseal: Callable[[str], str] = str,
        max_running: int = MAX_RUNNING,
    ) -> None:
        self._database = database
        self._store = store
        self._routes = routes
        self._clock = clock
        self._watch = watch
        self._unseal = unseal
        self._max_running = max_running
        self._wake = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._suspected = False  # a work that may be poison is running: no other one meanwhile
        self._swept = clock.monotonic()
        self.finished: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.failed: Counter[str] = Counter()

    @property
    def running(self) -> int:
        return len(self._tasks)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Recover what a crash left, then work until cancelled. A database that is away for a while is waited for."""
        ready, dead = await self._store.recover(self._clock.now())
        if ready or dead:
            log.warning("after a crash: %d works go on, %d given up", ready, dead)
        if dead:
            await self._watch.poisoned(dead)
        await self._store.hasten("limit", self._clock.now())  # it may have been raised while we were down
        while True:
            self._wake.clear()
            try:
                await self._sweep()
                pause = await self._take()
            except Exception:  # the loop must outlive a broken database
                log.exception("work cannot be taken")
                pause = 5.0
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def stop(self, deadline_seconds: float = 5.0) -> None:
        """Give running work a moment, then let it go on after the next start."""
        tasks = dict(self._tasks)
        if tasks:
            await asyncio.wait(tasks.values(), timeout=deadline_seconds)
        left = [work_id for work_id, task in tasks.items() if not task.done()]
        for work_id in left:
            tasks[work_id].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        await self._store.release(left, self._clock.now())

    async def _sweep(self) -> None:
        """Once a minute: rows that say "running" although nobody runs them are due again."""
        now = self._clock.monotonic()
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        if lost := await self._store.take_back(list(self._tasks), self._clock.now()):
            log.warning("%d works were lost by their runner and go on", lost)

    async def _take(self) -> float:
        """Start what is due; how long there is nothing to do, in seconds."""
        free = min(self._max_running - len(self._tasks), BEGIN_TOGETHER)
        if free <= 0:
            return SWEEP_SECONDS  # a finished work wakes us
        if len(self._tasks) >= BEGIN_TOGETHER and (pause := await self._busy()):
            return pause
        rows = await self._store.claim(self._clock.now(), free)
        if not self._suspected:
            rows += await self._store.claim(self._clock.now(), 1, suspects=True)
        again = 0
        for row in rows:
            again += row.attempts > 0
            self._suspected |= row.suspect
            task = asyncio.create_task(self._work(row, after=again * RETRY_SPACING_SECONDS), name=f"work-{row.id}")
            self._tasks[row.id] = task
            task.add_done_callback(partial(self._left, row))
        if len(rows) >= free:
            return 0.0  # there may be more
        due = await self._store.next_due(suspects=not self._suspected)
        if due is None:
            return SWEEP_SECONDS
        return min(max((due - self._clock.now()).total_seconds(), 0.0), SWEEP_SECONDS)

    async def _busy(self) -> float:
        """How long no more is to be begun, in seconds: it would only wait too, and make hooks wait with it."""
        if self._database.pending > PENDING:
            return PENDING_PAUSE_SECONDS
        turn = await _turn_of_the_loop()
        return TURNS * turn if turn > LATE_TURN_SECONDS else 0.0

    def _left(self, row: WorkRow, task: asyncio.Task[None]) -> None:
        work_id = row.id
        self._tasks.pop(work_id, None)
        if row.suspect:
            self._suspected = False
            self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Only our own bookkeeping gets here: the row stays "running" until the next sweep takes it back.
            log.error("work %d could not be settled: %s", work_id, type(error).__name__, exc_info=error)
        if len(self._tasks) >= self._max_running - 1:
            self._wake.set()

    async def _work(self, row: WorkRow, *, after: float) -> None:
        try:
            await asyncio.sleep(after)
            await self._attempt(row)
            await self._store.finish(row, self._clock.now())
            self.finished[row.kind] += 1
            self.seconds[row.kind] += max(0.0, (self._clock.now() - row.created_at).total_seconds())
            await self._watch.succeeded(row)
        except NotReady as error:
            await self._store.put_off(row, due_at=self._after(error.retry_after), waiting_for=error.what, failed=False)
            self.wake()
        except VendorUnavailable as error:
            await self._try_again(row, error, code="unavailable")
        except VendorRefused as error:
            await self._give_up(row, error, code=error.code)
        except Exception as error:  # a defect of ours: tried a few times, then a person decides
            if row.attempts + 1 >= DEFECT_TRIES:
                await self._give_up(row, error, code="defect")
            else:
                await self._try_again(row, error, code="defect")

    async def _attempt(self, row: WorkRow) -> None:
        route = self._routes[row.kind]
        item = WorkItem(
            id=row.id,
            account_id=row.account_id,
            kind=row.kind,
            object=row.object,
            generation=row.generation,
            event=loads(route.event, self._unseal(row.payload)),
            source=row.source,
            delivery_id=row.delivery_id,
            heard_at=row.created_at,
            failures=row.attempts,
        )
        steps = await StoredSteps.load(self._database, self._clock, row.id, fresh=row.fresh)
        await route.run(item, steps)

    async def _try_again(self, row: WorkRow, error: Exception, *, code: str) -> None:
        if row.attempts >= len(PAUSES_SECONDS):
            await self._give_up(row, error, code=code)
            return
        pause = float(PAUSES_SECONDS[row.attempts])
        waiting_for = ""
        if isinstance(error, VendorUnavailable):
            pause = max(pause, error.retry_after or 0.0)
            waiting_for = f"vendor:{error.vendor}"
        error_id = _error_id()
        self.failed[code] += 1
        self._log(row, error, error_id, failures=row.attempts + 1)
        await self._store.put_off(
            row,
            due_at=self._after(pause),
            waiting_for=waiting_for,
            failed=True,
            error_code=code,
            error=_text(error, error_id),
        )
        await self._watch.failed(row, error, failures=row.attempts + 1, error_id=error_id)
        self.wake()

    async def _give_up(self, row: WorkRow, error: Exception, *, code: str) -> None:
        error_id = _error_id()
        self.failed[code] += 1
        log.error("work %s %s is given up [%s]: %s", row.kind, row.object, error_id, error, exc_info=_trace(error))
        await self._store.bury(row, now=self._clock.now(), error_code=code, error=_text(error, error_id))
        await self._watch.died(replace(row, attempts=row.attempts + 1), error, error_id=error_id)

    def _after(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)

    def _log(self, row: WorkRow, error: Exception, error_id: str, *, failures: int) -> None:
        level = logging.ERROR if failures == THIRD_FAILURE else logging.WARNING
        log.log(
            level,
            "work %s %s failed %d times [%s]: %s",
            row.kind,
            row.object,
            failures,
            error_id,
            error,
            exc_info=_trace(error),
        )


async def _turn_of_the_loop() -> float:
    """How long the event loop takes to get round to everybody, in seconds."""
    started = time.perf_counter()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return (time.perf_counter() - started) / TURNS


def _error_id() -> str:
    """Short enough to be read out over the phone."""
    return secrets.token_hex(4)


def _text(error: Exception, error_id: str) -> str:
    """What is kept of an error: our own errors carry no secrets, of others only the type is kept."""
    told = str(error) if isinstance(error, VendorError) else type(error).__name__
    return f"{told} [{error_id}]"


def _trace(error: Exception) -> Exception | None:
    return None if isinstance(error, VendorError) else error
