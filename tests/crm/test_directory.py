"""Names are asked for when they are needed or old, once for all who need them, and nothing is lost with the CRM away."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast

import pytest

from domain.crm import CrmLead, CrmPerson, CrmStage
from domain.errors import VendorUnavailable
from domain.ports import CrmPlatform
from handlers.crm.directory import Directory
from storage.stages import Stage
from tests.ground import HandClock

HOUR = 3600


class Platform:
    """A CRM with two stages and a person; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.people_shown = True

    async def stages(self) -> Sequence[CrmStage]:
        await self._answer("stages")
        return [CrmStage(pipeline_id="1", status_id=number, name=f"Этап {number}") for number in ("5", "6")]

    async def people(self) -> Sequence[CrmPerson] | None:
        await self._answer("people")
        return [CrmPerson(external_id="9", name="Пётр")] if self.people_shown else None

    async def _answer(self, what: str) -> None:
        await asyncio.sleep(0)
        self.asked.append(what)
        if self.away:
            raise VendorUnavailable("amocrm", what, "HTTP 502")


class Stages:
    def __init__(self) -> None:
        self.named: set[Stage] = set()
        self.at: datetime | None = None

    async def heard_at(self, account_id: int) -> datetime | None:
        return self.at

    async def nameless(self, account_id: int, stages: Iterable[Stage]) -> set[Stage]:
        return set(stages) - self.named

    async def learn(self, account_id: int, listed: Sequence[CrmStage], *, now: datetime) -> bool:
        before, self.at = set(self.named), now
        self.named |= {(one.pipeline_id, one.status_id) for one in listed}
        return self.named != before


class Staff:
    def __init__(self) -> None:
        self.named: set[str] = set()
        self.at: datetime | None = None

    async def heard_at(self, account_id: int) -> datetime | None:
        return self.at

    async def unknown(self, account_id: int, numbers: Iterable[str]) -> set[str]:
        return set(numbers) - self.named

    async def learn(self, account_id: int, people: Sequence[CrmPerson], *, now: datetime) -> None:
        self.named |= {one.external_id for one in people}
        self.at = now


class House:
    def __init__(self) -> None:
        self.platform, self.stages, self.staff, self.clock = Platform(), Stages(), Staff(), HandClock()
        self.followed = 0
        self.directory = Directory(cast("CrmPlatform", self.platform), self.stages, self.staff, self.clock, self._follow)

    def _follow(self) -> None:
        self.followed += 1

    async def meet(self, stage: str, person: str = "") -> None:
        lead = CrmLead(external_id="7", pipeline_id="1", status_id=stage, manager_id=person)
        await self.directory.meet(1, [lead])


@pytest.fixture
def house() -> House:
    return House()


async def test_what_is_known_is_not_asked_for(house: House) -> None:
    await house.meet("5", "9")
    assert house.platform.asked == ["stages", "people"]
    assert house.followed == 1
    await house.meet("6", "9")
    await house.meet("")
    assert len(house.platform.asked) == 2


async def test_a_number_the_crm_does_not_know_is_asked_about_once_in_a_while(house: House) -> None:
    await house.meet("8")
    await house.meet("8")
    assert house.platform.asked == ["stages"]
    await house.meet("7")  # another one may be new there
    assert house.platform.asked == ["stages"] * 2
    house.clock.forward(HOUR)
    await house.meet("8")
    assert house.platform.asked == ["stages"] * 3


async def test_many_that_need_one_name_ask_once(house: House) -> None:
    await asyncio.gather(*(house.meet("5", "9") for _ in range(5)))
    assert house.platform.asked == ["stages", "people"]


async def test_a_crm_that_is_away_is_asked_again(house: House) -> None:
    house.platform.away = True
    with pytest.raises(VendorUnavailable):
        await house.meet("5")
    house.platform.away = False
    await house.meet("5")
    assert house.stages.named


async def test_names_are_as_they_were_a_day_ago_at_most(house: House) -> None:
    await house.directory.keep_fresh(1)
    assert house.platform.asked == ["stages", "people"]
    house.clock.forward(23 * HOUR)
    await house.directory.keep_fresh(1)
    assert len(house.platform.asked) == 2
    house.clock.forward(HOUR)
    await house.directory.keep_fresh(1)
    assert len(house.platform.asked) == 4


async def test_people_who_are_hidden_from_us_are_not_asked_for_again_and_again(house: House) -> None:
    house.platform.people_shown = False
    for number in ("9", "10", "11"):
        await house.meet("5", number)
        await house.directory.keep_fresh(1)
    assert house.platform.asked.count("people") == 1
    house.clock.forward(timedelta(days=1).total_seconds())
    house.platform.people_shown = True
    await house.meet("5", "9")
    assert house.staff.named == {"9"}
