"""What ads are called and what they cost: directions, creatives, and money spent by day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import BadInput
from domain.imports import CreativeRow, SpendRow
from storage.dirty import mark_dirty
from storage.engine import Database
from storage.models import creatives, directions
from storage.models.types import driver_time
from storage.sets import BulkWrite, execute, fetch

_ASSIGNED_AT_ONCE = 500
_WITHOUT_CREATIVE = """
SELECT id FROM leads
WHERE account_id = :account AND first_utm_content = :rule AND creative_id IS NULL ORDER BY id LIMIT :most
"""
_GIVE_CREATIVE = "UPDATE leads SET creative_id = :creative WHERE id IN {ids}"
_SPEND = BulkWrite(
    table="spend",
    columns=(
        "account_id", "key", "day", "direction_id", "creative_id", "utm_source", "amount", "currency", "source",
        "created_at",
    ),
    types=("int", "text", "text", "int", "int", "text", "bigint", "text", "text", "timestamptz"),
    conflict="(account_id, key) DO UPDATE SET amount = excluded.amount WHERE t.amount <> excluded.amount",
)  # fmt: skip


@dataclass(slots=True)
class Names:
    """Directions and creatives of an account by name, in whatever case it is written, and creatives by their rule."""

    directions: dict[str, int] = field(default_factory=dict)
    creatives: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)

    def direction(self, title: str) -> int | None:
        return self.directions.get(title.casefold())

    def creative(self, title: str, content: str = "") -> int | None:
        """The one that is named, else the one whose rule is the lead's utm_content."""
        return self.creatives.get(title.casefold()) if title else self.rules.get(content)


class NameStore:
    """Each method is one write; names that are there already, in whatever case, stay as they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, account_id: int) -> Names:
        async with self._database.read() as connection:
            return await read_names(connection, account_id)

    async def add(
        self, account_id: int, titles: Iterable[str], ads: Iterable[CreativeRow], now: datetime
    ) -> tuple[Names, int]:
        """All names with these directions and creatives among them; how many were added or changed."""

        async def job(connection: AsyncConnection) -> tuple[Names, int]:
            names = await read_names(connection, account_id)
            changed = await add_directions(connection, account_id, [*titles, *(ad.direction for ad in ads)], names, now)
            for ad in ads:
                changed += await add_creative(connection, account_id, ad, names, now)
            return names, changed

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

    async def spend(self, account_id: int, rows: Sequence[SpendRow], names: Names, now: datetime, *, source: str) -> int:
        """Amounts, those of one key added up; how many were added or changed. Their names are known already."""

        async def job(connection: AsyncConnection) -> int:
            return await save_spend(connection, account_id, rows, names, now, source=source)

        return await self._database.write(job)


async def read_names(connection: AsyncConnection, account_id: int) -> Names:
    """All directions and creatives of the account, archived ones too."""
    ours = (await connection.execute(select(directions).where(directions.c.account_id == account_id))).all()
    ads = (await connection.execute(select(creatives).where(creatives.c.account_id == account_id))).all()
    return Names(
        directions={row.name.casefold(): row.id for row in ours},
        creatives={row.title.casefold(): row.id for row in ads},
        rules={row.external_id: row.id for row in ads if row.external_id},
    )


async def add_directions(
    connection: AsyncConnection, account_id: int, titles: Iterable[str], names: Names, now: datetime
) -> int:
    """Those that are not there yet, into ``names`` too; how many were new."""
    added = 0
    for title in titles:
        if title and names.direction(title) is None:
            values = {"account_id": account_id, "name": title, "created_at": now}
            new = await connection.execute(insert(directions).values(**values).returning(directions.c.id))
            names.directions[title.casefold()] = int(new.scalar_one())
            added += 1
    return added


async def add_creative(connection: AsyncConnection, account_id: int, ad: CreativeRow, names: Names, now: datetime) -> bool:
    """A creative that is not there yet, or one that is with another direction or rule; whether anything changed."""
    direction_id = names.direction(ad.direction)
    known = names.creative(ad.title)
    if known is None:
        values = {"account_id": account_id, "title": ad.title, "external_id": ad.rule, "direction_id": direction_id}
        new = await connection.execute(insert(creatives).values(**values, created_at=now).returning(creatives.c.id))
        names.creatives[ad.title.casefold()] = known = int(new.scalar_one())
        changed = True
    else:
        told = {name: value for name, value in (("external_id", ad.rule), ("direction_id", direction_id)) if value}
        row = (await connection.execute(select(creatives).where(creatives.c.id == known))).one()
        changed = any(getattr(row, name) != value for name, value in told.items())
        if changed:
            await connection.execute(update(creatives).where(creatives.c.id == known).values(**told))
    if ad.rule:
        names.rules[ad.rule] = known
    return changed


async def save_spend(
    connection: AsyncConnection, account_id: int, rows: Sequence[SpendRow], names: Names, now: datetime, *, source: str
) -> int:
    """Amounts, those of one key added up; how many were added or changed. Names are known already."""
    together: dict[str, SpendRow] = {}
    for row in rows:
        known = together.get(row.key)
        together[row.key] = replace(row, amount=row.amount + known.amount) if known else row
    at = driver_time(now, connection.dialect.name)
    return await _SPEND.run(
        connection,
        [
            (account_id, key, row.day.isoformat(), names.direction(row.direction), names.creative(row.creative), row.source,
             row.amount, row.currency, source, at)
            for key, row in together.items()
        ],
    )  # fmt: skip
