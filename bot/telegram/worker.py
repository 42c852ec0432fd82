"""Hands stored updates to their handlers: in order within a chat, several chats at once, each update to its end.

Those we know and strangers have room of their own, so that a crowd at the door keeps no colleague waiting.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bot.telegram.lateness import Lateness
from domain.ports import Clock
from storage.updates import StoredUpdate, Updates

log = logging.getLogger(__name__)

MAX_CHATS, STRANGE_CHATS = 16, 2  # handled at the same time
MAX_TAKEN, STRANGE_TAKEN = 500, 50  # in memory
SWEEP_SECONDS = 5.0
SETTLE_SECONDS = 1.0  # until an update whose end could not be written is looked at again

Feed = Callable[[StoredUpdate], Awaitable[None]]


@dataclass(slots=True)
class _Crowd:
    """Who shares room: so many chats at the same time, so many updates in memory."""

    familiar: bool
    room: asyncio.Semaphore
    most: int
    taken: set[int] = field(default_factory=set)


class Worker:
    """Runs in the leader. ``feed`` handles one update and speaks for its own errors; what it raises is logged."""

    def __init__(self, updates: Updates, feed: Feed, lateness: Lateness, clock: Clock) -> None:
        self._updates = updates
        self._feed = feed
        self._lateness = lateness
        self._clock = clock
        self._event = asyncio.Event()
        self._crowds = (
            _Crowd(familiar=True, room=asyncio.Semaphore(MAX_CHATS), most=MAX_TAKEN),
            _Crowd(familiar=False, room=asyncio.Semaphore(STRANGE_CHATS), most=STRANGE_TAKEN),
        )
        self._lanes: dict[int, deque[StoredUpdate]] = defaultdict(deque)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stopping = False
        self.handled = 0

    def wake(self) -> None:
        """Updates were stored."""
        self._event.set()

    async def run(self) -> None:
        """Recover what a crash left, then work until cancelled. A database that is away for a while is waited for."""
        again, dead = await self._updates.recover()
        if again or dead:
            log.warning("after a crash: %d updates go on, %d given up", again, dead)
        while True:
            self._event.clear()
            try:
                for crowd in self._crowds:
                    await self._take(crowd)
            except Exception:  # the loop must outlive a broken database
                log.exception("updates cannot be read")
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._event.wait()

    async def stop(self, deadline_seconds: float = 5.0) -> None:
        """Let running handlers finish; the rest goes on after the next start. Call after ``run`` was cancelled."""
        self._stopping = True
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=deadline_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, crowd: _Crowd) -> None:
        if len(crowd.taken) >= crowd.most:
            return  # a lane that ends wakes us
        for update in await self._updates.waiting(len(crowd.taken) + crowd.most, familiar=crowd.familiar):
            if any(update.update_id in each.taken for each in self._crowds):
                continue
            crowd.taken.add(update.update_id)
            self._lanes[update.lane].append(update)
            if update.lane not in self._tasks:
                walk = self._walk(update.lane, crowd.room)
                self._tasks[update.lane] = asyncio.create_task(walk, name=f"chat-{update.lane}")

    async def _walk(self, lane: int, room: asyncio.Semaphore) -> None:
        """Handle what this chat sent, one after the other."""
        queue = self._lanes[lane]
        try:
            while queue and not self._stopping:
                async with room:
                    update = queue.popleft()
                    try:
                        await self._handle(update)
                    finally:
                        self._let_go(update)
        finally:
            self._let_go(*queue)
            del self._tasks[lane]
            del self._lanes[lane]
            self._event.set()

    def _let_go(self, *updates: StoredUpdate) -> None:
        for crowd in self._crowds:
            crowd.taken.difference_update(update.update_id for update in updates)

    async def _handle(self, update: StoredUpdate) -> None:
        try:
            if self._lateness.too_late(update, self._clock.now()):
                await self._updates.finish(update, "dropped")
                return
            if await self._updates.begin(update):
                await self._run(update)
                self.handled += 1
        except Exception:  # the database: the update is still there, and is taken again
            log.exception("update %d could not be settled", update.update_id)
            await asyncio.sleep(SETTLE_SECONDS)
            self._event.set()

    async def _run(self, update: StoredUpdate) -> None:
        state = "done"
        try:
            await self._feed(update)
        except asyncio.CancelledError:
            await self._updates.put_back(update)
            raise
        except Exception:
            log.exception("update %d could not be handled", update.update_id)
            state = "dead"
        await self._updates.finish(update, state)
