"""The sender: brings Telegram to what ``posts`` wants, at Telegram's pace, losing nothing and repeating nothing unmarked."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bot.telegram.courier import Courier
from bot.telegram.notices import Tell
from bot.telegram.pacer import Item, Pacer, Spacing
from bot.telegram.settling import Settler
from domain.ports import Clock
from storage.destinations import Destinations
from storage.outbox import Outbox
from storage.posts import INTERACTIVE

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0  # a wake-up that never came costs this much
MAX_IN_FLIGHT = 64
LOOKAHEAD = 4  # posts being committed as "sending" while others wait for their moment
SCAN_GAP = 0.02  # seconds between two looks at what is due, and more of them after a look that found many posts
SCAN_GAP_PER_POST = 0.0002


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """A request made outside ``posts`` (a handler's own answer) that keeps to the same pace."""

    granted: asyncio.Event
    finished: asyncio.Event


class Sender:
    """One per process, in the leader. ``wake`` after a commit that changed posts; ``run`` until cancelled; then ``stop``."""

    def __init__(self, outbox: Outbox, destinations: Destinations, courier: Courier, clock: Clock, tell: Tell) -> None:
        self._outbox = outbox
        self._courier = courier
        self._clock = clock
        self.pacer = Pacer()
        self._settler = Settler(outbox, destinations, self.pacer, clock, tell)
        self._spacing = Spacing()
        self._gate = asyncio.Lock()
        self._event = asyncio.Event()
        self._stale = True
        self._next_scan = 0.0
        self._held_until: float | None = None
        self._before_gate = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False
        self._stopping = False

    @property
    def outage_since(self) -> float | None:
        """Monotonic second since when Telegram cannot be reached, None while it can."""
        return self._settler.outage.since

    @property
    def token_refused(self) -> bool:
        return self._settler.token_refused

    @property
    def queued(self) -> int:
        return len(self.pacer)

    def wake(self) -> None:
        """Posts have changed."""
        self._stale = True
        self._event.set()

    async def run(self) -> None:
        """Recover what a crash left, then send until cancelled. A database that is away for a while is waited for."""
        self._running = True
        try:
            await self._recover()
            while True:
                self._event.clear()
                await self._look()
                self._start_what_may_go()
                await self._rest()
        finally:
            self._running = False

    async def _recover(self) -> None:
        recovered = await self._outbox.recover()
        if recovered:
            log.warning("%d messages were on their way when the process ended; they may arrive twice", recovered)
        now = self._clock.now()
        for chat_id, until in (await self._outbox.frozen()).items():
            self.pacer.freeze(chat_id, self._clock.monotonic() + (until - now).total_seconds())

    async def stop(self, deadline_seconds: float = 5.0) -> None:
        """Let what is on its way arrive. Call after ``run`` was cancelled: nothing new is started."""
        self._stopping = True
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=deadline_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def turn(self, chat_id: int) -> AsyncIterator[None]:
        """Wait for the chat's pace, ahead of posts, and hold the chat meanwhile. Without a running sender: at once."""
        if not self._running or self._settler.outage.active:
            yield
            return
        turn = _Turn(asyncio.Event(), asyncio.Event())
        item = Item(key=turn, chat_id=chat_id, priority=INTERACTIVE + 1, order=self._clock.monotonic())
        self.pacer.add(item)
        self._event.set()
        try:
            await turn.granted.wait()
            yield
        finally:
            turn.finished.set()
            self.pacer.drop(item)

    def flooded(self, chat_id: int, retry_after: float) -> None:
        """A request made outside ``posts`` was told to wait."""
        self._settler.freeze(chat_id, retry_after)

    async def moved(self, old: int, new: int) -> None:
        """A group has another number."""
        await self._settler.move(old, new)
        self.wake()

    async def _look(self) -> None:
        """Queue what is due, if posts changed and the last look was long enough ago."""
        started = self._clock.monotonic()
        if not self._stale or started < self._next_scan:
            return
        self._stale = False
        try:
            due = await self._outbox.due()
            held = await self._outbox.next_due()
        except Exception:  # the loop must outlive a broken database
            log.exception("the outbox cannot be read")
            self._stale = True
            self._next_scan = started + SWEEP_SECONDS
            return
        for post in due:
            self.pacer.add(
                Item(key=post.id, chat_id=post.chat_id, priority=post.priority, order=post.not_before.timestamp())
            )
        now = self._clock.monotonic()
        self._next_scan = now + SCAN_GAP + SCAN_GAP_PER_POST * len(due)
        self._held_until = None if held is None else now + max((held - self._clock.now()).total_seconds(), 0.0)

    def _start_what_may_go(self) -> None:
        while self._may_start():
            item = self.pacer.take(self._clock.monotonic())
            if item is None:
                return
            self._before_gate += 1
            task = asyncio.create_task(self._handle(item), name=f"send-{item.chat_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _may_start(self) -> bool:
        # While Telegram is away one message at a time asks whether it is back.
        room = 1 if self._settler.outage.active else MAX_IN_FLIGHT
        return not self._stopping and len(self._tasks) < room and self._before_gate < LOOKAHEAD

    async def _rest(self) -> None:
        now = self._clock.monotonic()
        moments = [now + SWEEP_SECONDS]
        if self._stale:
            moments.append(self._next_scan)
        if self._held_until is not None:
            moments.append(self._held_until)
        permitted = self.pacer.wait(now) if self._may_start() else None
        if permitted is not None:
            moments.append(now + permitted)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(min(moments) - now, 0.0)):
                await self._event.wait()
        now = self._clock.monotonic()
        if self._held_until is not None and now >= self._held_until:
            self._held_until = None
            self._stale = True
        if now >= moments[0]:
            self._stale = True

    async def _handle(self, item: Item) -> None:
        """One item from its chat's turn to its end. Whatever happens, the chat goes on."""
        passed = _Once(self._leave_gate)
        again = False
        try:
            if isinstance(item.key, _Turn):
                await self._grant(item, item.key, passed)
            elif isinstance(item.key, int):
                again = await self._send(item, item.key, passed)
        except Exception:  # the sender must outlive anything, a broken database above all
            log.exception("a message could not be handled")
            self.pacer.freeze(item.chat_id, self._clock.monotonic() + SWEEP_SECONDS)
            again = True
        finally:
            passed()
            self.pacer.done(item, self._clock.monotonic())
            self._stale = self._stale or again  # not earlier: a look before ``done`` would not queue the item again
            self._event.set()

    def _leave_gate(self) -> None:
        self._before_gate -= 1
        self._event.set()

    async def _send(self, item: Item, post_id: int, passed: "_Once") -> bool:
        """True when posts are due anew."""
        post = await self._outbox.claim(post_id)
        if post is None:
            return False
        try:
            allowed = await self._pass_gate(item)
        except asyncio.CancelledError:
            await self._outbox.put_back(post, tried=False)
            raise
        passed()
        if not allowed:
            await self._outbox.put_back(post, tried=False)
            return True
        try:
            message_id = await self._courier.deliver(post)
        except Exception as error:
            return await self._settler.failed(post, error)
        return await self._settler.arrived(post, message_id)

    async def _grant(self, item: Item, turn: _Turn, passed: "_Once") -> None:
        if turn.finished.is_set():
            return
        await self._pass_gate(item)
        passed()
        turn.granted.set()
        await turn.finished.wait()

    async def _pass_gate(self, item: Item) -> bool:
        """Wait for the next moment of the overall schedule; False when a pause was asked for meanwhile."""
        async with self._gate:
            pause = self._spacing.delay(self._clock.monotonic())
            if pause > 0:
                await asyncio.sleep(pause)
            now = self._clock.monotonic()
            if self._stopping or self.pacer.held(item.chat_id, now):
                return False
            self._spacing.passed(now)
            self.pacer.went(item.chat_id, now)
            return True


class _Once:
    """Calls its function the first time only."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()
