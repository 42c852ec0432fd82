"""A table into rows, piece by piece: safe to begin again, and quiet about what is there already."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path

from domain.files import kept_file
from domain.imports import AnyRow, CreativeRow, DirectionRow, Import, ImportKind, LeadRow, SpendRow
from domain.leads import Lead
from handlers.leads.reading import opened
from storage.engine import Database
from storage.imports import SOURCE, meet
from storage.leads import LeadStore, Saved
from storage.names import Names, NameStore

Told = Callable[[int], Awaitable[None]]  # how many rows are done


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Loads tables of one account. ``zone``: whose days the table's are."""

    database: Database
    data_dir: Path
    zone: tzinfo

    async def load(self, table: Import, told: Told, *, undo: bool = False) -> Saved:
        """All that can be used; ``undo``: the leads that it brought are taken out again. FileNotFoundError, BadInput."""
        names, saved, done = await NameStore(self.database).read(table.account_id), Saved(), 0
        together: list[AnyRow] = []
        path = kept_file(self.data_dir, table.path)
        if path is None:
            raise FileNotFoundError(table.path)
        async with opened(path, table.kind, zone=self.zone, now=table.shown_at) as reading:
            async for piece in reading.pieces():
                rows = [one.row for one in piece if one.row is not None]
                names = await self._with_new_names(table, rows, names)
                if table.kind is ImportKind.LEADS:
                    saved += await self._leads(table, rows, names, undo=undo)
                together += rows if table.kind is not ImportKind.LEADS else ()
                done += len(rows)
                await told(done)
        return saved if table.kind is ImportKind.LEADS else await self._others(table, together, names)

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

    async def _leads(self, table: Import, rows: Sequence[AnyRow], names: Names, *, undo: bool) -> Saved:
        leads = list({row.key: row for row in rows if isinstance(row, LeadRow)}.values())
        met = await meet(self.database, table.account_id, leads, self.zone)
        batch = []
        for row in leads:
            lead = replace(lead_of(row, names, since=met.stored.get(row.key, table.shown_at)), import_id=table.id)
            if undo and met.brought.get(row.key) == table.id:
                batch.append(replace(lead, deleted_at=table.shown_at))
            elif not undo and row.key not in met.known:
                batch.append(lead)
        saved = await LeadStore(self.database).save(table.account_id, batch)
        return saved + Saved(same=len(met.known))

    async def _others(self, table: Import, rows: Sequence[AnyRow], names: Names) -> Saved:
        """Few enough to be one write."""
        store, now = NameStore(self.database), table.shown_at
        if table.kind is ImportKind.SPEND:
            spent = [row for row in rows if isinstance(row, SpendRow)]
            changed, all_ = (
                await store.spend(table.account_id, spent, names, now, source=SOURCE),
                len({r.key for r in spent}),
            )
        else:
            titles = _distinct(row.title for row in rows if isinstance(row, DirectionRow))
            ads = list({row.key: row for row in rows if isinstance(row, CreativeRow)}.values())
            names, changed = await store.add(table.account_id, titles, ads, now)
            all_ = len(titles) + len(ads)
            for ad in ads:
                await store.assign(table.account_id, ad, names)
        return Saved(added=min(changed, all_), same=max(all_ - changed, 0))


def lead_of(row: LeadRow, names: Names, *, since: datetime, source: str = SOURCE) -> Lead:
    """``since``: when it became a lead, where its row does not say. The same row again is the same lead, to the second."""
    at = row.created_at or since
    creative = names.creative(row.creative, row.marks.content)
    return Lead(
        source=source, external_id=row.key, created_at=at, updated_at=at, name=row.name, phone=row.phone, email=row.email,
        link_ids=(row.link,) if row.link else (), status=row.status, manager=row.manager,
        direction_id=names.direction(row.direction), creative_id=creative, first=row.marks,
    )  # fmt: skip


def _distinct(titles: Iterable[str]) -> list[str]:
    """Each once, in whatever case it is written: as it is written first."""
    found: dict[str, str] = {}
    for title in titles:
        if title:
            found.setdefault(title.casefold(), title)
    return list(found.values())
