"""A call that nobody lists is told of only when its event was proven to be the vendor's."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.entrance import Entrance, build_entrance
from bot.http.ingress import seed_of
from bot.keys import load_keys
from bot.proof import build_proven
from bot.settings import read_settings
from domain.webhooks import Delivery, record
from storage.engine import Database
from storage.inbox import Arrival, new_delivery_id
from storage.models import calls, inbox, posts
from storage.queries.failures import failure_kinds
from storage.vault import Vault
from tests.e2e.hour import open_hour
from tests.ground import HandClock, lay, opened

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET, OPEN = "/hooks/bitrix24/{connection}", "/api/bitrix-webhook/call-finished"


async def entrance_of(folder: Path, database: Database, **more: str) -> Entrance:
    settings = read_settings(
        {"DATA_DIR": str(folder), "BITRIX24_WEBHOOK_URL": "http://127.0.0.1:9/rest/1/code-of-a-hook/", **more}
    )
    return await build_entrance(settings, load_keys(settings), database, HandClock())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(await lay(tmp_path / "svodka.db")) as database:
        yield database


def arrival(vault: Vault, path: str) -> Arrival:
    delivery = Delivery(method="POST", path=path, query="", headers={}, body=b"event=X", received_at=AT)
    return Arrival(
        id=new_delivery_id(), account_id=1, connection_id=1, vendor="bitrix24", kind="X", dedup_key=path,
        body_sha256="0" * 64, request=vault.encrypt(record(delivery)), received_at=AT, seeds=(),
    )  # fmt: skip


async def test_without_a_token_the_secret_path_is_the_proof(tmp_path: Path, database: Database) -> None:
    entrance = await entrance_of(tmp_path, database)
    proven = build_proven(entrance)
    secret, hint = arrival(entrance.vault, SECRET), arrival(entrance.vault, OPEN)
    strange = replace(arrival(Vault(["another key of a test, long enough"]), SECRET), dedup_key="strange")
    for one in (secret, hint, strange):
        await entrance.inbox.add(one)
    assert await proven(secret.id)
    assert not await proven(hint.id)
    assert not await proven(strange.id)
    assert not await proven("nobody")
    assert not await proven(None)
    await database.write(lambda tx: tx.execute(update(inbox).values(request=None)))
    assert not await proven(secret.id)


async def test_where_a_token_is_asked_for_everything_stored_had_it(tmp_path: Path, database: Database) -> None:
    entrance = await entrance_of(tmp_path, database, BITRIX24_APPLICATION_TOKEN="token-of-a-test")
    hint = arrival(entrance.vault, OPEN)
    await entrance.inbox.add(hint)
    assert await build_proven(entrance)(hint.id)


@pytest.mark.parametrize(("path", "told"), [(SECRET, True), (OPEN, False)])
async def test_a_call_that_is_never_listed(tmp_path: Path, path: str, *, told: bool) -> None:
    async with open_hour(tmp_path, BITRIX24_APPLICATION_TOKEN="") as hour:
        services = hour.services
        endpoint = services.hooks.default("bitrix24")
        assert endpoint is not None
        call = hour.town.call()
        body = hour.town.portal.event_body(call).replace(call.call_id.encode(), b"never-listed")
        delivery = Delivery(method="POST", path=path, query="", headers={}, body=body, received_at=hour.clock.now())
        seeds = tuple(seed_of(event) for event in endpoint.receiver.parse(delivery).events)
        came = replace(
            arrival(services.vault, path), seeds=seeds, received_at=hour.clock.now(),
            request=services.vault.encrypt(record(delivery)),
        )  # fmt: skip
        await services.inbox.add(came)
        await hour.pass_seconds(2430)
        kinds = await failure_kinds(services.database, 1, AT)
        assert [(kind.code, kind.dead) for kind in kinds] == ([("unlisted", 1)] if told else [])
        assert all("never-listed" in kind.error for kind in kinds)
        assert await hour.cards() == []
        assert bool(await hour.notices()) is told
        async with services.database.read() as connection:
            assert await connection.scalar(select(calls.c.id)) is None
            assert len((await connection.execute(select(posts))).all()) == int(told)
