"""Deliveries on disk before they are answered, and the work they give, in one commit."""

import asyncio
import secrets
import time
from collections import Counter
from itertools import count

from storage.arrivals import Arrival, build_arrivals
from storage.engine import Database

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(70, -1, -10)
_LOW_BITS = 35
MOST_KINDS = 200  # counted apart; each is a line of /metrics
_numbers = count(secrets.randbits(_LOW_BITS))  # two processes do not count alike


def new_delivery_id() -> str:
    """16 characters that sort by time: milliseconds, then a count."""
    value = (int(time.time() * 1000) << _LOW_BITS) | (next(_numbers) & ((1 << _LOW_BITS) - 1))
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


class Inbox:
    """Takes deliveries. Those that arrive while a commit is under way go into the next one together.

    Since the start: ``accepted`` and ``duplicates``; ``kinds``: those accepted by (vendor, kind of event).
    """

    def __init__(self, database: Database) -> None:
        self._pending: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._arrivals = build_arrivals(database)
        self.accepted = 0
        self.duplicates = 0
        self.kinds: Counter[tuple[str, str]] = Counter()

    async def add(self, arrival: Arrival) -> bool:
        """Returns when the delivery is on disk: False for a repeat of one that was already there.

        Raises what the database raised if it could not be stored.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pending.append((arrival, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush(), name="inbox-flush")
        return await future

    async def _flush(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                new = await self._store([arrival for arrival, _ in batch])
            except Exception:
                await self._one_by_one(batch)
            else:
                for arrival, future in batch:
                    if not future.done():
                        future.set_result(arrival.id in new)

    async def _one_by_one(self, batch: list[tuple[Arrival, "asyncio.Future[bool]"]]) -> None:
        for arrival, future in batch:
            try:
                new = await self._store([arrival])
            except Exception as error:
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(arrival.id in new)

    async def _store(self, arrivals: list[Arrival]) -> set[str]:
        """Commit them; the ids of those that were new."""
        new = await self._arrivals.store(arrivals)
        self.accepted += len(new)
        self.duplicates += len(arrivals) - len(new)
        for arrival in arrivals:
            if arrival.id in new:
                self._count(arrival.vendor, arrival.kind)
        return new

    def _count(self, vendor: str, kind: str) -> None:
        """Kinds past MOST_KINDS are counted together: their names are the sender's."""
        name = (vendor, kind)
        self.kinds[name if name in self.kinds or len(self.kinds) < MOST_KINDS else (vendor, "*")] += 1
