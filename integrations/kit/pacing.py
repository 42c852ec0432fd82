"""Keeping under a vendor's request limit: a token bucket on the monotonic clock."""

import asyncio
from collections.abc import Awaitable, Callable

from domain.ports import Clock

Sleep = Callable[[float], Awaitable[None]]


class TokenBucket:
    """``rate`` requests a second, ``burst`` at once after a rest. Callers are let through in the order they came."""

    def __init__(self, *, rate: float, burst: int, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(burst)
        self._at = clock.monotonic()

    async def take(self) -> None:
        """Wait for the next permitted moment. A caller that is cancelled while waiting gives its turn back."""
        self._refill()
        self._tokens -= 1
        wait = -self._tokens / self._rate
        if wait <= 0:
            return
        try:
            await self._sleep(wait)
        except BaseException:
            self._tokens += 1
            raise

    def drain(self) -> None:
        """The vendor says we were too fast: others share its limit, so whatever burst we believed in is gone."""
        self._refill()
        self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
