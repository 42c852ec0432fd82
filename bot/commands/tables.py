"""PostgreSQL's tables as files and back: COPY in one snapshot, so that a backup needs no program of another package."""

import json
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from bot.backup import TABLES, BadBackupError
from storage.models import metadata

_VERSION_TABLE = "alembic_version"
_ORDER = "order.json"

# parents before children: a table comes after every table that its foreign keys name
_TABLES = """
WITH RECURSIVE ours AS (
    SELECT c.oid, c.relname::text AS name FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
), deep AS (
    SELECT oid, name, 0 AS depth FROM ours
    UNION ALL
    SELECT o.oid, o.name, d.depth + 1 FROM deep d
    JOIN pg_constraint k ON k.confrelid = d.oid AND k.contype = 'f' AND k.conrelid <> k.confrelid
    JOIN ours o ON o.oid = k.conrelid WHERE d.depth < 20
)
SELECT name FROM deep GROUP BY name ORDER BY max(depth), name
"""
_COLUMNS = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""
_SEQUENCES = """
SELECT a.attname::text, pg_get_serial_sequence(quote_ident(%(table)s), a.attname) FROM pg_attribute a
WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped
AND pg_get_serial_sequence(quote_ident(%(table)s), a.attname) IS NOT NULL
"""

Connection = psycopg.Connection[tuple[str, ...]]


def dump_tables(url: URL, into: Path) -> None:
    """Every table of one snapshot into ``into``/tables, others may write meanwhile."""
    folder = into / TABLES
    folder.mkdir(mode=0o700)
    with _connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        order = {name: _columns(connection, name) for name in _names(connection)}
        for name, columns in order.items():
            statement = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(name), _listed(columns))
            with (folder / f"{name}.copy").open("wb") as file, connection.cursor().copy(statement) as rows:
                for block in rows:
                    file.write(block)
    (folder / _ORDER).write_text(json.dumps(order), encoding="utf-8")


def load_tables(url: URL, folder: Path) -> None:
    """The files of ``dump_tables`` into empty tables of the same revision, in one transaction."""
    order: dict[str, list[str]] = json.loads((folder / TABLES / _ORDER).read_text(encoding="utf-8"))
    with _connect(url) as connection:
        for name, columns in order.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _listed(columns))
            with (folder / TABLES / f"{name}.copy").open("rb") as file, connection.cursor().copy(statement) as rows:
                while block := file.read(1024 * 1024):
                    rows.write(block)
            _move_sequences(connection, name)


def check_tables(folder: Path) -> None:
    """BadBackupError when the files are for other tables or columns than ours: names of theirs would be filled as well."""
    try:
        order = json.loads((folder / TABLES / _ORDER).read_text(encoding="utf-8"))
        known = {name: set(table.columns.keys()) for name, table in metadata.tables.items()}
        foreign = [name for name, columns in order.items() if not set(columns) <= known.get(name, set())]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise BadBackupError("список таблиц в копии не читается") from error
    if foreign:
        raise BadBackupError(f"в копии есть не наши таблицы: {', '.join(foreign[:5])}. Такую копию сделала не Сводка")


def drop_tables(url: URL) -> None:
    """Nothing of ours is left: the database is empty again."""
    with _connect(url) as connection:
        names = [*_names(connection), _VERSION_TABLE]
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, names))))


def _move_sequences(connection: Connection, name: str) -> None:
    """New rows are numbered after the loaded ones."""
    for column, sequence in connection.execute(_SEQUENCES, {"table": name}).fetchall():
        highest = sql.SQL("SELECT setval(%s::regclass, (SELECT coalesce(max({}), 0) FROM {}) + 1, false)")
        connection.execute(highest.format(sql.Identifier(column), sql.Identifier(name)), (sequence,))


def _connect(url: URL) -> Connection:
    return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), connect_timeout=10)


def _names(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute(_TABLES).fetchall()]


def _columns(connection: Connection, name: str) -> list[str]:
    return [row[0] for row in connection.execute(_COLUMNS, (name,)).fetchall()]


def _listed(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
