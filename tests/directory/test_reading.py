"""The company is read page by page: what broke off goes on from its page, and is seen when it is whole."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.directory import ask_every_hour, directory_runs
from domain.directory import CardField, CardPipeline, DirectoryList, HouseField, NotHouses
from domain.errors import NotReady, VendorBusy, VendorRefused, VendorUnavailable
from domain.ports import Directory
from domain.roles import Person, Role
from handlers.directory.desk import DirectoryDesk
from handlers.directory.pipeline import CHOOSE, read_directory
from handlers.directory.services import DirectoryServices
from integrations.bitrix24 import fake_company as town
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.house_mapping import HouseMappingStore
from storage.models import work
from storage.queries import directory as read
from storage.queries.directory_figures import statistics
from storage.work import WorkStore
from tests.calls.world import Crash, MemorySteps
from tests.directory.world import World, due
from tests.ground import HandClock
from tests.integrations.bitrix24.conftest import Shop

HOUSES, EMPLOYEES, DEPARTMENTS = DirectoryList
WHOLE = {HOUSES: ["1", "2", "3", "4", "5"], EMPLOYEES: ["1", "2", "3"], DEPARTMENTS: ["2", "1"]}
OWNER = Person(user_id=1, account_id=1, telegram_id=10, role=Role.OWNER, name="Анна")


def seen(world: World) -> dict[DirectoryList, list[str]]:
    return {name: world.shelf.seen(name) for name in DirectoryList}


async def test_wherever_the_process_dies_it_goes_on_from_there() -> None:
    whole = World()
    await whole.read(steps := MemorySteps())
    assert seen(whole) == WHOLE
    assert set(whole.crm.asked.values()) == {1}
    for kept in range(len(steps.results)):
        world, dying = World(), MemorySteps(die_after=kept)
        with pytest.raises(Crash):
            await world.read(dying)
        assert all(rows in ([], WHOLE[name]) for name, rows in seen(world).items())
        dying.die_after = None
        await world.read(dying)
        assert (seen(world), list(dying.results)) == (WHOLE, list(steps.results))
        assert sum(world.crm.asked.values()) <= sum(whole.crm.asked.values()) + 1


async def test_pipelines_are_named_and_keep_nobody_waiting() -> None:
    world, known = World(), (CardPipeline(external_id="2", name="Дома"),)
    world.crm.pipelines_there = known
    await world.read(MemorySteps())
    assert world.crm.asked["pipelines"] == 0  # all houses are of one: nothing is to be told
    world.crm.houses_there[-1] = replace(world.crm.houses_there[-1], pipeline_id="3")
    await world.read(MemorySteps())
    assert world.mappings.kept.pipelines == known
    world.crm.broken = {"pipelines": [VendorUnavailable("bitrix24", "crm.category.list", "503")]}
    await world.read(MemorySteps())
    assert (seen(world), world.mappings.kept.pipelines) == (WHOLE, known)
    assert world.crm.asked["pipelines"] == 2


async def test_a_vendor_that_is_away_is_asked_again_for_that_page_alone() -> None:
    world, steps = World(), MemorySteps()
    world.crm.broken = {"houses:2": [VendorUnavailable("bitrix24", "crm.item.list", "503")]}
    with pytest.raises(NotReady):  # a page has come, so nothing has failed in a row
        await world.read(steps)
    assert (seen(world)[HOUSES], seen(world)[EMPLOYEES]) == ([], WHOLE[EMPLOYEES])
    assert world.shelf.problems == {HOUSES: ("unavailable", "")}
    await world.read(steps)
    assert seen(world) == WHOLE
    assert world.shelf.problems == {}
    assert {what for what, times in world.crm.asked.items() if times > 1} == {"houses:2"}


async def test_a_list_that_does_not_come_stops_the_others_for_no_longer_than_an_hour() -> None:
    world, steps = World(), MemorySteps()
    world.crm.broken = {"employees:2": [VendorUnavailable("bitrix24", "user.get", "503") for _ in range(3)]}
    for failures, error in ((20, NotReady), (0, VendorUnavailable)):  # it still got further, and it has only begun to fail
        with pytest.raises(error):
            await world.read(steps, failures=failures)
    await world.read(steps, failures=20)
    assert (seen(world)[HOUSES], seen(world)[EMPLOYEES]) == (WHOLE[HOUSES], [])
    assert world.shelf.problems == {EMPLOYEES: ("unavailable", "")}


async def test_a_crm_that_says_later_is_asked_again_in_seconds_for_half_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    world, steps, item = World(), MemorySteps(), due(HandClock())
    caplog.set_level("INFO", "handlers.directory.pipeline")
    later = [VendorBusy("bitrix24", "crm.item.list", "too many requests", retry_after=7) for _ in range(4)]
    world.crm.broken = {"houses:2": list(later)}
    for _ in range(3):
        with pytest.raises(NotReady) as put_off:
            await world.read(steps, item=item)
        assert put_off.value.retry_after == 7
    assert world.shelf.problems == {HOUSES: ("busy", "")}
    world.clock.forward(1800)
    with pytest.raises(VendorBusy):
        await world.read(steps, item=item)
    await world.read(steps, item=item)
    assert (seen(world), world.shelf.problems) == (WHOLE, {})
    assert [line for line in caplog.messages if line.startswith("employees")] == ["employees: 3 read"]


async def test_a_refused_list_keeps_its_rows_and_stops_no_other() -> None:
    world = World()
    await world.read(MemorySteps())
    scope = VendorRefused("bitrix24", "user.get", "insufficient_scope", hint="отметьте право user_basic")
    world.crm.broken = {"employees:2": [scope]}
    del world.crm.houses_there[0]
    await world.read(MemorySteps())
    assert seen(world) == {**WHOLE, HOUSES: ["2", "3", "4", "5"]}
    assert world.shelf.problems == {EMPLOYEES: ("insufficient_scope", "отметьте право user_basic")}


async def test_deals_are_no_houses_where_nothing_says_so() -> None:
    world = World()
    world.crm.card_fields = (CardField(code="UF_9", label="Бюджет"),)
    await world.read(MemorySteps())
    assert [what for what in world.crm.asked if what.startswith("houses")] == []
    assert (seen(world)[HOUSES], seen(world)[EMPLOYEES]) == ([], WHOLE[EMPLOYEES])
    assert world.shelf.problems == {HOUSES: (NotHouses.UNMAPPED, CHOOSE)}
    world.mappings.kept = replace(world.mappings.kept, pipeline_id="2")
    await world.read(MemorySteps())
    assert (seen(world), world.shelf.problems) == (WHOLE, {})


async def test_deals_with_flats_are_houses_whose_names_are_their_addresses() -> None:
    world = World()
    world.crm.card_fields = (CardField(code="UF_2", label="Квартир"),)
    await world.read(MemorySteps())
    assert (seen(world), world.shelf.problems) == (WHOLE, {})


@pytest.mark.parametrize("addressed", [1, 2])
async def test_thousands_of_deals_are_read_on_where_most_have_an_address(
    addressed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.directory.pipeline.LOOKED_AT", 4)
    world = World()
    there = world.crm.houses_there
    world.crm.houses_there = there[:addressed] + [replace(one, values={}) for one in there[addressed:]]
    await world.read(MemorySteps())
    asked = [what for what in world.crm.asked if what.startswith("houses")]
    if addressed == 2:
        assert (seen(world), len(asked)) == (WHOLE, 3)
    else:
        assert (seen(world)[HOUSES], len(asked)) == ([], 2)
        assert world.shelf.problems == {HOUSES: (NotHouses.ADDRESSLESS, CHOOSE)}


async def test_490_houses_82_people_and_6_departments_come_whole(shop: Shop, lite: Database) -> None:
    town.company(shop.fake)
    for method in ("crm.item.list", "user.get", "department.get", "crm.item.fields"):
        shop.fake.fail(method, 503, "INTERNAL_SERVER_ERROR", times=2)
    store = DirectoryStore(lite)
    services = DirectoryServices(platform=shop.directory, shelf=store, mappings=HouseMappingStore(lite), clock=shop.clock)
    steps, failures = MemorySteps(), 0
    while not await _read(steps, services):
        failures += 1
    assert len(shop.fake.requests) == 14 + 8
    ids = [line.id for line in await read.houses(lite, 1)]
    assert (len(ids), ids) == (490, sorted(set(ids)))
    figures = await statistics(lite, 1)
    assert (figures.houses, figures.employees, figures.departments) == (490, 82, 6)
    assert sum(one.houses for one in figures.by_company) == 490
    assert figures.active + figures.fired == 82
    found = await read.find_houses(lite, 1, "кибальчича 3", limit=3)
    assert found.lines[0].address.startswith("ул. Кибальчича, 3")
    assert HouseField.SCHEDULE in found.lines[0].values


async def _read(steps: MemorySteps, services: DirectoryServices) -> bool:
    try:
        await read_directory(due(HandClock()), steps, services)
    except (NotReady, VendorUnavailable):
        return False
    return True


async def test_a_mapping_is_kept_beside_what_the_crm_tells(lite: Database) -> None:
    store, clock = HouseMappingStore(lite), HandClock()
    await store.choose(OWNER, HouseField.ADDRESS, "UF_1", now=clock.now())
    await store.choose(OWNER, HouseField.FLATS, "", now=clock.now())
    await store.choose_pipeline(OWNER, "2", now=clock.now())
    await store.learn_fields(1, await World().crm.fields(), now=clock.now())
    kept = await store.read(1)
    assert (dict(kept.chosen), kept.pipeline_id) == ({HouseField.ADDRESS: "UF_1", HouseField.FLATS: ""}, "2")
    assert [one.label for one in kept.fields] == ["Адрес", "Квартир"]
    await store.choose(OWNER, HouseField.ADDRESS, None, now=clock.now())
    assert dict((await store.read(1)).chosen) == {HouseField.FLATS: ""}
    assert (await store.read(2)).fields == ()


async def test_an_hour_has_one_reading_and_a_late_one_is_waited_for(lite: Database, clock: HandClock) -> None:
    platform: Directory = World().crm
    desk = DirectoryDesk(
        vendor="bitrix24", title="Битрикс24", platform=platform, store=DirectoryStore(lite), mappings=HouseMappingStore(lite)
    )
    works = WorkStore(lite)
    assert await ask_every_hour(desk, lite, 1, clock.now())
    assert await desk.store.underway(1) == clock.now()
    (row,) = await works.claim(clock.now(), 5)
    await works.put_off(row, due_at=clock.now() + timedelta(hours=2), waiting_for="", failed=True)
    clock.forward(3600)
    assert not await ask_every_hour(desk, lite, 1, clock.now())
    assert await works.claim(clock.now(), 5) == []
    await desk.hasten(1, clock.now())
    (row,) = await works.claim(clock.now(), 5)
    await desk.hasten(1, clock.now() - timedelta(hours=1))  # what runs is left alone
    assert await desk.store.underway(1) == clock.now()
    await works.finish(row, clock.now())
    assert await desk.store.underway(1) is None
    assert await ask_every_hour(desk, lite, 1, clock.now())
    for row in await works.claim(clock.now(), 5):
        await works.finish(row, clock.now())
    clock.forward(600)
    assert not await ask_every_hour(desk, lite, 1, clock.now())
    async with lite.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(work)) == 2


async def test_readings_go_one_after_another_and_one_waits_at_most(lite: Database, clock: HandClock) -> None:
    platform: Directory = World().crm
    store = DirectoryStore(lite)
    desk = DirectoryDesk(
        vendor="bitrix24", title="Битрикс24", platform=platform, store=store, mappings=HouseMappingStore(lite)
    )
    works, run = WorkStore(lite), directory_runs(desk, clock)["directory"]
    assert not await store.to_begin(1)
    assert await ask_every_hour(desk, lite, 1, clock.now())
    assert await store.to_begin(1)
    (first,) = await works.claim(clock.now(), 5)
    assert not await store.to_begin(1)  # it may have asked already
    await works.add(account_id=1, kind="directory", object_="asked", payload="{}", source="chat", now=clock.now())
    assert await store.to_begin(1)
    (second,) = await works.claim(clock.now(), 5)
    with pytest.raises(NotReady):
        await run(replace(due(clock), id=second.id), MemorySteps())
    await run(replace(due(clock), id=first.id), MemorySteps())
    await works.finish(first, clock.now())
    await run(replace(due(clock), id=second.id), MemorySteps())
    assert await store.begin(1, HOUSES) == 3


async def test_thousands_of_deals_are_read_once_a_day(
    lite: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.directory.LARGE", 2)
    store, crm = DirectoryStore(lite), World().crm
    desk = DirectoryDesk(vendor="bitrix24", title="Битрикс24", platform=crm, store=store, mappings=HouseMappingStore(lite))
    generation = await store.begin(1, HOUSES)
    await store.add_houses(1, generation, crm.houses_there)
    await store.complete(1, HOUSES, generation, now=clock.now())
    clock.forward(2 * 3600)
    assert not await ask_every_hour(desk, lite, 1, clock.now())
    clock.forward(22 * 3600)
    await store.fail(1, HOUSES, problem=NotHouses.ADDRESSLESS, hint=CHOOSE, now=clock.now())
    assert not await ask_every_hour(desk, lite, 1, clock.now())
    clock.forward(24 * 3600)
    assert await ask_every_hour(desk, lite, 1, clock.now())
