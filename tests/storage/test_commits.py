"""A connection that breaks during COMMIT: what was written is not written twice, what was not is written once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.commits import UnknownCommitError
from storage.engine import Database
from storage.migrate import migrate
from storage.models import audit
from tests.ground import opened
from tests.postgres import Postgres

JOBS = 5
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """PostgreSQL alone: SQLite's commit does not travel."""
    async with postgres.lent(migrate) as url, opened(url) as database:
        yield database


async def note(database: Database, name: str) -> str:
    """A write that shows when it is done twice."""

    async def job(connection: AsyncConnection) -> str:
        await connection.execute(insert(audit).values(account_id=1, at=AT, action=name))
        return name

    return await database.write(job)


async def notes(database: Database) -> list[str]:
    async with database.read() as connection:
        return sorted(await connection.scalars(select(audit.c.action)))


def breaking(monkeypatch: pytest.MonkeyPatch, database: Database, *, carried_out: bool) -> None:
    """The next commit of the writer loses its connection, after the server has heard of it or before."""
    dialect = database._writer.sync_engine.dialect
    whole, broken = dialect.do_commit, []

    def commit(connection: Any) -> None:
        if broken:
            whole(connection)
            return
        broken.append(True)
        if carried_out:
            whole(connection)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", commit)


@pytest.mark.parametrize("carried_out", [True, False])
async def test_jobs_are_done_once(database: Database, monkeypatch: pytest.MonkeyPatch, *, carried_out: bool) -> None:
    await note(database, "before")
    breaking(monkeypatch, database, carried_out=carried_out)
    done = await asyncio.gather(*(note(database, f"n{number}") for number in range(JOBS)))
    assert done == [f"n{number}" for number in range(JOBS)]
    assert await notes(database) == ["before", *done]


async def test_a_lone_job_is_told_when_it_was_not_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await note(database, "before")
    breaking(monkeypatch, database, carried_out=False)
    with pytest.raises(Exception, match="server closed"):
        await note(database, "alone")
    assert await notes(database) == ["before"]


async def test_where_nobody_can_be_asked_nothing_is_done_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await note(database, "before")
    monkeypatch.setattr("storage.commits.ASK_AGAIN_SECONDS", (0.0, 0.01))
    monkeypatch.setattr("storage.engine.BATCH_SECONDS", 60.0)  # a busy machine puts them into one transaction too
    breaking(monkeypatch, database, carried_out=True)

    def away(*_: object, **__: object) -> None:
        raise OSError("the server is gone")

    with monkeypatch.context() as gone:
        gone.setattr(database, "_reader", SimpleNamespace(connect=away))
        done = await asyncio.gather(*(note(database, f"n{number}") for number in range(JOBS)), return_exceptions=True)
    assert all(isinstance(one, UnknownCommitError) for one in done)
    assert await notes(database) == ["before", *(f"n{number}" for number in range(JOBS))]


async def test_a_neighbour_that_never_ran_is_not_told_that_it_may_be_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await note(database, "before")
    monkeypatch.setattr("storage.commits.ASK_AGAIN_SECONDS", (0.0,))
    monkeypatch.setattr("storage.engine.BATCH_SECONDS", -1.0)  # one job fills a transaction, the next waits for its own
    breaking(monkeypatch, database, carried_out=True)
    told: list[bool] = []

    def away(*_: object, **__: object) -> None:
        told.append(True)
        raise OSError("the server is gone")

    with monkeypatch.context() as gone:
        gone.setattr(database, "_reader", SimpleNamespace(connect=away))
        first, second = await asyncio.gather(note(database, "n0"), note(database, "n1"), return_exceptions=True)
    assert isinstance(first, UnknownCommitError)
    assert (second, told) == ("n1", [True])
    assert await notes(database) == ["before", "n0", "n1"]


async def test_what_a_job_wrote_before_it_failed_is_not_kept(database: Database) -> None:

    async def job(connection: AsyncConnection) -> None:
        await connection.execute(insert(audit).values(account_id=1, at=AT, action="half"))
        raise LookupError("the second half went wrong")

    with pytest.raises(LookupError):
        await database.write(job)
    assert await notes(database) == []
