"""Reading ahead: the next pages are fetched while the reader is still busy with this one."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def ahead(pages: AsyncIterator[T], *, by: int) -> AsyncIterator[T]:
    """The same pages in the same order, up to ``by`` of them fetched before they are asked for.

    What ``pages`` raises comes after the pages before it. When the reader stops, so does the fetching.
    """
    waiting: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue(by)
    fetching = asyncio.create_task(_fetch(pages, waiting))
    try:
        while (item := await waiting.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item[0]
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)  # its cancellation, not ours


async def _fetch(pages: AsyncIterator[T], waiting: "asyncio.Queue[tuple[T] | Exception | None]") -> None:
    end: Exception | None = None
    try:
        async for page in pages:
            await waiting.put((page,))
    except Exception as error:
        end = error  # the reader gets it, whatever it is
    await waiting.put(end)
