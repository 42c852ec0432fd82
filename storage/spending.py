"""Money spent by day, and what a table did to it: kept with the table for as long as it can be undone."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import SpendRow, Undone
from storage.codec import dumps
from storage.engine import Database
from storage.models.types import driver_time
from storage.names import Names
from storage.sets import BulkWrite, execute, execute_each, fetch

_SPEND = BulkWrite(
    table="spend",
    columns=(
        "account_id", "key", "day", "direction_id", "creative_id", "utm_source", "amount", "currency", "source",
        "created_at",
    ),
    types=("int", "text", "text", "int", "int", "text", "bigint", "text", "text", "timestamptz"),
    conflict="(account_id, key) DO UPDATE SET amount = excluded.amount WHERE t.amount <> excluded.amount",
)  # fmt: skip
_AMOUNTS = "SELECT key, amount FROM spend WHERE account_id = :account AND key IN {texts}"
_REMEMBER = "UPDATE imports SET was = :was WHERE id = :import AND was = ''"
_REMEMBERED = "SELECT id, was FROM imports WHERE account_id = :account AND kind = 'spend' AND was <> '' ORDER BY id"
_REWRITE = "UPDATE imports SET was = :was, undone = :undone WHERE id = :import"
_GO_AWAY = "DELETE FROM spend WHERE account_id = :account AND key IN {texts}"
_BACK = "UPDATE spend SET amount = :amount WHERE account_id = :account AND key = :key"

Change = tuple[int | None, int]  # an amount before a table (None: there was none) and by it


async def save_spend(
    connection: AsyncConnection, account_id: int, rows: Sequence[SpendRow], names: Names, now: datetime, *, source: str,
    import_id: int | None = None,
) -> int:  # fmt: skip
    """Amounts, those of one key added up; how many were added or changed. Names are known already."""
    together: dict[str, SpendRow] = {}
    for row in rows:
        known = together.get(row.key)
        together[row.key] = replace(row, amount=row.amount + known.amount) if known else row
    if import_id is not None:
        before = await _amounts(connection, account_id, list(together))
        was = {key: (before.get(key), row.amount) for key, row in together.items()}
        await execute(connection, _REMEMBER, {"import": import_id, "was": json.dumps(was)})
    at = driver_time(now, connection.dialect.name)
    return await _SPEND.run(
        connection,
        [
            (account_id, key, row.day.isoformat(), names.direction(row.direction), names.creative(row.creative), row.source,
             row.amount, row.currency, source, at)
            for key, row in together.items()
        ],
    )  # fmt: skip


async def undo_spend(connection: AsyncConnection, account_id: int, import_id: int) -> Undone:
    """Within a write: amounts are as before the table, but for those that another table says or somebody has changed."""
    tables: dict[int, dict[str, Change]] = {
        row[0]: {key: (change[0], change[1]) for key, change in json.loads(row[1]).items()}
        for row in await fetch(connection, _REMEMBERED, {"account": account_id})
    }
    mine = tables.pop(import_id, {})
    amounts = await _amounts(connection, account_id, list(mine))
    undone, gone, back = Undone(), [], []
    for key, (was, told) in mine.items():
        now = amounts.get(key)
        heir = next((number for number, said in tables.items() if key in said and said[key][1] == now), None)
        if heir is not None:
            said = tables[heir]
            said[key] = (was if said[key][0] == told else said[key][0], said[key][1])
            undone += Undone(known=1)
        elif now != told:
            undone += Undone(changed=int(now is not None))
        elif was is None:
            gone.append(key)
            undone += Undone(removed=1)
        elif was != told:
            back.append({"account": account_id, "key": key, "amount": was})
            undone += Undone(restored=1)
    await execute(connection, _GO_AWAY, {"account": account_id, "texts": gone})
    await execute_each(connection, _BACK, back)
    for number, said in tables.items():
        await execute(
            connection, "UPDATE imports SET was = :was WHERE id = :import", {"import": number, "was": json.dumps(said)}
        )
    await execute(connection, _REWRITE, {"import": import_id, "was": "", "undone": dumps(Undone, undone)})
    return undone


async def _amounts(connection: AsyncConnection, account_id: int, keys: list[str]) -> dict[str, int]:
    return {row[0]: row[1] for row in await fetch(connection, _AMOUNTS, {"account": account_id, "texts": keys})}


class SpendStore:
    """Each method is one write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, account_id: int, rows: Sequence[SpendRow], names: Names, now: datetime, *, source: str,
        import_id: int | None = None,
    ) -> int:  # fmt: skip
        """How many amounts were added or changed. ``import_id``: the table they came with, so that it can be undone."""

        async def job(connection: AsyncConnection) -> int:
            return await save_spend(connection, account_id, rows, names, now, source=source, import_id=import_id)

        return await self._database.write(job)

    async def undo(self, account_id: int, import_id: int) -> Undone:
        async def job(connection: AsyncConnection) -> Undone:
            return await undo_spend(connection, account_id, import_id)

        return await self._database.write(job)
