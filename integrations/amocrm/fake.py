"""An amoCRM of our own, for tests and the demo: API v4, OAuth and hooks as the account sends them, and ways to break it."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from aiohttp import web

from integrations.amocrm.fake_hooks import contact_entry, hook_body, lead_entry

REMEMBERED_REQUESTS = 20_000
HTML = b"<html><body><h1>429 Too Many Requests</h1></body></html>"
WINDOW_S = 1.0
ACCOUNT_ID, SUBDOMAIN = 31234567, "acme"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that reached the server; ``at`` on the monotonic clock."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any
    token: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """An answer in place of the real one. ``after``: the request is carried out first, only the answer is lost."""

    status: int
    body: bytes = b""
    content_type: str = "application/problem+json"
    headers: Mapping[str, str] | None = None
    after: bool = False


@dataclass(slots=True)
class Account:
    """What the account holds, as API v4 spells it."""

    leads: dict[int, Json] = field(default_factory=dict)
    contacts: dict[int, Json] = field(default_factory=dict)
    pipelines: list[Json] = field(default_factory=list)
    lead_fields: list[Json] = field(default_factory=list)
    contact_fields: list[Json] = field(default_factory=list)
    notes: dict[int, list[Json]] = field(default_factory=dict)
    hooks: list[Json] = field(default_factory=list)
    users: list[Json] = field(default_factory=list)


class Fake:
    """``build_app()`` is the server, its root what goes into AMOCRM_BASE_URL.

    ``page``: entries a page holds at most. ``rate``: requests a second above which it answers 429, and no JSON with it; 0 is
    no limit. ``blocked``: every answer is a 403.
    """

    def __init__(self, *, token: str = "", client_id: str = "", client_secret: str = "") -> None:
        self.account = Account()
        self.client_id, self.client_secret = client_id or "fake-id", client_secret or "fake-secret"
        self.tokens = {token or "fake-amo-token"}
        self.codes: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.refreshed = 0
        self.page = 250
        self.rate = 0
        self.blocked = False
        self.down = False
        self.answers_after_s = 0.0
        self.requests: deque[Seen] = deque(maxlen=REMEMBERED_REQUESTS)
        self._scripts: dict[str, deque[Scripted]] = {}
        self._recent: deque[float] = deque()

    def build_app(self) -> web.Application:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/oauth2/access_token", self._oauth)
        app.router.add_route("*", "/api/v4/{path:.+}", self._api)
        return app

    def script(self, path: str, *answers: Scripted) -> None:
        """The next answers to a path such as "leads/7/notes"."""
        self._scripts.setdefault(path, deque()).extend(answers)

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.requests if seen.path == path]

    def add_lead(self, number: int, **values: Any) -> Json:
        now = int(time.time())
        base = {"id": number, "name": f"Сделка {number}", "price": 0, "created_at": now, "updated_at": now}
        self.account.leads[number] = {**base, "custom_fields_values": None, "_embedded": {"contacts": []}, **values}
        return self.account.leads[number]

    def add_contact(
        self, number: int, phone: str = "", email: str = "", *, leads: tuple[int, ...] = (), **values: Any
    ) -> Json:
        fields = [("PHONE", phone), ("EMAIL", email)]
        told = [{"field_id": 1, "field_code": code, "values": [{"value": text}]} for code, text in fields if text]
        self.account.contacts[number] = {
            "id": number, "name": f"Человек {number}", "updated_at": int(time.time()), "custom_fields_values": told or None,
            "_embedded": {"leads": [{"id": lead} for lead in leads]}, **values,
        }  # fmt: skip
        for lead in leads:
            linked = self.account.leads[lead]["_embedded"]["contacts"]
            linked.append({"id": number, "is_main": not linked})
        return self.account.contacts[number]

    def add_pipeline(self, number: int, name: str, stages: Mapping[int, str]) -> None:
        statuses = [{"id": one, "name": title, "pipeline_id": number} for one, title in stages.items()]
        self.account.pipelines.append({"id": number, "name": name, "_embedded": {"statuses": statuses}})

    def lead_hook(self, action: str, number: int, *, old_status_id: int | None = None) -> bytes:
        """What the account posts of a lead: ``action`` is add, update, status, responsible and so on."""
        entry = lead_entry(self.account.leads[number], account_id=ACCOUNT_ID, old_status_id=old_status_id)
        return hook_body("leads", action, entry, subdomain=SUBDOMAIN, account_id=ACCOUNT_ID)

    def contact_hook(self, action: str, number: int) -> bytes:
        entry = contact_entry(self.account.contacts[number], account_id=ACCOUNT_ID)
        return hook_body("contacts", action, entry, subdomain=SUBDOMAIN, account_id=ACCOUNT_ID)

    def add_user(self, number: int, name: str, *, active: bool = True) -> None:
        rights = {"is_admin": False, "is_free": False, "is_active": active}
        self.account.users.append({"id": number, "name": name, "email": f"u{number}@example.com", "rights": rights})

    async def _oauth(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._see(request, "oauth2/access_token", body)
        await asyncio.sleep(self.answers_after_s)
        if self.down:
            return web.Response(status=502, body=HTML, content_type="text/html")
        wants = body.get("grant_type")
        known, given = (
            (self.codes, body.get("code"))
            if wants == "authorization_code"
            else (self.refresh_tokens, body.get("refresh_token"))
        )
        if (body.get("client_id"), body.get("client_secret")) != (self.client_id, self.client_secret) or given not in known:
            return _problem(401, "Unauthorized", hint="Token has been revoked")
        known.discard(given)  # each works once
        self.refreshed += 1
        access, refresh = f"access-{self.refreshed}", f"refresh-{self.refreshed}"
        self.tokens = {access}
        self.refresh_tokens = {refresh}
        answer = {"token_type": "Bearer", "expires_in": 86400, "access_token": access, "refresh_token": refresh}
        return web.json_response(answer)

    async def _api(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        raw = await request.read()
        body = json.loads(raw) if raw else None
        token = self._see(request, path, body)
        await asyncio.sleep(self.answers_after_s)
        if (refusal := self._refusal(token)) is not None:
            return refusal
        scripted = self._scripts.get(path)
        one = scripted.popleft() if scripted else None
        if one is not None and not one.after:
            return _scripted(one)
        answer = self._answer(request, path, body)
        return _scripted(one) if one is not None else answer

    def _refusal(self, token: str) -> web.Response | None:
        if self.down:
            return web.Response(status=502, body=HTML, content_type="text/html")
        if self.blocked:
            return _problem(403, "Forbidden")
        now = time.monotonic()
        while self._recent and now - self._recent[0] > WINDOW_S:
            self._recent.popleft()
        self._recent.append(now)
        if self.rate and len(self._recent) > self.rate:
            return web.Response(status=429, body=HTML, content_type="text/html")
        return None if token in self.tokens else _problem(401, "Unauthorized")

    def _answer(self, request: web.Request, path: str, body: Any) -> web.Response:
        account, kind = self.account, path.split("/")
        listed: dict[str, tuple[str, list[Json]]] = {
            "leads": ("leads", self._wanted(request, account.leads)),
            "contacts": ("contacts", self._wanted(request, account.contacts)),
            "leads/pipelines": ("pipelines", account.pipelines),
            "users": ("users", account.users),
            "leads/custom_fields": ("custom_fields", account.lead_fields),
            "contacts/custom_fields": ("custom_fields", account.contact_fields),
        }
        if path == "webhooks":
            return self._hooks(request.method, body)
        if path == "account":
            return web.json_response({"id": ACCOUNT_ID, "subdomain": SUBDOMAIN, "currency": "RUB"})
        if path in listed and request.method == "GET":
            name, rows = listed[path]
            return self._listed(request, path, name, rows)
        if kind[0] == "leads" and kind[-1] == "notes":
            return self._notes(request, path, int(kind[1]), body)
        if kind[0] == "leads" and len(kind) == 2:
            return self._lead(request.method, int(kind[1]), body)
        return _problem(404, "Not Found")

    def _wanted(self, request: web.Request, rows: Mapping[int, Json]) -> list[Json]:
        ids = {int(value) for name, value in request.query.items() if name.startswith("filter[id]")}
        since, words = int(request.query.get("filter[updated_at][from]", "0")), request.query.get("query", "")
        wants_deleted = "only_deleted" in request.query.get("with", "")
        found = [row for row in rows.values() if bool(row.get("is_deleted")) is wants_deleted]
        found = [row for row in found if (not ids or row["id"] in ids) and row["updated_at"] >= since]
        found = [row for row in found if words in json.dumps(row, ensure_ascii=False).replace(" ", "")] if words else found
        return sorted(found, key=lambda row: row["updated_at"])

    def _listed(self, request: web.Request, path: str, name: str, rows: list[Json]) -> web.Response:
        """HAL; an empty list is a 204 without a body. The next address names the account's host, whatever was asked."""
        number, size = int(request.query.get("page", "1")), min(int(request.query.get("limit", "50")), self.page)
        some = rows[(number - 1) * size : number * size]
        if not some:
            return web.Response(status=204)
        links: Json = {"self": {"href": f"https://{SUBDOMAIN}.amocrm.ru/api/v4/{path}"}}
        if number * size < len(rows):
            query = "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in request.query.items() if k != "page")
            links["next"] = {"href": f"https://{SUBDOMAIN}.amocrm.ru/api/v4/{path}?{query}&page={number + 1}"}
        return web.json_response({"_page": number, "_links": links, "_embedded": {name: some}})

    def _lead(self, method: str, number: int, body: Any) -> web.Response:
        lead = self.account.leads.get(number)
        if lead is None or lead.get("is_deleted"):
            return web.Response(status=204)
        if method == "PATCH":
            lead.update(body)
        return web.json_response(lead)

    def _notes(self, request: web.Request, path: str, lead: int, body: Any) -> web.Response:
        notes = self.account.notes.setdefault(lead, [])
        if request.method == "GET":
            return self._listed(request, path, "notes", notes[::-1])
        added = [{"id": len(notes) + 1, **one} for one in body]
        notes += added
        return web.json_response({"_embedded": {"notes": [{"id": one["id"]} for one in added]}})

    def _hooks(self, method: str, body: Any) -> web.Response:
        hooks = self.account.hooks
        if method == "GET":
            return web.json_response({"_embedded": {"webhooks": hooks}}) if hooks else web.Response(status=204)
        hooks[:] = [hook for hook in hooks if hook["destination"] != body["destination"]]
        if method == "DELETE":
            return web.Response(status=204)
        hooks.append({**body, "id": len(hooks) + 1, "disabled": False})
        return web.json_response(hooks[-1], status=201)

    def _see(self, request: web.Request, path: str, body: Any) -> str:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        seen = Seen(
            method=request.method, path=path, query=tuple(request.query.items()), body=body, token=token, at=time.monotonic()
        )
        self.requests.append(seen)
        return token


def _problem(status: int, title: str, **more: str) -> web.Response:
    body = {"title": title, "type": "https://httpstatus.es", "status": status, "detail": title, **more}
    return web.json_response(body, status=status, content_type="application/problem+json")


def _scripted(one: Scripted) -> web.Response:
    return web.Response(status=one.status, body=one.body, content_type=one.content_type, headers=one.headers)
