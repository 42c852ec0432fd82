"""What strangers get: a clear JSON error, never a 500, nothing kept; what is accepted is on disk before its 200."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import func, select

from bot.hooks import MOST_KINDS, Endpoint, Hooks
from bot.http.api.routes import Api
from bot.http.app import MAX_BODY, Site, build_app
from bot.http.ingress import HINT_BYTES, Ingress
from bot.http.limits import RateLimit
from bot.http.links import short_link
from integrations.bitrix24.fake import Fake
from integrations.bitrix24.webhook import Receiver
from storage.engine import Database
from storage.inbox import Inbox
from storage.models import inbox, work
from storage.vault import Vault
from tests.conftest import Serve
from tests.ground import HandClock, lay, opened

SECRET = "0123456789abcdef0123456789abcdef"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Door:
    url: str
    database: Database
    hooks: Hooks
    woken: list[int] = field(default_factory=list)

    async def post(self, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, object]]:
        given = FORM | headers
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=BytesIO(body), headers=given) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else {}

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text()

    async def kept(self) -> tuple[int, int]:
        async with self.database.read() as connection:
            deliveries = await connection.scalar(select(func.count()).select_from(inbox))
            works = await connection.scalar(select(func.count()).select_from(work))
        return int(deliveries or 0), int(works or 0)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(await lay(tmp_path / "svodka.db")) as database:
        yield database


@pytest.fixture
async def door(ground: Database, serve: Serve, request: pytest.FixtureRequest) -> Door:
    tokens = getattr(request, "param", ("right-token",))
    endpoint = Endpoint(
        account_id=1,
        connection_id=1,
        vendor="bitrix24",
        receiver=Receiver(tokens),
        secret=SECRET,
        authenticated=bool(tokens),
    )
    hooks, woken = Hooks([endpoint]), list[int]()
    ingress = Ingress(
        hooks=hooks,
        inbox=Inbox(ground),
        vault=Vault(["a key long enough to be one"]),
        stored=lambda: woken.append(1),
        strangers=RateLimit(HandClock(), per_minute=60, burst=3),
        trusted=(ip_network("10.0.0.0/8"),),
    )

    async def health() -> dict[str, object]:
        return {"status": "unhealthy" if hooks.rejected["down"] else "ok"}

    async def metrics() -> str:
        return "svodka_up 1\n"

    async def update(body: bytes, secret: str | None) -> int:
        return 200 if secret == "s" and body else 401

    site = Site(
        ingress=ingress,
        api=Api(ground, HandClock()),
        health=health,
        metrics=metrics,
        metrics_key="m" * 32,
        update=update,
        follow=short_link(ground, HandClock()),
    )
    return Door(await serve(build_app(site)), ground, hooks, woken)


def event(token: str = "right-token", **facts: object) -> bytes:
    fake = Fake(application_token=token)
    return fake.event_body(fake.add_call(**facts))  # type: ignore[arg-type]  # whatever the test wants


async def test_an_event_is_kept_and_wakes_the_runner(door: Door) -> None:
    assert await door.post(f"/hooks/bitrix24/{SECRET}", event()) == (200, {"status": "ok"})
    assert await door.kept() == (1, 1)
    assert door.woken == [1]


async def test_the_stored_request_is_encrypted_and_has_no_secret(door: Door) -> None:
    await door.post("/api/bitrix-webhook/call-finished", event())
    async with door.database.read() as connection:
        row = (await connection.execute(select(inbox))).one()
    assert b"CALL_ID" not in row.request
    plain = Vault(["a key long enough to be one"]).decrypt(row.request)
    assert b"CALL_ID" in plain
    assert b"right-token" not in plain


async def test_a_repeat_is_one_effect(door: Door) -> None:
    body = event()
    answers = await asyncio.gather(*(door.post(f"/hooks/bitrix24/{SECRET}", body) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert await door.kept() == (1, 1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/hooks/bitrix24/{SECRET[:-1]}0", event(), 404),
        (f"/hooks/nobody/{SECRET}", event(), 404),
        ("/hooks/bitrix24/%D1%84%FF", event(), 404),
        (f"/hooks/bitrix24/{SECRET}/more", event(), 404),
        (f"/hooks/bitrix24/{SECRET}", event("wrong-token"), 401),
        ("/api/bitrix-webhook/call-finished", event("wrong-token"), 401),
        ("/api/bitrix-webhook/call-finished", b"", 401),
        (f"/hooks/bitrix24/{SECRET}", b"auth%5Bapplication_token%5D=right-token&event=ONVOXIMPLANTCALLEND", 400),
        (f"/hooks/bitrix24/{SECRET}", b"\xff\xfe\x00" * 50, 401),
        (f"/hooks/bitrix24/{SECRET}", b"a" * (MAX_BODY + 1), 413),
        ("/nothing", b"", 404),
        ("/api/health", b"", 405),
    ],
)
async def test_what_is_refused_is_a_json_error_and_leaves_nothing(door: Door, path: str, body: bytes, status: int) -> None:
    answered, error = await door.post(path, body)
    assert answered == status
    assert error["error"]
    assert SECRET not in str(error)
    assert await door.kept() == (0, 0)
    assert door.woken == []


async def test_a_malformed_body_names_its_field(door: Door) -> None:
    _, error = await door.post(
        f"/hooks/bitrix24/{SECRET}", b"auth%5Bapplication_token%5D=right-token&event=ONVOXIMPLANTCALLEND"
    )
    assert error["field"] == "data[CALL_ID]"


async def test_an_unknown_event_is_kept_and_counted(door: Door) -> None:
    body = b"event=ONCRMDEALADD&auth%5Bapplication_token%5D=right-token&data%5BFIELDS%5D%5BID%5D=7"
    assert await door.post(f"/hooks/bitrix24/{SECRET}", body) == (200, {"status": "ok"})
    assert await door.kept() == (1, 0)
    assert door.hooks.unknown_kinds.total() == 1


async def test_a_commit_that_fails_promises_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise OSError("disk I/O error")

    monkeypatch.setattr(Inbox, "_store", broken)
    status, error = await door.post(f"/hooks/bitrix24/{SECRET}", event())
    assert status == 503
    assert len(str(error["error_id"])) == 8
    assert "disk" not in str(error)


async def test_a_body_that_is_not_coded_as_it_says_is_refused(door: Door) -> None:
    answer = await door.post(f"/hooks/bitrix24/{SECRET}", b"\x1f\x8bno gzip", **{"Content-Encoding": "gzip"})
    assert answer == (400, {"error": "Bad Request"})


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(door: Door) -> None:
    packed = gzip.compress(b"event=" + b"x" * MAX_BODY)
    assert len(packed) < HINT_BYTES
    answer = await door.post(f"/hooks/bitrix24/{SECRET}", packed, **{"Content-Encoding": "gzip"})
    assert answer == (413, {"error": "the body is too large", "field": "body"})


async def test_a_body_that_trickles_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.http.ingress.BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rpartition(":")[2]))
    writer.write(f"POST /hooks/bitrix24/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\nevent=".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("door", [()], indirect=True)
async def test_what_nobody_vouches_for_cannot_fill_the_disk(door: Door) -> None:
    unknown = b"event=ONANYTHING&data%5Bx%5D=y"
    assert await door.post("/api/bitrix-webhook/call-finished", unknown) == (200, {"status": "ok"})
    assert (await door.post("/api/bitrix-webhook/call-finished", event() + b"&pad=" + b"x" * HINT_BYTES))[0] == 413
    assert await door.kept() == (0, 0)
    assert (await door.post(f"/hooks/bitrix24/{SECRET}", unknown))[0] == 200  # the secret of the path vouches
    assert await door.kept() == (1, 0)


def test_names_of_unknown_events_are_bounded() -> None:
    hooks = Hooks()
    for number in range(MOST_KINDS + 5):
        hooks.count_unknown("bitrix24", f"EVENT{number}")
    hooks.count_unknown("bitrix24", "EVENT0")
    assert len(hooks.unknown_kinds) == MOST_KINDS + 1
    assert (hooks.unknown_kinds["bitrix24:*"], hooks.unknown_kinds["bitrix24:EVENT0"]) == (5, 2)


@pytest.mark.parametrize("door", [()], indirect=True)
async def test_without_a_token_strangers_are_slowed_down(door: Door) -> None:
    answers = [await door.post("/api/bitrix-webhook/call-finished", event()) for _ in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]


async def test_the_address_that_says_it_works(door: Door) -> None:
    status, text = await door.get("/api/bitrix-webhook/test")
    assert status == 200
    assert json.loads(text) == {"status": "ok", "message": "Bitrix webhook endpoint is working"}


async def test_health_is_503_only_without_the_database(door: Door) -> None:
    assert (await door.get("/api/health"))[0] == 200
    door.hooks.rejected["down"] = 1
    assert (await door.get("/api/health"))[0] == 503


async def test_metrics_from_the_loopback_or_with_the_key(door: Door) -> None:
    assert await door.get("/metrics") == (200, "svodka_up 1\n")
    assert (await door.get("/metrics", **{"X-Forwarded-For": "203.0.113.9"}))[0] == 401
    assert (await door.get("/metrics", **{"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer " + "m" * 32}))[
        0
    ] == 200


async def test_the_documents_describe_every_address(door: Door) -> None:
    status, page = await door.get("/docs")
    assert status == 200
    for path in ("/hooks/{vendor}/{secret}", "/api/health", "/api/bitrix-webhook/test"):
        assert path in page
    assert (await door.get("/docs/openapi.json"))[0] == 200


async def test_telegram_updates_go_to_their_door(door: Door) -> None:
    assert (await door.post("/telegram/webhook", b"{}", **{"X-Telegram-Bot-Api-Secret-Token": "s"}))[0] == 200
    assert (await door.post("/telegram/webhook", b"{}"))[0] == 401
