"""Houses, people and departments of a portal: all of them, once each, in words, with the fewest requests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from domain.directory import CardField, Department, Employee, House, HouseField, HouseMapping
from domain.errors import VendorRefused, VendorUnavailable
from integrations.bitrix24 import fake_company as town
from integrations.bitrix24.card_values import worded
from integrations.bitrix24.fake import Scripted
from integrations.bitrix24.fake_directory import FakeDeal, FakeDepartment, FakeField
from integrations.bitrix24.names import Kind
from tests.integrations.bitrix24.conftest import Shop

MAPPING = HouseMapping(
    codes={
        HouseField.ADDRESS: town.ADDRESS,
        HouseField.FLATS: town.FLATS,
        HouseField.ENTRANCES: town.ENTRANCES,
        HouseField.FLOORS: town.FLOORS,
        HouseField.COMPANY: town.COMPANY,
        HouseField.SCHEDULE: town.SCHEDULE,
        HouseField.BRIGADE: town.BRIGADE,
    },
    pipeline_id=str(town.HOUSES_PIPELINE),
)
NOTE = "UF_CRM_3_NOTE"


@pytest.fixture
def filled(shop: Shop) -> Shop:
    town.company(shop.fake)
    return shop


async def all_houses(shop: Shop, mapping: HouseMapping = MAPPING, fields: Sequence[CardField] | None = None) -> list[House]:
    """As a reader does it: with the cursor kept, a page that failed is asked for again."""
    fields = await shop.directory.fields() if fields is None else fields
    houses: list[House] = []
    cursor = ""
    while True:
        try:
            page = await shop.directory.houses(mapping, fields=fields, cursor=cursor)
        except VendorUnavailable:
            continue
        houses += page.houses
        cursor = page.cursor
        if not cursor:
            return houses


async def all_employees(shop: Shop) -> list[Employee]:
    employees: list[Employee] = []
    cursor = ""
    while True:
        try:
            page = await shop.directory.employees(cursor=cursor)
        except VendorUnavailable:
            continue
        employees += page.employees
        cursor = page.cursor
        if not cursor:
            return employees


async def read_company(shop: Shop) -> tuple[list[House], list[Employee], Sequence[Department]]:
    return await all_houses(shop), await all_employees(shop), await shop.directory.departments()


async def test_the_whole_company_takes_14_requests(filled: Shop) -> None:
    houses, employees, departments = await read_company(filled)
    ids = [int(house.external_id) for house in houses]
    assert (len(houses), len(employees), len(departments)) == (490, 82, 6)
    assert ids == sorted(set(ids))
    assert len({employee.external_id for employee in employees}) == 82
    assert len(filled.fake.requests) == 14


async def test_failures_in_between_cost_only_themselves(filled: Shop) -> None:
    for method, code in (("crm.item.list", "QUERY_LIMIT_EXCEEDED"), ("user.get", "INTERNAL_SERVER_ERROR")):
        filled.fake.fail(method, 503, code, times=2)
    houses, employees, departments = await read_company(filled)
    assert (len(houses), len(employees), len(departments)) == (490, 82, 6)
    assert len({house.external_id for house in houses}) == 490
    assert len(filled.fake.requests) == 14 + 4


async def test_a_house_is_told_in_words(filled: Shop) -> None:
    houses = await all_houses(filled)
    house = next(house for house in houses if house.title == "ул. Кибальчича, 3 к. 1")
    assert house.values[HouseField.ADDRESS] == "ул. Кибальчича, 3 к. 1"
    assert house.values[HouseField.COMPANY] == "ТСЖ «Кибальчича, 3»"
    assert house.values[HouseField.SCHEDULE] in {"Пн, Ср, Пт", "Вт, Чт, Сб", "Пн, Чт", "Пн, Вт, Ср, Чт, Пт, Сб"}
    assert house.values[HouseField.FLATS].isdecimal()
    assert house.url == f"{filled.settings.portal_url}/crm/deal/details/{house.external_id}/"
    assert house.responsible_id in {"12", "13"}
    assert {HouseField.ADDRESS, HouseField.FLATS, HouseField.COMPANY, HouseField.SCHEDULE} == {
        lacking for house in houses for lacking in MAPPING.codes if lacking not in house.values
    }


async def test_only_what_is_mapped_is_asked_for(filled: Shop) -> None:
    await all_houses(filled, replace(MAPPING, codes={HouseField.FLATS: town.FLATS}))
    first, *_, last = filled.fake.asked("crm.item.list")
    assert first["select"] == ["id", "title", "stageId", "categoryId", "assignedById", town.FLATS]
    assert (first["filter"], first["start"], first["order"]) == ({">id": 0, "categoryId": 2}, -1, {"id": "ASC"})
    assert last["filter"] == {">id": 1450, "categoryId": 2}


async def test_an_old_box_says_the_same(filled: Shop) -> None:
    new = await read_company(filled)
    fields, pipelines = await filled.directory.fields(), await filled.directory.pipelines()
    filled.fake.directory.grow_old()
    filled.fake.requests.clear()
    assert await read_company(filled) == new
    assert len(filled.fake.requests) == 14 + 1  # it is asked once whether it has the new methods
    assert {(old.label, old.type) for old in await filled.directory.fields() if old.code.startswith("UF_")} == {
        (known.label, known.type) for known in fields if known.code.startswith("UF_")
    }
    assert [pipeline.external_id for pipeline in await filled.directory.pipelines()] == ["0", "2"]
    assert [(pipeline.external_id, pipeline.name) for pipeline in pipelines] == [
        ("0", "Продажи"),
        ("2", "Дома на обслуживании"),
    ]


@pytest.mark.parametrize("code", ["UF_CRM_3_NOTE", "ufCrm3Note"])
@pytest.mark.parametrize("original", [True, False])
async def test_a_code_is_known_by_either_spelling(shop: Shop, code: str, original: bool) -> None:
    shop.fake.directory.original_names = original
    shop.fake.directory.fields = [FakeField(code=NOTE, label="Адрес"), FakeField(code="UF_CRM_174730", label="Адрес")]
    shop.fake.directory.deals = [FakeDeal(deal_id=5, title="x", values={NOTE: "ул. Мира, 1", "UF_CRM_174730": "нет"})]
    (house,) = await all_houses(shop, HouseMapping(codes={HouseField.ADDRESS: code}))
    assert house.values == {HouseField.ADDRESS: "ул. Мира, 1"}
    assert (await all_houses(shop, HouseMapping(codes={HouseField.ADDRESS: code}), fields=()))[0].external_id == "5"


async def test_fields_with_one_label_are_both_there(filled: Shop) -> None:
    fields = await filled.directory.fields()
    assert [known.code for known in fields if known.label == "Код домофона"] == [town.GATE, town.GATE_OF_THE_YARD]
    schedule = next(known for known in fields if known.code == town.SCHEDULE)
    assert (schedule.type, schedule.multiple, schedule.options["51"]) == ("enumeration", True, "Пн")
    assert fields[1] == CardField(code="title", label="Название", type="string")


@pytest.mark.parametrize(("pipeline", "count"), [("", 3), ("0", 1), ("2", 2), ("7", 0)])
@pytest.mark.parametrize("old", [False, True])
async def test_a_pipeline_holds_its_own_deals(shop: Shop, pipeline: str, count: int, old: bool) -> None:
    shop.fake.directory.deals = [
        FakeDeal(deal_id=number, title=str(number), category_id=category) for number, category in ((9, 2), (4, 0), (6, 2))
    ]
    if old:
        shop.fake.directory.grow_old()
    houses = await all_houses(shop, HouseMapping(pipeline_id=pipeline))
    assert len(houses) == count
    assert [int(house.external_id) for house in houses] == sorted(int(house.external_id) for house in houses)


async def test_exactly_full_pages_end_with_an_empty_one(shop: Shop) -> None:
    shop.fake.directory.deals = [FakeDeal(deal_id=number, title="") for number in range(1, 101)]
    assert len(await all_houses(shop, HouseMapping(), fields=())) == 100
    assert len(shop.fake.requests) == 3


async def test_a_list_that_does_not_go_on_is_left(shop: Shop) -> None:
    same = {"result": {"items": [{"id": number, "title": "x"} for number in range(1, 51)]}, "total": 490, "next": 50}
    shop.fake.answer("crm.item.list", Scripted(status=200, body=json.dumps(same).encode()), times=None)
    assert len(await all_houses(shop, HouseMapping(), fields=())) == 50
    assert len(shop.fake.requests) == 2


def town_of_references(shop: Shop) -> HouseMapping:
    """120 deals whose company and brigade are numbers: three companies, one of them gone, and two people."""
    directory = shop.fake.directory
    directory.companies = {7: "УК &quot;Речной квартал&quot;", 8: "УК «Старый парк»"}
    directory.fields = [
        FakeField(code="UF_CRM_1", label="Кто убирает", type="employee", multiple=True),
        FakeField(code="UF_CRM_2", label="УК", type="crm", settings={"COMPANY": "Y", "DEAL": "N"}),
    ]
    directory.deals = [
        FakeDeal(
            deal_id=number,
            title="",
            company_id=7 + number % 3,
            values={"UF_CRM_1": [12, "13"], "UF_CRM_2": str(7 + number % 3)},
        )
        for number in range(1, 121)
    ]
    shop.fake.portal.people["user", "13"] = {"NAME": "Александр", "LAST_NAME": "Соколов"}
    return HouseMapping(codes={HouseField.BRIGADE: "UF_CRM_1", HouseField.COMPANY: "UF_CRM_2"})


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("company", ["companyId", "UF_CRM_2"])
async def test_companies_and_people_are_named(shop: Shop, old: bool, company: str) -> None:
    mapping = town_of_references(shop)
    if old:
        shop.fake.directory.grow_old()
        company = company.replace("companyId", "COMPANY_ID")
    houses = await all_houses(shop, replace(mapping, codes={**mapping.codes, HouseField.COMPANY: company}))
    assert {house.values[HouseField.BRIGADE] for house in houses} == {"Петрова Анна, Соколов Александр"}
    assert [house.values.get(HouseField.COMPANY) for house in houses[:3]] == [
        "УК «Старый парк»",
        None,
        'УК "Речной квартал"',
    ]
    assert len(shop.fake.requests) == 1 + 3 + 1 + 1 + old  # each of them is asked for once, not once a page


async def test_a_reading_that_begins_meanwhile_takes_no_names_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = shop.directory._names
    ask = names._ask[Kind.PERSON]

    async def meanwhile(numbers: list[int | str]) -> dict[str, str]:
        names.forget()
        return await ask(numbers)

    monkeypatch.setitem(names._ask, Kind.PERSON, meanwhile)
    houses = await all_houses(shop, town_of_references(shop))
    assert (houses[0].values[HouseField.COMPANY], houses[0].values[HouseField.BRIGADE]) == (
        "УК «Старый парк»", "Петрова Анна, Соколов Александр",
    )  # fmt: skip


async def test_of_a_binding_to_anything_the_companies_are_named(shop: Shop) -> None:
    shop.fake.directory.companies = {17: "УК «Речной квартал»"}
    shop.fake.directory.fields = [FakeField(code="UF_CRM_1", label="УК", type="crm", multiple=True)]
    shop.fake.directory.deals = [FakeDeal(deal_id=1, title="", values={"UF_CRM_1": ["C_17", "CO_17", "D_17"]})]
    (house,) = await all_houses(shop, HouseMapping(codes={HouseField.COMPANY: "UF_CRM_1"}))
    assert house.values == {HouseField.COMPANY: "УК «Речной квартал»"}


async def test_names_that_may_not_be_read_stay_empty(shop: Shop) -> None:
    mapping = town_of_references(shop)
    fields = await shop.directory.fields()
    shop.fake.portal.scopes -= {"user_basic"}
    houses = await all_houses(shop, mapping, fields)
    assert {tuple(house.values) for house in houses} == {(HouseField.COMPANY,), ()}
    shop.fake.portal.scopes |= {"user_basic"}
    assert HouseField.BRIGADE in (await all_houses(shop, mapping, fields))[0].values  # the next reading asks anew


@pytest.mark.parametrize(
    "items",
    [
        '[{"id": 7, "title": "ООО &quot;Дом&quot;\\nА&Б", "categoryId": 0, "assignedById": 0, "stageId": null}]',
        '{"3": {"id": "7", "title": "ООО &#34;Дом&#34; А&Б", "assignedById": "0"}, "5": null, "6": {"title": "no id"}}',
    ],
)
async def test_php_writes_as_it_likes(shop: Shop, items: str) -> None:
    shop.fake.answer("crm.item.list", Scripted(status=200, body=b'{"result": {"items": %s}}' % items.encode()))
    (house,) = (await shop.directory.houses(HouseMapping(), fields=())).houses
    assert (house.external_id, house.title, house.responsible_id) == ("7", 'ООО "Дом" А&Б', "")


@pytest.mark.parametrize("empty", ["[]", "{}", '{"fields": []}', "null", "false"])
async def test_nothing_is_written_in_many_ways(shop: Shop, empty: str) -> None:
    answer = Scripted(status=200, body=b'{"result": %s}' % empty.encode())
    for method in ("crm.item.fields", "crm.item.list", "crm.category.list", "user.get", "department.get"):
        shop.fake.answer(method, answer)
    assert await shop.directory.fields() == ()
    assert (await shop.directory.houses(HouseMapping(), fields=())).houses == ()
    assert [pipeline.external_id for pipeline in await shop.directory.pipelines()] == ["0"]
    assert (await shop.directory.employees()).employees == ()
    assert await shop.directory.departments() == ()


async def test_people_who_were_fired_are_there_and_guests_are_not(shop: Shop) -> None:
    people: Mapping[str, dict[str, object]] = {
        "20": {
            "NAME": "Пётр",
            "LAST_NAME": "Орлов",
            "ACTIVE": False,
            "UF_DEPARTMENT": 5,
            "PERSONAL_MOBILE": "8 900 555-40-20",
        },
        "21": {"NAME": "Гость", "USER_TYPE": "extranet"},
        "22": {"LAST_NAME": "Ким", "ACTIVE": "Y", "UF_DEPARTMENT": {"0": "5", "2": "6", "3": 5}, "UF_PHONE_INNER": "214"},
        "23": {"ACTIVE": "N", "UF_DEPARTMENT": False, "WORK_POSITION": "Дворник", "EMAIL": "d@example.ru"},
    }
    shop.fake.portal.people = {("user", key): row for key, row in people.items()}
    assert await all_employees(shop) == [
        Employee(
            external_id="20", name="Пётр", last_name="Орлов", active=False, department_ids=("5",), phone="8 900 555-40-20"
        ),
        Employee(external_id="22", name="", last_name="Ким", department_ids=("5", "6"), extension="214"),
        Employee(external_id="23", name="", position="Дворник", active=False, email="d@example.ru"),
    ]


async def test_the_narrow_right_to_users_gives_no_contacts(filled: Shop) -> None:
    filled.fake.portal.scopes = filled.fake.portal.scopes - {"user_basic"} | {"user_brief"}
    employees = await all_employees(filled)
    assert len(employees) == 82
    assert {employee.phone + employee.email for employee in employees} == {""}
    assert sum(not employee.active for employee in employees) == town.FIRED
    assert any(len(employee.department_ids) == 2 for employee in employees)


async def test_departments_have_parents_and_heads_or_none(filled: Shop) -> None:
    departments = {one.external_id: one for one in await filled.directory.departments()}
    assert (departments["1"].parent_id, departments["1"].name, departments["5"].parent_id) == ("", "Ясный Двор", "4")
    assert [key for key, one in departments.items() if not one.head_id] == [str(town.SOUTH)]
    people = {employee.external_id: employee for employee in await all_employees(filled)}
    assert all(people[one.head_id].active for one in departments.values() if one.head_id)


async def test_more_departments_than_a_page(shop: Shop) -> None:
    shop.fake.directory.departments = [
        FakeDepartment(department_id=number, name=f"Отдел {number}") for number in range(1, 121)
    ]
    assert len(await shop.directory.departments()) == 120
    assert len(shop.fake.requests) == 3


@pytest.mark.parametrize(
    ("right", "words"), [("crm", "CRM (crm)"), ("department", "Структура"), ("user_basic", "Пользователи")]
)
async def test_the_missing_right_is_named(filled: Shop, right: str, words: str) -> None:
    filled.fake.portal.scopes -= {right}
    with pytest.raises(VendorRefused) as refused:
        await read_company(filled)
    assert refused.value.code == "insufficient_scope"
    assert words in refused.value.hint
    assert "«Настройке прав»" in refused.value.hint


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        ("string", "  ул.\nМира,  1 ", "ул. Мира, 1"),
        ("string", ["а", "", None, "б"], "а, б"),
        ("string", False, ""),
        ("string", [], ""),
        ("string", {}, ""),
        ("", 45.0, "45"),
        ("integer", "45", "45"),
        ("integer", 0, "0"),
        ("double", 45.5, "45,5"),
        ("double", "120.00", "120"),
        ("double", "нет", "нет"),
        ("boolean", False, "нет"),
        ("boolean", "1", "да"),
        ("boolean", "Y", "да"),
        ("boolean", None, ""),
        ("boolean", [], ""),
        ("enumeration", 2, "второе"),
        ("enumeration", ["1", 2], "первое, второе"),
        ("enumeration", 0, ""),
        ("enumeration", 99, ""),
        ("address", "г. Ясный, ул. Мира, 1|55.1;37.2|317", "г. Ясный, ул. Мира, 1"),
        ("address", "ул. Мира, 1", "ул. Мира, 1"),
        ("money", "100|RUB", "100\u00a0₽"),
        ("money", "1234567.5|USD", "1\u00a0234\u00a0567,50\u00a0$"),
        ("money", "100|GBP", "100\u00a0GBP"),
        ("money", "|RUB", ""),
        ("date", "2026-03-11T03:00:00+03:00", "11.03.2026"),
        ("datetime", "2026-03-11T09:05:00+03:00", "11.03.2026 09:05"),
        ("date", "скоро", "скоро"),
        ("crm_company", 17, ""),
        ("employee", [12, 13], ""),
        ("file", {"id": 3, "url": "/x"}, ""),
    ],
)
def test_values_in_words(kind: str, raw: object, words: str) -> None:
    described = CardField(code="UF_X", label="x", type=kind, options={"1": "первое", "2": "второе"})
    assert worded(described, raw) == words
