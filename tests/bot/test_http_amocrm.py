"""amoCRM's addresses on a real socket: who is let in, what is on disk before the answer, and the papers' words."""

import asyncio
import json
import logging
import runpy
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select

from bot.hooks import Endpoint, Hooks
from bot.http.api.routes import Api
from bot.http.app import Site, build_app
from bot.http.ingress import Ingress
from bot.http.limits import RateLimit
from bot.http.links import short_link
from domain.crm import CrmAction
from domain.events import CrmChanged
from integrations.amocrm.webhook import MAX_BODY, Receiver
from storage.codec import loads
from storage.engine import Database
from storage.inbox import Inbox
from storage.models import inbox, work
from storage.sealed import unseal
from storage.vault import Vault
from tests.conftest import Serve
from tests.ground import HandClock, lay
from tests.integrations.amocrm.conftest import SETTINGS, signed

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "test_webhook_server.py"
SECRET = "0123456789abcdef0123456789abcdef"
HOOK, PAPERS = f"/hooks/amocrm/{SECRET}", "/api/webhooks/amo"
VAULT = Vault(["a key long enough to be one"])
LEAD = {"leads": {"add": [{"id": 12345, "name": "Новый лид", "created_at": 1640995200}]}}


@dataclass
class Door:
    url: str
    database: Database
    hooks: Hooks
    base: list[str]

    async def send(
        self, path: str, body: bytes | None = None, *, method: str = "POST", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        sent = BytesIO(body) if body is not None else None
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=sent, headers=headers) as answer,
        ):
            return answer.status, json.loads(await answer.text())

    async def sign(self, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send(PAPERS, raw, **(headers or signed()))

    async def count(self, table: Any) -> int:
        async with self.database.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)

    async def works(self) -> list[tuple[str, CrmChanged | None]]:
        async with self.database.read() as connection:
            found = await connection.execute(select(work.c.kind, work.c.payload).order_by(work.c.id))
            return [
                (row.kind, loads(CrmChanged, unseal(VAULT, row.payload)) if row.kind == "crm" else None) for row in found
            ]


@pytest.fixture
async def door(tmp_path: Path, serve: Serve) -> AsyncIterator[Door]:
    await lay(tmp_path / "svodka.db")
    database = Database(f"sqlite:///{tmp_path}/svodka.db")
    database.open()
    endpoint = Endpoint(
        account_id=1, connection_id=1, vendor="amocrm", receiver=Receiver(SETTINGS), secret=SECRET, max_body=MAX_BODY
    )
    hooks, base = Hooks([endpoint]), ["connected"]
    ingress = Ingress(
        hooks=hooks,
        inbox=Inbox(database),
        vault=VAULT,
        stored=lambda: None,
        strangers=RateLimit(HandClock(), per_minute=60, burst=3),
        trusted=(),
    )

    async def health() -> dict[str, object]:
        return {"status": "ok" if base[0] == "connected" else "unhealthy", "database": base[0]}

    async def metrics() -> str:
        return ""

    async def update(_body: bytes, _secret: str | None) -> int:
        return 200

    follow = short_link(database, HandClock())
    site = Site(
        ingress=ingress, api=Api(database, HandClock()), health=health, metrics=metrics, metrics_key="k", update=update,
        follow=follow,
    )  # fmt: skip
    yield Door(await serve(build_app(site)), database, hooks, base)
    await database.close()


async def test_the_papers_delivery_is_answered_in_their_words(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    status, answer = await door.sign(LEAD)
    assert status == 200
    assert answer.pop("timestamp").endswith("Z")
    assert list(answer.items()) == [
        ("status", "success"), ("message", "Processed 1 events"), ("events_processed", 1), ("errors", None),
    ]  # fmt: skip
    ((kind, event),) = await door.works()
    assert kind == "crm"
    assert event is not None
    assert event.leads[0].lead.external_id == "12345"
    for line in (
        'Received webhook from amoCRM: {"leads": {"add": [{"id": 12345}]}}',
        "Webhook signature verified for account: 31234567",
        "Webhook processed 1 events in 0.",
    ):
        assert line in caplog.text
    assert "Новый лид" not in caplog.text


async def test_a_repeat_is_answered_alike_and_done_once(door: Door) -> None:
    answers = [await door.sign(LEAD) for _ in range(2)]
    assert [answer["events_processed"] for _, answer in answers] == [1, 1]
    assert (await door.count(work), await door.count(inbox)) == (1, 1)


@pytest.mark.parametrize(
    "headers",
    [{"X-Nothing": "1"}, *({name: value for name, value in signed().items() if name != left} for left in signed())],
    ids="+".join,
)
async def test_without_its_three_headers_nothing_is_taken(door: Door, headers: dict[str, str]) -> None:
    assert await door.sign(LEAD, **headers) == (401, {"error": "Invalid signature"})
    assert await door.sign(b"x" * 2_000_000, **headers) == (401, {"error": "Invalid signature"})
    assert await door.count(inbox) == 0
    assert door.hooks.rejected["BadSignature"] == 2


@pytest.mark.parametrize("secret", ["test-signature", "\u0444\u0444", "\x80\xff"])
async def test_a_wrong_signature_is_refused_in_the_papers_words(door: Door, secret: str) -> None:
    assert await door.sign(LEAD, **signed(given=secret)) == (401, {"error": "Invalid signature"})


async def test_unconnected_no_signature_is_valid(door: Door) -> None:
    door.hooks._by_vendor.clear()
    assert await door.sign(LEAD) == (401, {"error": "Invalid signature"})


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"[]", 400, "body"),
        (b'{"leads":1}', 400, "leads"),
        (b'{"leads":{"add":[{"id":1},{"name":"x"}]}}', 400, "leads.add[1].id"),
        (b'{"leads":{"add":[{"id":"abc"}]}}', 400, "leads.add[0].id"),
        (b'{"pad":"' + b"x" * 2_000_000 + b'"}', 413, "body"),
    ],
    ids=["list", "number", "no id", "text id", "2 MB"],
)
async def test_what_is_wrong_is_named_and_nothing_is_half_written(door: Door, body: bytes, status: int, field: str) -> None:
    answered, answer = await door.sign(body)
    assert (answered, answer["field"]) == (status, field)
    assert answer["error"]
    assert (await door.count(work), await door.count(inbox)) == (0, 0)


async def test_health_and_test_are_the_papers(door: Door) -> None:
    status, answer = await door.send(f"{PAPERS}/health", method="GET")
    assert (status, list(answer)) == (200, ["status", "timestamp", "database", "webhook_endpoint"])
    assert [answer[name] for name in ("status", "database", "webhook_endpoint")] == ["healthy", "connected", "active"]
    door.base[0] = "disconnected"
    status, answer = await door.send(f"{PAPERS}/health", method="GET")
    assert (status, answer["status"], answer["database"]) == (503, "unhealthy", "disconnected")
    status, answer = await door.send(f"{PAPERS}/test", method="GET")
    assert (status, list(answer)) == (200, ["status", "message", "timestamp", "endpoint", "supported_events"])
    assert (answer["message"], answer["endpoint"]) == ("Webhook endpoint is working", PAPERS)
    assert answer["supported_events"][:5] == [
        "leads.add", "leads.update", "leads.delete", "contacts.add", "contacts.update",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b"leads[add][0][id]=7&leads[add][0][last_modified]=1790000600", ["crm"]),
        (b"leads[delete][0][id]=7", ["crm"]),
        (b"task[add][0][id]=7", []),
        (b"[]", ["unread"]),
        (b'{"leads":1}', ["unread"]),
        (b"leads[add][0][id]=abc", ["unread"]),
        (b"leads=1&leads[add][0][id]=7&leads[add][1]=x", ["crm", "unread"]),
        (b"account[id]=39999999&leads[add][0][id]=7", ["unread"]),
        (b"", ["unread"]),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_real_hook_is_always_taken(door: Door, body: bytes, kinds: list[str]) -> None:
    for _ in range(2):  # the same request, told again
        assert (await door.send(HOOK, body, **{"X-Amocrm-Requestid": "a8e5"}))[0] == 200
    assert [kind for kind, _ in await door.works()] == kinds
    assert await door.count(inbox) == 1


async def test_deleted_restored_and_deleted_again_are_three_facts(door: Door) -> None:
    for action in ("delete", "restore", "delete"):
        assert (await door.send(HOOK, f"leads[{action}][0][id]=7".encode()))[0] == 200
    told = [event.leads[0].action for _, event in await door.works() if event is not None]
    assert told == [CrmAction.DELETED, CrmAction.RESTORED, CrmAction.DELETED]


async def test_a_real_hook_needs_its_secret_and_not_a_signature(door: Door) -> None:
    body = b"leads[add][0][id]=7"
    assert (await door.send("/hooks/amocrm/" + "0" * 32, body, **signed()))[0] == 404
    assert (await door.send(HOOK, body, **signed(given="wrong")))[0] == 200


async def test_a_thousand_events_are_one_commit(door: Door) -> None:
    entry = (
        "leads[update][{0}][id]={1}&leads[update][{0}][name]=%D0%98%D0%BC%D1%8F&leads[update][{0}][updated_at]=1790000600"
    )
    body = "&".join(entry.format(number, number + 1) for number in range(1000)).encode()
    before = door.database.commits
    assert (await door.send(HOOK, body))[0] == 200
    assert door.database.commits - before == 1
    ((_, event),) = await door.works()
    assert event is not None
    assert event.count == 1000


async def test_a_body_above_the_usual_limit_is_taken_and_two_megabytes_are_not(door: Door) -> None:
    pad = b"leads[add][0][id]=7&pad=" + b"x" * 1_200_000
    assert (await door.send(HOOK, pad))[0] == 200
    status, answer = await door.send(HOOK, b"pad=" + b"x" * 2_000_000)
    assert (status, answer["field"]) == (413, "body")


async def run_script(*arguments: str) -> int:
    """Synchronous in a thread, as from a shell; the server goes on in this loop."""
    main = runpy.run_path(str(SCRIPT))["main"]
    code = await asyncio.to_thread(main, list(arguments))
    assert isinstance(code, int)
    return code


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of amoCRM around, and no .env."""
    monkeypatch.chdir(tmp_path)
    for name in ("AMOCRM_CLIENT_SECRET", "AMOCRM_CLIENT_ID", "AMOCRM_ACCOUNT_ID", "AMOCRM_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("bare")
async def test_the_script_of_the_papers_finds_all_well(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run_script(door.url, "--secret", SETTINGS.client_secret) == 0
    out = capsys.readouterr().out
    assert out.count("\nok ") == 15
    assert "413" in out
    assert "Всё отвечает, как должно." in out
    assert SETTINGS.client_secret not in out
    assert await door.count(inbox) == 2  # the sample, which came twice, and what takes it away
    events = [event for _, event in await door.works() if event is not None]
    assert [change.action.value for event in events for change in event.leads] == ["add", "delete"]
    assert len({change.lead.external_id for event in events for change in event.leads}) == 1


@pytest.mark.usefixtures("bare")
async def test_the_script_without_a_secret_says_how_to_sign(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run_script(door.url) == 0
    out = capsys.readouterr().out
    assert "warn  подписанный образец и плохие тела" in out
    assert "openssl dgst -sha256 -hmac" in out
    assert await door.count(inbox) == 0


@pytest.mark.usefixtures("bare")
async def test_the_script_with_another_secret_says_which_to_compare(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AMOCRM_CLIENT_SECRET", "another-secret-altogether")
    assert await run_script(door.url) == 1
    out = capsys.readouterr().out
    assert "fail  подписанный образец" in out
    assert "ждали 200, пришло 401" in out
    assert "Сверьте AMOCRM_CLIENT_SECRET" in out
    door.base[0] = "disconnected"
    assert await run_script(door.url) == 1
    assert "svodka migrate" in capsys.readouterr().out


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("not an address",), "Это не адрес"),
        (("http://svodka.example", "--secret", "a-secret-of-a-test"), "по http её увидит любой"),
        (("http://127.0.0.1:9",), "Запустите Сводку"),
    ],
)
async def test_the_script_where_nothing_can_be_asked(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_script(*arguments) == 1
    assert said in capsys.readouterr().out
