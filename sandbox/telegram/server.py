"""The web application: /bot{token}/{method}, files, the control API, the page and its events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.telegram import answering, control, editing, knowing, sending
from sandbox.telegram.faults import Fault, FaultKind
from sandbox.telegram.journal import Call
from sandbox.telegram.params import Params, read_params
from sandbox.telegram.site import Method, Site
from sandbox.telegram.wire import Json, Refusal

if TYPE_CHECKING:
    from sandbox.telegram.double import TelegramDouble

PAGE = Path(__file__).parent.parent / "page"
_SCRIPTS = ("page", "dom", "text", "message", "player", "panel", "composer")
_PAGE_FILES = {"page.css": "text/css", **{f"{name}.js": "text/javascript" for name in _SCRIPTS}}
_UPLOAD_ROOM = 64 * 1024 * 1024
_METHODS: dict[str, tuple[str, Method]] = {
    name.lower(): (name, method)
    for methods in (sending.METHODS, editing.METHODS, answering.METHODS, knowing.METHODS)
    for name, method in methods.items()
}
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class BotApi:
    """Answers the bot."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call: fault, work, journal, answer. Method names in any case, as Telegram takes them."""
        name = request.match_info["method"]
        params = Params()
        try:
            self._check_token(request.match_info["token"])
            params = await read_params(request)
            fault = self._site.faults.take(name, params.integer("chat_id"))
            early = _before(fault, request)
            if early is not None:
                return self._note(early, name, params)
            answer = self._answer(200, {"ok": True, "result": await self._work(name, params)})
        except Refusal as refusal:
            return self._note(self._answer(refusal.status, refusal.body()), name, params, refusal.description)
        return self._note(await _after(fault, request, answer), name, params)

    def _check_token(self, token: str) -> None:
        if not token.split(":", 1)[0].isdecimal() or ":" not in token:
            raise Refusal(404, "Not Found")
        if token != self._site.token:
            raise Refusal(401, "Unauthorized")

    async def _work(self, name: str, params: Params) -> object:
        if name.lower() == "getupdates":
            self._site.inbox.allow(params.json("allowed_updates", "can't parse allowed_updates JSON object"))
            limit, wait = params.bounded("limit", 100, 1, 100), params.bounded("timeout", 0, 0, 50)
            return await self._site.inbox.poll(params.integer("offset") or 0, limit, wait)
        known = _METHODS.get(name.lower())
        if known is None:
            raise Refusal(404, "Not Found: method not found")
        return known[1](self._site, params)

    def _answer(self, status: int, body: Json) -> web.Response:
        text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return web.Response(status=status, body=text, content_type="application/json")

    def _note(self, response: web.StreamResponse, name: str, params: Params, description: str = "") -> web.StreamResponse:
        proper = _METHODS.get(name.lower(), (name,))[0]
        call = Call(
            at=self._site.now(),
            method=proper,
            chat_id=params.integer("chat_id"),
            status=0 if isinstance(response, _Cut) else response.status,
            description=description,
            params=params.plain(),
        )
        self._site.journal.calls.append(call)
        self._site.pulse.beat()
        return response

    async def file(self, request: web.Request) -> web.Response:
        """A file by the file_path of getFile."""
        stored = self._site.shelf.by_path(request.match_info["path"])
        if request.match_info["token"] != self._site.token or stored is None:
            return web.Response(status=404, text="Not Found")
        return web.Response(body=stored.data, content_type="application/octet-stream")


class _Cut(web.Response):
    """An answer that never leaves: the connection is closed under it."""


def _cut(request: web.Request) -> _Cut:
    if request.transport is not None:
        request.transport.abort()
    return _Cut()


def _before(fault: Fault | None, request: web.Request) -> web.StreamResponse | None:
    if fault is None:
        return None
    if fault.kind in (FaultKind.REFUSE, FaultKind.BAD_GATEWAY, FaultKind.DROP_BEFORE):
        fault.reached.set()
    if fault.kind is FaultKind.REFUSE:
        return web.json_response(fault.body(), status=fault.status)
    if fault.kind is FaultKind.BAD_GATEWAY:
        return web.Response(status=502, text=_GATEWAY_PAGE, content_type="text/html")
    return _cut(request) if fault.kind is FaultKind.DROP_BEFORE else None


async def _after(fault: Fault | None, request: web.Request, answer: web.Response) -> web.StreamResponse:
    if fault is None:
        return answer
    fault.reached.set()
    if fault.kind is FaultKind.HOLD:
        await fault.released.wait()
    if fault.kind is FaultKind.GARBLE:
        return web.Response(text="<!doctype html><title>ok</title>", content_type="text/html")
    return _cut(request) if fault.kind is FaultKind.DROP_AFTER else answer


async def _index(_request: web.Request) -> web.Response:
    return await _page_file("index.html", "text/html")


async def _asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _PAGE_FILES:
        raise web.HTTPNotFound
    return await _page_file(name, _PAGE_FILES[name])


async def _page_file(name: str, content_type: str) -> web.Response:
    text = await asyncio.to_thread((PAGE / name).read_text, "utf-8")
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return web.Response(text=text, content_type=content_type, charset="utf-8", headers=headers)


def build_app(double: "TelegramDouble", extra: Callable[[web.Application], None] | None) -> web.Application:
    """Everything on one port. Files of the page are read anew for each request."""
    app = web.Application(client_max_size=_UPLOAD_ROOM)
    api = BotApi(double.site)
    app.router.add_route("*", "/bot{token}/{method}", api.handle)
    app.router.add_get("/file/bot{token}/{path:.+}", api.file)
    app.router.add_get("/", _index)
    app.router.add_get("/page/{name}", _asset)
    control.add_routes(app, double)

    async def life(_app: web.Application) -> AsyncIterator[None]:
        yield
        await double.site.courier.stop()

    async def hang_up(_app: web.Application) -> None:
        double.clear_faults()
        double.site.inbox.close()
        double.site.stream.close()

    app.cleanup_ctx.append(life)
    app.on_shutdown.append(hang_up)
    if extra is not None:
        extra(app)
    return app
