"""Promises of calls on their way to being tasks of the CRM: whose, until when, and what became of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from domain.tasks import BoardTask
from storage.board import CHAT, LONGEST_PROBLEM, Show, Work, underway
from storage.engine import Database
from storage.models import call_tasks
from storage.queries.rows import fill
from storage.sets import storable
from storage.upsert import upsert
from storage.work import add_work

DRAFT, ASKED, SET, REFUSED = "draft", "asked", "set", "refused"
LOST = "lost"  # as it is read: asked, by work that ended without a word
OPEN = (DRAFT, REFUSED, LOST)
AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTask:
    """``state``: draft, asked (on its way), lost (may be asked anew), set, or refused with its ``problem``.

    ``call_id`` and ``id`` are ours.
    """

    id: int
    call_id: int
    task_key: str
    title: str
    employee_id: str = ""
    employee_name: str = ""
    deadline: datetime | None = None
    state: str = DRAFT
    external_id: str = ""
    url: str = ""
    problem: str = ""
    asked_at: datetime | None = None

    @property
    def settable(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a call's summary promises, with the first guess of whose it is and until when."""

    key: str
    title: str
    employee_id: str = ""
    employee_name: str = ""
    deadline: datetime | None = None


class CallTaskStore:
    """Promises of all accounts. Times are aware UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, account_id: int, call_id: int, promises: Sequence[Promise]) -> tuple[CallTask, ...]:
        """All there are of a call, as people have changed them, after those that are new to us."""
        rows = [
            {
                "account_id": account_id, "call_id": call_id, "task_key": one.key, "title": storable(one.title),
                "employee_id": one.employee_id, "employee_name": storable(one.employee_name), "deadline": one.deadline,
                "state": DRAFT,
            }
            for one in promises
        ]  # fmt: skip
        new = upsert(self._database, call_tasks).on_conflict_do_nothing(index_elements=["account_id", "call_id", "task_key"])

        async def job(connection: AsyncConnection) -> list[Row[Any]]:
            if rows:
                await connection.execute(new, rows)
            return list(await connection.execute(_of_call(account_id, call_id)))

        return tuple(fill(CallTask, row) for row in await self._database.write(job))

    async def of_call(self, account_id: int, call_id: int) -> tuple[CallTask, ...]:
        async with self._database.read() as connection:
            rows = (await connection.execute(_of_call(account_id, call_id))).all()
        return tuple(fill(CallTask, row) for row in rows)

    async def within(self, tx: Tx, account_id: int, call_id: int) -> tuple[CallTask, ...]:
        """As a write under way sees them."""
        rows = await cast("AsyncConnection", tx).execute(_of_call(account_id, call_id))
        return tuple(fill(CallTask, row) for row in rows)

    async def one(self, account_id: int, row_id: int) -> CallTask | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_TOLD.where(_one(account_id, row_id)))).one_or_none()
        return fill(CallTask, row) if row is not None else None

    async def set_of(self, account_id: int, call_id: int) -> Mapping[str, str]:
        """The addresses of those that are tasks of the CRM by now, by their keys."""
        return {one.task_key: one.url for one in await self.of_call(account_id, call_id) if one.state == SET}

    async def change(self, account_id: int, row_id: int, **changed: Any) -> bool:
        """Whose or until when; False once it is on its way."""
        free = _one(account_id, row_id) & _STATE.in_(OPEN)

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(update(call_tasks).where(free).values(**changed))).rowcount)

        return await self._database.write(job)

    async def ask(
        self, account_id: int, tasks: Sequence[CallTask], work: Callable[[CallTask], Work], shown: Show, *, by: int,
        now: datetime,
    ) -> int:  # fmt: skip
        """Begin to set those that are somebody's and not begun: how many. ``shown`` and their work are one commit.

        ``by`` is a number of the messenger's.
        """

        async def job(connection: AsyncConnection) -> int:
            begun = 0
            for task in tasks:
                free = _one(account_id, task.id) & _STATE.in_(OPEN) & (call_tasks.c.employee_id != "")
                values = {"state": ASKED, "problem": "", "asked_by": by, "asked_at": now}
                if not (await connection.execute(update(call_tasks).where(free).values(**values))).rowcount:
                    continue
                kind, object_, payload = work(task)
                await add_work(
                    connection, account_id=account_id, kind=kind, object_=object_, payload=payload, source=CHAT, now=now
                )
                begun += 1
            if begun:
                await shown(cast("Tx", connection))
            return begun

        return await self._database.write(job)

    async def settle(self, tx: Tx, account_id: int, row_id: int, task: BoardTask) -> None:
        values = {"state": SET, "external_id": task.external_id, "url": task.url, "problem": ""}
        await cast("AsyncConnection", tx).execute(update(call_tasks).where(_one(account_id, row_id)).values(**values))

    async def refuse(self, tx: Tx, account_id: int, row_id: int, problem: str) -> None:
        values = {"state": REFUSED, "problem": storable(problem)[:LONGEST_PROBLEM]}
        await cast("AsyncConnection", tx).execute(update(call_tasks).where(_one(account_id, row_id)).values(**values))

    async def forget(self, call_ids: Sequence[int]) -> None:
        """What was promised is kept no longer than what was said; what was set stays in the CRM."""
        for start in range(0, len(call_ids), AT_ONCE):
            gone = delete(call_tasks).where(call_tasks.c.call_id.in_(call_ids[start : start + AT_ONCE]))
            await self._database.write(lambda connection, gone=gone: connection.execute(gone))  # type: ignore[misc]


_LOST = (call_tasks.c.state == ASKED) & ~underway(call_tasks.c.asked_at)
_STATE = case((_LOST, LOST), else_=call_tasks.c.state)
_TOLD = select(*(one for one in call_tasks.c if one.name != "state"), _STATE.label("state"))


def _of_call(account_id: int, call_id: int) -> Select[Any]:
    mine = (call_tasks.c.account_id == account_id) & (call_tasks.c.call_id == call_id)
    return _TOLD.where(mine).order_by(call_tasks.c.id)


def _one(account_id: int, row_id: int) -> ColumnElement[bool]:
    return (call_tasks.c.account_id == account_id) & (call_tasks.c.id == row_id)
