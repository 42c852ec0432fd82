"""The company's lists behind the API's addresses: how each is read, searched and put into JSON."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.http.api.in_json import department, employee, house
from bot.http.api.params import MOST_ROWS, Page
from storage.engine import Database
from storage.queries import directory
from storage.queries.directory import DepartmentLine, EmployeeLine, Found, HouseLine

L = TypeVar("L")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[L]):
    """``parameters``: those that its address knows."""

    parameters: tuple[str, ...]
    encode: Callable[[L], bytes]
    read: Callable[[Database, int, Page], Awaitable[Sequence[L]]]
    find: Callable[[Database, int, Page], Awaitable[Found[L]]] | None = None


async def _houses(database: Database, account_id: int, _: Page) -> Sequence[HouseLine]:
    return await directory.houses(database, account_id)


async def _find_houses(database: Database, account_id: int, page: Page) -> Found[HouseLine]:
    most = page.limit or MOST_ROWS
    found = await directory.find_houses(database, account_id, page.words, limit=most, offset=page.offset)
    if found.lines or not page.offset:
        return found
    first = await directory.find_houses(database, account_id, page.words, limit=1)  # how many there are before the end
    return Found(lines=(), total=first.total, near=first.near)


async def _employees(database: Database, account_id: int, page: Page) -> Sequence[EmployeeLine]:
    return await directory.employees(database, account_id, active=page.active)


async def _find_employees(database: Database, account_id: int, page: Page) -> Found[EmployeeLine]:
    """All who are found, then those of them who do or do not work there: they are hundreds at most."""
    found = await directory.find_employees(database, account_id, page.words, limit=MOST_ROWS)
    lines = tuple(line for line in found.lines if page.active in {None, line.active})
    return Found(lines=lines[page.offset : page.end], total=len(lines), near=found.near)


async def _departments(database: Database, account_id: int, _: Page) -> Sequence[DepartmentLine]:
    return await directory.departments(database, account_id)


LISTINGS: Mapping[str, Listing[Any]] = {
    "houses": Listing(parameters=("limit", "offset", "q"), encode=house, read=_houses, find=_find_houses),
    "employees": Listing(
        parameters=("limit", "offset", "q", "active"), encode=employee, read=_employees, find=_find_employees
    ),
    "departments": Listing(parameters=("limit", "offset"), encode=department, read=_departments),
}
