"""What reading the company works with; built by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.directory import CardField, CardPipeline, Department, DirectoryList, Employee, House
from domain.ports import Clock, Directory
from storage.house_mapping import KeptMapping


class Shelf(Protocol):
    """Where lists are kept; storage.directory.DirectoryStore is the real one."""

    async def begin(self, account_id: int, name: DirectoryList) -> int: ...
    async def add_houses(self, account_id: int, generation: int, some: Sequence[House]) -> None: ...
    async def add_employees(self, account_id: int, generation: int, some: Sequence[Employee]) -> None: ...
    async def add_departments(self, account_id: int, generation: int, some: Sequence[Department]) -> None: ...
    async def complete(self, account_id: int, name: DirectoryList, generation: int, *, now: datetime) -> None: ...
    async def fail(self, account_id: int, name: DirectoryList, *, problem: str, hint: str, now: datetime) -> None: ...


class Mappings(Protocol):
    """Which fields are houses'; storage.house_mapping.HouseMappingStore is the real one."""

    async def read(self, account_id: int) -> KeptMapping: ...
    async def learn_pipelines(self, account_id: int, pipelines: Sequence[CardPipeline]) -> None: ...
    async def learn_fields(self, account_id: int, fields: Sequence[CardField], *, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryServices:
    platform: Directory
    shelf: Shelf
    mappings: Mappings
    clock: Clock
