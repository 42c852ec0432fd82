"""Which updates are too old to be answered: a question nobody waits for any more is dropped, a decision is carried out."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.updates import StoredUpdate

COMMAND_AGE = timedelta(minutes=10)
TAP_AGE = timedelta(seconds=15)  # Telegram itself forgets a tap and an inline query after about this long


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """``reading_buttons``: first parts of callback data ("call" of "call:42") that only show something.

    ``writing_commands``: commands that change something, without the slash. What is in neither list: buttons write,
    commands read.
    """

    reading_buttons: Collection[str] = ()
    writing_commands: Collection[str] = field(default=("start",))

    def too_late(self, update: StoredUpdate, now: datetime) -> bool:
        body = update.body
        if isinstance(body.get("inline_query"), dict):
            return now - update.received_at > TAP_AGE
        if isinstance(query := body.get("callback_query"), dict):
            reads = str(query.get("data", "")).partition(":")[0] in self.reading_buttons
            return reads and now - update.received_at > TAP_AGE
        message = body.get("message")
        if isinstance(message, dict):
            return self._reads(message) and now - _written_at(message, update) > COMMAND_AGE
        return False

    def _reads(self, message: dict[str, Any]) -> bool:
        text = message.get("text")
        if not isinstance(text, str) or not text.startswith("/"):
            return False
        command = text[1:].split(maxsplit=1)[0].partition("@")[0] if len(text) > 1 else ""
        return command.lower() not in self.writing_commands


def _written_at(message: dict[str, Any], update: StoredUpdate) -> datetime:
    """Telegram keeps messages for a day while we are away: their own time counts, not when we fetched them."""
    date = message.get("date")
    if isinstance(date, int) and 0 < date < 2**33:
        return min(datetime.fromtimestamp(date, UTC), update.received_at)
    return update.received_at
