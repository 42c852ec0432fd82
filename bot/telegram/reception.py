"""The webhook at Telegram's side: set, watched, and set again when somebody takes it away."""

import asyncio
import logging
from collections.abc import Sequence

from aiogram import Bot
from aiogram.types import WebhookInfo

log = logging.getLogger(__name__)

LOOK_SECONDS = 600.0
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
PATH = "/telegram/webhook"
CONNECTIONS = 40


class WebhookKeeper:
    """Runs in the leader. ``info`` is what Telegram said last, for /status."""

    def __init__(
        self,
        bot: Bot,
        *,
        public_url: str,
        secret: str,
        allowed_updates: Sequence[str],
    ) -> None:
        self._bot = bot
        self._url = public_url.rstrip("/") + PATH
        self._secret = secret
        self._allowed = list(allowed_updates)
        self.info: WebhookInfo | None = None
        self.healed = 0

    async def run(self) -> None:
        """Until cancelled. The first time it is set whatever Telegram has, since the secret cannot be compared."""
        failures = 0
        known = False
        while True:
            try:
                known = await self._keep(known=known)
                failures = 0
                pause = LOOK_SECONDS
            except Exception as error:
                log.warning("the webhook could not be checked: %s", type(error).__name__)
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures += 1
            await asyncio.sleep(pause)

    async def _keep(self, *, known: bool) -> bool:
        info = await self._bot.get_webhook_info()
        astray = info.url != self._url or set(info.allowed_updates or ()) != set(self._allowed)
        if known and astray:
            self.healed += 1
            log.error("the webhook had been changed by somebody else; it is set again")
        if astray or not known:
            await self._bot.set_webhook(
                self._url,
                secret_token=self._secret,
                allowed_updates=self._allowed,
                max_connections=CONNECTIONS,
                drop_pending_updates=False,
            )
            info = await self._bot.get_webhook_info()
        self.info = info
        return True
