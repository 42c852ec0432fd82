"""The keys by which people are known: read from what they left, kept, and never given to two at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.leads import Lead
from domain.people import email_key, personal_key
from storage.matching import EMAIL, LINK, PHONE
from storage.models.types import driver_time
from storage.sets import BulkWrite, Value, fetch

LONGEST_KEY = 254  # characters of identities.value; no personal link of anybody carries more
CONTACT = "contact"  # how a key of a source's own kind is called where people read it

Key = tuple[str, str]  # kind and value

_ADD = BulkWrite(
    table="identities",
    columns=("account_id", "kind", "value", "person_id", "source", "since", "import_id"),
    types=("int", "text", "text", "bigint", "text", "timestamptz", "int"),
    # what a table said alone is known from elsewhere now: it is seen, and stays when the table is taken out
    conflict="(account_id, kind, value) WHERE undone_at IS NULL DO UPDATE SET import_id = NULL "
    "WHERE t.import_id IS NOT NULL AND excluded.import_id IS NULL AND t.person_id = excluded.person_id",
)
_UNDONE = """
SELECT kind, value, person_id FROM identities
WHERE account_id = :account AND value IN {texts} AND undone_at IS NOT NULL
"""


def keys_of(phone: str, email: str, link_ids: Sequence[str], contact: Key | None = None) -> list[Key]:
    """(kind, value) by which somebody who left this is looked for, surest first."""
    key, address = personal_key(phone), email_key(email)
    keys = [(PHONE, key)] if key else []
    keys += [contact] if contact else []
    keys += [(EMAIL, address)] if address else []
    return keys + [(LINK, link) for link in link_ids if link and len(link) <= LONGEST_KEY]


def lead_keys(lead: Lead) -> list[Key]:
    contact = (lead.source[:16], lead.contact_id[:64]) if lead.contact_id else None
    return keys_of(lead.phone, lead.email, lead.link_ids, contact)


def reason_of(kind: str) -> str:
    """Why somebody was found, by the kind of the key that did."""
    return kind if kind in {PHONE, EMAIL, LINK} else CONTACT


async def undone_keys(connection: AsyncConnection, account_id: int, values: Sequence[str]) -> set[tuple[str, str, int]]:
    """(kind, value, person) that somebody of the team has said not to belong together."""
    mine = {"account": account_id, "texts": values}
    return {(row[0], row[1], row[2]) for row in await fetch(connection, _UNDONE, mine)} if values else set()


async def add_keys(
    connection: AsyncConnection, account_id: int, keys: Sequence[tuple[str, str, int, str, datetime]],
    import_id: int | None = None,
) -> None:  # fmt: skip
    """(kind, value, person, source, since). A key that somebody else has stays theirs, what was undone stays undone.

    ``import_id``: the table that says so.
    """
    undone = await undone_keys(connection, account_id, sorted({value for _, value, *_ in keys}))
    rows: dict[Key, tuple[Value, ...]] = {  # each key once: PostgreSQL changes no row twice in a statement
        (kind, value): (account_id, kind, value, person, source, driver_time(since, connection.dialect.name), import_id)
        for kind, value, person, source, since in reversed(keys)
        if (kind, value, person) not in undone
    }
    await _ADD.run(connection, list(rows.values()))


async def next_ids(connection: AsyncConnection, table: str, count: int) -> list[int]:
    """Ids for rows about to be added. On SQLite they are ours as long as this write lasts: there is no other."""
    if connection.dialect.name == "sqlite":
        last = (await fetch(connection, f"SELECT coalesce(max(id), 0) FROM {table}", {}))[0][0]  # noqa: S608 - our own name
        return list(range(last + 1, last + 1 + count))
    sql = f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, :count)"  # noqa: S608 - as above
    return [row[0] for row in await fetch(connection, sql, {"count": count})]
