"""Work rows: taken, put off, finished, buried, replayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, case, delete, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.bulk import Statement
from storage.engine import Database
from storage.models import accounts, inbox, work, work_steps
from storage.models.types import driver_time
from storage.sealed import PERSONAL

POISON_CRASHES = 3

_FINISH = Statement(
    "UPDATE work SET state = 'done', finished_at = :finished_at, attempts = 0, waiting_for = '', error_code = '', error = ''"
    " WHERE id = :id"
)
_FORGET_RESULTS = Statement("UPDATE work_step SET result = NULL WHERE work_id = :id")
_DELIVERY_DONE = Statement("UPDATE inbox SET state = 'done' WHERE id = :id")
TOGETHER = timedelta(seconds=4)  # under the shortest pause: nothing is put into the past
CATCH_UP_SPACING = timedelta(seconds=0.2)  # they begin in the order of the calls, and new calls are not kept waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """One row of ``work`` as the runner takes it. ``payload`` is the event as JSON."""

    id: int
    account_id: int
    kind: str
    object: str
    generation: int
    payload: str
    source: str
    delivery_id: str | None
    runs: int
    attempts: int
    crashes: int
    created_at: datetime

    @property
    def suspect(self) -> bool:
        """One more crash buries it: it is run with no other suspect, so that a crash blames the right one."""
        return self.crashes >= POISON_CRASHES - 1

    @property
    def fresh(self) -> bool:
        """It was never taken before, so there are no steps to read."""
        return self.runs == 1


class WorkStore:
    """The runner's and the journal's view of work. Times are aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, now: datetime, limit: int, *, suspects: bool = False) -> list[WorkRow]:
        """Take at most ``limit`` rows that are due, oldest due first, and mark them running.

        ``suspects``: take those, and only those, that were running at the last two crashes.
        """
        due = (
            select(work.c.id)
            .where(work.c.state == "ready", work.c.due_at <= now, _suspected(suspects))
            .order_by(work.c.due_at, work.c.id)
            .limit(limit)
        )
        statement = (
            update(work)
            .where(work.c.id.in_(due.scalar_subquery()), work.c.state == "ready")
            .values(state="running", started_at=now, runs=work.c.runs + 1)
            .returning(work)
        )

        async def job(connection: AsyncConnection) -> list[WorkRow]:
            return sorted((_work_row(row) for row in await connection.execute(statement)), key=lambda row: row.id)

        return await self._database.write(job)

    async def next_due(self, *, suspects: bool = True) -> datetime | None:
        """When the earliest ready row is due, None when there is none; ``suspects``: counting those too."""
        async with self._database.read() as connection:
            ready = select(work.c.due_at).where(work.c.state == "ready").order_by(work.c.due_at).limit(1)
            earliest: datetime | None = await connection.scalar(ready if suspects else ready.where(_suspected(False)))
        return earliest

    async def finish(self, row: WorkRow, now: datetime) -> None:
        """The work is done, and with it the delivery it came from. Who it was about is not kept in its steps."""

        finished_at = driver_time(now, self._database.dialect_name)

        async def job(connection: AsyncConnection) -> None:
            await _FINISH.run(connection, {"id": row.id, "finished_at": finished_at})
            if row.kind in PERSONAL:
                await _FORGET_RESULTS.run(connection, {"id": row.id})
            if row.delivery_id is not None:
                await _DELIVERY_DONE.run(connection, {"id": row.delivery_id})

        await self._database.write(job)

    async def put_off(
        self, row: WorkRow, *, due_at: datetime, waiting_for: str, failed: bool, error_code: str = "", error: str = ""
    ) -> None:
        """Try again at ``due_at``. ``failed`` counts as one more failure in a row; waiting for something normal does not."""
        attempts = row.attempts + 1 if failed else 0
        values: dict[str, object] = {"state": "ready", "attempts": attempts, "waiting_for": waiting_for}
        values |= {"error_code": error_code, "error": error, "crashes": 0}  # it came to an end of its own

        async def job(connection: AsyncConnection) -> None:
            due = await _due_together(connection, waiting_for, due_at) if failed and waiting_for else due_at
            await connection.execute(update(work).where(work.c.id == row.id).values(**values, due_at=due))

        await self._database.write(job)

    async def bury(self, row: WorkRow, *, now: datetime, error_code: str, error: str) -> None:
        """Give up until a person replays it."""

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(
                update(work)
                .where(work.c.id == row.id)
                .values(state="dead", finished_at=now, attempts=row.attempts + 1, error_code=error_code, error=error)
            )
            if row.delivery_id is not None:
                await connection.execute(update(inbox).where(inbox.c.id == row.delivery_id).values(state="dead"))

        await self._database.write(job)

    async def recover(self, now: datetime) -> tuple[int, int]:
        """After a crash: what was running is ready again, or dead when it was running at the third crash in a row.

        A crash that left a step behind starts the count anew: what gets further each time is killed by something else.
        Returns (ready again, dead).
        """

        async def job(connection: AsyncConnection) -> tuple[int, int]:
            dead = await connection.execute(
                update(work)
                .where(work.c.state == "running", work.c.crashes + 1 >= POISON_CRASHES, ~_got_further())
                .values(state="dead", crashes=work.c.crashes + 1, finished_at=now, error_code="poison")
            )
            buried = select(work.c.delivery_id).where(work.c.state == "dead", work.c.finished_at == now)
            await connection.execute(update(inbox).where(inbox.c.id.in_(buried)).values(state="dead"))
            ready = await connection.execute(
                update(work)
                .where(work.c.state == "running")
                .values(state="ready", crashes=case((_got_further(), 0), else_=work.c.crashes + 1), due_at=now)
            )
            return ready.rowcount, dead.rowcount

        return await self._database.write(job)

    async def release(self, ids: Sequence[int], now: datetime) -> None:
        """An orderly stop: what was running goes on after the next start, and no crash is counted."""
        if not ids:
            return

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(
                update(work).where(work.c.id.in_(ids), work.c.state == "running").values(state="ready", due_at=now)
            )

        await self._database.write(job)

    async def take_back(self, running: Sequence[int], now: datetime) -> int:
        """Rows marked running that are not among ``running`` are ready again. Returns how many."""

        async def job(connection: AsyncConnection) -> int:
            lost = (work.c.state == "running") & work.c.id.not_in(running)
            return (await connection.execute(update(work).where(lost).values(state="ready", due_at=now))).rowcount

        return await self._database.write(job)

    async def hasten(self, waiting_for: str, now: datetime) -> int:
        """What waited for a vendor that is back is due again, one after the other in its old order. Returns how many."""
        waits = (work.c.state == "ready") & (work.c.waiting_for == waiting_for) & (work.c.due_at > now)

        async def job(connection: AsyncConnection) -> int:
            ids = list(await connection.scalars(select(work.c.id).where(waits).order_by(work.c.id)))
            turns = [{"of": id_, "due": now + turn * CATCH_UP_SPACING} for turn, id_ in enumerate(ids)]
            if turns:  # in one trip: thousands may have waited, and events wait for the writer meanwhile
                await connection.execute(_ON_TIME, turns)
            return len(ids)

        return await self._database.write(job)

    async def add(
        self,
        *,
        account_id: int,
        kind: str,
        object_: str,
        payload: str,
        source: str,
        now: datetime,
        due_at: datetime | None = None,
    ) -> bool:
        """Work that no delivery brought (a poll, a tick, a rehearsal); False when the object has work already."""

        async def job(connection: AsyncConnection) -> bool:
            return await add_work(
                connection, account_id=account_id, kind=kind, object_=object_, payload=payload, source=source, now=now,
                due_at=due_at,
            )  # fmt: skip

        return await self._database.write(job)

    async def replay(self, work_id: int, now: datetime, *, source: str = "replay", payload: str = "") -> int | None:
        """Dead work goes on from its failed step; finished work opens a new generation. The id that will run, or None.

        ``source`` says of the new generation who wanted it: a person, unless told otherwise. ``payload`` is the same event
        told again; without it, work whose event was emptied (INBOX_DAYS) cannot run.
        """

        async def job(connection: AsyncConnection) -> int | None:
            row = (await connection.execute(select(work).where(work.c.id == work_id))).one_or_none()
            if row is None or row.state in {"ready", "running"} or not (payload or row.payload):
                return None
            if payload:
                await connection.execute(update(work).where(work.c.id == work_id).values(payload=payload))
            if row.state == "dead":
                await connection.execute(
                    update(work)
                    .where(work.c.id == work_id)
                    .values(state="ready", due_at=now, attempts=0, crashes=0, error_code="", error="")
                )
                return work_id
            return await _next_generation(connection, row, now, source)

        return await self._database.write(job)

    async def forget_finished(self, before: datetime, *, limit: int = 2000) -> int:
        """Remove journals of finished work older than ``before``, a chunk at a time. Returns how many."""
        newest = select(func.max(work.c.id)).where(work.c.created_at < before).scalar_subquery()
        old = (
            select(work_steps.c.work_id)
            .join(work, work.c.id == work_steps.c.work_id)
            .where(work_steps.c.work_id <= newest, work.c.state == "done", work.c.finished_at < before)
            .distinct()
            .limit(limit)
        )
        async with self._database.read() as connection:
            ids = list(await connection.scalars(old))
        await self._database.write(lambda tx: tx.execute(delete(work_steps).where(work_steps.c.work_id.in_(ids))))
        return len(ids)

    async def forget_pages(self, kind: str, before: datetime, *, limit: int = 20) -> int:
        """Remove journals of work with a step a page, sooner than those of others. Returns how many."""
        mine = (work.c.account_id.in_(select(accounts.c.id)), work.c.kind == kind)
        kept = exists().where(work_steps.c.work_id == work.c.id)
        old = select(work.c.id).where(*mine, work.c.state == "done", work.c.finished_at < before, kept).limit(limit)
        async with self._database.read() as connection:
            ids = list(await connection.scalars(old))
        for one in ids:  # may have hundreds
            its = delete(work_steps).where(work_steps.c.work_id == one)
            await self._database.write(lambda tx, its=its: tx.execute(its))  # type: ignore[misc]
        return len(ids)

    async def waiting(self, now: datetime) -> dict[str, int]:
        """How many rows are ready, running, late (due over a minute ago) and dead."""
        late = (work.c.state == "ready") & (work.c.due_at < now - timedelta(minutes=1))
        async with self._database.read() as connection:
            states = await connection.execute(
                select(work.c.state, func.count()).where(work.c.state != "done").group_by(work.c.state)
            )
            counts = {str(state): int(count) for state, count in states}
            counts["late"] = int(await connection.scalar(select(func.count()).where(late)) or 0)
        return counts


async def add_work(
    connection: AsyncConnection, *, account_id: int, kind: str, object_: str, payload: str, source: str, now: datetime,
    due_at: datetime | None = None,
) -> bool:  # fmt: skip
    """Within a write, as ``WorkStore.add`` says."""
    same = (work.c.account_id == account_id) & (work.c.kind == kind) & (work.c.object == object_)
    if await connection.scalar(select(work.c.id).where(same).limit(1)) is not None:
        return False
    row = {"account_id": account_id, "kind": kind, "object": object_, "generation": 1, "payload": payload}
    row |= {"source": source, "state": "ready", "due_at": due_at or now, "created_at": now}
    await connection.execute(insert(work).values(**row))
    return True


_ON_TIME = update(work).where(work.c.id == bindparam("of")).values(due_at=bindparam("due", type_=work.c.due_at.type))


def _got_further() -> ColumnElement[bool]:
    """A step was remembered since the work was last taken."""
    return exists().where(work_steps.c.work_id == work.c.id, work_steps.c.finished_at > work.c.started_at)


async def _next_generation(connection: AsyncConnection, row: Row[Any], now: datetime, source: str) -> int:
    columns = ["account_id", "kind", "object", "payload", "delivery_id"]
    newest = select(func.max(work.c.generation) + 1).where(
        work.c.account_id == row.account_id, work.c.kind == row.kind, work.c.object == row.object
    )
    copied = select(
        *(work.c[name] for name in columns),
        newest.scalar_subquery(),
        literal(source),
        literal("ready"),
        literal(now, work.c.due_at.type),
        literal(now, work.c.created_at.type),
    ).where(work.c.id == row.id)
    names = [*columns, "generation", "source", "state", "due_at", "created_at"]
    added = await connection.execute(insert(work).from_select(names, copied).returning(work.c.id))
    return int(added.scalar_one())


def _work_row(row: Row[Any]) -> WorkRow:
    return WorkRow(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        object=row.object,
        generation=row.generation,
        payload=row.payload,
        source=row.source,
        delivery_id=row.delivery_id,
        runs=row.runs,
        attempts=row.attempts,
        crashes=row.crashes,
        created_at=row.created_at,
    )


async def _due_together(connection: AsyncConnection, waiting_for: str, due_at: datetime) -> datetime:
    """Works that wait for the same vendor are due at the same moment, and are then taken in their old order."""
    near = work.c.due_at.between(due_at - TOGETHER, due_at + TOGETHER)
    waits = (work.c.state == "ready") & (work.c.waiting_for == waiting_for) & near
    agreed: datetime | None = await connection.scalar(select(work.c.due_at).where(waits).order_by(work.c.due_at).limit(1))
    return agreed or due_at


def _suspected(suspects: bool) -> ColumnElement[bool]:
    suspect = work.c.crashes >= POISON_CRASHES - 1
    return suspect if suspects else ~suspect
