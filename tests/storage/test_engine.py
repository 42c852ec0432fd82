"""One writer whose jobs share commits, and neighbours that cannot harm each other."""

import asyncio

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database, normalise_url
from storage.models import counters


async def put(database: Database, name: str) -> None:
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(insert(counters).values(day="2026-11-20", name=name, value=1))

    await database.write(job)


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return sorted(await connection.scalars(select(counters.c.name)))


async def test_jobs_that_wait_share_a_commit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine.BATCH_SECONDS", 60.0)  # on a busy machine one job may take up a transaction's time
    before = database.commits
    await asyncio.gather(*(put(database, f"n{number}") for number in range(50)))
    assert len(await names(database)) == 50
    assert database.commits - before < 10


async def test_a_bad_job_fails_alone(database: Database) -> None:
    await put(database, "taken")
    jobs = [put(database, name) for name in ("a", "taken", "b", "c")]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False, False]
    assert await names(database) == ["a", "b", "c", "taken"]


async def test_what_a_failing_job_wrote_is_not_kept(database: Database) -> None:
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(insert(counters).values(day="2026-11-20", name="half", value=1))
        raise LookupError("the second half went wrong")

    with pytest.raises(LookupError):
        await database.write(job)
    assert await names(database) == []


async def test_a_cancelled_caller_does_not_stop_its_job(database: Database) -> None:
    caller = asyncio.create_task(put(database, "kept"))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await put(database, "after")
    assert await names(database) == ["after", "kept"]


async def test_close_finishes_what_was_queued(database: Database) -> None:
    writes = [asyncio.create_task(put(database, f"q{number}")) for number in range(20)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*writes) == [None] * 20
    with pytest.raises(RuntimeError):
        await put(database, "late")
    database.open()
    again = Database(database.url.render_as_string(hide_password=False))
    again.open()
    assert len(await names(again)) == 20
    await again.close()


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite"),
        ("postgres://u@h/d", "postgresql+psycopg"),
        ("postgresql://u@h/d", "postgresql+psycopg"),
        ("postgresql+asyncpg://u@h/d", "postgresql+psycopg"),
        ("sqlite+aiosqlite:///a.db", "sqlite+aiosqlite"),
    ],
)
def test_urls_are_accepted_as_people_have_them(given: str, driver: str) -> None:
    assert normalise_url(given).drivername == driver
