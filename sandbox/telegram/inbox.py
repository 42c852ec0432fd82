"""Updates on their way to the bot: the queue, long polling with its offset, and the webhook's settings."""

import time
from dataclasses import dataclass, field

from sandbox.telegram.clock import Pulse
from sandbox.telegram.wire import Json, conflict

KINDS = frozenset(
    {
        "message",
        "edited_message",
        "callback_query",
        "inline_query",
        "chosen_inline_result",
        "my_chat_member",
        "chat_member",
        "message_reaction",
        "message_reaction_count",
    }
)
_ONLY_IF_NAMED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
_WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Where updates are posted, and what the last failure was. ``last_error_at`` is Unix seconds."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: str = ""
    last_error_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An update not yet confirmed. ``key``: updates of one key are posted one after another."""

    update_id: int
    key: int
    body: Json


@dataclass(slots=True)
class Inbox:
    """The queue. An update that is not allowed when it happens never reaches the bot, as in life."""

    pulse: Pulse
    next_id: int = 500_000_001
    pending: list[Pending] = field(default_factory=list)
    allowed: frozenset[str] | None = None
    webhook: Webhook | None = None
    _poll: int = 0
    _webhook_set: int = 0
    _closing: bool = False

    def push(self, kind: str, body: Json, key: int) -> int | None:
        """Queue one update; its id, or None when the bot did not ask for this kind."""
        wanted = kind in self.allowed if self.allowed is not None else kind not in _ONLY_IF_NAMED
        if not wanted:
            return None
        update_id, self.next_id = self.next_id, self.next_id + 1
        self.pending.append(Pending(update_id=update_id, key=key, body={"update_id": update_id, kind: body}))
        self.pulse.beat()
        return update_id

    def allow(self, raw: object) -> None:
        """allowed_updates of a call: absent keeps the setting, an empty list means the usual kinds."""
        if isinstance(raw, list):
            names = frozenset(str(name) for name in raw)
            self.allowed = names or None

    def confirm(self, pending: Pending) -> None:
        """The webhook took it."""
        if pending in self.pending:
            self.pending.remove(pending)
        self.pulse.beat()

    def set_webhook(self, webhook: Webhook | None, *, drop_pending: bool) -> None:
        """Start or (None) end the webhook; a poll under way is ended with a conflict."""
        self.webhook = webhook
        self._webhook_set += webhook is not None
        if drop_pending:
            self.pending.clear()
        self.pulse.beat()

    def close(self) -> None:
        """Let waiting polls go with nothing: the server is about to stop."""
        self._closing = True
        self.pulse.beat()

    async def poll(self, offset: int, limit: int, timeout_s: float) -> list[Json]:
        """getUpdates. Refusal 409 beside a webhook; a poll already waiting is the one that gets the 409."""
        if self.webhook is not None:
            raise conflict(_WEBHOOK_ACTIVE)
        self._poll += 1
        mine, set_before = self._poll, self._webhook_set
        self.pulse.beat()
        self._forget(offset)
        deadline = time.monotonic() + timeout_s
        while not self.pending and not self._closing:
            left = deadline - time.monotonic()
            if left <= 0 or not await self.pulse.wait(left):
                break
            if self._webhook_set != set_before:
                raise conflict("terminated by setWebhook request")
            if mine != self._poll:
                raise conflict(_OTHER_POLLER)
        return [pending.body for pending in self.pending[:limit]]

    def _forget(self, offset: int) -> None:
        if offset < 0:
            self.pending = self.pending[offset:]
        elif offset > 0:
            self.pending = [pending for pending in self.pending if pending.update_id >= offset]
