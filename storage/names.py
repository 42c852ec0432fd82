"""What ads are called: directions, creatives, and the rules by which creatives know their leads."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ads import Part
from domain.errors import BadInput
from domain.imports import CreativeRow
from storage.dirty import mark_dirty
from storage.engine import Database
from storage.models import directions
from storage.models.types import driver_time
from storage.sets import BulkWrite, execute, execute_each, fetch

_ASSIGNED_AT_ONCE = 500
_WITHOUT_CREATIVE = """
SELECT id FROM leads
WHERE account_id = :account AND first_utm_content = :rule AND creative_id IS NULL ORDER BY id LIMIT :most
"""
_GIVE_CREATIVE = "UPDATE leads SET creative_id = :creative, creative_by = 'name' WHERE id IN {ids}"
_ADD_DIRECTIONS = BulkWrite(
    table="directions",
    columns=("account_id", "name", "created_at"),
    types=("int", "text", "timestamptz"),
    conflict="(account_id, name) DO NOTHING",
)
_ADD_CREATIVES = BulkWrite(
    table="creatives",
    columns=("account_id", "title", "external_id", "direction_id", "created_at"),
    types=("int", "text", "text", "int", "timestamptz"),
    conflict="(account_id, title, external_id) DO NOTHING",
)
_TELL_CREATIVE = "UPDATE creatives SET external_id = :rule, direction_id = :direction WHERE id = :id"
_DIRECTIONS = "SELECT id, name FROM directions WHERE account_id = :account ORDER BY id"
_CREATIVES = "SELECT id, title, external_id, direction_id FROM creatives WHERE account_id = :account ORDER BY id"


@dataclass(slots=True)
class Names:
    """Directions and creatives of an account by name, in whatever case it is written."""

    directions: dict[str, int] = field(default_factory=dict)
    creatives: dict[str, int] = field(default_factory=dict)

    def direction(self, title: str) -> int | None:
        return self.directions.get(title.casefold())

    def creative(self, title: str) -> int | None:
        return self.creatives.get(title.casefold())


class NameStore:
    """Each method is one write; names that are there already, in whatever case, stay as they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, account_id: int) -> Names:
        async with self._database.read() as connection:
            return await read_names(connection, account_id)

    async def titles(self, account_id: int) -> dict[Part, dict[int, str]]:
        """What directions and creatives are called, by number, the newest first."""
        mine = {"account": account_id}
        async with self._database.read() as connection:
            ours, ads = await fetch(connection, _DIRECTIONS, mine), await fetch(connection, _CREATIVES, mine)
        return {part: {row[0]: row[1] for row in reversed(rows)} for part, rows in zip(Part, (ours, ads), strict=True)}

    async def add(
        self, account_id: int, titles: Sequence[str], ads: Sequence[CreativeRow], now: datetime
    ) -> tuple[Names, int]:
        """All names with these directions and creatives among them; how many were added or changed."""

        async def job(connection: AsyncConnection) -> tuple[Names, int]:
            changed = await add_directions(connection, account_id, [*titles, *(ad.direction for ad in ads)], now)
            changed += await add_creatives(connection, account_id, ads, now)
            return await read_names(connection, account_id), changed

        return await self._database.write(job)

    async def assign(self, account_id: int, ad: CreativeRow, names: Names) -> int:
        """Give the creative its leads by the rule, those that have none yet; how many. In short writes, days marked."""
        creative, given = names.creative(ad.title), 0
        if not ad.rule or creative is None:
            return 0
        values = {"account": account_id, "rule": ad.rule, "creative": creative, "most": _ASSIGNED_AT_ONCE}

        async def job(connection: AsyncConnection) -> int:
            ids = [row[0] for row in await fetch(connection, _WITHOUT_CREATIVE, values)]
            if ids:
                await execute(connection, _GIVE_CREATIVE, {"ids": ids, "creative": creative})
                await mark_dirty(connection, account_id, ids)
            return len(ids)

        while count := await self._database.write(job):
            given += count
        return given

    async def rename(self, account_id: int, title: str, new: str) -> int:
        """A direction under another name, with all that belongs to it; 0 when there is none called so. BadInput: taken."""

        async def job(connection: AsyncConnection) -> int:
            names = await read_names(connection, account_id)
            known, taken = names.direction(title), names.direction(new)
            if known is None:
                return 0
            if taken not in {None, known}:
                raise BadInput("direction", f"Направление «{new}» уже есть.")
            await connection.execute(update(directions).where(directions.c.id == known).values(name=new))
            return 1

        return await self._database.write(job)


async def read_names(connection: AsyncConnection, account_id: int) -> Names:
    """All directions and creatives of the account, archived ones too."""
    ours = await fetch(connection, _DIRECTIONS, {"account": account_id})
    ads = await fetch(connection, _CREATIVES, {"account": account_id})
    return Names(
        directions={row[1].casefold(): row[0] for row in ours},
        creatives={row[1].casefold(): row[0] for row in ads},
    )


async def add_directions(connection: AsyncConnection, account_id: int, titles: Sequence[str], now: datetime) -> int:
    """Those that are not there yet, in whatever case; how many were new."""
    known = {row[1].casefold() for row in await fetch(connection, _DIRECTIONS, {"account": account_id})}
    new = {title.casefold(): title for title in reversed(titles) if title and title.casefold() not in known}
    at = driver_time(now, connection.dialect.name)
    return await _ADD_DIRECTIONS.run(connection, [(account_id, title, at) for title in reversed(new.values())])


async def add_creatives(connection: AsyncConnection, account_id: int, ads: Sequence[CreativeRow], now: datetime) -> int:
    """Those that are not there yet, and those that are with another direction or rule; how many were added or changed."""
    names = await read_names(connection, account_id)
    known = {row[1].casefold(): row for row in await fetch(connection, _CREATIVES, {"account": account_id})}
    new: dict[str, CreativeRow] = {}
    changes: list[dict[str, object]] = []
    for ad in ads:
        title, stands = ad.title.casefold(), known.get(ad.title.casefold())
        if stands is None:
            first = new.get(title, ad)
            new[title] = replace(first, direction=ad.direction or first.direction, rule=ad.rule or first.rule)
            continue
        rule, direction = ad.rule or stands[2], names.direction(ad.direction) or stands[3]
        if (rule, direction) != (stands[2], stands[3]):
            changes.append({"id": stands[0], "rule": rule, "direction": direction})
            known[title] = (stands[0], stands[1], rule, direction)
    at = driver_time(now, connection.dialect.name)
    rows = [(account_id, ad.title, ad.rule, names.direction(ad.direction), at) for ad in new.values()]
    await execute_each(connection, _TELL_CREATIVE, changes)
    return await _ADD_CREATIVES.run(connection, rows) + len(changes)
