"""What a table brings is seen by nobody before it is complete: one row of ``imports`` says so for all of its rows at once.

Leads and keys carry the number of the table that brought them. Reading them, everybody leaves out those of tables that are
hidden; the two or three that are being loaded are looked up once in a statement.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.sets import fetch

_STATES = "SELECT state, count(*) FROM imports GROUP BY state ORDER BY state"
_UNSETTLED = "SELECT 1 FROM imports WHERE account_id = :account AND state IN ('settling', 'undoing') LIMIT 1"


def seen(row: str) -> str:
    """SQL: ``row``, an alias of leads or identities, is of no table that is hidden."""
    hidden = "SELECT h.id FROM imports AS h WHERE h.state IN ('loading', 'dropping')"
    return f"({row}.import_id IS NULL OR {row}.import_id NOT IN ({hidden}))"


async def unsettled(connection: AsyncConnection, account_id: int) -> bool:
    """Visits follow a table just now: until all have, sums would be of some of it, so they stay as they are."""
    return bool(await fetch(connection, _UNSETTLED, {"account": account_id}))


async def shown_tables(connection: AsyncConnection) -> str:
    """Another text whenever a table was shown or taken out meanwhile."""
    return str([tuple(row) for row in await fetch(connection, _STATES, {})])
