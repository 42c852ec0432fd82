"""The company in figures: houses by managing company, people by department; every one of them is in some sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.directory import DirectoryList
from storage.engine import Database
from storage.models import employees as employee_rows
from storage.models import houses as house_rows
from storage.queries.directory import current, departments, people_in_departments


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyCount:
    """Houses of one managing company, however its name is written; ``name`` and ``key`` "" for those without one.

    ``flats`` and ``entrances`` of the houses that tell them.
    """

    key: str
    name: str
    houses: int
    flats: int
    entrances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentCount:
    """Who works in a department; ``name`` "" for those in none."""

    name: str
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Sums of ``by_company`` are ``houses``, ``flats`` and ``entrances``; the largest first, those without one last.

    ``active`` and ``fired`` are ``employees``. ``by_department``: in tree order; ``in_several``: counted more than once.
    """

    houses: int = 0
    flats: int = 0
    entrances: int = 0
    without_address: int = 0
    without_flats: int = 0
    without_entrances: int = 0
    by_company: tuple[CompanyCount, ...] = ()
    employees: int = 0
    active: int = 0
    fired: int = 0
    by_department: tuple[DepartmentCount, ...] = ()
    departments: int = 0

    @property
    def in_several(self) -> int:
        return sum(one.people for one in self.by_department) - self.active


async def statistics(database: Database, account_id: int) -> Statistics:
    """The company in figures: of houses, people and departments."""
    tree = await departments(database, account_id)
    async with database.read() as connection:
        companies = await _companies(connection, account_id)
        people = await _people(connection, account_id)
        inside = await people_in_departments(connection, account_id)
    by_department = [DepartmentCount(name=one.name, people=inside.get(one.external_id, 0)) for one in tree]
    if without := people.get(True, 0) and inside.get("", 0):
        by_department.append(DepartmentCount(name="", people=without))
    return Statistics(
        houses=sum(row.houses for row in companies), flats=sum(row.flats or 0 for row in companies),
        entrances=sum(row.entrances or 0 for row in companies),
        without_address=sum(row.houses - row.with_address for row in companies),
        without_flats=sum(row.houses - row.with_flats for row in companies),
        without_entrances=sum(row.houses - row.with_entrances for row in companies),
        by_company=tuple(
            CompanyCount(key=row.key, name=row.name, houses=row.houses, flats=row.flats or 0, entrances=row.entrances or 0)
            for row in sorted(companies, key=lambda one: (not one.key, -one.houses, one.key))
        ),
        employees=sum(people.values()), active=people.get(True, 0), fired=people.get(False, 0),
        by_department=tuple(by_department), departments=len(tree),
    )  # fmt: skip


async def house_pipelines(database: Database, account_id: int) -> dict[str, int]:
    """How many houses each pipeline has, the most first."""
    rows = house_rows.c
    counted = select(rows.pipeline_id, func.count()).where(current(house_rows, DirectoryList.HOUSES, account_id))
    counted = counted.group_by(rows.pipeline_id).order_by(func.count().desc(), rows.pipeline_id)
    async with database.read() as connection:
        return {id_: int(count) for id_, count in await connection.execute(counted)}


async def _companies(connection: AsyncConnection, account_id: int) -> Sequence[Row[Any]]:
    rows = house_rows.c
    counted = select(
        rows.company_key.label("key"), func.min(rows.company).label("name"), func.count().label("houses"),
        func.sum(rows.flats_count).label("flats"), func.sum(rows.entrances_count).label("entrances"),
        func.count(func.nullif(rows.address, "")).label("with_address"),
        func.count(rows.flats_count).label("with_flats"), func.count(rows.entrances_count).label("with_entrances"),
    )  # fmt: skip
    mine = current(house_rows, DirectoryList.HOUSES, account_id)
    return (await connection.execute(counted.where(mine).group_by(rows.company_key))).all()


async def _people(connection: AsyncConnection, account_id: int) -> dict[bool, int]:
    """How many work there, and how many do not any more."""
    mine = current(employee_rows, DirectoryList.EMPLOYEES, account_id)
    counted = select(employee_rows.c.active, func.count()).where(mine).group_by(employee_rows.c.active)
    return {bool(active): int(count) for active, count in await connection.execute(counted)}
