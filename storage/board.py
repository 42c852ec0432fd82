"""Tasks and meetings as the CRM told them last, and who of the team is who there."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Row, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from domain.roles import Person
from domain.tasks import BoardState, BoardTask, Meeting
from storage.codec import dumps
from storage.engine import Database
from storage.models import audit, board_reads, board_tasks, employee_links, work
from storage.sets import storable
from storage.upsert import upsert
from storage.work import add_work

Work = tuple[str, str, str]  # kind, object, payload
Show = Callable[[Tx], Awaitable[int]]

LONGEST_PROBLEM = 500
CHAT = "chat"  # where work of ours comes from
STILL_OPEN = (BoardState.OPEN.value, BoardState.DEFERRED.value)


class BoardStore:
    """Boards of all accounts. Times are aware UTC; each method is one write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def link(self, by: Person, user_id: int, employee_id: str, name: str, *, now: datetime) -> None:
        """Who of the team this is in the CRM. An empty number: nobody."""
        row = {"account_id": by.account_id, "employee_id": employee_id, "employee_name": storable(name)}
        row |= {"user_id": user_id, "linked_by": by.user_id, "linked_at": now}
        mine = (employee_links.c.account_id == by.account_id) & (employee_links.c.user_id == user_id)
        known = select(employee_links.c.employee_id).where(employee_links.c.account_id == by.account_id)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(delete(employee_links).where(mine))
            if employee_id:
                await connection.execute(insert(employee_links).values(**row))
            for table in (board_tasks, board_reads):  # who is nobody's any more is read no more
                nobodys = table.c.employee_id.not_in(known)
                await connection.execute(delete(table).where(table.c.account_id == by.account_id, nobodys))
            noted = {"account_id": by.account_id, "actor": by.user_id, "action": "employee_link", "at": now}
            await connection.execute(insert(audit).values(**noted, detail=f"{user_id} → {employee_id or '—'}"))

        await self._database.write(job)

    async def keep_tasks(self, account_id: int, employee_id: str, tasks: Sequence[BoardTask], *, now: datetime) -> None:
        """All that is open. What somebody has asked for stays with a task while that is on its way."""
        numbers = [task.external_id for task in tasks]
        of_theirs = (board_tasks.c.account_id == account_id) & (board_tasks.c.employee_id == employee_id)
        theirs = of_theirs | ((board_tasks.c.account_id == account_id) & board_tasks.c.external_id.in_(numbers))

        async def job(connection: AsyncConnection) -> None:
            told = select(board_tasks, underway(board_tasks.c.asked_at).label("underway")).where(theirs)
            known = {row.external_id: row for row in await connection.execute(told)}
            await connection.execute(delete(board_tasks).where(theirs))
            rows = [_row(account_id, employee_id, task) | _words(known.get(task.external_id), task) for task in tasks]
            if rows:
                await connection.execute(insert(board_tasks), rows)
            await self._read(connection, account_id, employee_id, {"tasks_at": now, "tasks_problem": ""})

        await self._database.write(job)

    async def keep_meetings(
        self, account_id: int, employee_id: str, day: date, meetings: Sequence[Meeting], *, now: datetime
    ) -> None:
        values = {"meetings_at": now, "meetings_day": day.isoformat(), "meetings_problem": ""}
        values |= {"meetings": storable(dumps(tuple[Meeting, ...], tuple(meetings)))}
        await self._database.write(lambda connection: self._read(connection, account_id, employee_id, values))

    async def keep_problem(self, account_id: int, employee_id: str, *, tasks: str = "", meetings: str = "") -> None:
        """What the CRM said instead; what was read before stays."""
        given = {"tasks_problem": tasks, "meetings_problem": meetings}
        values: dict[str, object] = {name: storable(said)[:LONGEST_PROBLEM] for name, said in given.items() if said}
        await self._database.write(lambda connection: self._read(connection, account_id, employee_id, values))

    async def ask(self, account_id: int, task_id: str, what: str, work: Work, shown: Show, *, now: datetime) -> bool:
        """Begin ``what`` (done, move) as ``work``; False, and nothing is begun, while something is asked of it already.

        ``shown`` puts that on the screen, in the same commit.
        """
        free = _one(account_id, task_id) & ((board_tasks.c.asked == "") | ~underway(board_tasks.c.asked_at))
        taken = update(board_tasks).where(free).values(asked=what, asked_at=now, problem="")
        kind, object_, payload = work

        async def job(connection: AsyncConnection) -> bool:
            if not (await connection.execute(taken)).rowcount:
                return False
            await add_work(
                connection, account_id=account_id, kind=kind, object_=object_, payload=payload, source=CHAT, now=now
            )
            await shown(cast("Tx", connection))
            return True

        return await self._database.write(job)

    async def settle(self, tx: Tx, account_id: int, task: BoardTask) -> None:
        """What became of it; done, it is on the board no more."""
        connection = cast("AsyncConnection", tx)
        if task.state.value not in STILL_OPEN:
            await connection.execute(delete(board_tasks).where(_one(account_id, task.external_id)))
            return
        told = {"state": task.state.value, "deadline": task.deadline, "changed_at": task.changed_at, **_NO_WORDS}
        await connection.execute(update(board_tasks).where(_one(account_id, task.external_id)).values(**told))

    async def refuse(self, tx: Tx, account_id: int, task_id: str, problem: str) -> None:
        values = {**_NO_WORDS, "problem": storable(problem)[:LONGEST_PROBLEM]}
        await cast("AsyncConnection", tx).execute(update(board_tasks).where(_one(account_id, task_id)).values(**values))

    async def _read(self, connection: AsyncConnection, account_id: int, employee_id: str, values: dict[str, object]) -> None:
        if not values:
            return
        key = {"account_id": account_id, "employee_id": employee_id}
        statement = upsert(self._database, board_reads).values(**key, **values)
        await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def underway(asked_at: Column[Any]) -> ColumnElement[bool]:
    """The work that was begun with an asking, in one commit, has not ended. Were it given up, it could be asked anew."""
    same = (work.c.account_id == asked_at.table.c.account_id) & (work.c.created_at == asked_at)
    return exists().where(same, work.c.source == CHAT, work.c.state.in_(("ready", "running")))


_NO_WORDS: dict[str, object] = {"asked": "", "asked_at": None, "problem": ""}


def _words(old: Row[Any] | None, task: BoardTask) -> dict[str, object]:
    """While its work may still do it, it is asked, also of a task that was changed meanwhile: a later asking comes later."""
    if old is None or (not old.underway and (old.asked or old.changed_at != task.changed_at)):
        return _NO_WORDS
    return {"asked": old.asked, "asked_at": old.asked_at, "problem": old.problem}


def _row(account_id: int, employee_id: str, task: BoardTask) -> dict[str, object]:
    return {
        "account_id": account_id,
        "external_id": task.external_id,
        "employee_id": employee_id,
        "title": storable(task.title),
        "state": task.state.value,
        "deadline": task.deadline,
        "changed_at": task.changed_at,
        "may_move": task.may_move,
        "url": task.url,
    }


def _one(account_id: int, task_id: str) -> ColumnElement[bool]:
    return (board_tasks.c.account_id == account_id) & (board_tasks.c.external_id == task_id)
