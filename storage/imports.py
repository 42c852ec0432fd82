"""Tables that people send: what was asked, and what of their rows is known already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, cast

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import Import, ImportKind, LeadRow
from domain.ports import Tx
from storage.engine import Database
from storage.matching import EMAIL, LINK, PHONE, persons_known
from storage.models import imports
from storage.sets import fetch, moment

_STALE = timedelta(days=1)
SOURCE = "import"  # of leads and amounts that came in a table
_UNDER_WAY = ("loading", "undoing")

_KNOWN_KEYS = """
SELECT external_id, created_at, import_id FROM leads
WHERE account_id = :account AND source = :source AND external_id IN {texts} AND deleted_at IS NULL
"""
_KNOWN_LEADS = """
SELECT person_id, created_at FROM leads WHERE person_id IN {ids} AND deleted_at IS NULL AND source <> :source
"""


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

    async def loading(self, account_id: int, now: datetime) -> bool:
        """Some table is being loaded just now: figures still grow. One that nobody goes on with is forgotten in a day."""
        mine = (imports.c.account_id == account_id) & (imports.c.state == "loading") & (imports.c.shown_at > now - _STALE)
        async with self._database.read() as connection:
            return await connection.scalar(select(imports.c.id).where(mine).limit(1)) is not None

    async def under_way(self) -> list[Import]:
        """Tables of all accounts that are to be loaded or taken out, oldest first."""
        mine = select(imports).where(imports.c.state.in_(_UNDER_WAY)).order_by(imports.c.id)
        async with self._database.read() as connection:
            return [_import(row) for row in await connection.execute(mine)]

    async def move(self, import_id: int, *, since: str, to: str) -> bool:
        """From one state to another; False when it was not in it: somebody else was quicker."""
        mine = (imports.c.id == import_id) & (imports.c.state == since)

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(update(imports).where(mine).values(state=to))).rowcount)

        return await self._database.write(job)

    async def settle(self, tx: Tx, import_id: int, *, state: str, saved: tuple[int, int, int], now: datetime) -> bool:
        """The end of a load: what was added, what changed, what was there."""
        values = dict(zip(("added", "changed", "same"), saved, strict=True))
        done = update(imports).where(imports.c.id == import_id).values(state=state, loaded_at=now, **values)
        return bool((await cast("AsyncConnection", tx).execute(done)).rowcount)

    async def forget_files(self, before: datetime) -> None:
        """Tables shown before then have no file any more."""
        old = (imports.c.shown_at < before) & (imports.c.path != "") & imports.c.state.not_in(_UNDER_WAY)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(imports).where(old).values(path=""))

        await self._database.write(job)


def _import(row: Any) -> Import:
    values = {name: getattr(row, name) for name in Import.__slots__}
    return Import(**values | {"kind": ImportKind(row.kind)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What is known of some rows. ``stored`` came with an earlier table: key → when they became leads.

    ``brought``: by which table first; 0 where that is not known.

    ``known`` need no row of their own: their person has a lead of another source on the same day, or at all where the table
    tells no day.
    """

    stored: dict[str, datetime]
    brought: dict[str, int]
    known: frozenset[str]


async def meet(database: Database, account_id: int, rows: Sequence[LeadRow], zone: tzinfo) -> Met:
    """``zone``: whose days the rows' are."""
    async with database.read() as connection:
        stored = await _stored(connection, account_id, rows)
        known = await _known(connection, account_id, [row for row in rows if row.key not in stored], zone)
    brought = {key: by for key, (_, by) in stored.items()}
    return Met(stored={key: at for key, (at, _) in stored.items()}, brought=brought, known=frozenset(known))


async def _stored(connection: AsyncConnection, account_id: int, rows: Sequence[LeadRow]) -> dict[str, tuple[datetime, int]]:
    if not rows:
        return {}
    values = {"account": account_id, "source": SOURCE, "texts": [row.key for row in rows]}
    found = await fetch(connection, _KNOWN_KEYS, values)
    return {row[0]: (at, row[2] or 0) for row in found if (at := moment(row[1])) is not None}


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
