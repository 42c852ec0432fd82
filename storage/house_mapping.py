"""Which field of a deal says what of a house: what people have chosen, and the fields the CRM has to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.directory import CardField, CardPipeline, HouseField
from domain.roles import Person
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import audit, house_mappings
from storage.upsert import upsert

_CHOSEN = dict[HouseField, str]
_FIELDS = tuple[CardField, ...]
_PIPELINES = tuple[CardPipeline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMapping:
    """``chosen``: by people, "" for a field they want none for; who is not there is found by its label.

    ``pipeline_id`` "": deals of all pipelines. ``fields`` and ``pipelines`` as the CRM told them, () until it did.
    """

    chosen: Mapping[HouseField, str] = field(default_factory=dict)
    pipeline_id: str = ""
    fields: tuple[CardField, ...] = ()
    pipelines: tuple[CardPipeline, ...] = ()


class HouseMappingStore:
    """Of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, account_id: int) -> KeptMapping:
        async with self._database.read() as connection:
            return await _read(connection, account_id)

    async def learn_fields(self, account_id: int, fields: Sequence[CardField], *, now: datetime) -> None:
        await self._keep(account_id, fields=dumps(_FIELDS, tuple(fields)), heard_at=now)

    async def learn_pipelines(self, account_id: int, pipelines: Sequence[CardPipeline]) -> None:
        await self._keep(account_id, pipelines=dumps(_PIPELINES, tuple(pipelines)))

    async def choose(self, by: Person, house_field: HouseField, code: str | None, *, now: datetime) -> None:
        """``code`` "": this is not known of any house; None: as it is found by itself."""

        async def job(connection: AsyncConnection) -> None:
            chosen = dict((await _read(connection, by.account_id)).chosen)
            chosen.pop(house_field, None)
            if code is not None:
                chosen[house_field] = code
            await self._write(connection, by.account_id, chosen=dumps(_CHOSEN, chosen))
            await _note(connection, by, f"{house_field}={'auto' if code is None else code}", now)

        await self._database.write(job)

    async def choose_pipeline(self, by: Person, pipeline_id: str, *, now: datetime) -> None:
        async def job(connection: AsyncConnection) -> None:
            await self._write(connection, by.account_id, pipeline_id=pipeline_id)
            await _note(connection, by, f"pipeline={pipeline_id}", now)

        await self._database.write(job)

    async def _keep(self, account_id: int, **told: object) -> None:
        await self._database.write(lambda connection: self._write(connection, account_id, **told))

    async def _write(self, connection: AsyncConnection, account_id: int, **told: object) -> None:
        first: Any = upsert(self._database, house_mappings).values(account_id=account_id, **told)
        await connection.execute(first.on_conflict_do_update(index_elements=["account_id"], set_=told))


async def _read(connection: AsyncConnection, account_id: int) -> KeptMapping:
    mine = select(house_mappings).where(house_mappings.c.account_id == account_id)
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        return KeptMapping()
    return KeptMapping(
        chosen=loads(_CHOSEN, row.chosen), pipeline_id=row.pipeline_id, fields=loads(_FIELDS, row.fields),
        pipelines=loads(_PIPELINES, row.pipelines),
    )  # fmt: skip


async def _note(connection: AsyncConnection, by: Person, detail: str, now: datetime) -> None:
    note = {"account_id": by.account_id, "at": now, "actor": by.telegram_id, "action": "house_mapping", "detail": detail}
    await connection.execute(insert(audit).values(**note))
