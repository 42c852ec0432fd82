"""Posts updates to the bot's webhook: in order within a chat, side by side between chats, again until a 2xx."""

import asyncio
import json
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.telegram.clock import Clocks
from sandbox.telegram.inbox import Inbox, Pending, Webhook
from sandbox.telegram.wire import bad_request

_PORTS = frozenset({443, 80, 88, 8443})
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the name of a header
_LONGEST_PAUSE_S = 60.0


def is_local(host: str) -> bool:
    """True for the loopback: the only place this server ever posts to."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_webhook(url: str, secret: str) -> None:
    """Refusal 400 for an address or secret Telegram would not take; plain http is fine on the loopback only."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if not host or parts.scheme not in ("http", "https"):
        raise bad_request("invalid webhook URL specified")
    if not is_local(host):
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if port not in _PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not all(char.isascii() and (char.isalnum() or char in "_-") for char in secret):
        raise bad_request("secret token contains unallowed characters")


class Courier:
    """Runs while a webhook is set. ``first_pause_s`` doubles with every failure of the same update."""

    def __init__(self, inbox: Inbox, clocks: Clocks, first_pause_s: float) -> None:
        self.first_pause_s = first_pause_s
        self._inbox = inbox
        self._clocks = clocks
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin posting; does nothing when already under way. Needs a running loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=30)) as session, asyncio.TaskGroup() as group:
            busy: set[int] = set()
            while True:
                for pending in self._ready(busy):
                    busy.add(pending.key)
                    group.create_task(self._carry(session, pending, busy))
                await self._inbox.pulse.wait(3600)

    def _ready(self, busy: set[int]) -> list[Pending]:
        webhook = self._inbox.webhook
        if webhook is None:
            return []
        ready: dict[int, Pending] = {}
        for pending in self._inbox.pending:
            if pending.key not in busy:
                ready.setdefault(pending.key, pending)
        return list(ready.values())[: max(0, webhook.max_connections - len(busy))]

    async def _carry(self, session: ClientSession, pending: Pending, busy: set[int]) -> None:
        taken = await self._insist(session, pending)
        busy.discard(pending.key)
        if taken:
            self._inbox.confirm(pending)

    async def _insist(self, session: ClientSession, pending: Pending) -> bool:
        """Post until it is taken; False when the webhook or the update went away meanwhile."""
        pause = self.first_pause_s
        while (webhook := self._inbox.webhook) is not None and pending in self._inbox.pending:
            complaint = await self._post(session, webhook, pending)
            if not complaint:
                return True
            webhook.last_error, webhook.last_error_at = complaint, self._clocks.unix()
            self._inbox.pulse.beat()
            await self._inbox.pulse.until(lambda was=webhook: self._inbox.webhook is not was, pause)  # type: ignore[misc]
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return False

    async def _post(self, session: ClientSession, webhook: Webhook, pending: Pending) -> str:
        """ "" when taken, else what getWebhookInfo will say."""
        if not is_local(urlsplit(webhook.url).hostname or ""):
            return "Connection refused"
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers[_SECRET_HEADER] = webhook.secret
        body = json.dumps(pending.body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as response:
                fine = 200 <= response.status < 300
                return "" if fine else f"Wrong response from the webhook: {response.status} {response.reason}"
        except TimeoutError:
            return "Read timeout expired"
        except ClientError:
            return "Connection refused"
