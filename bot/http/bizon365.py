"""Bizon365's addresses as the papers and its own settings know them; /hooks/bizon365/… takes both kinds of body as well."""

from aiohttp import web

from bot.hooks import Endpoint
from bot.http.ingress import Ingress
from domain.errors import UnknownHook

_VENDOR = "bizon365"


def bizon365_routes(ingress: Ingress) -> list[web.RouteDef]:
    """A report is told by POST or, through some relays, GET; the connection is named by ``user_id``. A registration page
    posts, with the connection's secret in the address.
    """

    async def report(request: web.Request) -> web.Response:
        return await ingress.accept(request, _known(ingress.hooks.find_public(_VENDOR, request.query.get("user_id", ""))))

    async def registration(request: web.Request) -> web.Response:
        return await ingress.accept(request, _known(ingress.hooks.find(_VENDOR, request.match_info["key"])))

    return [
        web.post("/api/webhooks/bizon", report),
        web.get("/api/webhooks/bizon", report, allow_head=False),
        web.post("/bizon_webhook/{key}", registration),
    ]


def _known(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        raise UnknownHook("not found")
    return endpoint
