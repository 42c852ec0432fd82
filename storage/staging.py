"""Leads of a table on their way in: written where nobody sees them, and settled once the table is complete and seen.

What is new stands in its own rows at once, hidden by the state of its table. What a table says of leads that are there
already waits in ``import_leads``. When the table is shown its keys are known at once; visits and changes follow in short
writes, and the sums of conversions stay as they were until all have.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.leads import Lead
from storage.assigning import assign_new
from storage.dirty import day_of, mark_days
from storage.identities import next_ids
from storage.joins import bring_home
from storage.leads import KEPT, KEPT_TEXTS, LEAD_COLUMNS, MOST_LEADS, LeadBatch, newest_of, unite_people, upsert_for
from storage.matching import EMAIL, PHONE, rematch, rematch_registrations
from storage.models import leads
from storage.sets import BulkWrite, Value, execute, fetch, moment
from storage.whose import Whose

ADDED, TOLD, CHANGED, SAME = "added", "told", "changed", "same"  # import_leads.how
TIMES = frozenset({"created_at", "updated_at", "deleted_at"})
Row = dict[str, Any]

_GO_ON = "UPDATE imports SET done = :done WHERE id = :import AND state = 'loading'"
_CURRENT = f"SELECT {', '.join(LEAD_COLUMNS)} FROM leads WHERE id IN {{ids}}"  # noqa: S608 - our own names
_SAID = "SELECT lead_id, how, told FROM import_leads WHERE import_id = :import AND lead_id IN {ids}"
_UNSETTLED = """
SELECT lead_id FROM import_leads
WHERE import_id = :import AND lead_id > :after AND how <> 'same' ORDER BY lead_id LIMIT :most
"""
_SAY = BulkWrite(
    table="import_leads",
    columns=("import_id", "lead_id", "how", "told", "was"),
    types=("int", "bigint", "text", "text", "text"),
    conflict="(import_id, lead_id) DO UPDATE SET how = excluded.how, told = excluded.told, was = excluded.was",
)


class StoppedError(Exception):
    """The load was stopped by somebody: nothing more of it may be written."""


async def stage_leads(
    connection: AsyncConnection, account_id: int, import_id: int, batch: Sequence[Lead], *, done: int
) -> None:
    """Within a write, at most MOST_LEADS; safe to repeat. ``done``: so many rows are gone through then. StoppedError."""
    if not await execute(connection, _GO_ON, {"import": import_id, "done": done}):
        raise StoppedError
    await _StagedBatch(connection, account_id, newest_of(batch), import_id).stage(import_id)


class _StagedBatch(LeadBatch):
    """Leads of a table that nobody sees yet."""

    async def stage(self, import_id: int) -> None:
        told = [lead for lead, _ in self._leads]
        await self._drop_what_is_older()
        news = {id(lead) for lead, _ in self._leads}
        older = [stored.id for lead in told if id(lead) not in news and (stored := self._known(lead))]
        people = await self._people()
        await self._add_people()
        await self._add_keys()
        current = await rows_of(self._connection, [stored.id for stored in self._stored.values()])
        said = await self._said(import_id, list(current))
        claims: list[tuple[Value, ...]] = [
            (import_id, lead_id, SAME, "", "")
            for lead_id in older
            if lead_id not in said and current[lead_id]["import_id"] != import_id
        ]
        fresh: list[tuple[Value, ...]] = []
        ids = await next_ids(self._connection, "leads", len(self._leads))
        for (lead, keys), person, by, new in zip(self._leads, people, self._by, ids, strict=True):
            stored = self._known(lead)
            row = (*self._row(stored.id if stored else new, lead, dict(reversed(keys)), person), by)
            if stored is None:
                claims.append((import_id, new, ADDED, "", ""))
                fresh.append(row)
            elif current[stored.id]["import_id"] == import_id:  # told twice, or told again after a crash
                fresh.append(row)
            else:
                claims.append(_claim(import_id, row, current[stored.id], said.get(stored.id, {})))
        await upsert_for(self._connection.dialect).run(self._connection, fresh)
        await assign_new(self._connection, self._account_id, [row[0] for row in fresh])
        await _SAY.run(self._connection, claims)

    async def _said(self, import_id: int, lead_ids: list[int]) -> dict[int, Row]:
        """What this table has said of these leads so far: one may stand in it twice."""
        rows = await fetch(self._connection, _SAID, {"import": import_id, "ids": lead_ids})
        return {row[0]: restored(row[2], self._connection) for row in rows}


def _claim(import_id: int, row: tuple[Value, ...], stands: Row, said: Row) -> tuple[Value, ...]:
    """What a table says of a lead that is there: kept until it is seen, or as that which was there already."""
    given = dict(zip(LEAD_COLUMNS, row, strict=True))
    told = said | {name: given[name] for name in (*KEPT_TEXTS, *KEPT) if given[name] not in {"", None}}
    told |= {name: given[name] for name in ("person_id", "created_at", "updated_at")}
    if stands["person_id"] != given["person_id"]:
        told["matched_by"] = given["matched_by"]
    if stands["deleted_at"] is not None:
        told |= {"deleted_at": None, "import_id": import_id}
    same = all(stands[name] == value for name, value in told.items())
    return (import_id, given["id"], SAME if same else TOLD, kept(told), "")


async def unsettled_leads(connection: AsyncConnection, import_id: int, after: int) -> list[int]:
    """The next leads that a table brought or changes, by number."""
    values = {"import": import_id, "after": after, "most": MOST_LEADS}
    return [row[0] for row in await fetch(connection, _UNSETTLED, values)]


async def settle_leads(connection: AsyncConnection, account_id: int, import_id: int, lead_ids: Sequence[int]) -> None:
    """Within a write: changes are made, visits and registrations matched with what the table brought. Safe to repeat."""
    said = await fetch(connection, _SAID, {"import": import_id, "ids": list(lead_ids)})
    before = await rows_of(connection, lead_ids)
    claims: list[tuple[Value, ...]] = []
    after = {lead_id: dict(row) for lead_id, row in before.items()}
    for lead_id, how, told in said:
        if how == TOLD and lead_id in before:
            says = restored(told, connection)
            was = {name: before[lead_id][name] for name, value in says.items() if before[lead_id][name] != value}
            after[lead_id] |= says
            claims.append((import_id, lead_id, CHANGED if was else SAME, told, kept(was) if was else ""))
    await write_rows(connection, [row for lead_id, row in after.items() if row != before[lead_id]])
    await assign_new(connection, account_id, lead_ids)
    await _SAY.run(connection, claims)
    if await bring_home(connection, lead_ids):  # another lead of the table has shown meanwhile who they are
        after = await rows_of(connection, lead_ids)
    await _unite(connection, account_id, list(after.values()))
    await follow(connection, account_id, [*before.values(), *after.values()])


async def _unite(connection: AsyncConnection, account_id: int, rows: Sequence[Row]) -> None:
    """People who turn out to be one by leads that are seen now: it moves what is theirs, so it is not done before."""
    whose = Whose(connection, account_id)
    keys = [[(kind, row[name]) for kind, name in ((PHONE, "phone_key"), (EMAIL, "email_key")) if row[name]] for row in rows]
    await whose.look_up(chain.from_iterable(keys))
    for place, (row, own) in enumerate(zip(rows, keys, strict=True)):
        if row["person_id"] is not None:
            await whose.decide(place, own, before=row["person_id"], new=row["person_id"])
    told = [(int(row["id"]), at) for row in rows if (at := moment(row["updated_at"])) is not None]  # each has one
    await unite_people(connection, account_id, whose, told)


async def follow(connection: AsyncConnection, account_id: int, rows: Sequence[Row]) -> None:
    """Days, visits and registrations that these leads concern, as they are and as they were."""
    await mark_days(connection, account_id, {day_of(row["created_at"]) for row in rows})
    phones, emails = ({row[f"{kind}_key"] for row in rows} - {""} for kind in ("phone", "email"))
    people = {row["person_id"] for row in rows} - {None}
    await rematch(connection, account_id, phones=phones, emails=emails, people=people)
    await rematch_registrations(connection, account_id, phones=phones, emails=emails)


async def rows_of(connection: AsyncConnection, lead_ids: Sequence[int]) -> dict[int, Row]:
    """Leads as they stand, by number; times as the driver gives them."""
    if not lead_ids:
        return {}
    rows = await fetch(connection, _CURRENT, {"ids": list(lead_ids)})
    return {row[0]: dict(zip(LEAD_COLUMNS, row, strict=True)) for row in rows}


async def write_rows(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Leads that are there, exactly so."""
    types = tuple(leads.c[name].type.compile(dialect=connection.dialect) for name in LEAD_COLUMNS)
    changes = ", ".join(f"{name} = excluded.{name}" for name in LEAD_COLUMNS[1:])
    write = BulkWrite(table="leads", columns=LEAD_COLUMNS, types=types, conflict=f"(id) DO UPDATE SET {changes}")
    await write.run(connection, [tuple(row[name] for name in LEAD_COLUMNS) for row in rows])


def kept(values: Row) -> str:
    """Columns of a lead as import_leads keeps them."""
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def restored(text: str, connection: AsyncConnection) -> Row:
    """The same again, times as the driver takes them."""
    values: Row = json.loads(text) if text else {}
    if connection.dialect.name != "sqlite":
        values |= {name: moment(datetime.fromisoformat(values[name])) for name in TIMES & values.keys() if values[name]}
    return values
