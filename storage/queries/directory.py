"""The company as it was read last in whole: houses, people and departments, found by a part of an address or a name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Row, ScalarSelect, Table, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.directory import Department, DirectoryList, HouseField, in_tree_order
from storage.engine import Database
from storage.finding import asked, find, is_in, searchable
from storage.models import departments as department_rows
from storage.models import directory_lists, employee_departments
from storage.models import employees as employee_rows
from storage.models import houses as house_rows
from storage.queries.rows import fill
from storage.sets import glance, moment

T = TypeVar("T")

_STATES = "SELECT name, read_at, count, problem, hint, problem_at FROM directory_lists WHERE account_id = :account"
MOST_NAMED = 500  # people whose departments are asked for by name; of more they all are


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseLine:
    """A house. ``id``: the CRM's number, by which lists grow. ``values`` as written there; none that is empty.

    ``flats``, ``entrances``, ``floors``: the number that they say, None where there is none or it is no number.
    """

    id: int
    external_id: str
    title: str
    address: str
    values: Mapping[HouseField, str] = field(default_factory=dict)
    flats: int | None = None
    entrances: int | None = None
    floors: int | None = None
    company: str = ""
    schedule: str = ""
    brigade: str = ""
    url: str = ""

    @property
    def name(self) -> str:
        """The address; where the CRM has none, what the deal is called."""
        return self.address or self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeLine:
    """Somebody who works there, or did (not ``active``). ``departments``: their names, in the CRM's order."""

    external_id: str
    full_name: str
    position: str
    active: bool
    departments: tuple[str, ...] = ()
    phone: str = ""
    email: str = ""
    extension: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentLine:
    """``parent`` and ``head`` are names, "" where there is none; ``people`` who work in this very one; depth 0: a root."""

    external_id: str
    name: str
    parent: str
    head: str
    people: int
    depth: int
    parent_id: str = ""
    head_id: str = ""
    head_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[T]):
    """The first of ``total`` lines, the closest first. ``near``: a spelling that does find something, where this did not."""

    lines: tuple[T, ...]
    total: int
    near: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """How a list stands. ``read_at``: aware UTC, None: never; ``count``: rows then.

    ``problem`` and ``hint`` tell why the last reading came to nothing, "" where it did not; ``code`` of VendorRefused.
    """

    read_at: datetime | None = None
    count: int = 0
    problem: str = ""
    hint: str = ""
    problem_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    houses: ListState = field(default_factory=ListState)
    employees: ListState = field(default_factory=ListState)
    departments: ListState = field(default_factory=ListState)


async def freshness(database: Database, account_id: int) -> Freshness:
    """Each list's age and last problem."""
    told = {
        name: ListState(read_at=moment(read_at), count=count, problem=problem, hint=hint, problem_at=moment(problem_at))
        for name, read_at, count, problem, hint, problem_at in await glance(database, _STATES, {"account": account_id})
    }
    return Freshness(**{str(one.value): told.get(one.value, ListState()) for one in DirectoryList})


async def houses(
    database: Database,
    account_id: int,
    *,
    limit: int | None = None,
    offset: int = 0,
    company_key: str | None = None,
    by_address: bool = False,
) -> tuple[HouseLine, ...]:
    """By growing id, or as people look for them (``by_address``).

    ``company_key``: only those of one managing company (CompanyCount), "" of those without.
    """
    rows = house_rows
    mine = current(rows, DirectoryList.HOUSES, account_id)
    if company_key is not None:
        mine &= rows.c.company_key == company_key
    order = _BY_ADDRESS if by_address else (rows.c.number, rows.c.external_id)
    listed = select(rows).where(mine).order_by(*order).limit(limit).offset(offset)
    async with database.read() as connection:
        return tuple(_house(row) for row in await connection.execute(listed))


async def count_houses(database: Database, account_id: int, *, company_key: str | None = None) -> int:
    """How many ``houses`` would give without a limit."""
    mine = current(house_rows, DirectoryList.HOUSES, account_id)
    if company_key is not None:
        mine &= house_rows.c.company_key == company_key
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(house_rows).where(mine)) or 0)


async def filled_fields(database: Database, account_id: int) -> dict[HouseField, tuple[int, str]]:
    """How many houses say it, and what one of them says; of each field that some house has."""
    columns = {one: house_rows.c[one.value] for one in HouseField}
    counts = [func.count(func.nullif(column, "")) for column in columns.values()]
    examples = [func.max(column) for column in columns.values()]
    mine = current(house_rows, DirectoryList.HOUSES, account_id)
    async with database.read() as connection:
        row = (await connection.execute(select(*counts, *examples).where(mine))).one()
    found = zip(columns, row[: len(columns)], row[len(columns) :], strict=True)
    return {one: (int(count), str(example)) for one, count, example in found if count}


async def house(database: Database, account_id: int, external_id: str) -> HouseLine | None:
    """None where the CRM does not list it any more."""
    mine = current(house_rows, DirectoryList.HOUSES, account_id) & (house_rows.c.external_id == external_id)
    async with database.read() as connection:
        row = (await connection.execute(select(house_rows).where(mine))).one_or_none()
    return _house(row) if row is not None else None


async def find_houses(
    database: Database, account_id: int, words: str, *, limit: int, offset: int = 0, respell: bool = True
) -> Found[HouseLine]:
    """By parts of the address or the deal's name, in any order, whatever the case, «ё» or «ул.».

    Where nothing is found another spelling is looked for, unless nobody would read it (not ``respell``).
    """
    rows = house_rows
    mine = current(rows, DirectoryList.HOUSES, account_id)
    async with database.read() as connection:
        found, near = await find(
            connection, rows, mine, words, order=_BY_ADDRESS, limit=limit, offset=offset, respell=respell
        )
    return Found(lines=tuple(map(_house, found)), total=found[0].total if found else 0, near=near)


async def employees(
    database: Database,
    account_id: int,
    *,
    active: bool | None = None,
    department_id: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> tuple[EmployeeLine, ...]:
    """By name, who was fired after the others. ``active``: only those who work there, or only those who do not."""
    rows, members = employee_rows, employee_departments
    mine = current(rows, DirectoryList.EMPLOYEES, account_id)
    if active is not None:
        mine &= rows.c.active == active
    if department_id:
        inside = (members.c.account_id == account_id) & (members.c.department_id == department_id)
        mine &= rows.c.external_id.in_(
            select(members.c.employee_id).where(inside, members.c.generation == rows.c.generation)
        )
    listed = select(rows).where(mine).order_by(*_BY_NAME).limit(limit).offset(offset)
    async with database.read() as connection:
        return await _employees(connection, account_id, (await connection.execute(listed)).all())


async def employee(database: Database, account_id: int, external_id: str) -> EmployeeLine | None:
    """None where the CRM does not list them any more."""
    mine = current(employee_rows, DirectoryList.EMPLOYEES, account_id) & (employee_rows.c.external_id == external_id)
    async with database.read() as connection:
        rows = (await connection.execute(select(employee_rows).where(mine))).all()
        return next(iter(await _employees(connection, account_id, rows)), None)


async def find_employees(
    database: Database,
    account_id: int,
    words: str,
    *,
    limit: int,
    offset: int = 0,
    respell: bool = True,
    by_department: bool = False,
) -> Found[EmployeeLine]:
    """By parts of the name or the position, as ``find_houses``; those who work there before those who do not.

    ``by_department``: a word may be of a department's name, too: «петрова бригада 1».
    """
    mine = current(employee_rows, DirectoryList.EMPLOYEES, account_id)
    async with database.read() as connection:
        also = await _inside_named(connection, account_id, asked(words)) if by_department else {}
        found, near = await find(
            connection, employee_rows, mine, words,
            order=_BY_NAME, limit=limit, offset=offset, respell=respell, also=also,
        )  # fmt: skip
        lines = await _employees(connection, account_id, found)
    return Found(lines=lines, total=found[0].total if found else 0, near=near)


async def departments(database: Database, account_id: int) -> tuple[DepartmentLine, ...]:
    """In the order of the tree: each above its children."""
    mine = select(department_rows).where(current(department_rows, DirectoryList.DEPARTMENTS, account_id))
    async with database.read() as connection:
        listed = [fill(Department, row) for row in await connection.execute(mine)]
        people = await people_in_departments(connection, account_id)
        heads = await _heads(connection, account_id, {one.head_id for one in listed} - {""})
    names = {one.external_id: one.name for one in listed}
    return tuple(
        DepartmentLine(
            external_id=one.external_id, name=one.name, parent=names.get(one.parent_id, ""), parent_id=one.parent_id,
            head=heads.get(one.head_id, ("", True))[0], head_id=one.head_id,
            head_active=heads.get(one.head_id, ("", True))[1],
            people=people.get(one.external_id, 0), depth=depth,
        )
        for one, depth in in_tree_order(listed)
    )  # fmt: skip


async def people_in_departments(connection: AsyncConnection, account_id: int) -> dict[str, int]:
    """How many work in each, by the department's id; "" for those in none that the CRM lists."""
    rows, members, known = employee_rows, employee_departments, department_rows
    mine = current(rows, DirectoryList.EMPLOYEES, account_id) & rows.c.active
    same = (members.c.account_id == rows.c.account_id) & (members.c.generation == rows.c.generation)
    listed = select(known.c.external_id).where(current(known, DirectoryList.DEPARTMENTS, account_id))
    within = same & (members.c.employee_id == rows.c.external_id) & members.c.department_id.in_(listed)
    counted = (
        select(members.c.department_id, func.count(distinct(rows.c.external_id)))
        .select_from(rows.outerjoin(members, within))
        .where(mine)
        .group_by(members.c.department_id)
    )
    return {id_ or "": int(count) for id_, count in await connection.execute(counted)}


# By street and house; those without an address below, by the deal's name.
_BY_ADDRESS = (house_rows.c.address == "", house_rows.c.place, house_rows.c.number, house_rows.c.external_id)
_BY_NAME = (employee_rows.c.active.desc(), employee_rows.c.search, employee_rows.c.number)


def current(table: Table, name: DirectoryList, account_id: int) -> ColumnElement[bool]:
    """Rows of the last complete reading."""
    return (table.c.account_id == account_id) & (table.c.generation == _complete(name, account_id))


def _complete(name: DirectoryList, account_id: int) -> ScalarSelect[Any]:
    lists = directory_lists.c
    return select(lists.generation).where(lists.account_id == account_id, lists.name == name.value).scalar_subquery()


def _house(row: Row[Any]) -> HouseLine:
    values = {one: str(getattr(row, one.value)) for one in HouseField if getattr(row, one.value)}
    return HouseLine(
        id=row.number, external_id=row.external_id, title=row.title, address=row.address, values=values,
        flats=row.flats_count, entrances=row.entrances_count, floors=row.floors_count,
        company=row.company, schedule=row.schedule, brigade=row.brigade, url=row.url,
    )  # fmt: skip


async def _employees(connection: AsyncConnection, account_id: int, rows: Sequence[Row[Any]]) -> tuple[EmployeeLine, ...]:
    inside = await _memberships(connection, account_id, [row.external_id for row in rows]) if rows else {}
    return tuple(fill(EmployeeLine, row, departments=tuple(inside.get(row.external_id, ()))) for row in rows)


async def _memberships(connection: AsyncConnection, account_id: int, ids: Sequence[str]) -> Mapping[str, list[str]]:
    """The names of each one's departments."""
    members, known = employee_departments, department_rows
    mine = current(members, DirectoryList.EMPLOYEES, account_id)
    mine &= current(known, DirectoryList.DEPARTMENTS, account_id) & (known.c.external_id == members.c.department_id)
    if len(ids) <= MOST_NAMED:
        mine &= members.c.employee_id.in_(ids)
    listed = select(members.c.employee_id, known.c.name).select_from(members.join(known, mine)).order_by(members.c.place)
    names: dict[str, list[str]] = defaultdict(list)
    for id_, name in await connection.execute(listed):
        names[id_].append(name)
    return names


async def _inside_named(
    connection: AsyncConnection, account_id: int, words: Sequence[str]
) -> dict[str, ColumnElement[bool]]:
    """For each word that a department is called by: to be in such a one. «Бригада 10» is none of «бригада 1»."""
    members, known = employee_departments.c, department_rows.c
    listed = select(known.external_id, known.name).where(current(department_rows, DirectoryList.DEPARTMENTS, account_id))
    names = {id_: searchable(name) for id_, name in await connection.execute(listed)}
    same = (members.account_id == employee_rows.c.account_id) & (members.generation == employee_rows.c.generation)
    found: dict[str, ColumnElement[bool]] = {}
    for word in words:
        whole = [id_ for id_, name in names.items() if f" {word} " in name]
        if called := whole or [id_ for id_, name in names.items() if is_in(name, word)]:
            inside = select(members.employee_id).where(same, members.department_id.in_(called))
            found[word] = employee_rows.c.external_id.in_(inside)
    return found


async def _heads(connection: AsyncConnection, account_id: int, ids: Iterable[str]) -> dict[str, tuple[str, bool]]:
    rows = employee_rows
    mine = current(rows, DirectoryList.EMPLOYEES, account_id) & rows.c.external_id.in_(sorted(ids))
    found = select(rows.c.external_id, rows.c.full_name, rows.c.active).where(mine)
    return {row.external_id: (row.full_name, bool(row.active)) for row in await connection.execute(found)}
