"""A delivery is on disk before it is answered; a repeat is one effect; a bad neighbour harms nobody."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import func, select, text

from bot.http.ingress import seed_of
from domain.webhooks import Delivery
from integrations.bitrix24.webhook import MAX_ID, Receiver
from storage.arrivals import MOST_ROWS, Arrival, WorkSeed
from storage.engine import Database
from storage.inbox import Inbox, new_delivery_id
from storage.models import inbox, work
from storage.vault import UnknownKeyError, Vault
from tests.ground import HandClock


def arrival(call: str, *, key: str | None = None, connection: int = 1) -> Arrival:
    return Arrival(
        id=new_delivery_id(),
        account_id=1,
        connection_id=connection,
        vendor="bitrix24",
        kind="ONVOXIMPLANTCALLEND",
        dedup_key=key or f"call:{call}",
        body_sha256="0" * 64,
        request=b"encrypted",
        received_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
        seeds=(WorkSeed(kind="call", object=f"bitrix24:{call}", payload="{}"),),
    )


async def counts(database: Database) -> tuple[int, int]:
    async with database.read() as connection:
        deliveries = await connection.scalar(select(func.count()).select_from(inbox))
        works = await connection.scalar(select(func.count()).select_from(work))
    return int(deliveries or 0), int(works or 0)


async def test_concurrent_deliveries_share_a_commit(database: Database) -> None:
    box, before = Inbox(database), database.commits
    new = await asyncio.gather(*(box.add(arrival(f"c{number}")) for number in range(100)))
    assert all(new)
    assert await counts(database) == (100, 100)
    assert database.commits - before < 20


async def test_a_repeat_is_told_and_makes_nothing(database: Database) -> None:
    box = Inbox(database)
    together = await asyncio.gather(*(box.add(arrival("same")) for _ in range(10)))
    assert sorted(together) == [False] * 9 + [True]
    assert await box.add(arrival("same")) is False
    assert await counts(database) == (1, 1)
    assert (box.accepted, box.duplicates, sum(box.kinds.values())) == (1, 10, 1)


async def test_two_addresses_one_call_is_one_work(database: Database) -> None:
    box = Inbox(database)
    assert await box.add(arrival("x", connection=1))
    assert await box.add(arrival("x", connection=2))
    assert await counts(database) == (2, 1)


async def test_a_delivery_that_cannot_be_stored_fails_alone(database: Database) -> None:
    box = Inbox(database)
    bad = replace(arrival("bad"), vendor=None)  # type: ignore[arg-type] - what the database refuses
    results = await asyncio.gather(box.add(arrival("a")), box.add(bad), box.add(arrival("b")), return_exceptions=True)
    assert results[0] is True
    assert isinstance(results[1], Exception)
    assert results[2] is True
    assert await counts(database) == (2, 2)


async def test_an_event_nobody_handles_is_kept_as_ignored(database: Database) -> None:
    await Inbox(database).add(replace(arrival("x"), seeds=()))
    async with database.read() as connection:
        assert await connection.scalar(select(inbox.c.state)) == "ignored"


async def test_a_delivery_may_give_many_pieces_of_work(database: Database) -> None:
    box = Inbox(database)
    many = tuple(WorkSeed(kind="call", object=f"bitrix24:m{number}", payload="{}") for number in range(MOST_ROWS + 5))
    assert await box.add(replace(arrival("m0"), seeds=many)) is True
    assert await counts(database) == (1, len(many))
    assert await box.add(replace(arrival("other"), seeds=many[:3])) is True  # the delivery is new, its work is not
    assert await box.add(replace(arrival("m0"), seeds=many)) is False
    assert await counts(database) == (2, len(many))
    async with database.read() as connection:
        first = await connection.scalar(select(inbox.c.id).order_by(inbox.c.id).limit(1))
        assert set(await connection.scalars(select(work.c.delivery_id))) == {first}


async def test_work_that_cannot_be_stored_takes_its_delivery_along(database: Database) -> None:
    box, bad = Inbox(database), WorkSeed(kind="call", object="bitrix24:b", payload=None)  # type: ignore[arg-type]
    many = tuple(WorkSeed(kind="call", object=f"bitrix24:m{number}", payload="{}") for number in range(MOST_ROWS))
    for seeds in ((bad,), (*many, bad)):
        with pytest.raises(Exception, match=r"(?i)null"):
            await box.add(replace(arrival("bad"), seeds=seeds))
        assert await counts(database) == (0, 0)
    assert await box.add(arrival("good")) is True


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_connection_that_was_cut_is_opened_anew(database: Database) -> None:
    box = Inbox(database)
    assert await box.add(arrival("before"))
    async with database.read() as connection:
        cut = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%made AS%' AND pid <> pg_backend_pid()"
        )
        assert list(await connection.scalars(cut)) == [True]
    assert await box.add(arrival("after"))
    assert await box.add(arrival("before")) is False
    assert await counts(database) == (2, 2)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_the_leader_is_told_of_new_work_and_of_nothing_else(database: Database) -> None:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    box, told = Inbox(database), list[str]()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as listening:
        await listening.execute("LISTEN svodka_work")
        await box.add(arrival("new"))
        await box.add(arrival("new"))
        await box.add(replace(arrival("ignored"), seeds=()))
        await listening.execute("NOTIFY svodka_work, 'the last'")
        async for notice in listening.notifies(timeout=20):
            told.append(notice.payload)
            if notice.payload:
                break
    assert told == ["", "the last"]


def test_ids_sort_by_time() -> None:
    ids = [new_delivery_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(len(one) == 16 for one in ids)
    assert [one[:6] for one in ids] == sorted(one[:6] for one in ids)


def test_a_vault_reads_what_older_keys_wrote() -> None:
    old, new = Vault(["a" * 20]), Vault(["b" * 20, "a" * 20])
    stored = old.encrypt(b"body")
    assert b"body" not in stored
    assert new.decrypt(stored) == b"body"
    assert new.decrypt(new.encrypt(b"later")) == b"later"
    with pytest.raises(UnknownKeyError):
        Vault(["c" * 20]).decrypt(stored)
    with pytest.raises(UnknownKeyError):
        old.decrypt(stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(ValueError):
        Vault([])


@pytest.mark.parametrize(
    "body",
    [b"event=ONVOXIMPLANTCALLEND&data[CALL_ID]=" + b"x" * MAX_ID, b"event=" + b"E" * 1000 + b"&data[a]=1"],
)
async def test_the_longest_names_that_pass_find_room(database: Database, clock: HandClock, body: bytes) -> None:
    delivery = Delivery(method="POST", path="/", query="", headers={}, body=body, received_at=clock.now())
    parsed = Receiver().parse(delivery)
    arrival = Arrival(
        id=new_delivery_id(), account_id=1, connection_id=1, vendor="bitrix24", kind=parsed.kind,
        dedup_key=parsed.dedup_key, body_sha256="0" * 64, request=b"e", received_at=clock.now(),
        seeds=tuple(map(seed_of, parsed.events)),
    )  # fmt: skip
    assert await Inbox(database).add(arrival)
