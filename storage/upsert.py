"""INSERT … ON CONFLICT, which both databases have and SQLAlchemy writes by dialect."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Database


def upsert(database: Database, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert into ``table`` that knows ``on_conflict_…``."""
    return sqlite.insert(table) if database.is_sqlite else postgresql.insert(table)
