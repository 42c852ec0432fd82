"""Time and waiting: two clocks that a test may replace, and a pulse that wakes whoever waits for a change."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """``monotonic`` seconds for limits and ages, ``wall`` Unix seconds for dates."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def unix(self) -> int:
        return int(self.wall())


class Pulse:
    """Wakes every waiter at once; whoever was not waiting misses it, so look at the state before waiting."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, timeout_s: float) -> bool:
        """True when woken, False when ``timeout_s`` seconds passed first."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    async def until(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """True as soon as ``ready`` is, looked at now and at every beat; False after ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            await self.wait(left)
        return True
