"""The door for Telegram's webhook: proves the sender, stores the update, answers. No aiogram here."""

import hmac
import logging
from collections.abc import Callable

from storage.updates import MalformedUpdateError, Updates, parse_update

log = logging.getLogger(__name__)


class UpdateDoor:
    """Takes updates before and while the rest of Telegram starts. ``on_stored`` is called after each commit."""

    def __init__(self, updates: Updates, secret: str | None) -> None:
        self._updates = updates
        self._secret = secret.encode() if secret else None
        self.on_stored: Callable[[], None] | None = None
        self.rejected = 0

    async def accept_update(self, body: bytes, secret_header: str | None) -> int:
        """The HTTP status to answer with: 200 when the update is on disk (or was already), 503 when it cannot be.

        404 while no webhook is configured, 401 for a missing or wrong secret, 400 for what is no update.
        """
        if self._secret is None:
            return 404
        given = (secret_header or "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            self.rejected += 1
            return 401
        try:
            update = parse_update(body)
        except MalformedUpdateError as error:
            log.warning("a webhook request is no update: %s", error)
            return 400
        try:
            await self._updates.add([update])
        except Exception:  # the database is away: Telegram comes again
            log.exception("an update could not be stored")
            return 503
        if self.on_stored is not None:
            self.on_stored()
        return 200
