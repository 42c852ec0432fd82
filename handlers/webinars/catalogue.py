"""What a platform offers to choose from: rooms, registration pages, newest reports, asked for once in a few minutes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from domain.errors import VendorError
from domain.ports import Clock, WebinarPlatform
from domain.webinars import PageId, RegistrationPage, Room, RoomId, WebinarReport

FRESH_SECONDS = 300.0
AWAY_SECONDS = 30.0  # a platform that did not answer is not asked again for so long
MOST_REPORTS = 100  # of the newest, that somebody may ask about
PATIENCE_SECONDS = 2.0  # how long a card waits for a name
T = TypeVar("T")


class _Shelf(Generic[T]):
    """One list. Those who ask at the same moment share one question."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[T]]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kept: Sequence[T] = ()
        self._failed: VendorError | None = None
        self._until = 0.0  # the list is fresh, or the failure

    async def get(self) -> Sequence[T]:
        async with self._lock:
            if self._clock.monotonic() >= self._until:
                await self._ask()
            if self._failed is not None:
                raise self._failed.with_traceback(None)
            return self._kept

    async def _ask(self) -> None:
        try:
            self._kept, self._failed = await self._fetch(), None
            self._until = self._clock.monotonic() + FRESH_SECONDS
        except VendorError as error:
            self._failed = error
            self._until = self._clock.monotonic() + AWAY_SECONDS


class Catalogue:
    """Rooms, pages and reports of one account. VendorUnavailable and VendorRefused where it does not tell them now."""

    def __init__(self, platform: WebinarPlatform, clock: Clock) -> None:
        self._clock = clock
        self._silent_until = 0.0  # it kept a card waiting
        self._pages = _Shelf(platform.pages, clock)
        self._rooms = _Shelf(platform.rooms, clock)
        self._reports = _Shelf(lambda: platform.reports(since=None, limit=MOST_REPORTS), clock)

    async def pages(self) -> Sequence[RegistrationPage]:
        return await self._pages.get()

    async def rooms(self) -> Sequence[Room]:
        return await self._rooms.get()

    async def reports(self) -> Sequence[WebinarReport]:
        """Newest first. One that was made in the last minutes may be missing: the poll finds it."""
        return await self._reports.get()

    async def page(self, page_id: str) -> RegistrationPage | None:
        return next((page for page in await self.pages() if page.page_id == page_id), None)

    async def room(self, room_id: str) -> Room | None:
        return next((room for room in await self.rooms() if room.room_id == room_id), None)

    async def pages_of(self, room_id: RoomId) -> list[RegistrationPage]:
        """Where one registers for this room; every enabled page when none says that it is for it."""
        enabled = [page for page in await self.pages() if page.enabled]
        return [page for page in enabled if page.room_id == room_id] or enabled

    async def title_of(self, page_id: PageId) -> str:
        """What the page is called; a platform that is away or slow costs the name, not the card."""
        if self._clock.monotonic() < self._silent_until:
            return ""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                page = await self.page(page_id)
        except TimeoutError:
            self._silent_until = self._clock.monotonic() + AWAY_SECONDS
            return ""
        except VendorError:
            return ""
        return page.title if page is not None else ""
