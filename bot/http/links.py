"""GET /r/{code}: a personal short link leads on, and that somebody followed it is noted."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from domain.ports import Clock
from storage.engine import Database
from storage.queries.short_links import find_short_link

LIFE = timedelta(days=90)  # a webinar's link is of no use for longer, and a forgotten one should not lead anywhere
PREVIEWS = ("TelegramBot", "WhatsApp", "facebookexternalhit", "vkShare")  # messengers look before anybody presses
_CODE = re.compile(r"[0-9a-z]{8,32}")
_GONE = "Ссылка не действует: она устарела или скопирована не целиком. Попросите новую."
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

Follow = Callable[[web.Request], Awaitable[web.Response]]


def short_link(database: Database, clock: Clock) -> Follow:
    """The handler. A code nobody has and one that is too old are answered alike."""

    async def follow(request: web.Request) -> web.Response:
        code = request.match_info["code"]
        link = await find_short_link(database, code) if _CODE.fullmatch(code) else None
        if link is None or clock.now() - link.created_at > LIFE:
            return web.Response(status=404, text=_GONE, headers=_PRIVATE)
        if request.method == "GET" and not _looks_only(request):
            from storage.links import LinkStore  # not before somebody follows one: hooks are accepted sooner

            await LinkStore(database).follow(code, now=clock.now())
        return web.Response(status=302, headers={"Location": link.url, **_PRIVATE})

    return follow


def _looks_only(request: web.Request) -> bool:
    agent = request.headers.get("User-Agent", "")
    return any(name in agent for name in PREVIEWS)
