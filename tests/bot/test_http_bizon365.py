"""Bizon365's three addresses: who is let in, in which encodings, and what is on disk before the answer."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from bot.hooks import Endpoint, Hooks
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from bot.http.ingress import Ingress
from bot.http.limits import RateLimit
from bot.http.links import short_link
from domain.events import WebinarRegistered
from integrations.bizon365.fake import Fake
from integrations.bizon365.settings import Settings
from integrations.bizon365.webhook import Receiver
from storage.codec import loads
from storage.engine import Database
from storage.inbox import Inbox
from storage.models import inbox, work
from storage.sealed import unseal
from storage.vault import Vault
from tests.conftest import Serve
from tests.ground import HandClock, lay

SECRET = "0123456789abcdef0123456789abcdef"
USER_ID = "0f0e0d0c-0b0a-4908-8706-050403020100"
REPORT = f"/api/webhooks/bizon?user_id={USER_ID}"
ID = "111222:room1*2026-11-19T19:00:00"
AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
VAULT = Vault(["a key long enough to be one"])


@dataclass
class Door:
    url: str
    database: Database
    hooks: Hooks

    async def send(self, path: str, body: object = None, *, method: str = "POST") -> tuple[int, dict[str, str]]:
        given = {"data": body} if isinstance(body, (bytes, dict)) else {"json": body} if body is not None else {}
        async with aiohttp.ClientSession() as session, session.request(method, self.url + path, **given) as answer:  # type: ignore[arg-type]
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else {}

    async def objects(self) -> list[tuple[str, str]]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(work.c.kind, work.c.object).order_by(work.c.id))
            return [(row.kind, row.object) for row in rows]

    async def kinds(self) -> list[str]:
        async with self.database.read() as connection:
            return list(await connection.scalars(select(inbox.c.kind).order_by(inbox.c.id)))


@pytest.fixture
async def door(tmp_path: Path, serve: Serve) -> AsyncIterator[Door]:
    database = Database(await lay(tmp_path / "svodka.db"))
    database.open()
    receiver = Receiver(Settings(token="t"))
    endpoint = Endpoint(
        account_id=1, connection_id=1, vendor="bizon365", receiver=receiver, secret=SECRET, public_id=USER_ID
    )
    hooks = Hooks([endpoint])
    ingress = Ingress(
        hooks=hooks,
        inbox=Inbox(database),
        vault=VAULT,
        stored=lambda: None,
        strangers=RateLimit(HandClock(), per_minute=60, burst=3),
        trusted=(),
    )

    async def health() -> dict[str, object]:
        return {"status": "ok"}

    async def metrics() -> str:
        return ""

    async def update(_: bytes, __: str | None) -> int:
        return 200

    follow = short_link(database, HandClock())
    site = Site(
        ingress=ingress, api=Api(database, HandClock()), health=health, metrics=metrics, metrics_key="m" * 32, update=update,
        follow=follow,
    )  # fmt: skip
    yield Door(await serve(build_app(site)), database, hooks)
    await database.close()


async def test_a_report_in_every_encoding_is_one_effect(door: Door) -> None:
    body = {"event": "webinarEnd", "roomid": "111222:room1", "webinarId": ID}
    for answer in (
        await door.send(REPORT, json.dumps(body).encode()),
        await door.send(REPORT, {"webinar_id": ID}),
        await door.send(f"{REPORT}&webinarId={ID}", method="GET"),
        await door.send(f"/hooks/bizon365/{SECRET}", json.dumps(body).encode()),
        await door.send(REPORT.replace(USER_ID, USER_ID.upper()), json.dumps(body).encode()),
    ):
        assert answer == (200, {"status": "ok"})
    assert await door.objects() == [("webinar", f"bizon365:{ID}")]


async def test_the_body_of_the_papers_is_accepted_to_the_letter(door: Door) -> None:
    body = """{
  "event": "webinar.ended",
  "webinarId": "abc123",
  "title": "Название вебинара",
  "date": "2025-11-01T10:00:00Z"
}"""
    assert (await door.send(REPORT, body.encode()))[0] == 200
    assert await door.objects() == [("webinar", "bizon365:abc123")]


async def test_a_registration_at_both_addresses(door: Door) -> None:
    fake = Fake()
    page = fake.add_page()
    body = fake.registration_body(page, at=AT)
    assert await door.send(f"/bizon_webhook/{SECRET}", body) == (200, {"status": "ok"})
    assert await door.send(f"/hooks/bizon365/{SECRET}", body) == (200, {"status": "ok"})
    changed = fake.registration_body(page, at=AT, phone="1")
    assert await door.send(f"/bizon_webhook/{SECRET}", changed) == (200, {"status": "ok"})
    assert await door.kinds() == ["registration", "registration"]
    assert [kind for kind, _ in await door.objects()] == ["registration", "registration"]


async def test_who_registered_and_their_secret_are_in_clear_nowhere(door: Door, tmp_path: Path) -> None:
    body = {"sublistid": "222:page", "email": "boris@example.ru", "phone": "89995550102", "username": "Borislav",
            "secret": "opens-the-room", "webinartime": "2026-11-25T09:00:00Z"}  # fmt: skip
    assert await door.send(f"/bizon_webhook/{SECRET}", body) == (200, {"status": "ok"})
    async with door.database.read() as connection:
        (kept,) = await connection.scalars(select(work.c.payload))
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert not [word for word in ("boris@", "5550102", "Borislav", "opens-the-room") if word.encode() in stored]
    event = loads(WebinarRegistered, unseal(VAULT, kept))
    assert (event.registration.secret, event.registration.email) == ("opens-the-room", "boris@example.ru")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/webhooks/bizon", 404),
        ("/api/webhooks/bizon?user_id=", 404),
        ("/api/webhooks/bizon?user_id=0f0e0d0c-0b0a-4908-8706-050403020101", 404),
        ("/api/webhooks/bizon?user_id=%FF%00", 404),
        (f"/api/webhooks/bizon?user_id={SECRET}", 404),
        (f"/bizon_webhook/{SECRET[:-1]}0", 404),
        (f"/bizon_webhook/{USER_ID}", 404),
        ("/bizon_webhook/%D1%84", 404),
    ],
)
async def test_strangers_learn_nothing(door: Door, path: str, status: int) -> None:
    answered, said = await door.send(path, json.dumps({"webinarId": ID, "email": "a@b.ru"}).encode())
    assert (answered, said) == (status, {"error": "not found"})
    assert await door.kinds() == []
    assert door.hooks.rejected["UnknownHook"] == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (REPORT, b"{}", "webinarId"),
        (REPORT, b'{"event": "webinarEnd"}', "webinarId"),
        (REPORT, b"{", "body"),
        (f"/bizon_webhook/{SECRET}", b"{}", "email"),
        (f"/hooks/bizon365/{SECRET}", b"", "webinarId"),
    ],
)
async def test_what_makes_no_sense_names_the_field(door: Door, path: str, body: bytes, field: str) -> None:
    status, said = await door.send(path, body)
    assert (status, said["field"]) == (400, field)
    assert await door.kinds() == []


async def test_nothing_personal_but_the_body_is_kept_and_that_encrypted(door: Door) -> None:
    fake = Fake()
    await door.send(f"/bizon_webhook/{SECRET}", fake.registration_body(fake.add_page(), at=AT))
    async with door.database.read() as connection:
        stored = (await connection.execute(select(inbox.c.request))).scalar_one()
    assert b"client@example.com" not in stored
    kept = Vault(["a key long enough to be one"]).decrypt(stored)
    assert b"client@example.com" in kept
    assert SECRET.encode() not in kept
    assert b"s00001" not in kept
