"""Tables that people send: what was asked, and what of their rows is known already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, cast

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import UNDER_WAY, Import, ImportKind, LeadRow, State, Undone
from domain.ports import Tx
from storage.codec import loads
from storage.engine import Database
from storage.hidden import seen
from storage.leads import Saved
from storage.matching import EMAIL, LINK, PHONE, persons_known
from storage.models import import_leads, imports
from storage.sets import execute, fetch, moment

UNDO_WITHIN = timedelta(days=1)  # later others have worked with what came of it
SOURCE = "import"  # of leads and amounts that came in a table

_KNOWN_KEYS = f"""
SELECT external_id, created_at FROM leads AS l
WHERE account_id = :account AND source = :source AND external_id IN {{texts}} AND external_id <> ''
AND deleted_at IS NULL AND {seen("l")}
"""  # noqa: S608 - our own text
_KNOWN_LEADS = """
SELECT person_id, created_at FROM leads WHERE person_id IN {ids} AND deleted_at IS NULL AND source <> :source
"""
_HOW_MANY = "SELECT how, count(*) FROM import_leads WHERE import_id = :import GROUP BY how"
_FORGET = """
DELETE FROM import_leads WHERE import_id = :import AND lead_id IN (
    SELECT lead_id FROM import_leads WHERE import_id = :import ORDER BY lead_id LIMIT :most)
"""
_FORGOTTEN_AT_ONCE = 500


class ImportStore:
    """The rows of ``imports``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(
        self, account_id: int, kind: ImportKind, *, name: str, path: str, sha256: str, rows: int, asked_by: int,
        chat_id: int, now: datetime,
    ) -> int:  # fmt: skip
        """A table that was looked through; its number."""
        values: dict[str, Any] = {
            "account_id": account_id,
            "kind": kind.value,
            "name": name,
            "path": path,
            "sha256": sha256,
            "rows": rows,
        }
        values |= {"asked_by": asked_by, "chat_id": chat_id, "shown_at": now, "state": "shown"}

        async def job(connection: AsyncConnection) -> int:
            return int((await connection.execute(insert(imports).values(**values).returning(imports.c.id))).scalar_one())

        return await self._database.write(job)

    async def get(self, account_id: int, import_id: int) -> Import | None:
        mine = select(imports).where(imports.c.id == import_id, imports.c.account_id == account_id)
        async with self._database.read() as connection:
            row = (await connection.execute(mine)).one_or_none()
        return _import(row) if row is not None else None

    async def same_file(self, account_id: int, sha256: str) -> Import | None:
        """The newest load of this very file that still stands."""
        mine = (imports.c.account_id == account_id) & (imports.c.sha256 == sha256) & (imports.c.state == "complete")
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(imports).where(mine).order_by(imports.c.id.desc()).limit(1))
            ).one_or_none()
        return _import(row) if row is not None else None

    async def loading(self, account_id: int) -> bool:
        """Some table is under way just now: what it brings is in no figure yet."""
        mine = (imports.c.account_id == account_id) & imports.c.state.in_(UNDER_WAY)
        async with self._database.read() as connection:
            return await connection.scalar(select(imports.c.id).where(mine).limit(1)) is not None

    async def under_way(self) -> list[Import]:
        """Tables of all accounts that are to be loaded or taken out, oldest first."""
        mine = select(imports).where(imports.c.state.in_(UNDER_WAY)).order_by(imports.c.id)
        async with self._database.read() as connection:
            return [_import(row) for row in await connection.execute(mine)]

    async def move(self, import_id: int, *, since: State, to: State, **values: object) -> bool:
        """From one state to another; False when it was not in it: somebody else was quicker."""
        mine = (imports.c.id == import_id) & (imports.c.state == since)

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(update(imports).where(mine).values(state=to, **values))).rowcount)

        return await self._database.write(job)

    async def saved(self, import_id: int, *, known: int) -> Saved:
        """What became of the leads of a table; ``known`` rows were there already, as leads of another source."""
        async with self._database.read() as connection:
            counts = dict(tuple(row) for row in await fetch(connection, _HOW_MANY, {"import": import_id}))
        return Saved(added=counts.get("added", 0), changed=counts.get("changed", 0), same=counts.get("same", 0) + known)

    async def settle(self, tx: Tx, import_id: int, *, state: State, saved: Saved, now: datetime) -> bool:
        """The end of a load, or of one that was taken out: in the same commit all of it is counted, or nothing any more."""
        counts = {} if state is State.UNDONE else {"added": saved.added, "changed": saved.changed, "same": saved.same}
        values: dict[str, Any] = {"state": state} | counts | ({"loaded_at": now} if state is not State.UNDONE else {})
        done = update(imports).where(imports.c.id == import_id).values(**values)
        return bool((await cast("AsyncConnection", tx).execute(done)).rowcount)

    async def forget_changes(self, before: datetime) -> None:
        """Tables loaded before then cannot be undone any more, so nothing is kept of what they changed."""
        old = (imports.c.loaded_at < before) & imports.c.state.not_in(UNDER_WAY)
        known = select(import_leads.c.import_id).where(import_leads.c.import_id == imports.c.id).limit(1)
        async with self._database.read() as connection:
            ids = list(await connection.scalars(select(imports.c.id).where(old, known.exists())))
        for import_id in ids:
            values = {"import": import_id, "most": _FORGOTTEN_AT_ONCE}
            while await self._database.write(partial(execute, sql=_FORGET, values=values)):
                pass

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(imports).where(old, imports.c.was != "").values(was=""))

        await self._database.write(job)

    async def forget_files(self, before: datetime) -> None:
        """Tables shown before then have no file any more."""
        old = (imports.c.shown_at < before) & (imports.c.path != "") & imports.c.state.not_in(UNDER_WAY)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(imports).where(old).values(path=""))

        await self._database.write(job)


def _import(row: Any) -> Import:
    values = {name: getattr(row, name) for name in Import.__slots__}
    undone = loads(Undone, row.undone) if row.undone else Undone()
    return Import(**values | {"kind": ImportKind(row.kind), "state": State(row.state), "undone": undone})


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What is known of some rows. ``stored`` came with an earlier table: key → when they became leads.

    ``known`` need no row of their own: their person has a lead of another source on the same day, or at all where the table
    tells no day.
    """

    stored: dict[str, datetime]
    known: frozenset[str]


async def meet(database: Database, account_id: int, rows: Sequence[LeadRow], zone: tzinfo) -> Met:
    """``zone``: whose days the rows' are."""
    async with database.read() as connection:
        stored = await _stored(connection, account_id, rows)
        known = await _known(connection, account_id, [row for row in rows if row.key not in stored], zone)
    return Met(stored=stored, known=frozenset(known))


async def _stored(connection: AsyncConnection, account_id: int, rows: Sequence[LeadRow]) -> dict[str, datetime]:
    if not rows:
        return {}
    values = {"account": account_id, "source": SOURCE, "texts": [row.key for row in rows]}
    found = await fetch(connection, _KNOWN_KEYS, values)
    return {row[0]: at for row in found if (at := moment(row[1])) is not None}


async def _known(connection: AsyncConnection, account_id: int, rows: Sequence[LeadRow], zone: tzinfo) -> set[str]:
    whose = await _people_of(connection, account_id, rows)
    if not whose:
        return set()
    days: dict[int, set[date | None]] = {}
    values = {"ids": sorted(set(whose.values())), "source": SOURCE}
    for person, created_at in await fetch(connection, _KNOWN_LEADS, values):
        at = moment(created_at)
        days.setdefault(person, set()).update({None, at.astimezone(zone).date() if at else None})
    return {row.key for row in rows if row.key in whose and row.day in days.get(whose[row.key], ())}


async def _people_of(connection: AsyncConnection, account_id: int, rows: Sequence[LeadRow]) -> dict[str, int]:
    """Row's key → who it is, for rows without an id of their own."""
    bare = [row for row in rows if not row.external_id]
    found: dict[tuple[str, str], int] = {}
    for kind in (PHONE, EMAIL, LINK):
        values = {value for row in bare for own, value in _keys(row) if own == kind}
        people = await persons_known(connection, account_id, kind, values)
        found |= {(kind, value): person for value, person in people.items()}
    whose = {row.key: next((found[key] for key in _keys(row) if key in found), None) for row in bare}
    return {key: person for key, person in whose.items() if person is not None}


def _keys(row: LeadRow) -> list[tuple[str, str]]:
    keys = ((PHONE, row.phone_key), (EMAIL, row.email_key), (LINK, row.link))
    return [(kind, value) for kind, value in keys if value]
