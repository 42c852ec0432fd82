"""The schema's version: an empty database is made, an older one is upgraded on request, a newer one is refused."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.engine import Database, normalise_url

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0027"  # a test holds it against the newest file of alembic/versions


class Schema(StrEnum):
    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


def migrations_dir() -> Path:
    """The folder of migrations: beside the source in a checkout, inside the package when installed."""
    beside = Path(__file__).resolve().parent.parent / "alembic"
    return beside if (beside / "versions").is_dir() else Path(__file__).resolve().parent / "_alembic"


def known_revisions() -> list[str]:
    return sorted(path.name.split("_")[0] for path in (migrations_dir() / "versions").glob("[0-9]*.py"))


async def schema_state(database: Database) -> tuple[Schema, str]:
    """How the database stands to this program, and its revision ("" when empty)."""
    async with database.read() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        if "alembic_version" not in tables:
            return (Schema.EMPTY, "") if not tables else (Schema.OLDER, "unversioned")
        revision = str(await connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
    if revision == HEAD:
        return Schema.CURRENT, revision
    if revision == "":
        return Schema.EMPTY, ""
    return (Schema.OLDER if revision in known_revisions() else Schema.NEWER), revision


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``; the caller holds the leader lock."""
    engine = create_async_engine(normalise_url(url))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(lambda sync: _run(sync, revision))
            await connection.commit()
    finally:
        await engine.dispose()


def _run(connection: Connection, revision: str) -> None:
    from alembic import command

    config = _config(connection)
    if revision == "base" or (revision != "head" and revision < _current(connection)):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def _current(connection: Connection) -> str:
    if "alembic_version" not in inspect(connection).get_table_names():
        return ""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()))
    config.attributes["connection"] = connection
    return config
