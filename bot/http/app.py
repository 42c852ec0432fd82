"""The HTTP application: every address of CONTRACT, joined to what answers it."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.http.amocrm import amocrm_routes
from bot.http.api.routes import Api
from bot.http.bizon365 import bizon365_routes
from bot.http.documents import docs_page, openapi
from bot.http.ingress import HOOKS, Ingress, errors_as_json, read_body
from bot.http.limits import is_loopback
from bot.http.links import Follow
from domain.access import Scope

MAX_BODY = 1024 * 1024
BITRIX24_TEST = {"status": "ok", "message": "Bitrix webhook endpoint is working"}

Report = Callable[[], Awaitable[dict[str, object]]]
TelegramUpdate = Callable[[bytes, str | None], Awaitable[int]]


async def _nowhere(_: web.Request) -> web.Response:
    raise web.HTTPNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the addresses answer from. ``update`` takes a Telegram update and gives the HTTP status to answer with.

    ``consent``: where a person who allowed us into their account comes back to.
    """

    ingress: Ingress
    api: Api
    health: Report
    metrics: Callable[[], Awaitable[str]]
    metrics_key: str = field(repr=False)
    update: TelegramUpdate
    follow: Follow
    consent: Follow = _nowhere


def build_app(site: Site) -> web.Application:
    """The application, with nothing running yet."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[errors_as_json])
    app[HOOKS] = site.ingress.hooks
    app.add_routes(
        [
            web.post("/hooks/{vendor}/{secret}", site.ingress.hook),
            web.post("/hooks/{vendor}", site.ingress.keyed),
            web.post("/api/bitrix-webhook/call-finished", site.ingress.bitrix24_seed),
            web.get("/api/bitrix-webhook/test", _bitrix24_test),
            *bizon365_routes(site.ingress),
            *amocrm_routes(site.ingress, site.health),
            web.get("/api/auth/amo/callback", site.consent, allow_head=False),
            *site.api.routes(),
            web.get("/api/health", _health(site)),
            web.get("/metrics", _metrics(site)),
            web.get("/r/{code}", site.follow),
            web.get("/docs", docs_page),
            web.get("/docs/openapi.json", openapi),
            web.post("/telegram/webhook", _telegram(site)),
        ]
    )
    return app


async def _bitrix24_test(_: web.Request) -> web.Response:
    return web.json_response(BITRIX24_TEST)


def _health(site: Site) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def health(_: web.Request) -> web.Response:
        report = await site.health()
        return web.json_response(report, status=503 if report["status"] == "unhealthy" else 200)

    return health


def _metrics(site: Site) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def metrics(request: web.Request) -> web.Response:
        if not is_loopback(request) and not _bears(request, site.metrics_key):
            await site.api.access.admit(request, Scope.METRICS)
        return web.Response(text=await site.metrics(), content_type="text/plain", charset="utf-8")

    return metrics


def _bears(request: web.Request, key: str) -> bool:
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, f"Bearer {key}".encode())


def _telegram(site: Site) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def update(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        return web.Response(status=await site.update(await read_body(request), secret))

    return update
