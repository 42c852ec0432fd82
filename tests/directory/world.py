"""A CRM and a shelf in memory: what is asked, what is kept, and where it breaks."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.directory import (
    CardField,
    CardPipeline,
    Department,
    DirectoryList,
    Employee,
    EmployeePage,
    House,
    HouseField,
    HouseMapping,
    HousePage,
)
from domain.errors import VendorError
from domain.events import DirectoryDue
from domain.ports import Steps
from domain.work import WorkItem
from handlers.directory.pipeline import read_directory
from handlers.directory.services import DirectoryServices
from storage.house_mapping import KeptMapping
from tests.ground import HandClock

PER_PAGE = 2
FIELDS = (CardField(code="UF_1", label="Адрес"), CardField(code="UF_2", label="Квартир"))


@dataclass
class MemoryCrm:
    """Five houses, three people, two departments. ``broken``: what is asked → errors, each raised once."""

    houses_there: list[House] = field(default_factory=lambda: [_house(number) for number in range(1, 6)])
    people: list[Employee] = field(default_factory=lambda: [Employee(external_id=str(n), name="Олег") for n in range(1, 4)])
    card_fields: tuple[CardField, ...] = FIELDS
    pipelines_there: tuple[CardPipeline, ...] = ()
    broken: dict[str, list[VendorError]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def fields(self) -> Sequence[CardField]:
        self._meet("fields")
        return self.card_fields

    async def pipelines(self) -> Sequence[Any]:
        self._meet("pipelines")
        return self.pipelines_there

    async def houses(self, mapping: HouseMapping, *, fields: Sequence[CardField], cursor: str = "") -> HousePage:
        address = "UF_1" if FIELDS[0] in self.card_fields else None
        assert (mapping.codes.get(HouseField.ADDRESS), tuple(fields)) == (address, self.card_fields)
        start, after = self._page("houses", cursor, len(self.houses_there))
        return HousePage(houses=tuple(self.houses_there[start : start + PER_PAGE]), cursor=after)

    async def employees(self, *, cursor: str = "") -> EmployeePage:
        start, after = self._page("employees", cursor, len(self.people))
        return EmployeePage(employees=tuple(self.people[start : start + PER_PAGE]), cursor=after)

    async def departments(self) -> Sequence[Department]:
        self._meet("departments")
        return (Department(external_id="2", name="Продажи", parent_id="1"), Department(external_id="1", name="Компания"))

    def _page(self, name: str, cursor: str, there: int) -> tuple[int, str]:
        start = int(cursor or 0)
        self._meet(f"{name}:{start}")
        return start, str(start + PER_PAGE) if start + PER_PAGE < there else ""

    def _meet(self, what: str) -> None:
        self.asked[what] += 1
        if waiting := self.broken.get(what):
            raise waiting.pop(0)


def _house(number: int) -> House:
    return House(external_id=str(number), title=f"Дом {number}", values={HouseField.ADDRESS: f"Мира {number}"})


@dataclass
class MemoryShelf:
    """Readings by list and number; ``seen`` is what people would see."""

    newest: Counter[DirectoryList] = field(default_factory=Counter)
    rows: defaultdict[tuple[DirectoryList, int], dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    complete_one: dict[DirectoryList, int] = field(default_factory=dict)
    problems: dict[DirectoryList, tuple[str, str]] = field(default_factory=dict)

    async def begin(self, account_id: int, name: DirectoryList) -> int:
        self.newest[name] += 1
        return self.newest[name]

    async def add_houses(self, account_id: int, generation: int, some: Sequence[House]) -> None:
        self._add(DirectoryList.HOUSES, generation, some)

    async def add_employees(self, account_id: int, generation: int, some: Sequence[Employee]) -> None:
        self._add(DirectoryList.EMPLOYEES, generation, some)

    async def add_departments(self, account_id: int, generation: int, some: Sequence[Department]) -> None:
        self._add(DirectoryList.DEPARTMENTS, generation, some)

    async def complete(self, account_id: int, name: DirectoryList, generation: int, *, now: datetime) -> None:
        self.complete_one[name] = max(generation, self.complete_one.get(name, 0))
        self.problems.pop(name, None)

    async def fail(self, account_id: int, name: DirectoryList, *, problem: str, hint: str, now: datetime) -> None:
        self.problems[name] = (problem, hint)

    def seen(self, name: DirectoryList) -> list[str]:
        return list(self.rows[name, self.complete_one.get(name, 0)])

    def _add(self, name: DirectoryList, generation: int, some: Sequence[House | Employee | Department]) -> None:
        self.rows[name, generation] |= {one.external_id: one for one in some}


@dataclass
class MemoryMappings:
    kept: KeptMapping = field(default_factory=KeptMapping)

    async def read(self, account_id: int) -> KeptMapping:
        return self.kept

    async def learn_pipelines(self, account_id: int, pipelines: Sequence[Any]) -> None:
        self.kept = replace(self.kept, pipelines=tuple(pipelines))

    async def learn_fields(self, account_id: int, fields: Sequence[CardField], *, now: datetime) -> None:
        self.kept = replace(self.kept, fields=tuple(fields))


@dataclass
class World:
    crm: MemoryCrm = field(default_factory=MemoryCrm)
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    clock: HandClock = field(default_factory=HandClock)
    mappings: MemoryMappings = field(default_factory=MemoryMappings)

    async def read(self, steps: Steps, *, failures: int = 0, item: WorkItem[DirectoryDue] | None = None) -> None:
        services = DirectoryServices(platform=self.crm, shelf=self.shelf, mappings=self.mappings, clock=self.clock)
        await read_directory(item or replace(due(self.clock), failures=failures), steps, services)


def due(clock: HandClock) -> WorkItem[DirectoryDue]:
    event = DirectoryDue(vendor="bitrix24", external_id="2026-11-20T12", occurred_at=clock.now())
    return WorkItem(
        id=1, account_id=1, kind="directory", object="bitrix24:2026-11-20T12", generation=1, event=event, source="tick",
        delivery_id=None, heard_at=clock.now(), failures=0,
    )  # fmt: skip
