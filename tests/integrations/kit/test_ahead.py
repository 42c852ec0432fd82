"""Reading ahead: order kept, bounded, failures in their place, nothing left running."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from integrations.kit.ahead import ahead


class Pages:
    """Counts what was fetched and tells whether the fetching was ended."""

    def __init__(self, count: int, *, breaks_after: int | None = None) -> None:
        self.fetched = 0
        self.ended = False
        self._count = count
        self._breaks_after = breaks_after

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for number in range(self._count):
                if number == self._breaks_after:
                    raise LookupError(number)
                self.fetched += 1
                yield number
                await asyncio.sleep(0)
        finally:
            self.ended = True


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_all_pages_in_order() -> None:
    assert [page async for page in ahead(aiter(Pages(20)), by=3)] == list(range(20))
    assert [page async for page in ahead(aiter(Pages(0)), by=3)] == []


async def test_no_further_than_asked() -> None:
    pages = Pages(20)
    reading = ahead(aiter(pages), by=3)
    assert await anext(reading) == 0
    await settle()
    assert pages.fetched == 5  # the one given, three waiting, one that finds no room
    await reading.aclose()  # type: ignore[attr-defined]
    await settle()
    assert pages.fetched == 5
    assert pages.ended


async def test_a_failure_comes_after_the_pages_before_it() -> None:
    reading = ahead(aiter(Pages(20, breaks_after=2)), by=9)
    await settle()
    assert [await anext(reading), await anext(reading)] == [0, 1]
    with pytest.raises(LookupError):
        await anext(reading)
