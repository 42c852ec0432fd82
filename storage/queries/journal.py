"""The journal of one event: what was done, when, for how long and for how much."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.engine import Database
from storage.models import charges, work, work_steps
from storage.queries.rows import fill

CALL_WORK = "call"  # the kind of work that calls are done as


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """``state``: done, intent (begun, end unknown) or failed. ``took_ms`` is None until it is done."""

    name: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    took_ms: float | None
    attempts: int
    possible_repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """One generation of work on an object; ``state``: ready, running, done or dead. ``due_at``: its next try."""

    id: int
    kind: str
    object: str
    generation: int
    source: str
    state: str
    due_at: datetime
    attempts: int
    crashes: int
    waiting_for: str
    error_code: str
    error: str
    created_at: datetime
    finished_at: datetime | None
    steps: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """``micro_usd``: millionths of a dollar."""

    at: datetime
    kind: str
    model: str
    micro_usd: int
    estimated: bool
    possible_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Newest generation first; charges in time order."""

    works: tuple[WorkLine, ...]
    charges: tuple[ChargeLine, ...]

    @property
    def latest(self) -> WorkLine | None:
        return self.works[0] if self.works else None

    @property
    def micro_usd(self) -> int:
        return sum(charge.micro_usd for charge in self.charges)

    @property
    def possible_repeats(self) -> int:
        return sum(step.possible_repeats for line in self.works for step in line.steps)


async def read_journal(
    database: Database, account_id: int, object_: str, *, kind: str = CALL_WORK, since: datetime | None = None
) -> Journal:
    """The journal of ``object_`` ("bitrix24:CALL_ID"), by the unique key of work.

    Charges are found by (account, time) from ``since``, or from when the work was made: nothing is paid before.
    """
    mine = (work.c.account_id == account_id) & (work.c.kind == kind) & (work.c.object == object_)
    async with database.read() as connection:
        rows = (await connection.execute(select(work).where(mine).order_by(work.c.generation.desc()))).all()
        if not rows:
            return Journal(works=(), charges=())
        ids = [row.id for row in rows]
        steps = await connection.execute(
            select(work_steps).where(work_steps.c.work_id.in_(ids)).order_by(work_steps.c.started_at, work_steps.c.name)
        )
        by_work: dict[int, list[StepLine]] = {id_: [] for id_ in ids}
        for row in steps:
            by_work[row.work_id].append(fill(StepLine, row))
        paid = await connection.execute(
            select(charges)
            .where(charges.c.account_id == account_id, charges.c.object == object_)
            .where(charges.c.at >= (since or min(row.created_at for row in rows)))
            .order_by(charges.c.at)
        )
        return Journal(
            works=tuple(fill(WorkLine, row, steps=tuple(by_work[row.id])) for row in rows),
            charges=tuple(fill(ChargeLine, row) for row in paid),
        )


async def find_work(database: Database, account_id: int, work_id: int) -> WorkLine | None:
    """One piece of work without its steps; None for another account's too."""
    async with database.read() as connection:
        row = (
            await connection.execute(select(work).where(work.c.id == work_id, work.c.account_id == account_id))
        ).one_or_none()
    return None if row is None else fill(WorkLine, row, steps=())
