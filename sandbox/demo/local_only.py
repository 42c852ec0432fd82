"""Keeps the page to the person in front of it: no other page of their browser may press its buttons or read its chats."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from integrations.kit.addresses import is_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for a request under another name than this machine's, and for one that a foreign page makes."""
    origin = request.headers.get("Origin")
    if not _is_ours(f"http://{request.host}") or (origin is not None and not _is_ours(origin)):
        raise web.HTTPForbidden(text="Демонстрация открывается только с этого компьютера: http://127.0.0.1")
    return await handler(request)


def _is_ours(address: str) -> bool:
    try:
        return is_loopback(URL(address).host or "")
    except ValueError:
        return False
