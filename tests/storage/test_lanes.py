"""What outsiders wait for goes past our own writes, and SQLite's connection does what SQLAlchemy and the inbox ask."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from storage import sqlite
from storage.bulk import MOST_ROWS, BulkInsert, insert_work
from storage.engine import Database, driver_of
from storage.models import counters
from tests.ground import until


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite.Connection]:
    opened = sqlite.connect(str(tmp_path / "one.db"), isolation_level=None)
    await opened
    await opened.trip(lambda raw: raw.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    yield opened
    await opened.close()


async def count(connection: sqlite.Connection) -> int:
    return int(await connection.trip(lambda raw: raw.execute("SELECT count(*) FROM t").fetchone()[0]))


async def test_urgent_jobs_pass_the_queue_and_take_turns_with_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    urgent: list[asyncio.Task[None]] = []
    loop, queued = asyncio.get_running_loop(), threading.Event()

    async def quick(_: AsyncConnection) -> None:
        order.append("urgent")

    def outsiders_come() -> None:
        urgent.extend(loop.create_task(database.write(quick, urgent=True)) for _ in range(2))
        loop.call_soon(queued.set)

    async def usual(connection: AsyncConnection) -> None:
        order.append("usual")
        if len(order) > 1:
            return
        if database.is_sqlite:  # this is the writer's thread
            loop.call_soon_threadsafe(outsiders_come)
            queued.wait(60)
        else:
            outsiders_come()
            while not queued.is_set():
                await connection.execute(text("SELECT 1"))

    monkeypatch.setattr("storage.engine.BATCH_SECONDS", 60.0)
    monkeypatch.setattr("storage.engine.BATCH_SECONDS_WAITED_FOR", -1.0)  # a job of ours is all its transaction takes
    await asyncio.gather(*[database.write(usual) for _ in range(4)])
    await asyncio.gather(*urgent)
    assert order == ["usual", "urgent", "urgent", "usual", "usual", "usual"]


async def test_our_own_jobs_let_an_outsider_past_before_their_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.BATCH_SECONDS_WAITED_FOR", 0.0)
    monkeypatch.setattr("storage.engine.BATCH_SECONDS", 60.0)
    database = Database(f"sqlite:///{tmp_path}/pressed.db")
    database.open()
    order: list[str] = []
    came = threading.Event()

    async def first(_: AsyncConnection) -> None:
        order.append("usual")
        came.wait(30)  # in the writer's thread

    async def second(_: AsyncConnection) -> None:
        order.append("usual")

    usual = [asyncio.create_task(database.write(job)) for job in (first, second)]
    await until(lambda: order)
    outsider = asyncio.create_task(database.write_whole(lambda _: order.append("urgent")))
    await until(lambda: database.pending == 3)
    came.set()
    await asyncio.gather(*usual, outsider)
    assert order == ["usual", "urgent", "usual"]
    assert database.pending == 0
    await database.close()


async def test_a_job_whose_caller_went_away_is_still_done_before_closing(database: Database) -> None:
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(insert(counters).values(day="2026-11-20", name="kept", value=1))

    callers = [asyncio.create_task(database.write(job)) for _ in range(1)]
    await asyncio.sleep(0)
    callers[0].cancel()
    await database.close()
    again = Database(database.url.render_as_string(hide_password=False))
    async with again.read() as connection:
        assert list(await connection.scalars(select(counters.c.name))) == ["kept"]
    await again.close()


async def test_whole_work_is_committed_or_not_at_all(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/whole.db")
    with pytest.raises(RuntimeError):
        await database.write_whole(lambda raw: raw.execute("SELECT 1").fetchone())
    database.open()
    await database.write_whole(lambda raw: raw.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").fetchall())
    await database.write_whole(lambda raw: raw.execute("INSERT INTO t VALUES (1)").rowcount)

    def half(raw: sqlite3.Connection) -> None:
        raw.execute("INSERT INTO t VALUES (2)")
        raw.execute("INSERT INTO t VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        await database.write_whole(partial(sqlite.in_one_transaction, work=half))
    async with database.read() as connection:
        assert list(await connection.scalars(text("SELECT n FROM t"))) == [1]
    await database.close()


async def test_whole_work_and_jobs_queue_up_together(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/both.db")
    database.open()
    await database.write_whole(lambda raw: raw.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").fetchall())

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO t VALUES (10)"))

    async def other(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO t VALUES (11)"))

    await asyncio.gather(
        database.write(job, urgent=True),
        database.write_whole(lambda raw: raw.execute("INSERT INTO t VALUES (12)").rowcount),
        database.write(other, urgent=True),
    )
    async with database.read() as connection:
        assert sorted(await connection.scalars(text("SELECT n FROM t"))) == [10, 11, 12]
    await database.close()


async def test_a_transaction_begins_with_its_first_statement(connection: sqlite.Connection) -> None:
    connection.begin("BEGIN IMMEDIATE")
    await connection.commit()  # nothing happened, nothing was begun
    assert not connection.in_transaction
    connection.begin("BEGIN IMMEDIATE")
    await connection.trip(lambda raw: raw.execute("INSERT INTO t VALUES (1)"))
    assert connection.in_transaction
    await connection.rollback()
    assert await count(connection) == 0
    connection.begin("BEGIN IMMEDIATE")
    await connection.trip(lambda raw: raw.execute("INSERT INTO t VALUES (1)"))
    await connection.commit()
    assert await count(connection) == 1


async def test_aboard_nothing_else_is_awaited(connection: sqlite.Connection) -> None:
    async def lines(*, elsewhere: bool) -> int:
        connection.begin("BEGIN IMMEDIATE")
        await connection.trip(lambda raw: raw.execute("INSERT INTO t VALUES (1)"))
        if elsewhere:
            await asyncio.sleep(0)
        await connection.commit()
        return threading.get_ident()

    with pytest.raises(RuntimeError, match="other than its connection"):
        await connection.aboard(partial(lines, elsewhere=True))
    await connection.rollback()
    assert await count(connection) == 0
    assert await connection.aboard(partial(lines, elsewhere=False)) != threading.get_ident()
    assert await count(connection) == 1


async def test_a_cursor_gives_its_rows_in_every_way(connection: sqlite.Connection) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(5)])
        assert cursor.rowcount == 5
        await cursor.execute("SELECT n FROM t ORDER BY n")
        assert cursor.description[0][0] == "n"
        assert await cursor.fetchone() == (0,)
        assert await cursor.fetchmany(2) == [(1,), (2,)]
        assert [row async for row in cursor] == [(3,), (4,)]
        assert await cursor.fetchone() is None
        await cursor.execute("SELECT n FROM t WHERE n = ?", (3,))
        assert await cursor.fetchall() == [(3,)]
    assert isinstance(await connection.cursor(), sqlite.Cursor)


async def test_sqlalchemy_streams_over_it(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/two.db", connect_args={"async_creator_fn": sqlite.connect})
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER)"))
        await connection.execute(text("INSERT INTO t VALUES (1), (2), (3)"))
        streamed = await connection.stream(text("SELECT n FROM t"))
        assert [row.n async for row in streamed] == [1, 2, 3]
        assert isinstance(driver_of(connection), sqlite.Connection)
    await engine.dispose()


async def test_an_insert_takes_as_few_steps_as_can_be(connection: sqlite.Connection) -> None:
    bulk, asked = BulkInsert("t", ("n", "m"), ("n",)), list[str]()
    rows = [(number, "x") for number in range(MOST_ROWS + 2)]

    def insert(raw: sqlite3.Connection) -> tuple[int, int]:
        raw.execute("ALTER TABLE t ADD COLUMN m TEXT")
        raw.set_trace_callback(asked.append)
        return bulk.insert(raw, rows), bulk.insert(raw, [*rows[:3], (-1, "x")])

    assert await connection.trip(insert) == (MOST_ROWS + 2, 1)
    assert [statement.count("(") for statement in asked] == [MOST_ROWS + 2, 4, 6]  # a row each, the columns, the key
    assert await count(connection) == MOST_ROWS + 3


async def test_nothing_to_insert_is_nothing(database: Database) -> None:
    async def job(connection: AsyncConnection) -> int:
        return await insert_work(database).run(connection, [])

    assert await database.write(job) == 0
