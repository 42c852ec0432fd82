"""A backup of somebody else's making brings nothing but rows: no trigger, no view, no table or path that is not ours."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.backup import BadBackupError, copy_sqlite, pack, sha256_of
from bot.commands.tables import check_tables
from storage.migrate import HEAD
from tests.bot.terminal import Terminal
from tests.bot.test_backup import rows, terminal

__all__ = ["terminal"]

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def archive_of(folder: Path, *statements: str) -> Path:
    """A copy, whole and rightly described, of a database in which ``statements`` were run."""
    inside = folder / "inside"
    inside.mkdir()
    database = inside / "database.sqlite3"
    copy_sqlite(folder / "data/svodka.db", database)
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    into = folder / "copy.tar.gz"
    pack(inside, into, version="0.1.0", revision=HEAD, dialect="sqlite", made_at=AT, recordings=())
    return into


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON posts BEGIN UPDATE posts SET chat_id = 666; END", "trigger t"),
        ("CREATE VIEW v AS SELECT * FROM calls", "view v"),
        ("CREATE TABLE more (id)", "table more"),
        ("CREATE INDEX i ON calls (id)", "index i"),
        ("CREATE VIRTUAL TABLE f USING rtree(id, low, high)", "virtual table f"),
    ],
)
async def test_what_acts_or_is_not_ours_is_refused(terminal: Terminal, statement: str, told: str) -> None:
    archive_of(terminal.folder, statement)
    before = sha256_of(terminal.folder / "data/svodka.db")
    said = await terminal("restore", "copy.tar.gz")
    assert said.status == 1
    assert told in said.err
    assert sha256_of(terminal.folder / "data/svodka.db") == before


async def test_a_database_that_is_none_is_refused(terminal: Terminal) -> None:
    inside = terminal.folder / "inside"
    inside.mkdir()
    (inside / "database.sqlite3").write_bytes(b"not a database at all" * 400)
    made = {"version": "0.1.0", "revision": HEAD, "dialect": "sqlite", "made_at": AT}
    pack(inside, terminal.folder / "copy.tar.gz", **made, recordings=())  # type: ignore[arg-type]
    said = await terminal("restore", "copy.tar.gz")
    assert said.status == 1
    assert "база в копии повреждена" in said.err


async def test_statistics_are_no_stranger_and_stray_paths_are_forgotten(terminal: Terminal) -> None:
    insert = (
        "INSERT INTO calls (account_id, vendor, call_id, state, direction, outcome, started_at, duration_s, heard_at, "
        "recording_path) SELECT 1, 'bitrix24', '{0}', state, direction, outcome, started_at, 9, heard_at, '{0}' FROM calls"
        " WHERE call_id = 'c'"
    )
    stray = ("/etc/passwd", "keys/secret_key", "recordings/../keys/secret_key")
    archive_of(terminal.folder, "ANALYZE", *(insert.format(path) for path in stray))
    said = await terminal("restore", "copy.tar.gz")
    assert said.status == 0, said
    assert "убраны: 3" in said.out
    assert rows(terminal, "SELECT recording_path FROM calls WHERE recording_path != ''") == [("recordings/2026-11-20/a",)]


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"pg_authid": ["rolname"]}, "pg_authid"),
        ({"calls": ["id", "ctid"]}, "calls"),
        (["calls"], "не читается"),
    ],
)
def test_tables_of_another_database_are_not_filled(tmp_path: Path, order: object, told: str) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/order.json").write_text(json.dumps(order))
    with pytest.raises(BadBackupError, match=told):
        check_tables(tmp_path)


def test_our_own_tables_are(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/order.json").write_text(json.dumps({"calls": ["id", "state"]}))
    check_tables(tmp_path)
