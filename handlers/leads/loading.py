"""A table into rows, piece by piece: seen as a whole or not at all, safe to begin again, quiet about what is there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path

from domain.files import kept_file
from domain.imports import AnyRow, CreativeRow, DirectionRow, Import, ImportKind, LeadRow, SpendRow, State, Undone
from domain.leads import Lead
from handlers.leads.reading import Reading, opened
from storage.engine import Database
from storage.imports import SOURCE, ImportStore, meet
from storage.leads import Saved
from storage.names import Names, NameStore
from storage.spending import SpendStore
from storage.staging import StoppedError, settle_leads, stage_leads, unsettled_leads
from storage.undoing import leads_left, take_out

Told = Callable[[int], Awaitable[None]]  # how many rows are done


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Loads tables of one account, one at a time. ``zone``: whose days the table's are."""

    database: Database
    data_dir: Path
    zone: tzinfo
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self, table: Import, told: Told) -> Saved:
        """All that can be used. Leads are seen by nobody until all are in; then every one is, and visits follow.

        Begun again it goes on. FileNotFoundError, BadInput, StoppedError: nothing of it is seen, and ``drop`` is to follow.
        """
        async with self.turn:
            if table.state is State.DROPPING:
                raise StoppedError
            if table.kind is not ImportKind.LEADS:
                return await self._others(table, told)
            known = table.same
            if table.state is not State.SETTLING:
                known = await self._stage(table, told)
                if not await self._imports.move(table.id, since=State.LOADING, to=State.SETTLING, same=known):
                    raise StoppedError
            await self._settle(table)
            return await self._imports.saved(table.id, known=known)

    async def drop(self, table: Import) -> None:
        """Take away what nobody has seen; what everybody sees is left alone."""
        await self._imports.move(table.id, since=State.LOADING, to=State.DROPPING)
        async with self.turn:
            if await self._is(table, State.DROPPING):
                await self._take_out(table)

    async def undo(self, table: Import) -> Undone:
        """Take out what is in; what became of its rows. Sums stay as they are until all of it is done."""
        async with self.turn:
            if not await self._is(table, State.UNDOING):
                return Undone()
            if table.kind is ImportKind.SPEND:
                await SpendStore(self.database).undo(table.account_id, table.id)
            else:
                await self._take_out(table)
        left = await self._imports.get(table.account_id, table.id)
        return left.undone if left is not None else Undone()

    @property
    def _imports(self) -> ImportStore:
        return ImportStore(self.database)

    async def _is(self, table: Import, state: State) -> bool:
        stands = await self._imports.get(table.account_id, table.id)
        return stands is not None and stands.state is state

    @asynccontextmanager
    async def _opened(self, table: Import) -> AsyncIterator[Reading]:
        path = kept_file(self.data_dir, table.path)
        if path is None:
            raise FileNotFoundError(table.path)
        async with opened(path, table.kind, zone=self.zone, now=table.shown_at) as reading:
            yield reading

    async def _stage(self, table: Import, told: Told) -> int:
        """Every lead written where nobody sees it; how many rows are leads of another source already."""
        names, known, done = await NameStore(self.database).read(table.account_id), 0, 0
        async with self._opened(table) as reading:
            async for piece in reading.pieces():
                rows = [one.row for one in piece if one.row is not None]
                names = await self._with_new_names(table, rows, names)
                done += len(rows)
                known += await self._stage_piece(table, rows, names, done)
                await told(done)
        return known

    async def _stage_piece(self, table: Import, rows: Sequence[AnyRow], names: Names, done: int) -> int:
        leads = list({row.key: row for row in rows if isinstance(row, LeadRow)}.values())
        met = await meet(self.database, table.account_id, leads, self.zone)
        batch = [
            replace(lead_of(row, names, since=met.stored.get(row.key, table.shown_at)), import_id=table.id)
            for row in leads
            if row.key not in met.known
        ]
        await self.database.write(lambda connection: stage_leads(connection, table.account_id, table.id, batch, done=done))
        return len(met.known)

    async def _settle(self, table: Import) -> None:
        after = 0
        while True:
            async with self.database.read() as connection:
                some = await unsettled_leads(connection, table.id, after)
            if not some:
                return
            await self.database.write(partial(settle_leads, account_id=table.account_id, import_id=table.id, lead_ids=some))
            after = some[-1]

    async def _take_out(self, table: Import) -> None:
        since = table.loaded_at or table.shown_at
        while True:
            async with self.database.read() as connection:
                some = await leads_left(connection, table.id)
            if not some:
                return
            taking = partial(take_out, account_id=table.account_id, import_id=table.id, lead_ids=some, since=since)
            await self.database.write(taking)

    async def _with_new_names(self, table: Import, rows: Sequence[AnyRow], names: Names) -> Names:
        """Directions and creatives that a piece names are there before its rows."""
        if table.kind in {ImportKind.CREATIVES, ImportKind.DIRECTIONS}:
            return names
        titles = _distinct(getattr(row, "direction", "") for row in rows)
        ads = _distinct(getattr(row, "creative", "") for row in rows)
        titles = [title for title in titles if names.direction(title) is None]
        ads = [title for title in ads if names.creative(title) is None]
        if not titles and not ads:
            return names
        new = [CreativeRow(title=title) for title in ads]
        return (await NameStore(self.database).add(table.account_id, titles, new, table.shown_at))[0]

    async def _others(self, table: Import, told: Told) -> Saved:
        """Few enough to be one write."""
        together: list[AnyRow] = []
        names = await NameStore(self.database).read(table.account_id)
        async with self._opened(table) as reading:
            async for piece in reading.pieces():
                rows = [one.row for one in piece if one.row is not None]
                names = await self._with_new_names(table, rows, names)
                together += rows
                await told(len(together))
        store, now = NameStore(self.database), table.shown_at
        if table.kind is ImportKind.SPEND:
            spent = [row for row in together if isinstance(row, SpendRow)]
            changed = await SpendStore(self.database).save(
                table.account_id, spent, names, now, source=SOURCE, import_id=table.id
            )
            all_ = len({row.key for row in spent})
        else:
            titles = _distinct(row.title for row in together if isinstance(row, DirectionRow))
            ads = list({row.key: row for row in together if isinstance(row, CreativeRow)}.values())
            names, changed = await store.add(table.account_id, titles, ads, now)
            all_ = len(titles) + len(ads)
            for ad in ads:
                await store.assign(table.account_id, ad, names)
        return Saved(added=min(changed, all_), same=max(all_ - changed, 0))


def lead_of(row: LeadRow, names: Names, *, since: datetime, source: str = SOURCE) -> Lead:
    """``since``: when it became a lead, where its row does not say. The same row again is the same lead, to the second."""
    at = row.created_at or since
    return Lead(
        source=source, external_id=row.key, created_at=at, updated_at=at, name=row.name, phone=row.phone, email=row.email,
        link_ids=(row.link,) if row.link else (), status=row.status, manager=row.manager,
        direction_id=names.direction(row.direction), creative_id=names.creative(row.creative), first=row.marks,
    )  # fmt: skip


def _distinct(titles: Iterable[str]) -> list[str]:
    """Each once, in whatever case it is written: as it is written first."""
    found: dict[str, str] = {}
    for title in titles:
        if title:
            found.setdefault(title.casefold(), title)
    return list(found.values())
