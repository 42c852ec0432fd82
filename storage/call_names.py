"""Calls whose employee has no name get it from the company's list: the CRM is not asked for each call."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.calls import searched_people
from storage.engine import Database
from storage.sets import execute_each, fetch

A_PIECE = 200  # calls named in one write
# From each person to their calls by the index of unnamed ones: SQLite keeps the order of a CROSS JOIN.
_UNNAMED = """
SELECT c.id, e.called, c.client_name FROM directory_lists AS l
JOIN employees AS e ON e.account_id = l.account_id AND e.generation = l.generation AND e.called <> ''
CROSS JOIN calls AS c
WHERE l.account_id = :account_id AND l.name = 'employees' AND c.account_id = l.account_id
AND c.employee_id = e.external_id AND c.employee_name = '' AND c.employee_id <> ''
LIMIT :most
"""
_NAME = "UPDATE calls SET employee_name = :employee_name, people_search = :people_search WHERE id = :id"


async def name_calls(database: Database, account_id: int) -> int:
    """How many calls were named, a piece at a time."""
    named, piece = 0, A_PIECE
    while piece == A_PIECE:
        piece = await database.write(partial(_name_some, account_id=account_id))
        named += piece
    return named


async def _name_some(connection: AsyncConnection, *, account_id: int) -> int:
    rows = await fetch(connection, _UNNAMED, {"account_id": account_id, "most": A_PIECE})
    named = [
        {"id": id_, "employee_name": called, "people_search": searched_people(called, client)}
        for id_, called, client in rows
    ]
    await execute_each(connection, _NAME, named)
    return len(rows)
