"""amoCRM's addresses as the papers know them; real hooks, which nobody signs, come to /hooks/amocrm/…"""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from bot.hooks import Endpoint
from bot.http.ingress import Ingress, count_rejected
from domain.errors import BadSignature
from domain.events import CrmChanged
from domain.webhooks import Delivery

log = logging.getLogger(__name__)

PATH = "/api/webhooks/amo"
SUPPORTED = ("leads.add", "leads.update", "leads.delete", "contacts.add", "contacts.update")
AND_ALSO = (
    "leads.status", "leads.responsible", "leads.restore", "contacts.delete", "contacts.responsible", "contacts.restore",
)  # fmt: skip
_VENDOR = "amocrm"
_ACCOUNT = "x-account-id"

Report = Callable[[], Awaitable[dict[str, object]]]


def amocrm_routes(ingress: Ingress, health: Report) -> list[web.RouteDef]:
    """The words, keys and their order are the papers'; ``health`` is the process's own."""

    async def changed(request: web.Request) -> web.Response:
        began = time.perf_counter()
        try:
            endpoint = _proven(request, ingress.hooks.default(_VENDOR))
        except BadSignature as error:
            count_rejected(request, error)
            return web.json_response({"error": "Invalid signature"}, status=error.status)
        parsed = await ingress.take(request, endpoint)
        count = sum(event.count for event in parsed.events if isinstance(event, CrmChanged))
        log.info("Webhook processed %d events in %.2fs", count, time.perf_counter() - began)
        return web.json_response(
            {
                "status": "success",
                "message": f"Processed {count} events",
                "events_processed": count,
                "timestamp": _now(),
                "errors": None,
            }
        )

    async def healthy(_: web.Request) -> web.Response:
        connected = (await health())["database"] == "connected"
        answer = {
            "status": "healthy" if connected else "unhealthy",
            "timestamp": _now(),
            "database": "connected" if connected else "disconnected",
            "webhook_endpoint": "active",
        }
        return web.json_response(answer, status=200 if connected else 503)

    return [
        web.post(PATH, changed),
        web.get(f"{PATH}/health", healthy, allow_head=False),
        web.get(f"{PATH}/test", _works, allow_head=False),
    ]


def _proven(request: web.Request, endpoint: Endpoint | None) -> Endpoint:
    """By the headers alone: nobody's body is read before. Without amoCRM connected no signature is valid."""
    if endpoint is None:
        raise BadSignature("Invalid signature")
    headers = {name.lower(): value for name, value in request.headers.items()}
    at = datetime.now(UTC)
    endpoint.receiver.verify(Delivery(method="POST", path=PATH, query="", headers=headers, body=b"", received_at=at))
    account = headers[_ACCOUNT][:64]
    log.info("Webhook signature verified for account: %s", account if account.isprintable() else ascii(account))
    return endpoint


async def _works(_: web.Request) -> web.Response:
    return web.json_response(
        {
            "status": "success",
            "message": "Webhook endpoint is working",
            "timestamp": _now(),
            "endpoint": PATH,
            "supported_events": [*SUPPORTED, *AND_ALSO],
        }
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
