"""Remembered steps: what a pipeline has done is read back instead of done again."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import NotReady, VendorRefused, VendorUnavailable
from domain.ports import Attempt, Clock, Tx
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import work_steps

T = TypeVar("T")
R = TypeVar("R")


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
    ) -> R:
        known = self._known(name)
        if known is not None:
            return loads(returns, known)
        stopwatch = self._stopwatch()
        found = await self._look_up(name, lookup)
        outcome = found if found is not None else await self._attempt(name, fn, stopwatch.started)

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

    async def _attempt(self, name: str, fn: Callable[[Attempt], Awaitable[T]], started: datetime) -> T:
        """Commit that the effect is about to happen, then let it. An intent left from before may have been carried out."""
        before = self._remembered.get(name, _Remembered("none", None, 0, 0))
        repeats = before.possible_repeats + (before.state == "intent")
        step = _Remembered("intent", None, before.attempts + 1, repeats)
        await self._save(name, step, started)
        try:
            return await fn(Attempt(number=step.attempts, uncertain=repeats > 0))
        except (NotReady, VendorRefused):
            await self._save(name, replace(step, state="failed"), started)
            raise
        except VendorUnavailable as error:
            if not error.uncertain:
                await self._save(name, replace(step, state="failed"), started)
            raise

    async def _save(self, name: str, step: _Remembered, started: datetime) -> None:
        values = {
            "state": step.state,
            "attempts": step.attempts,
            "possible_repeats": step.possible_repeats,
            "started_at": started,
        }
        mine = (work_steps.c.work_id == self._work_id) & (work_steps.c.name == name)
        exists = name in self._remembered

        async def job(connection: AsyncConnection) -> None:
            if exists:
                await connection.execute(update(work_steps).where(mine).values(**values))
            else:
                await connection.execute(insert(work_steps).values(work_id=self._work_id, name=name, **values))

        await self._database.write(job)
        self._remembered[name] = step

    async def _commit(self, name: str, fn: Callable[[Tx], Awaitable[R]], returns: type[R], stopwatch: _Stopwatch) -> R:
        before = self._remembered.get(name)
        mine = (work_steps.c.work_id == self._work_id) & (work_steps.c.name == name)

        async def job(connection: AsyncConnection) -> tuple[R, str]:
            result = await fn(cast("Tx", connection))
            text = dumps(returns, result)
            values = {"state": "done", "result": text, "finished_at": self._clock.now(), "took_ms": stopwatch.ms()}
            if before is not None:
                await connection.execute(update(work_steps).where(mine).values(**values))
            else:
                values |= {"work_id": self._work_id, "name": name, "started_at": stopwatch.started, "attempts": 1}
                await connection.execute(insert(work_steps).values(**values))
            return result, text

        result, text = await self._database.write(job)
        self._remembered[name] = replace(before or _Remembered("done", None, 1, 0), state="done", result=text)
        return result


async def _read(database: Database, work_id: int) -> dict[str, _Remembered]:
    async with database.read() as connection:
        rows = await connection.execute(select(work_steps).where(work_steps.c.work_id == work_id))
        return {row.name: _Remembered(row.state, row.result, row.attempts, row.possible_repeats) for row in rows}
