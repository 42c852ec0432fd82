"""Tables looked through, loaded and taken out again, one after another."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import Import, ImportKind, State, Undone
from domain.ports import Tx
from handlers.leads.loading import Loader
from handlers.leads.survey import Survey, Surveyor
from storage.engine import Database
from storage.imports import ImportStore
from storage.leads import Saved

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HEAD = "Имя;Телефон;Почта;Направление;Креатив;utm_source;Дата;Статус\n"


class Loads:
    """Looks through and loads one table after another."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.store = ImportStore(database)
        self.loader = Loader(database=database, data_dir=folder, zone=MOSCOW)
        self.told: list[int] = []

    def write(self, text: str, name: str = "leads.csv") -> Path:
        path = self.folder / "imports" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    async def look(self, text: str, kind: ImportKind | None = None) -> Survey:
        surveyor = Surveyor(database=self.database, account_id=1, zone=MOSCOW, now=NOW)
        return await surveyor.look(self.write(text), kind)

    async def keep(self, text: str, *, now: datetime = NOW) -> Import:
        survey = await self.look(text)
        values: dict[str, Any] = {"path": "imports/leads.csv", "sha256": "a" * 64, "asked_by": 1, "chat_id": 10}
        kept = await self.store.keep(1, survey.kind, name="leads.csv", rows=survey.rows, now=now, **values)
        table = await self.store.get(1, kept)
        assert table is not None
        return table

    async def load(self, text: str, *, now: datetime = NOW) -> Saved:
        return await self.bring(await self.keep(text, now=now))

    async def bring(self, table: Import) -> Saved:
        """All the way in."""
        await self.store.move(table.id, since=State.SHOWN, to=State.LOADING)
        saved = await self.loader.load(await self.stands(table), self.tell)
        await self.settle(table, State.COMPLETE, saved)
        return saved

    async def settle(self, table: Import, state: State, saved: Saved | None = None) -> None:
        async def job(connection: AsyncConnection) -> bool:
            tx = cast("Tx", connection)
            return await self.store.settle(tx, table.id, state=state, saved=saved or Saved(), now=NOW)

        await self.database.write(job)

    async def stands(self, table: Import) -> Import:
        """As it is now."""
        found = await self.store.get(1, table.id)
        assert found is not None
        return found

    async def loaded(self, text: str) -> Import:
        table = await self.keep(text)
        await self.bring(table)
        return table

    async def undo(self, table: Import) -> Undone:
        await self.store.move(table.id, since=State.COMPLETE, to=State.UNDOING)
        undone = await self.loader.undo(await self.stands(table))
        await self.settle(table, State.UNDONE)
        return undone

    async def tell(self, done: int) -> None:
        self.told.append(done)

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        async with self.database.read() as connection:
            return [
                dict(row._mapping) for row in await connection.execute(select(table).order_by(*table.primary_key.columns))
            ]

    async def count(self, table: Table) -> int:
        async with self.database.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)
