"""INSERT … ON CONFLICT DO NOTHING, handed to the driver as it is: a third of the cost of a compiled statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.models import inbox, work
from storage.models.types import driver_time

INBOX_COLUMNS = (
    "id", "account_id", "connection_id", "vendor", "kind", "dedup_key", "state", "body_sha256", "request", "received_at",
)  # fmt: skip
WORK_COLUMNS = (
    "account_id", "kind", "object", "generation", "payload", "source", "delivery_id", "state", "due_at", "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BulkInsert:
    """Values go past SQLAlchemy's types: times through ``driver_time``."""

    sql: str
    columns: tuple[str, ...]
    positional: bool

    async def run(self, connection: AsyncConnection, rows: list[dict[str, object]]) -> int:
        """How many of ``rows`` were new."""
        if not rows:
            return 0
        if self.positional:
            given: Any = [tuple(row[name] for name in self.columns) for row in rows]
        else:
            given = rows
        result = await connection.exec_driver_sql(self.sql, given)
        return max(result.rowcount, 0)


def insert_inbox(database: Database) -> BulkInsert:
    return _bulk_insert(database, inbox, INBOX_COLUMNS, ("connection_id", "dedup_key"))


def insert_work(database: Database) -> BulkInsert:
    return _bulk_insert(database, work, WORK_COLUMNS, ("account_id", "kind", "object", "generation"))


def new_work(
    database: Database,
    *,
    account_id: int,
    kind: str,
    object_: str,
    payload: str,
    source: str,
    delivery_id: str | None,
    now: datetime,
) -> dict[str, object]:
    """A row of ``work`` for ``insert_work``, due at once."""
    moment = driver_time(now, database.dialect_name)
    return {
        "account_id": account_id,
        "kind": kind,
        "object": object_,
        "generation": 1,
        "payload": payload,
        "source": source,
        "delivery_id": delivery_id,
        "state": "ready",
        "due_at": moment,
        "created_at": moment,
    }


def _bulk_insert(database: Database, table: Table, columns: tuple[str, ...], unique: tuple[str, ...]) -> BulkInsert:
    positional = database.is_sqlite
    marks = ", ".join("?" if positional else f"%({column})s" for column in columns)
    sql = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT ({', '.join(unique)}) DO NOTHING"  # noqa: S608
    return BulkInsert(sql, columns, positional)
