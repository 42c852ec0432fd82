"""What a CRM tells of the company on its way into rows: page by page, and seen when a list was read to its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, exists, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.directory import OF_A_HOUSE, Department, DirectoryList, Employee, House, HouseField, number_of
from storage.call_names import name_calls
from storage.engine import Database
from storage.finding import place_of, searchable, words_of
from storage.models import departments, directory_lists, employee_departments, employees, houses, work, work_steps
from storage.sets import BulkWrite, storable
from storage.upsert import upsert

KIND = "directory"  # of the work that reads
A_PIECE = 2000  # rows deleted in one write
_ID = 64
_MOST = 2**62
_BEGINNING: tuple[tuple[str, str], ...] = (
    ("account_id", "int"), ("generation", "int"), ("external_id", "text"), ("number", "bigint"),
)  # fmt: skip


def _write(table: Table, columns: Mapping[str, str]) -> BulkWrite:
    """Rows of a page; told again they are written over, so that a page may be read twice."""
    names, key = tuple(columns), table.primary_key.columns.keys()
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return BulkWrite(
        table=table.name, columns=names, types=tuple(columns.values()),
        conflict=f"({', '.join(key)}) DO UPDATE SET {changed}", alike=2,
    )  # fmt: skip


_HOUSES = _write(
    houses,
    {
        **dict(_BEGINNING), "title": "text", "address": "text", "flats": "text", "entrances": "text", "floors": "text",
        "company": "text", "schedule": "text", "brigade": "text", "flats_count": "int", "entrances_count": "int",
        "floors_count": "int", "company_key": "text", "stage_id": "text", "responsible_id": "text", "url": "text",
        "search": "text", "pipeline_id": "text", "place": "text",
    },
)  # fmt: skip
_EMPLOYEES = _write(
    employees,
    {
        **dict(_BEGINNING), "full_name": "text", "called": "text", "position": "text", "active": "boolean", "phone": "text",
        "email": "text", "extension": "text", "search": "text",
    },
)  # fmt: skip
_DEPARTMENTS = _write(
    departments, {**dict(_BEGINNING), "name": "text", "parent_id": "text", "head_id": "text", "place": "bigint"}
)
_MEMBERS = _write(
    employee_departments,
    {"account_id": "int", "generation": "int", "employee_id": "text", "department_id": "text", "place": "int"},
)
_TABLES: dict[DirectoryList, tuple[Table, ...]] = {
    DirectoryList.HOUSES: (houses,),
    DirectoryList.EMPLOYEES: (employees, employee_departments),
    DirectoryList.DEPARTMENTS: (departments,),
}


class DirectoryStore:
    """Each list has its readings, numbered: rows of one that is not complete are seen by nobody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, account_id: int, name: DirectoryList) -> int:
        """The number of a new reading."""
        lists = directory_lists.c

        async def job(connection: AsyncConnection) -> int:
            first = upsert(self._database, directory_lists).values(account_id=account_id, name=name.value, newest=1)
            again = first.on_conflict_do_update(
                index_elements=["account_id", "name"], set_={"newest": directory_lists.c.newest + 1}
            )
            return int((await connection.execute(again.returning(lists.newest))).scalar_one())

        return await self._database.write(job)

    async def add_houses(self, account_id: int, generation: int, some: Sequence[House]) -> None:
        rows = list({one.external_id: _house_row(one) for one in some}.values())
        await self._database.write(lambda connection: _HOUSES.run(connection, rows, (account_id, generation)))

    async def add_employees(self, account_id: int, generation: int, some: Sequence[Employee]) -> None:
        people = {one.external_id: one for one in some}
        rows = [_employee_row(one) for one in people.values()]
        places = [
            (_key(one.external_id), _key(department), place)
            for one in people.values()
            for place, department in enumerate(dict.fromkeys(one.department_ids))
        ]

        async def job(connection: AsyncConnection) -> None:
            await _EMPLOYEES.run(connection, rows, (account_id, generation))
            await _MEMBERS.run(connection, places, (account_id, generation))

        await self._database.write(job)

    async def add_departments(self, account_id: int, generation: int, some: Sequence[Department]) -> None:
        rows = list({one.external_id: _department_row(one) for one in some}.values())
        await self._database.write(lambda connection: _DEPARTMENTS.run(connection, rows, (account_id, generation)))

    async def complete(self, account_id: int, name: DirectoryList, generation: int, *, now: datetime) -> None:
        """From here on this reading is what is seen, unless a later one was begun meanwhile; what others left is deleted."""
        if name is DirectoryList.HOUSES:
            silent = partial(_leave_out_some, account_id=account_id, generation=generation)
            while await self._database.write(silent):
                pass
        lists, table = directory_lists.c, _TABLES[name][0]

        async def job(connection: AsyncConnection) -> None:
            mine = (table.c.account_id == account_id) & (table.c.generation == generation)
            count = await connection.scalar(select(func.count()).select_from(table).where(mine))
            ours = (lists.account_id == account_id) & (lists.name == name.value) & (lists.newest == generation)
            told = {"generation": generation, "read_at": now, "count": count, "problem": "", "hint": "", "problem_at": None}
            await connection.execute(update(directory_lists).where(ours).values(**told))

        await self._database.write(job)
        await self._sweep(account_id, name)
        if name is DirectoryList.EMPLOYEES:
            await name_calls(self._database, account_id)

    async def fail(self, account_id: int, name: DirectoryList, *, problem: str, hint: str, now: datetime) -> None:
        """A reading came to nothing: what was read before stays, and people see why it is not newer."""
        told = {"problem": problem[:_ID], "hint": storable(hint), "problem_at": now}

        async def job(connection: AsyncConnection) -> None:
            first = upsert(self._database, directory_lists).values(account_id=account_id, name=name.value, **told)
            await connection.execute(first.on_conflict_do_update(index_elements=["account_id", "name"], set_=told))

        await self._database.write(job)
        await self._sweep(account_id, name)

    async def underway(self, account_id: int) -> datetime | None:
        """When a reading that has not ended goes on (aware UTC; in the past: it is running); None where there is none."""
        unended = (work.c.account_id == account_id) & (work.c.kind == KIND) & work.c.state.in_(("ready", "running"))
        async with self._database.read() as connection:
            due: datetime | None = await connection.scalar(select(work.c.due_at).where(unended).order_by(work.c.due_at))
        return due

    async def hasten(self, account_id: int, now: datetime) -> None:
        """A reading that waits is due now."""
        waits = (work.c.account_id == account_id) & (work.c.kind == KIND) & (work.c.state == "ready") & (work.c.due_at > now)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(work).where(waits).values(due_at=now))

        await self._database.write(job)

    async def to_begin(self, account_id: int) -> bool:
        """There is a reading that has not begun: what people choose now is for it, too."""
        begun = exists().where(work_steps.c.work_id == work.c.id)
        return await self._is_there(account_id, work.c.state == "ready", ~begun)

    async def follows(self, account_id: int, work_id: int) -> bool:
        """A reading that was asked for before this one runs at this moment."""
        return await self._is_there(account_id, work.c.state == "running", work.c.id < work_id)

    async def _is_there(self, account_id: int, *such: ColumnElement[bool]) -> bool:
        mine = select(work.c.id).where(work.c.account_id == account_id, work.c.kind == KIND, *such).limit(1)
        async with self._database.read() as connection:
            return await connection.scalar(mine) is not None

    async def _sweep(self, account_id: int, name: DirectoryList) -> None:
        """Rows of readings that are neither the complete one nor the newest, a piece at a time."""
        for table in _TABLES[name]:
            while await self._database.write(partial(_sweep_some, table=table, account_id=account_id, name=name)):
                pass


async def _leave_out_some(connection: AsyncConnection, *, account_id: int, generation: int) -> int:
    """A deal that tells of no house is none, unless it is in the pipeline where most houses are: not filled in yet."""
    rows = houses.c
    mine = (rows.account_id == account_id) & (rows.generation == generation)
    telling = or_(*(rows[name.value] != "" for name in sorted(OF_A_HOUSE)))
    first = (func.count().desc(), rows.pipeline_id)
    most = select(rows.pipeline_id).where(mine, telling).group_by(rows.pipeline_id).order_by(*first).limit(1)
    of_most = await connection.scalar(most)  # None where no deal tells of a house
    elsewhere = rows.pipeline_id != of_most if of_most is not None else false()
    # Asked for first: rows just written have no statistics yet, and PostgreSQL would look for each of them anew.
    some = (await connection.scalars(select(rows.external_id).where(mine, ~telling, elsewhere).limit(A_PIECE))).all()
    return (await connection.execute(delete(houses).where(mine, rows.external_id.in_(some)))).rowcount if some else 0


async def _sweep_some(connection: AsyncConnection, *, table: Table, account_id: int, name: DirectoryList) -> int:
    lists = directory_lists.c
    mine = (lists.account_id == account_id) & (lists.name == name.value)
    kept = [select(column).where(mine).scalar_subquery() for column in (lists.generation, lists.newest)]
    left = (table.c.account_id == account_id) & table.c.generation.not_in(kept)
    one = select(table.c.generation).where(left).limit(1).scalar_subquery()
    id_ = table.primary_key.columns.values()[2]
    its = (table.c.account_id == account_id) & (table.c.generation == one)
    some = (await connection.scalars(select(id_).where(its).limit(A_PIECE))).all()  # as above: asked for first
    return (await connection.execute(delete(table).where(its, id_.in_(some)))).rowcount if some else 0


def _house_row(one: House) -> tuple[Any, ...]:
    values = {name: storable(one.values.get(name, "")) for name in HouseField}
    address, company = values[HouseField.ADDRESS], values[HouseField.COMPANY]
    counted = (number_of(values[name]) for name in (HouseField.FLATS, HouseField.ENTRANCES, HouseField.FLOORS))
    title = storable(one.title)
    return (
        *_identity(one.external_id), title, address, values[HouseField.FLATS], values[HouseField.ENTRANCES],
        values[HouseField.FLOORS], company, values[HouseField.SCHEDULE], values[HouseField.BRIGADE], *counted,
        " ".join(words_of(company)), _key(one.stage_id), _key(one.responsible_id), storable(one.url),
        searchable(address, *(word for word in words_of(title) if word.isalpha())) if address else searchable(title),
        _key(one.pipeline_id), place_of(address or title),
    )  # fmt: skip


def _employee_row(one: Employee) -> tuple[Any, ...]:
    name, position = storable(one.full_name), storable(one.position)
    contacts = (one.phone, one.email, one.extension)
    return (
        *_identity(one.external_id), name, storable(one.called), position, one.active, *map(storable, contacts),
        searchable(name, position),
    )  # fmt: skip


def _department_row(one: Department) -> tuple[Any, ...]:
    place = max(-_MOST, min(one.place, _MOST))
    return (*_identity(one.external_id), storable(one.name), _key(one.parent_id), _key(one.head_id), place)


def _identity(external_id: str) -> tuple[str, int]:
    """With the number it is ordered by."""
    key = _key(external_id)
    return key, min(int(key), _MOST) if key.isdecimal() else 0


def _key(external_id: str) -> str:
    return storable(external_id)[:_ID]
