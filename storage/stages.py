"""The stages of a CRM: what they are called, what they mean to the team, and leads that follow when that changes."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.crm import OWN_NAME, CrmStage, LeadStatus, StageMap
from domain.errors import BadInput
from domain.events import StagesChanged
from domain.ports import Tx
from domain.roles import Person
from storage.bulk import insert_work, new_work
from storage.codec import dumps
from storage.dirty import mark_dirty
from storage.engine import Database
from storage.models import audit, crm_stages
from storage.models.types import driver_time
from storage.sets import BulkWrite, execute, fetch, storable

Stage = tuple[str, str]  # the CRM's numbers: pipeline, stage
CHOICES = (*(status.value for status in LeadStatus), OWN_NAME, "")  # "": as it is where nobody has chosen
A_PIECE = 500  # leads that follow in one write
_LONGEST = 32

_MET = """
SELECT pipeline_id, status_id, status FROM crm_stages
WHERE account_id = :account AND source = :source AND status_id IN {texts}
"""
_NAMED = """
SELECT pipeline_id, status_id FROM crm_stages
WHERE account_id = :account AND source = :source AND status_id IN {texts} AND name <> ''
"""
_NOTE = BulkWrite(
    table="crm_stages",
    columns=("account_id", "source", "pipeline_id", "status_id", "status"),
    types=("int", "text", "text", "text", "text"),
    conflict="(account_id, source, pipeline_id, status_id) DO NOTHING",
)
_LEARN = BulkWrite(
    table="crm_stages",
    columns=("account_id", "source", "pipeline_id", "status_id", "pipeline", "name", "place", "status", "heard_at"),
    types=("int", "text", "text", "text", "text", "text", "int", "text", "timestamptz"),
    conflict="""(account_id, source, pipeline_id, status_id) DO UPDATE SET pipeline = excluded.pipeline,
        name = excluded.name, place = excluded.place, status = excluded.status, heard_at = excluded.heard_at""",
)
_OF_STAGE = """s.account_id = l.account_id AND s.source = l.source AND s.pipeline_id = l.pipeline_id
    AND s.status_id = l.status_id AND s.status <> l.status"""
# By number, whatever else there is an index for, and the stage of each lead rather than the leads of each stage.
_BEHIND = f"""
SELECT l.id FROM leads AS l CROSS JOIN crm_stages AS s
WHERE l.id > :after AND l.account_id + 0 = :account AND l.source = :source AND l.status_id <> '' AND {_OF_STAGE}
ORDER BY l.id LIMIT :most
"""  # noqa: S608 - our own text
_FOLLOW = f"UPDATE leads AS l SET status = s.status FROM crm_stages AS s WHERE l.id IN {{ids}} AND {_OF_STAGE}"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownStage:
    """A stage that leads are in and nobody has named. ``id`` is our row's."""

    id: int
    pipeline_id: str
    status_id: str


class StageStore:
    """The stages of one CRM. ``source`` is what its leads are marked with."""

    def __init__(self, database: Database, source: str, stage_map: StageMap) -> None:
        self._database = database
        self._source = source
        self._map = stage_map

    async def heard_at(self, account_id: int) -> datetime | None:
        """When the CRM last told its stages."""
        async with self._database.read() as connection:
            at: datetime | None = await connection.scalar(
                select(func.max(crm_stages.c.heard_at)).where(self._mine(account_id))
            )
        return at

    async def nameless(self, account_id: int, stages: Iterable[Stage]) -> set[Stage]:
        """Those of ``stages`` whose names the CRM has not told."""
        wanted = set(stages)
        if not wanted:
            return set()
        mine = {"account": account_id, "source": self._source, "texts": sorted({stage for _, stage in wanted})}
        async with self._database.read() as connection:
            return wanted - {(row[0], row[1]) for row in await fetch(connection, _NAMED, mine)}

    async def unknown(self, account_id: int, numbers: Collection[str]) -> tuple[UnknownStage, ...]:
        """Those of these numbers that nobody knows anything of, and that people were not told of yet."""
        c, wanted = crm_stages.c, [number for number in numbers if number]
        if not wanted:
            return ()
        nobodys = (c.name == "") & (c.status == c.status_id) & (c.chosen == "")
        still = self._mine(account_id) & c.status_id.in_(wanted) & nobodys & c.hinted_at.is_(None)
        async with self._database.read() as connection:
            rows = await connection.execute(select(c.id, c.pipeline_id, c.status_id).where(still).order_by(c.id))
            return tuple(UnknownStage(id=row.id, pipeline_id=row.pipeline_id, status_id=row.status_id) for row in rows)

    async def chosen_as(self, account_id: int, status: str) -> tuple[Stage, ...]:
        """The stages that the team has said to be this status."""
        c = crm_stages.c
        async with self._database.read() as connection:
            found = select(c.pipeline_id, c.status_id).where(self._mine(account_id), c.chosen == status, c.chosen != "")
            return tuple((row.pipeline_id, row.status_id) for row in await connection.execute(found))

    async def mark_hinted(self, tx: Tx, account_id: int, stages: Collection[int], *, now: datetime) -> None:
        mine = self._mine(account_id) & crm_stages.c.id.in_(stages)
        await cast("AsyncConnection", tx).execute(update(crm_stages).where(mine).values(hinted_at=now))

    async def learn(self, account_id: int, listed: Sequence[CrmStage], *, now: datetime) -> bool:
        """What the CRM calls them, in its order. True when leads follow, for some stage is called otherwise now."""

        async def job(connection: AsyncConnection) -> bool:
            known = await self._all(connection, account_id)
            rows = [self._row(account_id, place, one, known) for place, one in enumerate(listed)]
            at = driver_time(now, connection.dialect.name)
            await _LEARN.run(connection, [(*row, at) for row in rows])
            before = {(pipeline, stage): status for pipeline, stage, _, _, status in known}
            if all(before.get((row[2], row[3]), row[7]) == row[7] for row in rows):
                return False
            await self._let_follow(connection, account_id, now)
            return True

        return await self._database.write(job)

    async def settle(self, account_id: int, *, now: datetime) -> bool:
        """After the settings have changed: every stage means what they say now. True when leads follow."""

        async def job(connection: AsyncConnection) -> bool:
            changed = False
            for pipeline, stage, name, chosen, status in await self._all(connection, account_id):
                means = self._map.status_of(pipeline, stage, name=name, chosen=chosen)
                if means != status:
                    own = (crm_stages.c.pipeline_id == pipeline) & (crm_stages.c.status_id == stage)
                    await connection.execute(update(crm_stages).where(self._mine(account_id) & own).values(status=means))
                    changed = True
            if changed:
                await self._let_follow(connection, account_id, now)
            return changed

        return await self._database.write(job)

    async def choose(self, by: Person, stage_id: int, choice: str, *, now: datetime) -> bool:
        """One of CHOICES; True when leads follow. BadInput for a stage that is gone, or not for the chat to say."""

        async def job(connection: AsyncConnection) -> bool:
            mine = self._mine(by.account_id) & (crm_stages.c.id == stage_id)
            row = (await connection.execute(select(crm_stages).where(mine))).one_or_none()
            if row is None or choice not in CHOICES:
                raise BadInput("stage", "Этого этапа больше нет. Откройте список ещё раз.")
            if not self.may_choose(row.pipeline_id, row.status_id):
                raise BadInput("stage", "Этот этап задан не здесь.")
            means = self._map.status_of(row.pipeline_id, row.status_id, name=row.name, chosen=choice)
            await connection.execute(update(crm_stages).where(mine).values(chosen=choice, status=means))
            detail = f"{row.pipeline_id}/{row.status_id}: {choice or 'as usual'}"
            note = {"account_id": by.account_id, "at": now, "actor": by.telegram_id, "action": "stage", "detail": detail}
            await connection.execute(insert(audit).values(**note))
            if means != row.status:
                await self._let_follow(connection, by.account_id, now)
            return bool(means != row.status)

        return await self._database.write(job)

    def may_choose(self, pipeline_id: str, status_id: str) -> bool:
        return status_id not in self._map.everywhere and not self.is_fixed(pipeline_id, status_id)

    def is_fixed(self, pipeline_id: str, status_id: str) -> bool:
        """A setting says what it means."""
        return bool(self._map.fixed_of(pipeline_id, status_id))

    async def follow(self, account_id: int, after: int) -> tuple[int, ...]:
        """The next A_PIECE leads above this number that are not said to be where their stage says; () when none is left.

        They are looked for outside of the write, which looks again: it changes what is still so, and marks its days.
        """
        ids = await self.behind(account_id, after)

        async def job(connection: AsyncConnection) -> None:
            await execute(connection, _FOLLOW, {"ids": list(ids)})
            await mark_dirty(connection, account_id, ids)

        if ids:
            await self._database.write(job)
        return ids

    async def behind(self, account_id: int, after: int) -> tuple[int, ...]:
        """Those whom ``follow`` would change now; nothing is written."""
        values = {"account": account_id, "source": self._source, "after": after, "most": A_PIECE}
        async with self._database.read() as connection:
            return tuple(row[0] for row in await fetch(connection, _BEHIND, values))

    async def _all(self, connection: AsyncConnection, account_id: int) -> list[tuple[str, str, str, str, str]]:
        c = crm_stages.c
        found = select(c.pipeline_id, c.status_id, c.name, c.chosen, c.status).where(self._mine(account_id))
        return [tuple(row) for row in await connection.execute(found)]

    def _row(
        self, account_id: int, place: int, one: CrmStage, known: Sequence[tuple[str, str, str, str, str]]
    ) -> tuple[int, str, str, str, str, str, int, str]:
        stage = (one.pipeline_id[:_LONGEST], one.status_id[:_LONGEST])
        chosen = next((row[3] for row in known if row[:2] == stage), "")
        name = storable(one.name)
        status = self._map.status_of(*stage, name=name, chosen=chosen)
        return (account_id, self._source, *stage, storable(one.pipeline), name, place, status)

    async def _let_follow(self, connection: AsyncConnection, account_id: int, now: datetime) -> None:
        """Work that goes through the leads, in the write that has changed what their stages mean."""
        event = StagesChanged(vendor=self._source, external_id=f"stages:{secrets.token_hex(8)}", occurred_at=now)
        row = new_work(
            self._database, account_id=account_id, kind="stages", object_=f"{event.vendor}:{event.external_id}",
            payload=dumps(StagesChanged, event), source="chat", delivery_id=None, now=now,
        )  # fmt: skip
        await insert_work(self._database).run(connection, [row])

    def _mine(self, account_id: int) -> ColumnElement[bool]:
        return (crm_stages.c.account_id == account_id) & (crm_stages.c.source == self._source)


async def statuses_of(
    connection: AsyncConnection, account_id: int, source: str, stages: Collection[Stage], stage_map: StageMap
) -> dict[Stage, str]:
    """Within a write: what leads of these stages are said to be in. A stage that was never met is noted."""
    wanted = {stage for stage in stages if stage[1]}
    if not wanted:
        return {}
    mine = {"account": account_id, "source": source, "texts": sorted({stage for _, stage in wanted})}
    found = {(row[0], row[1]): row[2] for row in await fetch(connection, _MET, mine)}
    new = {stage: stage_map.status_of(*stage) for stage in sorted(wanted - found.keys())}
    await _NOTE.run(connection, [(account_id, source, *stage, status) for stage, status in new.items()])
    return found | new
