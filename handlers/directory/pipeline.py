"""The company is read anew: fields, houses, people, departments, a step a page, so that a broken reading goes on from there.

Steps: houses:begin → houses:fields → houses:0, 1, 2 … → houses:pipelines, where there are several → houses,
then the same of employees → departments.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from domain.directory import OF_A_HOUSE, DirectoryList, HouseMapping, NotHouses
from domain.errors import NotReady, VendorBusy, VendorError, VendorRefused, VendorUnavailable
from domain.events import DirectoryDue
from domain.ports import Steps
from domain.work import WorkItem
from handlers.directory.mapping import mapping_of
from handlers.directory.services import DirectoryServices

log = logging.getLogger(__name__)

UNAVAILABLE, BUSY = "unavailable", "busy"
PASSING = frozenset({UNAVAILABLE, BUSY})
PAUSE_S = 5.0
BORNE = timedelta(minutes=30)  # a CRM that says «later» is asked every few seconds for so long, then as one that is away
PATIENCE = 10  # failures in a row, half an hour: a list that does not come lets the next hour read the others anew
LOOKED_AT = 5000  # deals, a hundred requests: by then it is seen whether they are houses
CHOOSE = "владелец или администратор выбирает в /settings → «Дома: какие поля» поле дома или воронку, в которой дома"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How far a list is read: its rows, and where the next page begins ("" after the last).

    ``houses``: rows that tell of a house; ``pipelines`` that rows are of, no more than two of them.
    """

    rows: int = 0
    houses: int = 0
    pipelines: tuple[str, ...] = ()
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a list. ``refused``: the code of the refusal, "" where it was read to its end."""

    rows: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How houses are asked for: decided once, a change in the chat is for the next reading."""

    mapping: HouseMapping = field(default_factory=HouseMapping)


async def read_directory(item: WorkItem[DirectoryDue], steps: Steps, services: DirectoryServices) -> None:
    """Each list by itself: one that is refused is told of, one that does not come now is tried again without the others."""
    reading = _Reading(item.account_id, steps, services)
    away: list[VendorUnavailable] = []
    for name, read in (
        (DirectoryList.HOUSES, reading.houses),
        (DirectoryList.EMPLOYEES, reading.employees),
        (DirectoryList.DEPARTMENTS, reading.departments),
    ):
        try:
            await steps.run(name.value, partial(reading.to_its_end, name, read), Done)
        except VendorUnavailable as error:
            away.append(error)
            log.warning("%s are read on later: %s", name.value, error)
            problem = BUSY if isinstance(error, VendorBusy) else UNAVAILABLE
            await services.shelf.fail(item.account_id, name, problem=problem, hint="", now=services.clock.now())
    if away:
        borne = services.clock.now() - item.heard_at < BORNE and all(isinstance(error, VendorBusy) for error in away)
        if reading.moved or borne:  # has not failed, so its pauses do not grow
            raise NotReady("the rest of the company", retry_after=max(error.retry_after or PAUSE_S for error in away))
        if item.failures < PATIENCE:
            raise away[0]


class _DealsOnly(Exception):
    """Every team has deals: those of one that has no houses are not read for them."""

    def __init__(self, why: NotHouses) -> None:
        super().__init__(why.value)
        self.why = why


class _Reading:
    """One reading of the company, taken up where it broke off."""

    def __init__(self, account_id: int, steps: Steps, services: DirectoryServices) -> None:
        self._account_id = account_id
        self._steps = steps
        self._platform = services.platform
        self._shelf = services.shelf
        self._mappings = services.mappings
        self._clock = services.clock
        self.moved = False  # a page has come in this try

    async def to_its_end(self, name: DirectoryList, read: Callable[[int], Awaitable[int]]) -> Done:
        """What was read is seen only after all of it; a refusal leaves what was read before."""
        begin = partial(self._shelf.begin, self._account_id, name)
        generation = await self._steps.run(f"{name}:begin", begin, int)
        try:
            rows = await read(generation)
        except VendorRefused as error:
            log.warning("%s cannot be read: %s", name.value, error)
            return await self._failed(name, error.code, error.hint)
        except _DealsOnly as error:
            log.info("%s are not read: %s", name.value, error)
            return await self._failed(name, error.why.value, CHOOSE)
        await self._shelf.complete(self._account_id, name, generation, now=self._clock.now())
        log.info("%s: %d read", name.value, rows)
        return Done(rows=rows)

    async def houses(self, generation: int) -> int:
        plan = await self._steps.run("houses:fields", self._plan, Plan)
        if not plan.mapping.pipeline_id and OF_A_HOUSE.isdisjoint(plan.mapping.codes):
            raise _DealsOnly(NotHouses.UNMAPPED)
        fields = (await self._mappings.read(self._account_id)).fields

        async def turn(page: Page) -> Page:
            if not plan.mapping.pipeline_id and page.rows >= LOOKED_AT and page.houses * 2 < page.rows:
                raise _DealsOnly(NotHouses.ADDRESSLESS)
            found = await self._platform.houses(plan.mapping, fields=fields, cursor=page.cursor)
            await self._shelf.add_houses(self._account_id, generation, found.houses)
            houses = page.houses + sum(not OF_A_HOUSE.isdisjoint(one.values) for one in found.houses)
            pipelines = tuple(dict.fromkeys([*page.pipelines, *(one.pipeline_id for one in found.houses)]))[:2]
            return Page(rows=page.rows + len(found.houses), houses=houses, pipelines=pipelines, cursor=found.cursor)

        last = await self._pages(DirectoryList.HOUSES, turn)
        if len(last.pipelines) > 1:
            await self._steps.run("houses:pipelines", self._name_pipelines, bool)
        return last.rows

    async def employees(self, generation: int) -> int:
        async def turn(page: Page) -> Page:
            found = await self._platform.employees(cursor=page.cursor)
            await self._shelf.add_employees(self._account_id, generation, found.employees)
            return Page(rows=page.rows + len(found.employees), cursor=found.cursor)

        return (await self._pages(DirectoryList.EMPLOYEES, turn)).rows

    async def departments(self, generation: int) -> int:
        async def turn(_: Page) -> Page:
            found = await self._platform.departments()
            await self._shelf.add_departments(self._account_id, generation, found)
            return Page(rows=len(found))

        return (await self._pages(DirectoryList.DEPARTMENTS, turn)).rows

    async def _plan(self) -> Plan:
        fields = await self._platform.fields()
        await self._mappings.learn_fields(self._account_id, fields, now=self._clock.now())
        return Plan(mapping=mapping_of(await self._mappings.read(self._account_id)))

    async def _name_pipelines(self) -> bool:
        """Houses of several are told of by their names; they are read without them, too."""
        with suppress(VendorError):
            await self._mappings.learn_pipelines(self._account_id, await self._platform.pipelines())
            return True
        return False

    async def _pages(self, name: DirectoryList, turn: Callable[[Page], Awaitable[Page]]) -> Page:
        """The last one. Rows of a page are written over when it is read twice: they and its step need not be one commit."""
        page, number = Page(), 0
        while number == 0 or page.cursor:
            page = await self._steps.run(f"{name}:{number}", partial(self._turned, turn, page), Page)
            number += 1
        return page

    async def _turned(self, turn: Callable[[Page], Awaitable[Page]], page: Page) -> Page:
        turned = await turn(page)
        self.moved = True
        return turned

    async def _failed(self, name: DirectoryList, problem: str, hint: str) -> Done:
        await self._shelf.fail(self._account_id, name, problem=problem, hint=hint, now=self._clock.now())
        return Done(refused=problem)
