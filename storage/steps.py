"""Remembered steps: what a pipeline has done is read back instead of done again."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.ports import Attempt, Clock, Tx
from storage.bulk import Statement
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import work_steps
from storage.models.types import driver_time

T = TypeVar("T")
R = TypeVar("R")

_BEGIN = Statement(
    "INSERT INTO work_step (work_id, name, state, attempts, possible_repeats, started_at)"
    " VALUES (:work_id, :name, :state, :attempts, :possible_repeats, :started_at)"
)
_BEGIN_AGAIN = Statement(
    "UPDATE work_step SET state = :state, attempts = :attempts, possible_repeats = :possible_repeats,"
    " started_at = :started_at WHERE work_id = :work_id AND name = :name"
)
_DONE_AT_ONCE = Statement(
    "INSERT INTO work_step (work_id, name, state, result, started_at, finished_at, took_ms)"
    " VALUES (:work_id, :name, 'done', :result, :started_at, :finished_at, :took_ms)"
)
_DONE = Statement(
    "UPDATE work_step SET state = 'done', result = :result, finished_at = :finished_at, took_ms = :took_ms"
    " WHERE work_id = :work_id AND name = :name"
)


@dataclass(frozen=True, slots=True)
class _Remembered:
    state: str  # intent | failed | done
    result: str | None
    attempts: int
    possible_repeats: int


@dataclass(frozen=True, slots=True)
class _Stopwatch:
    started: datetime
    clock: float

    def ms(self) -> float:
        return round((time.perf_counter() - self.clock) * 1000, 1)


class StoredSteps:
    """The Steps port over ``work_step`` rows of one piece of work."""

    def __init__(self, database: Database, clock: Clock, work_id: int, remembered: dict[str, _Remembered]) -> None:
        self._database = database
        self._clock = clock
        self._work_id = work_id
        self._remembered = remembered

    @classmethod
    async def load(cls, database: Database, clock: Clock, work_id: int, *, fresh: bool) -> "StoredSteps":
        """``fresh`` work has no rows yet: nothing is read."""
        return cls(database, clock, work_id, {} if fresh else await _read(database, work_id))

    @property
    def possible_repeats(self) -> int:
        return sum(step.possible_repeats for step in self._remembered.values())

    async def run(self, name: str, fn: Callable[[], Awaitable[R]], returns: type[R]) -> R:
        known = self._known(name)
        if known is not None:
            return loads(returns, known)
        stopwatch = self._stopwatch()
        result = await fn()

        async def nothing_else(_: Tx) -> R:
            return result

        return await self._commit(name, nothing_else, returns, stopwatch)

    async def write(self, name: str, fn: Callable[[Tx], Awaitable[R]], returns: type[R]) -> R:
        known = self._known(name)
        if known is not None:
            return loads(returns, known)
        return await self._commit(name, fn, returns, self._stopwatch())

    async def outward(
        self,
        name: str,
        fn: Callable[[Attempt], Awaitable[T]],
        record: Callable[[Tx, T], Awaitable[R]],
        returns: type[R],
        *,
        lookup: Callable[[], Awaitable[T | None]] | None = None,
        lost: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> R:
        known = self._known(name)
        if known is not None:
            return loads(returns, known)
        stopwatch = self._stopwatch()
        found = await self._look_up(name, lookup)
        outcome = found if found is not None else await self._attempt(name, fn, stopwatch.started, lost)

        async def recorded(tx: Tx) -> R:
            return await record(tx, outcome)

        return await self._commit(name, recorded, returns, stopwatch)

    def _known(self, name: str) -> str | None:
        step = self._remembered.get(name)
        return step.result if step is not None and step.state == "done" else None

    def _stopwatch(self) -> _Stopwatch:
        return _Stopwatch(self._clock.now(), time.perf_counter())

    async def _look_up(self, name: str, lookup: Callable[[], Awaitable[T | None]] | None) -> T | None:
        step = self._remembered.get(name)
        if lookup is None or step is None or step.state != "intent":
            return None
        found = await lookup()
        if found is None:
            await self._save(name, replace(step, state="failed"), self._clock.now())
        return found

    async def _attempt(
        self,
        name: str,
        fn: Callable[[Attempt], Awaitable[T]],
        started: datetime,
        lost: Callable[[Tx], Awaitable[None]] | None,
    ) -> T:
        """Commit that the effect is about to happen, then let it. An intent left from before may have been carried out."""
        before = self._remembered.get(name, _Remembered("none", None, 0, 0))
        unknown = before.state == "intent"
        repeats = before.possible_repeats + unknown
        step = _Remembered("intent", None, before.attempts + 1, repeats)
        await self._save(name, step, started, also=lost if unknown else None)
        try:
            return await fn(Attempt(number=step.attempts, uncertain=repeats > 0))
        except (NotReady, VendorRefused):
            await self._save(name, replace(step, state="failed"), started)
            raise
        except VendorUnavailable as error:
            if not error.uncertain:
                await self._save(name, replace(step, state="failed"), started)
            raise

    async def _save(
        self, name: str, step: _Remembered, started: datetime, *, also: Callable[[Tx], Awaitable[None]] | None = None
    ) -> None:
        values = {
            "work_id": self._work_id,
            "name": name,
            "state": step.state,
            "attempts": step.attempts,
            "possible_repeats": step.possible_repeats,
            "started_at": self._time(started),
        }
        statement = _BEGIN_AGAIN if name in self._remembered else _BEGIN

        async def job(connection: AsyncConnection) -> None:
            if also is not None:
                await also(cast("Tx", connection))
            await statement.run(connection, values)

        await self._database.write(job)
        self._remembered[name] = step

    async def _commit(self, name: str, fn: Callable[[Tx], Awaitable[R]], returns: type[R], stopwatch: _Stopwatch) -> R:
        before = self._remembered.get(name)

        async def job(connection: AsyncConnection) -> tuple[R, str]:
            result = await fn(cast("Tx", connection))
            text = dumps(returns, result)
            values: dict[str, object] = {"work_id": self._work_id, "name": name, "result": text, "took_ms": stopwatch.ms()}
            values["finished_at"] = self._time(self._clock.now())
            if before is None:
                await _DONE_AT_ONCE.run(connection, values | {"started_at": self._time(stopwatch.started)})
            else:
                await _DONE.run(connection, values)
            return result, text

        result, text = await self._database.write(job)
        self._remembered[name] = replace(before or _Remembered("done", None, 1, 0), state="done", result=text)
        return result

    def _time(self, moment: datetime) -> str | datetime:
        return driver_time(moment, self._database.dialect_name)


async def _read(database: Database, work_id: int) -> dict[str, _Remembered]:
    async with database.read() as connection:
        rows = await connection.execute(select(work_steps).where(work_steps.c.work_id == work_id))
        return {row.name: _Remembered(row.state, row.result, row.attempts, row.possible_repeats) for row in rows}
