"""A Bizon365 of our own, for tests, the demo and benchmarks: both versions of the API, no account, and ways to break it."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from integrations.bizon365.fake_account import Account, FakePage, FakeWebinar, Json, Refusal, session_id
from integrations.bizon365.fake_viewers import quirky_viewers
from integrations.bizon365.sessions import iso

REMEMBERED_REQUESTS = 20_000
HTML = b"<html><body><h1>Bizon365</h1></body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that reached the server; ``at`` on the monotonic clock, ``path`` with its query as it came."""

    method: str
    version: str
    path: str
    params: Mapping[str, str]
    token: str
    content_type: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """An answer in place of the real one. ``after``: the request is carried out first, only the answer is lost."""

    status: int
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    after: bool = False


class Fake:
    """``build_app()`` is the server, its root what goes into BIZON365_BASE_URL.

    ``versions`` are those that answer; ``down`` makes every answer a 502 page, ``html`` a good-looking page of status 200.
    """

    def __init__(self, *, token: str = "fake-bizon-token", project_id: str = "4321") -> None:  # noqa: S107 - opens nothing
        self.token = token
        self.project_id = project_id
        self.account = Account()
        self.versions = {"v1", "v2"}
        self.requests: deque[Seen] = deque(maxlen=REMEMBERED_REQUESTS)
        self.down = False
        self.html = False
        self.answers_after_s = 0.0
        self.most_at_once = 0
        self._at_once = 0
        self._scripts: dict[str, deque[Scripted]] = {}
        self._always: dict[str, Scripted] = {}

    def build_app(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/api/v1/webinars/{group}/{name}", self._v1)
        app.router.add_route("*", "/api/v2/user/getProjects", self._projects)
        app.router.add_route("*", "/api/v2/{project}/{group}/{name}", self._v2)
        return app

    def asked(self, method: str) -> list[Mapping[str, str]]:
        """The parameters of every request of a method, oldest first."""
        return [seen.params for seen in self.requests if seen.method == method]

    def add_webinar(
        self,
        *,
        viewers: int | list[Json] = 30,
        started_at: datetime | None = None,
        room_id: str = "111222:room1",
        title: str = "Как выбрать квартиру",
        minutes: int = 90,
        live: bool = True,
        webinar_id: str = "",
        created_at: datetime | None = None,
        looks_before_report: int = 0,
    ) -> FakeWebinar:
        """A webinar that is over. ``viewers``: their records, or how many to make up, oddities included."""
        start = (started_at or datetime.now(UTC) - timedelta(minutes=minutes + 10)).replace(microsecond=0)
        webinar_id = webinar_id or session_id(room_id, start)
        records = list(quirky_viewers(webinar_id, start, minutes, viewers)) if isinstance(viewers, int) else viewers
        webinar = FakeWebinar(
            webinar_id=webinar_id,
            room_id=room_id,
            title=title,
            started_at=start,
            minutes=minutes,
            live=live,
            created_at=created_at or datetime.now(UTC),
            viewers=records,
            looks_before_report=looks_before_report,
        )
        self.account.webinars[webinar_id] = webinar
        return webinar

    def add_page(
        self,
        page_id: str = "111222:page1",
        title: str = "Регистрация на вебинар",
        *,
        room_id: str = "111222:room1",
        webhook_url: str = "",
        marker_name: str = "",
        is_on: bool = True,
    ) -> FakePage:
        page = FakePage(
            page_id=page_id, title=title, room_id=room_id, webhook_url=webhook_url, marker_name=marker_name, is_on=is_on
        )
        self.account.pages[page_id] = page
        return page

    def report_body(self, webinar: FakeWebinar) -> bytes:
        """What «Вебхук после создания отчёта» posts."""
        body = {"event": "webinarEnd", "roomid": webinar.room_id, "webinarId": webinar.webinar_id, "stat": 1}
        return json.dumps(body | {"len": webinar.minutes}).encode()

    def registration_body(self, page: FakePage, *, at: datetime, **facts: str) -> bytes:
        """What «Пересылка данных» of a page posts when somebody registers."""
        body = {
            "sublistId": page.page_id,
            "room": page.room_id,
            "email": "client@example.com",
            "username": "Клиент",
            "phone": "+7 (900) 123-45-67",
            "webinarTime": iso(at),
            "secret": "s00001",
            "url_marker": "",
            "url_marker_name": page.marker_name,
            "url_param": "",
            "url_param_name": "",
            "utm_source": "vk",
            "utm_medium": "cpc",
        }
        return json.dumps(body | facts).encode()

    def fail(self, method: str, status: int, *, times: int | None = 1, after: bool = False) -> None:
        """The next ``times`` answers (None: all) have this error status; ``after`` the request has been carried out."""
        body = json.dumps({"message": f"failed for X-Token {self.token}"}).encode()
        self.answer(method, Scripted(status=status, body=body, after=after), times=times)

    def answer(self, method: str, scripted: Scripted, *, times: int | None = 1) -> None:
        """Any bytes as the next ``times`` answers (None: all) of a method such as ``reports/getviewers``."""
        if times is None:
            self._always[method] = scripted
        else:
            self._scripts.setdefault(method, deque()).extend([scripted] * times)

    def err(self, method: str, *errors: object, times: int | None = 1) -> None:
        """``errors`` inside a 200."""
        body = json.dumps({"errors": list(errors), "viewers": []}, ensure_ascii=False).encode()
        self.answer(method, Scripted(status=200, body=body), times=times)

    def heal(self) -> None:
        """No scripted answers any more, and up again."""
        self._scripts.clear()
        self._always.clear()
        self.down = self.html = False

    async def _v1(self, request: web.Request) -> web.Response:
        return await self._method(request, "v1")

    async def _v2(self, request: web.Request) -> web.Response:
        return await self._method(request, "v2")

    async def _method(self, request: web.Request, version: str) -> web.Response:
        method = f"{request.match_info['group']}/{request.match_info['name']}"
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            params = await _params(request)
            self._note(request, method, version, params)
            if self.answers_after_s:
                await asyncio.sleep(self.answers_after_s)
            scripted = self._script(method)
            if scripted is not None and not scripted.after:
                return _raw(scripted)
            response = self._carry_out(request, method, version, params)
            return response if scripted is None else _raw(scripted)
        finally:
            self._at_once -= 1

    def _carry_out(self, request: web.Request, method: str, version: str, params: Mapping[str, str]) -> web.Response:
        if refused := self._refused(request, version):
            return refused
        try:
            return web.json_response(self.account.carry_out(method, params, writes=request.method == "POST"))
        except Refusal as refusal:
            return web.json_response({"message": refusal.message}, status=refusal.status)

    def _refused(self, request: web.Request, version: str) -> web.Response | None:
        """What is wrong before the method matters: the server, the token, the version, the project."""
        if self.down:
            return web.Response(status=502, body=HTML, content_type="text/html")
        if self.html:
            return web.Response(body=HTML, content_type="text/html")
        if request.headers.get("X-Token") != self.token:
            return web.json_response({"message": "Unauthorized"}, status=401)
        if version not in self.versions or request.match_info.get("project", self.project_id) != self.project_id:
            return web.json_response({"message": "Not found"}, status=404)
        return None

    async def _projects(self, request: web.Request) -> web.Response:
        self._note(request, "user/getProjects", "v2", {})
        scripted = self._script("user/getProjects")
        if scripted is not None:
            return _raw(scripted)
        if refused := self._refused(request, "v2"):
            return refused
        return web.json_response({"projects": [{"id": int(self.project_id), "title": "Основной проект"}]})

    def _note(self, request: web.Request, method: str, version: str, params: Mapping[str, str]) -> None:
        self.requests.append(
            Seen(
                method=method,
                version=version,
                path=request.raw_path,
                params=params,
                token=request.headers.get("X-Token", ""),
                content_type=request.content_type,
                at=time.monotonic(),
            )
        )

    def _script(self, method: str) -> Scripted | None:
        queued = self._scripts.get(method)
        return queued.popleft() if queued else self._always.get(method)


async def _params(request: web.Request) -> Mapping[str, str]:
    """The query, and of a write the body: JSON or a form, both are sent in the wild."""
    given = dict(request.query)
    if request.method != "POST":
        return given
    if request.content_type == "application/json":
        body = await request.json()
        return given | {name: str(value) for name, value in body.items()}
    return given | {name: str(value) for name, value in (await request.post()).items()}


def _raw(scripted: Scripted) -> web.Response:
    return web.Response(
        status=scripted.status, body=scripted.body, content_type=scripted.content_type, headers=scripted.headers
    )
