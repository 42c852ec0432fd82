"""The token bucket on a clock that only moves when somebody sleeps."""

import asyncio
from datetime import UTC, datetime

import pytest

from integrations.kit.pacing import TokenBucket


class SteppedClock:
    """Moves only by ``sleep``."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


def bucket_of(clock: SteppedClock) -> TokenBucket:
    return TokenBucket(rate=2, burst=3, clock=clock, sleep=clock.sleep)


async def taken_at(bucket: TokenBucket, clock: SteppedClock, times: int) -> list[float]:
    moments = []
    for _ in range(times):
        await bucket.take()
        moments.append(clock.at - 100.0)
    return moments


async def test_a_burst_then_two_a_second(clock: SteppedClock) -> None:
    assert await taken_at(bucket_of(clock), clock, 6) == [0, 0, 0, 0.5, 1.0, 1.5]


async def test_a_rest_refills_no_more_than_the_burst(clock: SteppedClock) -> None:
    bucket = bucket_of(clock)
    await taken_at(bucket, clock, 3)
    clock.at += 60
    assert [moment - 60 for moment in await taken_at(bucket, clock, 4)] == [0, 0, 0, 0.5]


async def test_drain_takes_the_burst_away_but_forgives_nothing_owed(clock: SteppedClock) -> None:
    bucket = bucket_of(clock)
    bucket.drain()
    assert await taken_at(bucket, clock, 2) == [0.5, 1.0]


async def test_a_clock_that_goes_back_gives_nothing(clock: SteppedClock) -> None:
    bucket = bucket_of(clock)
    await taken_at(bucket, clock, 3)
    clock.at -= 50
    assert (await taken_at(bucket, clock, 1))[0] == pytest.approx(-49.5)


async def test_waiters_go_in_order_and_a_cancelled_one_gives_its_turn_back(clock: SteppedClock) -> None:
    waits: list[float] = []
    never = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await never.wait()

    bucket = TokenBucket(rate=2, burst=1, clock=clock, sleep=sleep)
    await bucket.take()
    waiters = [asyncio.create_task(bucket.take()) for _ in range(3)]
    await asyncio.sleep(0)
    assert waits == [0.5, 1.0, 1.5]
    waiters[2].cancel()
    await asyncio.gather(waiters[2], return_exceptions=True)
    waiters.append(asyncio.create_task(bucket.take()))
    await asyncio.sleep(0)
    assert waits[-1] == 1.5
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
