"""The schema is what the tables say, from empty and back, and a database of another version is recognised."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from storage.engine import Database
from storage.migrate import HEAD, Schema, known_revisions, migrate, schema_state
from storage.models import metadata
from storage.models.types import UtcDateTime
from tests.postgres import Postgres
from tests.storage.hall import Hall, after, lead, viewer


def test_the_newest_revision_is_the_head() -> None:
    assert known_revisions()[-1] == HEAD


async def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    async with database.read() as connection:
        context = await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), metadata))
    assert context == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_up_down_and_up_again(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/m.db"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = await server.fresh_database()
    database = Database(url)
    assert (await schema_state(database))[0] is Schema.EMPTY
    await migrate(url)
    assert await schema_state(database) == (Schema.CURRENT, HEAD)
    await migrate(url, "base")
    assert (await schema_state(database))[0] is Schema.EMPTY
    await migrate(url)
    assert await schema_state(database) == (Schema.CURRENT, HEAD)
    await database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_an_older_version_has_each_row_as_it_was_by_itself(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/m.db"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = await server.fresh_database()
    await migrate(url)
    database = Database(url)
    database.open()
    hall = Hall(database)
    await hall.save(lead("89991234567", "anna@example.ru"))
    await hall.hold([viewer("89991234567"), viewer(email="anna@example.ru", minutes=(10, 40))])
    before = await hall.attendees()
    assert [row["watch_duration_sec"] for row in before] == [2400, 1800]
    await migrate(url, "0013")
    async with database.read() as connection:
        sql = "SELECT watch_duration_sec, left_at FROM webinar_attendees ORDER BY positions"
        rows = (await connection.execute(text(sql).columns(left_at=UtcDateTime))).all()
    assert [tuple(row) for row in rows] == [(1200, after(20)), (1800, after(40))]
    await migrate(url)
    await hall.webinars.recount(1)
    assert await hall.attendees() == before
    await database.close()


@pytest.mark.parametrize(("revision", "state"), [("9999", Schema.NEWER), (HEAD, Schema.CURRENT)])
async def test_another_version_is_recognised(database: Database, revision: str, state: Schema) -> None:
    database.open()
    await database.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision}))
    assert (await schema_state(database))[0] is state


async def test_tables_without_a_version_are_not_touched(database: Database) -> None:
    await database.write(lambda tx: tx.execute(text("DROP TABLE alembic_version")))
    assert await schema_state(database) == (Schema.OLDER, "unversioned")
