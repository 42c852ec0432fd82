"""Counters that outlive a restart: what each node refused, and the events nobody handles."""

from collections import Counter

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.hooks import Hooks
from domain.ports import Clock
from storage.engine import Database
from storage.models import counters
from storage.upsert import upsert


class Counters:
    """Those of one node, added to the rows that all nodes share."""

    def __init__(self, hooks: Hooks, database: Database, clock: Clock) -> None:
        self._hooks = hooks
        self._database = database
        self._clock = clock
        self._kept: Counter[str] = Counter()

    async def keep(self) -> None:
        """Add what came since the last time."""
        hooks = self._hooks
        totals = Counter({f"rejected:{name}": count for name, count in hooks.rejected.items()})
        totals.update({f"unknown:{name}": count for name, count in hooks.unknown_kinds.items()})
        fresh = totals - self._kept
        if not fresh:
            return
        day = self._clock.now().date().isoformat()

        async def job(connection: AsyncConnection) -> None:
            for name, count in sorted(fresh.items()):  # in one order, or two nodes may wait for each other
                row = upsert(self._database, counters).values(day=day, name=name[:128], value=count)
                added = {"value": counters.c.value + row.excluded.value}
                await connection.execute(row.on_conflict_do_update(index_elements=["day", "name"], set_=added))

        await self._database.write(job)
        self._kept = totals
