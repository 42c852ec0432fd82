"""Our own getUpdates loop: an update is confirmed to Telegram only after it is on disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiogram import Bot
from aiogram.exceptions import TelegramConflictError, TelegramRetryAfter
from aiogram.methods import DeleteWebhook, GetUpdates

from bot.telegram.session import Session
from domain.ports import Clock
from storage.updates import MalformedUpdateError, Updates, checked_update

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
POLL_SECONDS = 25


class Poller:
    """Runs in the leader. ``conflict`` is set while another copy of the bot takes our updates."""

    def __init__(
        self,
        bot: Bot,
        session: Session,
        updates: Updates,
        clock: Clock,
        *,
        allowed_updates: Sequence[str],
        on_stored: Callable[[], None],
        poll_seconds: int = POLL_SECONDS,
    ) -> None:
        self._bot = bot
        self._session = session
        self._updates = updates
        self._clock = clock
        self._allowed = list(allowed_updates)
        self._on_stored = on_stored
        self._poll_seconds = poll_seconds
        self._offset: int | None = None
        self._failures = 0
        self.conflict = False
        self.last_answer: float | None = None  # monotonic

    @property
    def failing(self) -> bool:
        """Telegram did not answer twice in a row; over with the next answer, which a quiet chat may take 25 s for."""
        return self._failures > 1

    async def run(self) -> None:
        """Until cancelled. Nothing that Telegram or the network does ends it."""
        await self._make_room()
        while True:
            try:
                bodies = await self._ask()
                await self._store(bodies)
            except TelegramConflictError as error:
                await self._in_conflict(error.message)
            except Exception as error:
                await self._pause(error)
            else:
                self._failures = 0
                self.conflict = False
                self.last_answer = self._clock.monotonic()

    async def _make_room(self) -> None:
        """A webhook and polling exclude each other: ours is taken away, its updates stay with Telegram for us."""
        while True:
            try:
                await self._bot(DeleteWebhook(drop_pending_updates=False), request_timeout=30)
            except Exception as error:
                await self._pause(error)
            else:
                return

    async def _ask(self) -> list[dict[str, Any]]:
        method = GetUpdates(offset=self._offset, limit=100, timeout=self._poll_seconds, allowed_updates=self._allowed)
        raw = await self._session.get_updates(self._bot, method, seconds=self._poll_seconds + 15)
        bodies = []
        for value in raw:
            try:
                bodies.append(checked_update(value))
            except MalformedUpdateError as error:
                log.warning("getUpdates gave something that is no update: %s", error)
        return bodies

    async def _store(self, bodies: list[dict[str, Any]]) -> None:
        if not bodies:
            return
        await self._updates.add(bodies)
        self._offset = max(int(body["update_id"]) for body in bodies) + 1
        self._on_stored()

    async def _in_conflict(self, description: str) -> None:
        if "webhook" in description.lower():
            log.error("somebody has set a webhook for this bot; it is taken away, since we poll")
            await self._make_room()
            await asyncio.sleep(PAUSES[0])
            return
        if not self.conflict:
            log.error("another copy of the bot is running with the same token: it takes updates away from this one")
        self.conflict = True
        await self._wait()

    async def _pause(self, error: Exception) -> None:
        if self._failures == 0:
            log.warning("getUpdates fails: %s", type(error).__name__)
        if isinstance(error, TelegramRetryAfter):
            await asyncio.sleep(error.retry_after)
        await self._wait()

    async def _wait(self) -> None:
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        await asyncio.sleep(pause)
