"""From a socket to the inbox: nothing is answered before it is on disk, nothing a stranger sends makes a 500."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from aiohttp import web

from bot.hooks import Endpoint, Hooks
from bot.http.amocrm_log import outline
from bot.http.limits import Networks, RateLimit, client_ip
from bot.http.readable import readable
from bot.http.refusal import Refusal
from domain.errors import BadSignature, RejectedDelivery, TooLarge, UnknownHook
from domain.events import CallEnded, CrmChanged, Event
from domain.webhooks import Delivery, Parsed, record
from handlers.routes import ROUTES
from storage.arrivals import Arrival, WorkSeed
from storage.codec import dumps
from storage.inbox import Inbox, new_delivery_id
from storage.sealed import PERSONAL, seal
from storage.vault import Vault

log = logging.getLogger(__name__)

BODY_SECONDS = 20.0  # a vendor's megabyte comes in far less; who trickles holds a connection
HINT_BYTES = 16 * 1024  # of an event that nobody vouches for; a real one has two kilobytes
ACCEPTED = b'{"status": "ok"}'
_AS_JSON = {"Content-Type": "application/json; charset=utf-8"}

Size = TypeVar("Size", bytes, bytearray)

_KINDS = {event: kind for kind, event in ROUTES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """What the hook handlers stand on. ``stored`` is called after a delivery with work was committed."""

    hooks: Hooks
    inbox: Inbox
    vault: Vault
    stored: Callable[[], None]
    strangers: RateLimit
    trusted: Networks

    async def hook(self, request: web.Request) -> web.Response:
        """POST /hooks/{vendor}/{secret}: the secret names the connection."""
        endpoint = self.hooks.find(request.match_info["vendor"], request.match_info["secret"])
        if endpoint is None:
            raise UnknownHook("not found")
        return await self.accept(request, endpoint)

    async def keyed(self, request: web.Request) -> web.Response:
        """POST /hooks/{vendor}: no secret in the address; a key in a header, a parameter or a field is the proof."""
        endpoint = self.hooks.default(request.match_info["vendor"])
        if endpoint is None or not endpoint.keyed:
            raise UnknownHook("not found")
        return await self.accept(request, endpoint)

    async def bitrix24_seed(self, request: web.Request) -> web.Response:
        """POST /api/bitrix-webhook/call-finished: the token in the body, where one is configured, is the only proof."""
        endpoint = self.hooks.default("bitrix24")
        if endpoint is None:
            raise UnknownHook("not found")
        if not endpoint.authenticated and not self.strangers.allow(client_ip(request, self.trusted)):
            raise web.HTTPTooManyRequests
        return await self.accept(request, endpoint, proven=endpoint.authenticated)

    async def accept(self, request: web.Request, endpoint: Endpoint, *, proven: bool = True) -> web.Response:
        """Commit what came, then answer. Not ``proven``: anybody could have sent it."""
        await self.take(request, endpoint, proven=proven)
        return _accepted(endpoint.answer)

    async def take(self, request: web.Request, endpoint: Endpoint, *, proven: bool = True) -> Parsed:
        """Commit what came; its meaning."""
        if endpoint.limit is not None and not endpoint.limit.allow(client_ip(request, self.trusted)):
            raise web.HTTPTooManyRequests
        delivery = Delivery(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await read_body(request, endpoint.max_body),
            received_at=datetime.now(UTC),
        )
        if not proven and len(delivery.body) > HINT_BYTES:
            raise TooLarge("the body is too large", field="body")
        endpoint.receiver.verify(delivery)
        parsed = endpoint.receiver.parse(delivery)
        if self._is_worth_keeping(endpoint, parsed, proven=proven) and await self.inbox.add(
            self._arrival(delivery, endpoint, parsed)
        ):
            self._told(endpoint, parsed)
        return parsed

    def _is_worth_keeping(self, endpoint: Endpoint, parsed: Parsed, *, proven: bool) -> bool:
        """Not a probe, nor what nobody reads where anybody could fill the disk with it."""
        if parsed.events or parsed.probe:
            return not parsed.probe
        self.hooks.count_unknown(endpoint.vendor, parsed.kind)
        return proven

    def _told(self, endpoint: Endpoint, parsed: Parsed) -> None:
        for event in parsed.events:
            if isinstance(event, CallEnded) and endpoint.vendor == "bitrix24":
                log.info("📞 Received call webhook from Bitrix24: call %s", event.external_id)
            elif isinstance(event, CrmChanged):
                log.info("Received webhook from amoCRM: %s", outline(event))
            else:
                log.info("%s webhook: %s %s", endpoint.vendor, parsed.kind, event.external_id)
        if parsed.events:
            self.stored()

    def _arrival(self, delivery: Delivery, endpoint: Endpoint, parsed: Parsed) -> Arrival:
        return Arrival(
            id=new_delivery_id(),
            account_id=endpoint.account_id,
            connection_id=endpoint.connection_id,
            vendor=endpoint.vendor,
            kind=parsed.kind,
            dedup_key=parsed.dedup_key,
            body_sha256=hashlib.sha256(delivery.body).hexdigest(),
            request=self.vault.encrypt(record(endpoint.receiver.redact(delivery))),
            received_at=delivery.received_at,
            seeds=tuple([seed_of(event, self.vault) for event in parsed.events]),
        )


def _accepted(answer: str) -> web.Response:
    return web.Response(text=answer) if answer else web.Response(body=ACCEPTED, headers=_AS_JSON)


def seed_of(event: Event, vault: Vault | None = None) -> WorkSeed:
    """The work an event gives; hook and poll compute the same object, so whichever is first wins.

    Who registered, and the secret that opens a room as them, is sealed as the delivery is: no such event goes without
    ``vault``.
    """
    kind, payload = _KINDS[type(event)], dumps(type(event), event)
    if kind in PERSONAL:
        if vault is None:
            raise ValueError(f"{kind} holds somebody's contacts and is sealed")
        payload = seal(vault, payload)
    return WorkSeed(kind=kind, object=f"{event.vendor}:{event.external_id}", payload=payload)


async def read_body(request: web.Request, most: int = 0) -> bytes:
    """The body, of at most ``most`` bytes where that is more than the server takes from everybody.

    408 for one that trickles, 400 for one that breaks off or is not coded as its header says, TooLarge.
    """
    limit = max(most, request.client_max_size)
    try:
        if request.content.is_eof():  # a small body is there with its head: no clock is needed, and nothing to wait for
            return _small_enough(request.content.read_nowait(), limit)
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_up_to(request, limit)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest from None


async def _read_up_to(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        _small_enough(body, limit)
    return bytes(body)


def _small_enough(body: Size, limit: int) -> Size:
    if len(body) >= limit:
        raise TooLarge("the body is too large", field="body")
    return body


@web.middleware
async def errors_as_json(request: web.Request, handler: Callable[[web.Request], object]) -> web.StreamResponse:
    """Every refusal is a small JSON object; what we did not foresee is a 503 with an id that is also in the log."""
    try:
        response = await handler(request)  # type: ignore[misc]
    except RejectedDelivery as error:
        count_rejected(request, error)
        body = {"error": _public_reason(error)} | ({"field": error.field} if error.field else {})
        return readable(body, status=error.status)
    except Refusal as refusal:
        return refusal.answer()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return web.json_response({"error": error.reason}, status=error.status, headers=_kept(error))
    except ConnectionError:
        raise
    except Exception as error:  # the database is away, or a defect: nothing was promised
        error_id = secrets.token_hex(4)
        log.exception("request failed [%s] %s", error_id, type(error).__name__)
        return web.json_response({"error": "temporarily unavailable", "error_id": error_id}, status=503)
    assert isinstance(response, web.StreamResponse)  # noqa: S101 - aiohttp's handlers give nothing else
    return response


def _public_reason(error: RejectedDelivery) -> str:
    """Who is refused for a secret or a signature learns nothing more."""
    if isinstance(error, UnknownHook):
        return "not found"
    return "unauthorized" if isinstance(error, BadSignature) else error.reason


def count_rejected(request: web.Request, error: RejectedDelivery) -> None:
    hooks: Hooks | None = request.app.get(HOOKS)
    if hooks is not None:
        hooks.rejected[type(error).__name__] += 1


def _kept(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}


HOOKS: web.AppKey[Hooks] = web.AppKey("hooks", Hooks)
