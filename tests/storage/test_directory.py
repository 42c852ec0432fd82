"""The company in rows: seen as it was last read in whole, found by parts of words, added up without losing anybody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from domain.directory import Department, DirectoryList, Employee, House, HouseField
from storage.directory import DirectoryStore
from storage.engine import Database
from storage.models import employee_departments, employees, houses
from storage.queries import directory as read
from storage.queries.directory_figures import Statistics, house_pipelines, statistics

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUSES, EMPLOYEES, DEPARTMENTS = DirectoryList
PEOPLE = (
    Employee(external_id="7", name="Анна", last_name="Петрова", second_name="Сергеевна", position="Менеджер",
             department_ids=("2", "3", "2"), phone="+7 900 111-22-33"),
    Employee(external_id="8", name="Семён", last_name="Иванов", department_ids=("3",), active=False),
    Employee(external_id="9", name="Олег", last_name="Иваненко", position="Мастер"),
)  # fmt: skip
TREE = (
    Department(external_id="2", name="Продажи", parent_id="1", head_id="7", place=1),
    Department(external_id="3", name="Бригада 1", parent_id="1", head_id="8", place=2),
    Department(external_id="1", name="Компания"),
)


@pytest.fixture
def store(database: Database) -> DirectoryStore:
    return DirectoryStore(database)


def house(number: int, address: str = "", **values: str) -> House:
    known = {HouseField(name): value for name, value in values.items()} | ({HouseField.ADDRESS: address} if address else {})
    return House(external_id=str(number), title=f"Сделка {number}", values=known, url=f"https://p.bitrix24.ru/{number}/")


async def tell_houses(store: DirectoryStore, some: Sequence[House], *, at: datetime = NOW, whole: bool = True) -> int:
    generation = await store.begin(1, HOUSES)
    await store.add_houses(1, generation, some)
    if whole:
        await store.complete(1, HOUSES, generation, now=at)
    return generation


async def tell_people(store: DirectoryStore) -> None:
    generation = await store.begin(1, EMPLOYEES)
    await store.add_employees(1, generation, PEOPLE)
    await store.complete(1, EMPLOYEES, generation, now=NOW)
    generation = await store.begin(1, DEPARTMENTS)
    await store.add_departments(1, generation, TREE)
    await store.complete(1, DEPARTMENTS, generation, now=NOW)


async def test_a_list_is_seen_when_it_was_read_to_its_end(database: Database, store: DirectoryStore) -> None:
    assert (await read.freshness(database, 1)).houses == read.ListState()
    await tell_houses(store, [house(100, "Мира 1"), house(9, "Мира 2"), house(9, "Мира 2")])
    half = await tell_houses(store, [house(9, "Мира 22")], whole=False)
    assert [line.address for line in await read.houses(database, 1)] == ["Мира 2", "Мира 1"]
    await store.fail(1, HOUSES, problem="insufficient_scope", hint="нет права crm", now=NOW + timedelta(hours=1))
    state = (await read.freshness(database, 1)).houses
    assert (state.read_at, state.count, state.problem, state.hint) == (NOW, 2, "insufficient_scope", "нет права crm")
    await store.complete(1, HOUSES, half, now=NOW + timedelta(hours=2))
    assert [line.address for line in await read.houses(database, 1)] == ["Мира 22"]
    state = (await read.freshness(database, 1)).houses
    assert (state.read_at, state.count, state.problem) == (NOW + timedelta(hours=2), 1, "")
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(houses)) == 1
    assert await read.houses(database, 2) == ()


async def test_a_reading_that_ends_late_does_not_bring_old_rows_back(database: Database, store: DirectoryStore) -> None:
    old = await tell_houses(store, [house(1, "Старый")], whole=False)
    new = await tell_houses(store, [house(2, "Новый")], whole=False)
    await store.complete(1, HOUSES, old, now=NOW)  # its rows may be swept away while it still writes
    assert await read.houses(database, 1) == ()
    await store.complete(1, HOUSES, new, now=NOW)
    assert [line.address for line in await read.houses(database, 1)] == ["Новый"]


async def test_readings_that_are_refused_leave_no_heap(database: Database, store: DirectoryStore) -> None:
    await tell_houses(store, [house(1, "Мира 1")])
    for _ in range(3):
        await tell_houses(store, [house(2, "Мира 2"), house(3, "Мира 3")], whole=False)
        await store.fail(1, HOUSES, problem="insufficient_scope", hint="", now=NOW)
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(houses)) == 1 + 2
    assert [line.address for line in await read.houses(database, 1)] == ["Мира 1"]


async def test_a_house_is_found_by_parts_of_its_address(database: Database, store: DirectoryStore) -> None:
    listed = ["ул. Кибальчича, 3 к1", "Кибальчича 30", "Кибальчича 13", "Кибальчича, 3", "Ёлочная, 12А", ""]
    await tell_houses(store, [house(number, address) for number, address in enumerate(listed, start=2)])
    for question, found in {
        "кибальчича 3": [5, 2, 3],
        "ул. КИБАЛЬЧИЧА, д. 3, к. 1": [2],
        "бальчич": [5, 2, 4, 3],
        "12 елочная": [6],
        "сделка 7": [7],
        "зелинского": [],
        "%": [],
    }.items():
        answer = await read.find_houses(database, 1, question, limit=10)
        assert ([line.id for line in answer.lines], answer.total) == (found, len(found)), question


async def test_deals_of_another_pipeline_that_tell_of_no_house_are_none(
    database: Database, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.directory.A_PIECE", 2)
    sales = [replace(house(number, company="УК"), pipeline_id="0") for number in range(1, 6)]
    sold_house = replace(house(6, flats="80"), pipeline_id="0")
    own = [replace(house(7, "Мира 7"), pipeline_id="2"), replace(house(8, "Мира 8"), pipeline_id="2")]
    unfilled = replace(house(9), pipeline_id="2")
    await tell_houses(store, [*sales, sold_house, *own, unfilled])
    assert [line.id for line in await read.houses(database, 1)] == [6, 7, 8, 9]
    assert (await read.freshness(database, 1)).houses.count == 4
    assert await house_pipelines(database, 1) == {"2": 3, "0": 1}
    await tell_houses(store, sales)  # a pipeline that people have chosen: its deals are houses, whatever they tell
    assert len(await read.houses(database, 1)) == 5


async def test_houses_are_listed_by_street_and_number_for_people(database: Database, store: DirectoryStore) -> None:
    listed = ["ул. Мира, 12", "Ёлочная ул., д. 8", "", "Мира, 3А", "ул. Ёлочная, 10", "Мира 3"]
    await tell_houses(store, [house(number, address) for number, address in enumerate(listed, start=1)])
    by_address = await read.houses(database, 1, by_address=True)
    assert [line.id for line in by_address] == [2, 5, 6, 4, 1, 3]
    paged = [(await read.houses(database, 1, by_address=True, limit=1, offset=place))[0].id for place in range(6)]
    assert paged == [2, 5, 6, 4, 1, 3]
    assert [line.id for line in await read.houses(database, 1)] == [1, 2, 3, 4, 5, 6]
    assert [line.id for line in (await read.find_houses(database, 1, "мира", limit=9)).lines] == [6, 4, 1]


async def test_people_their_departments_and_heads(database: Database, store: DirectoryStore) -> None:
    await tell_people(store)
    lines = await read.employees(database, 1)
    assert [(one.full_name, one.active, one.departments) for one in lines] == [
        ("Иваненко Олег", True, ()), ("Петрова Анна Сергеевна", True, ("Продажи", "Бригада 1")),
        ("Иванов Семён", False, ("Бригада 1",)),
    ]  # fmt: skip
    assert [one.external_id for one in await read.employees(database, 1, active=False)] == ["8"]
    assert [one.external_id for one in await read.employees(database, 1, department_id="3")] == ["7", "8"]
    found = await read.find_employees(database, 1, "ИВАН", limit=1)
    assert ([one.external_id for one in found.lines], found.total) == (["9"], 2)
    assert (await read.find_employees(database, 1, "семен иваноф", limit=5)).near == "семен иванов"
    for words, ids in {"Бригада 1": ["7", "8"], "петрова бригада": ["7"], "продажи": ["7"], "бригада 2": []}.items():
        inside = await read.find_employees(database, 1, words, limit=5, by_department=True)
        assert [one.external_id for one in inside.lines] == ids, words
    assert (await read.find_employees(database, 1, "бригада 1", limit=5)).total == 0
    tree = await read.departments(database, 1)
    assert [(one.name, one.parent, one.head, one.head_active, one.people, one.depth) for one in tree] == [
        ("Компания", "", "", True, 0, 0), ("Продажи", "Компания", "Петрова Анна Сергеевна", True, 1, 1),
        ("Бригада 1", "Компания", "Иванов Семён", False, 1, 1),
    ]  # fmt: skip
    card = await read.employee(database, 1, "7")
    assert card is not None
    assert (card.position, card.phone, card.departments) == ("Менеджер", "+7 900 111-22-33", ("Продажи", "Бригада 1"))
    assert await read.employee(database, 1, "77") is None


async def test_figures_add_up(database: Database, store: DirectoryStore) -> None:
    assert await statistics(database, 1) == Statistics()
    await tell_people(store)
    told = [("УК «Дом»", "120", "4"), ("ук Дом", "80", ""), ("Уют", "нет", "2"), ("", "10", "1"), ("", "", "")]
    await tell_houses(
        store,
        [
            house(number, "Мира" if number else "", company=company, flats=flats, entrances=entrances)
            for number, (company, flats, entrances) in enumerate(told)
        ],
    )
    figures = await statistics(database, 1)
    assert [(one.key, one.houses, one.flats, one.entrances) for one in figures.by_company] == [
        ("ук дом", 2, 200, 4), ("уют", 1, 0, 2), ("", 2, 10, 1),
    ]  # fmt: skip
    assert (figures.houses, figures.flats, figures.entrances) == (5, 210, 7)
    assert (figures.without_address, figures.without_flats, figures.without_entrances) == (1, 2, 2)
    assert (figures.employees, figures.active, figures.fired, figures.departments) == (3, 2, 1, 3)
    assert [(one.name, one.people) for one in figures.by_department] == [
        ("Компания", 0), ("Продажи", 1), ("Бригада 1", 1), ("", 1),
    ]  # fmt: skip
    assert figures.in_several == 1
    assert [line.id for line in await read.houses(database, 1, company_key="")] == [3, 4]


async def test_what_others_left_is_deleted_piece_by_piece(
    database: Database, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.directory.A_PIECE", 1)
    for _ in range(2):
        await tell_people(store)
    async with database.read() as connection:
        kept = [await connection.scalar(select(func.count()).select_from(one)) for one in (employees, employee_departments)]
    assert kept == [3, 3]
