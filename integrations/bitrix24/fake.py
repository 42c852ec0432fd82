"""A Bitrix24 portal of our own, for tests, the demo and benchmarks: the same wire, no account, and ways to break it."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from aiohttp import web

from integrations.bitrix24.fake_directory import USER_SCOPES, FakeDirectory
from integrations.bitrix24.fake_portal import FakeCall, FakeComment, FakeFile, Page, Portal, Refusal, local_iso
from integrations.bitrix24.fake_tasks import FakeBoard
from integrations.bitrix24.faults import scope_of

REMEMBERED_REQUESTS = 20_000
_ANY_OF = {"user_basic": USER_SCOPES}
_BROWSER_HEADERS = ("User-Agent", "Accept", "Accept-Language", "Referer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that reached the portal; ``at`` on the monotonic clock."""

    method: str
    params: Mapping[str, object]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """An answer in place of the real one. ``after``: the request is carried out first, only the answer is lost."""

    status: int
    body: bytes
    content_type: str = "application/json"
    after: bool = False


class Fake:
    """``build_app()`` is the server, ``webhook_url(base)`` what goes into BITRIX24_WEBHOOK_URL.

    ``down`` makes every request a 502 page; ``hold(method)`` carries requests out and keeps their answers until
    ``release(method)``; ``fail`` and ``answer`` script the next answers of a method.
    """

    def __init__(
        self,
        *,
        user_id: str = "1",
        secret: str = "fake-webhook-code",  # noqa: S107 - opens nothing
        application_token: str = "fake-application-token",  # noqa: S107 - opens nothing
    ) -> None:
        self.user_id = user_id
        self.secret = secret
        self.application_token = application_token
        self.portal = Portal()
        self.board = FakeBoard()
        self.portal.methods |= self.board.methods
        self.directory = FakeDirectory(self.portal)
        self.requests: deque[Seen] = deque(maxlen=REMEMBERED_REQUESTS)
        self.down = False
        self.redirect_downloads_to = ""
        self.most_at_once = 0
        self._at_once = 0
        self._scripts: dict[str, deque[Scripted]] = {}
        self._always: dict[str, Scripted] = {}
        self._held: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = {}

    def build_app(self) -> web.Application:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/rest/{user}/{secret}/download/", self._download)
        app.router.add_route("*", "/rest/{user}/{secret}/{method}", self._method)
        app.router.add_get("/pbx/{file}", self._pbx)
        return app

    def webhook_url(self, base: str) -> str:
        return f"{base.rstrip('/')}/rest/{self.user_id}/{self.secret}/"

    @property
    def comments(self) -> list[FakeComment]:
        return self.portal.comments

    def asked(self, method: str) -> list[Mapping[str, object]]:
        """The parameters of every request of a method, oldest first."""
        return [seen.params for seen in self.requests if seen.method == method]

    def add_call(
        self,
        *,
        audio: bytes | None = None,
        file_name: str = "",
        bound_to: tuple[tuple[str, str], ...] = (),
        call_id: str = "",
        started_at: datetime | None = None,
        duration_s: int = 135,
        phone: str = "+79001234567",
        call_type: str = "2",
        failed_code: str = "200",
        crm_entity: tuple[str, str] | None = ("contact", "17"),
        user_id: str = "12",
        record_url: str = "",
        looks_before_record: int = 0,
    ) -> FakeCall:
        """A call that has just ended. ``audio`` goes to the Disk, ``bound_to`` are the cards of its activity."""
        row_id = len(self.portal.calls) + 1
        begin = started_at or datetime.now(UTC) - timedelta(seconds=duration_s)
        call_id = call_id or f"F{row_id:06X}.{int(begin.timestamp())}.{row_id}"
        activity_id = str(7000 + row_id) if bound_to else ""
        if bound_to:
            self.portal.bindings[activity_id] = list(bound_to)
        call = FakeCall(
            row_id=row_id,
            call_id=call_id,
            call_type=call_type,
            phone=phone,
            user_id=user_id,
            duration_s=duration_s,
            started_at=begin,
            failed_code=failed_code,
            activity_id=activity_id,
            crm_entity=crm_entity,
            file_id=None if audio is None else self._add_file(audio, file_name or f"{call_id}.mp3"),
            record_url=record_url,
            looks_before_record=looks_before_record,
        )
        self.portal.remember(call)
        return call

    def attach(self, call: FakeCall, audio: bytes) -> FakeCall:
        """The recording arrives later, as from an external PBX."""
        return self.portal.change(call, replace(call, file_id=self._add_file(audio, f"{call.call_id}.mp3")))

    def event_body(self, call: FakeCall, *, application_token: str | None = None) -> bytes:
        """What the outgoing webhook posts when this call ends."""
        data = {
            "CALL_ID": call.call_id,
            "CALL_TYPE": call.call_type,
            "PHONE_NUMBER": call.phone,
            "PORTAL_NUMBER": call.line,
            "PORTAL_USER_ID": call.user_id,
            "CALL_DURATION": str(call.duration_s),
            "CALL_START_DATE": local_iso(call.started_at),
            "COST": "0",
            "COST_CURRENCY": "RUB",
            "CALL_FAILED_CODE": call.failed_code,
            "CALL_FAILED_REASON": "Success call",
            "CRM_ACTIVITY_ID": call.activity_id,
        }
        auth = {
            "domain": "portal.example",
            "client_endpoint": "https://portal.example/rest/",
            "server_endpoint": "https://oauth.bitrix.info/rest/",
            "member_id": "0123456789abcdef0123456789abcdef",
            "application_token": self.application_token if application_token is None else application_token,
        }
        fields = {"event": "ONVOXIMPLANTCALLEND", "event_handler_id": "975", "ts": str(int(time.time()))}
        fields |= {f"data[{name}]": value for name, value in data.items()}
        return urlencode(fields | {f"auth[{name}]": value for name, value in auth.items()}).encode()

    def fail(self, method: str, status: int, code: str, *, times: int | None = 1, after: bool = False) -> None:
        """The next ``times`` answers (None: all) are this error; ``after`` the request has been carried out."""
        body = json.dumps({"error": code, "error_description": f"{code} at /rest/{self.user_id}/{self.secret}/"}).encode()
        self.answer(method, Scripted(status=status, body=body, after=after), times=times)

    def answer(self, method: str, scripted: Scripted, *, times: int | None = 1) -> None:
        """Any bytes as the next ``times`` answers (None: all) of a method or of ``download``."""
        if times is None:
            self._always[method] = scripted
        else:
            self._scripts.setdefault(method, deque()).extend([scripted] * times)

    def heal(self) -> None:
        """No scripted answers any more, and up again."""
        self._scripts.clear()
        self._always.clear()
        self.down = False

    def hold(self, method: str) -> asyncio.Event:
        """Carry out the next requests of ``method`` but keep their answers; the event is set when one is waiting."""
        self._held[method] = asyncio.Event()
        self.reached[method] = asyncio.Event()
        return self.reached[method]

    def release(self, method: str) -> None:
        self._held.pop(method).set()

    def _add_file(self, audio: bytes, name: str) -> int:
        file_id = 5000 + len(self.portal.files) + 1
        self.portal.files[file_id] = FakeFile(name=name, content=audio)
        return file_id

    async def _method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"].removesuffix(".json")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            params = await _params(request)
            self.requests.append(Seen(method=method, params=params, at=time.monotonic()))
            scripted = self._script(method)
            if self.down:
                return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
            if scripted is not None and not scripted.after:
                return _raw(scripted)
            response = self._carry_out(request, method, params)
            await self._held_back(method)
            return response if scripted is None else _raw(scripted)
        finally:
            self._at_once -= 1

    def _carry_out(self, request: web.Request, method: str, params: Mapping[str, object]) -> web.Response:
        try:
            self._authorise(request, method)
            page = self.portal.methods[method](params)
        except Refusal as refusal:
            return web.json_response(
                {"error": refusal.code, "error_description": refusal.description}, status=refusal.status
            )
        if method == "disk.file.get" and isinstance(page.result, dict):
            page.result["DOWNLOAD_URL"] = self._download_url(request, str(params["id"]))
        return _reply(page)

    def _authorise(self, request: web.Request, method: str) -> None:
        if request.match_info["secret"] != self.secret or request.match_info["user"] != self.user_id:
            raise Refusal(401, "NO_AUTH_FOUND", "Wrong authorization data")
        if method not in self.portal.methods:
            raise Refusal(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        scope = scope_of(method)
        if scope and self.portal.scopes.isdisjoint(_ANY_OF.get(scope, (scope,))):
            raise Refusal(
                403, "insufficient_scope", "The request requires higher privileges than provided by the webhook token"
            )

    async def _held_back(self, method: str) -> None:
        held = self._held.get(method)
        if held is not None:
            self.reached[method].set()
            await held.wait()

    def _script(self, method: str) -> Scripted | None:
        queued = self._scripts.get(method)
        return queued.popleft() if queued else self._always.get(method)

    def _download_url(self, request: web.Request, file_id: str) -> str:
        token = quote(f"disk|{file_id}|sig~{file_id}", safe="~")
        return f"{request.url.origin()}/rest/{self.user_id}/{self.secret}/download/?token={token}"

    async def _download(self, request: web.Request) -> web.Response:
        self.requests.append(Seen(method="download", params={"path": request.raw_path}, at=time.monotonic()))
        await self._held_back("download")
        scripted = self._script("download")
        if scripted is not None:
            return _raw(scripted)
        file_id = request.query.get("token", "||").split("|")[1]
        file = self.portal.files.get(int(file_id)) if file_id.isdecimal() else None
        if request.match_info["secret"] != self.secret:
            return web.json_response({"error": "NO_AUTH_FOUND", "error_description": ""}, status=401)
        if file is None or any(not request.headers.get(name) for name in _BROWSER_HEADERS):
            disposition = {"Content-Disposition": "attachment"}
            return web.Response(status=404, text="<html>404 Not Found</html>", content_type="text/html", headers=disposition)
        if self.redirect_downloads_to:
            return web.Response(status=302, headers={"Location": self.redirect_downloads_to})
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _pbx(self, request: web.Request) -> web.Response:
        """An exchange beside the portal, for CALL_RECORD_URL: the Disk's files by name."""
        name = request.match_info["file"]
        self.requests.append(Seen(method="pbx", params={"file": name}, at=time.monotonic()))
        found = next((file for file in self.portal.files.values() if file.name == name), None)
        return web.Response(status=404) if found is None else web.Response(body=found.content, content_type="audio/mpeg")


async def _params(request: web.Request) -> Mapping[str, object]:
    body = await request.read()
    decoded = json.loads(body) if body else {}
    return decoded if isinstance(decoded, dict) else {}


def _raw(scripted: Scripted) -> web.Response:
    return web.Response(status=scripted.status, body=scripted.body, content_type=scripted.content_type)


def _reply(page: Page) -> web.Response:
    now = time.time()
    timing = {"start": now, "finish": now, "duration": 0.01, "operating": 0.01, "operating_reset_at": int(now) + 600}
    body: dict[str, object] = {"result": page.result, "time": timing}
    if page.next is not None:
        body["next"] = page.next
    if page.total is not None:
        body["total"] = page.total
    return web.json_response(body)
