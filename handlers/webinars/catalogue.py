"""What a platform offers to choose from: its rooms and registration pages, asked for once in a few minutes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from domain.errors import VendorError
from domain.ports import Clock, WebinarPlatform
from domain.webinars import PageId, RegistrationPage, Room, RoomId

FRESH_SECONDS = 300.0
T = TypeVar("T")


class _Shelf(Generic[T]):
    """One list. Those who ask at the same moment share one question."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[T]]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kept: Sequence[T] | None = None
        self._until = 0.0

    async def get(self) -> Sequence[T]:
        async with self._lock:
            if self._kept is None or self._clock.monotonic() >= self._until:
                self._kept = await self._fetch()
                self._until = self._clock.monotonic() + FRESH_SECONDS
            return self._kept


class Catalogue:
    """Rooms and pages of one account. VendorUnavailable and VendorRefused where nothing is kept yet, or it is too old."""

    def __init__(self, platform: WebinarPlatform, clock: Clock) -> None:
        self._pages = _Shelf(platform.pages, clock)
        self._rooms = _Shelf(platform.rooms, clock)

    async def pages(self) -> Sequence[RegistrationPage]:
        return await self._pages.get()

    async def rooms(self) -> Sequence[Room]:
        return await self._rooms.get()

    async def page(self, page_id: str) -> RegistrationPage | None:
        return next((page for page in await self.pages() if page.page_id == page_id), None)

    async def room(self, room_id: str) -> Room | None:
        return next((room for room in await self.rooms() if room.room_id == room_id), None)

    async def pages_of(self, room_id: RoomId) -> list[RegistrationPage]:
        """Where one registers for this room; every enabled page when none says that it is for it."""
        enabled = [page for page in await self.pages() if page.enabled]
        return [page for page in enabled if page.room_id == room_id] or enabled

    async def title_of(self, page_id: PageId) -> str:
        """What the page is called; a platform that is away costs the name, not the card."""
        try:
            page = await self.page(page_id)
        except VendorError:
            return ""
        return page.title if page is not None else ""
