"""Houses, people, departments and their figures in the chat: found, shown with their age, and never «0» without a word."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import cast

import pytest
from aiogram.types import InlineQueryResultArticle
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.directory import CardField, CardPipeline, Department, DirectoryList, Employee, House, HouseField, NotHouses
from domain.errors import VendorUnavailable
from domain.events import DirectoryDue
from domain.messages import as_text
from domain.ports import Directory
from handlers.desk import Desk
from handlers.directory.ages import Sight
from handlers.directory.desk import DirectoryDesk
from handlers.directory.figures import statistics_screen
from handlers.directory.mapping import choices_of
from handlers.directory.mapping_screens import MappingView, field_screen, mapping_screen
from handlers.directory.pipeline import CHOOSE
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.directory import DirectoryStore
from storage.house_mapping import HouseMappingStore, KeptMapping
from storage.queries.directory import ListState
from storage.queries.directory_figures import CompanyCount, DepartmentCount, Statistics
from storage.steps import StoredSteps
from storage.work import WorkStore
from tests.directory.world import MemoryCrm
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import MOSCOW, Golden, Stage, look
from tests.handlers.seed import NOON, seed_accounts
from tests.handlers.test_stages import buttons

FIELDS = tuple(
    CardField(code=f"UF_{number}", label=label)
    for number, label in enumerate(("Адрес", "Квартир", "Подъездов", "УК", "График уборки", "Адрес"), 1)
)
STREETS = ("ул. Кибальчича", "Ёлочная улица")
TREE = (
    Department(external_id="1", name="Компания", head_id="8"),
    Department(external_id="3", name="Бригада 1", parent_id="1", head_id="8", place=2),
    Department(external_id="2", name="Продажи", parent_id="1", head_id="7", place=1),
    Department(external_id="4", name="Склад", parent_id="1", place=3),
)
STAFF = (
    Employee(external_id="7", name="Анна", last_name="Петрова", position="Начальник", department_ids=("2", "3"),
             phone="+7 900 111-22-33", email="anna@example.com", extension="101"),
    Employee(external_id="8", name="Семён", last_name="Иванов", position="Бригадир", department_ids=("3",), active=False),
    Employee(external_id="9", name="Олег", last_name="Иваненко"),
)  # fmt: skip


class Crm(MemoryCrm):
    async def pipelines(self) -> tuple[CardPipeline, ...]:
        self._meet("pipelines")
        return (CardPipeline(external_id="0", name="Продажи"), CardPipeline(external_id="2", name="Дома"))


def _house(number: int) -> House:
    values = {
        HouseField.ADDRESS: f"{STREETS[(number + 1) % 2]}, {number}", HouseField.FLATS: "120", HouseField.ENTRANCES: "4",
        HouseField.COMPANY: "УК «Дом»", HouseField.SCHEDULE: "Пн, Ср",
    }  # fmt: skip
    if number == 12:
        values = {HouseField.FLATS: "много"}
    return House(external_id=str(number), title=f"Договор {number}", values=values, url=f"https://p.bitrix24.ru/d/{number}/")


@pytest.fixture
async def town(desk: Desk) -> Desk:
    """Twelve houses, three people, four departments, read at noon; it is 12:12 now."""
    await seed_accounts(desk.database)
    store = DirectoryStore(desk.database)
    houses, people, departments = [await store.begin(1, name) for name in DirectoryList]
    await store.add_houses(1, houses, [_house(number) for number in range(1, 13)])
    await store.add_employees(1, people, STAFF)
    await store.add_departments(1, departments, TREE)
    for name, generation in zip(DirectoryList, (houses, people, departments), strict=True):
        await store.complete(1, name, generation, now=NOON - timedelta(minutes=12))
    return connected(desk)


def connected(desk: Desk) -> Desk:
    platform: Directory = Crm()
    store, mappings = DirectoryStore(desk.database), HouseMappingStore(desk.database)
    directory = DirectoryDesk(vendor="bitrix24", title="Битрикс24", platform=platform, store=store, mappings=mappings)
    return replace(desk, directory=directory)


async def test_lists_cards_and_figures(town: Desk, golden: Golden) -> None:
    talk, seen = Talk(town, MANAGER), list[str]()
    for said in (
        "/houses",
        "/дома кибальчича 3",
        "/houses договор 12",
        "/staff",
        "/сотрудник петрова",
        "/departments",
        "/статистика",
    ):
        seen.append(f"— {said}\n{await talk.say(said)}\n{buttons(talk)}")
    for pressed in ("hs:10", "hsu:0", "emd:3:0", "eo:8"):
        seen.append(f"— {pressed}\n{await talk.press(pressed)}\n{buttons(talk)}")
    golden("directory", "\n\n".join(seen))


async def test_plain_words_find_what_is_meant(town: Desk) -> None:
    talk = Talk(town, MANAGER)
    for said, shown in {
        "дом кибальчича 3": "🏠 ул. Кибальчича, 3",
        "Адрес елочная 2": "🏠 Ёлочная улица, 2",
        "дом кибольчича 3": "Ближе всего: «кибальчича 3»",
        "дом зелинского": "ничего нет",
        "сотрудник петрова": "👤 Петрова Анна",
        "сотрудник иван": "По словам «иван»: 2 человека",
        "/staff бригада 1": "По словам «бригада 1»: 2 человека",
        "сотрудник бригада 1": "По словам «бригада 1»: 2 человека",
        "сотрудник Петрова за октябрь": "📞 Звонки",
        "сотрудник Зелинский": "📞 Звонки",
        "покажи все дома": "🏠 Дома · 12",
        "отделы": "🏢 Отделы · 4",
        "статистика": "📊 Дома и люди",
    }.items():
        assert shown in await talk.say(said), said


async def test_pages_of_what_was_asked_for(town: Desk) -> None:
    talk = Talk(town, MANAGER)
    assert "нашлось" not in (await talk.say("/houses договор")).lower()
    turning = next(data for row in talk.keyboard() for data in row if data.startswith("hsq:") and data.endswith(":10"))
    assert "11. " in await talk.press(turning)
    assert "устарел" in await talk.press("hsq:000000000000:10")
    assert "последнем чтении нет" in await talk.press("ho:77")


async def test_a_card_opens_the_calls_of_its_person(town: Desk) -> None:
    talk = Talk(town, MANAGER)
    await talk.say("/staff петрова")
    ((calls,), *_) = talk.keyboard()
    assert "📞 Звонки · «петрова»" in await talk.press(calls)


async def test_a_phone_is_whole_in_private_only(town: Desk) -> None:
    assert "+7 900 111-22-33" in await Talk(town, MANAGER).say("/staff петрова")
    shown = await Talk(town, MANAGER).say("/staff петрова", chat=GROUP)
    assert "··-33" in shown
    assert "111" not in shown
    assert "anna@" not in shown


async def test_inline_finds_houses_and_people_beside_calls(town: Desk) -> None:
    async def titles(text: str) -> list[str]:
        return [cast("InlineQueryResultArticle", one).title for one in (await Talk(town, MANAGER).inline(text)).results]

    assert (await titles("дом кибальчича 3"))[0] == "🏠 ул. Кибальчича, 3"
    assert await titles("сотрудник иван") == ["👤 Иваненко Олег", "👤 Иванов Семён"]
    assert (await titles("петрова"))[0] == "👤 Петрова Анна"
    assert (await titles("кибальчич"))[:3] == [f"🏠 ул. Кибальчича, {number}" for number in (1, 3, 5)]
    assert not any(title.startswith(("🏠", "👤")) for title in await titles("звонки за неделю"))
    (card,) = (await Talk(town, MANAGER).inline("сотрудник петрова")).results
    content = cast("InlineQueryResultArticle", card).input_message_content
    assert "111" not in getattr(content, "message_text", "")


async def test_it_is_said_why_there_is_nothing(desk: Desk, stage: Stage) -> None:
    await seed_accounts(desk.database)
    assert "Битрикс24 не подключён" in await Talk(desk, MANAGER).say("/houses")
    assert "не подключён" in await Talk(desk, MANAGER).press("drd:hs")
    crm = connected(desk)
    talk, store = Talk(crm, MANAGER), DirectoryStore(desk.database)
    assert "Ещё не прочитано" in await talk.say("/staff иванов")
    assert "Читаю заново" in await talk.press("drd:em")
    assert [(one.vendor, isinstance(one, DirectoryDue)) for one in stage.submitted] == [("bitrix24", True)]
    await store.fail(1, DirectoryList.EMPLOYEES, problem="insufficient_scope", hint="отметьте «Пользователи».", now=NOON)
    shown = await talk.say("/staff")
    assert "не отдаёт список сотрудников" in shown
    assert "Что нажать: отметьте «Пользователи»." in shown
    assert "Ещё не прочитано" not in shown
    assert "• сотрудники: не читаются, что нажать — /staff" in await Talk(crm, OWNER).say("/status")
    await store.complete(1, DirectoryList.HOUSES, await store.begin(1, DirectoryList.HOUSES), now=NOON)
    assert "пустой список сделок" in await talk.say("/houses")
    for why, said in {NotHouses.UNMAPPED: "нет полей дома", NotHouses.ADDRESSLESS: "больше 5000"}.items():
        await store.fail(1, DirectoryList.HOUSES, problem=why, hint=CHOOSE, now=NOON)
        shown = await talk.say("/houses")
        assert said in shown
        assert "«Дома: какие поля»" in shown
    await store.fail(1, DirectoryList.HOUSES, problem="unavailable", hint="", now=NOON)
    shown = await talk.say("/stats")
    assert "не отвечает" in shown
    assert "дома: сегодня 15:00 (только что)." in shown
    await store.fail(1, DirectoryList.HOUSES, problem="busy", hint="", now=NOON)
    assert "просит подождать" in await talk.say("/houses")


async def test_a_reading_that_waits_goes_on_when_it_is_asked_for(desk: Desk, stage: Stage) -> None:
    await seed_accounts(desk.database)
    crm, works, now = connected(desk), WorkStore(desk.database), desk.clock.now()
    assert crm.directory is not None
    woken = list[bool]()
    crm = replace(crm, directory=replace(crm.directory, come=lambda: woken.append(True)))
    await works.add(account_id=1, kind="directory", object_="hour", payload="{}", source="tick", now=now)
    (row,) = await works.claim(now, 5)
    steps = await StoredSteps.load(desk.database, desk.clock, row.id, fresh=True)
    await steps.run("houses:begin", partial(crm.directory.store.begin, 1, DirectoryList.HOUSES), int)
    await works.put_off(row, due_at=now + timedelta(minutes=5), waiting_for="vendor:bitrix24", failed=True)
    assert "спрашиваю снова" in await Talk(crm, MANAGER).press("drd:hs")
    assert (stage.submitted, woken) == ([], [True])
    assert [one.id for one in await works.claim(now, 5)] == [row.id]


async def test_what_was_read_stays_without_the_crm(town: Desk) -> None:
    shown = await Talk(replace(town, directory=None), MANAGER).say("/дом кибальчича 3")
    assert "🏠 ул. Кибальчича, 3" in shown
    assert "сейчас не подключён" in shown
    assert "12 минут назад" in shown


async def test_fields_are_chosen_in_the_chat(town: Desk, stage: Stage, golden: Golden) -> None:
    assert town.directory is not None
    owner = Talk(town, OWNER)
    await owner.say("/settings")
    assert "Дома: какие поля hmap:0" in buttons(owner)
    assert "ещё не сказал" in await owner.press("hmap:0")
    await town.directory.mappings.learn_fields(1, FIELDS, now=NOON)
    seen = [await owner.press("hmap:0"), buttons(owner), await owner.press("hmf:address:0"), buttons(owner)]
    golden("house_fields", "\n".join(seen))
    second = next(one for one in buttons(owner).splitlines() if "UF_6" in one).split()[-1]
    assert "адрес ← «Адрес» (UF_6)" in await owner.press(second)
    assert len(stage.submitted) == 1
    works = WorkStore(town.database)
    await works.add(account_id=1, kind="directory", object_="asked", payload="{}", source="chat", now=NOON)
    town.clock.forward(1)  # type: ignore[attr-defined]
    assert "читаю дома заново" in await owner.press(second)
    assert len(stage.submitted) == 1  # the reading that waits will ask for it
    await works.claim(NOON, 5)
    assert "этажей ← не показывать" in await owner.press("hmset:floors:-")
    assert len(stage.submitted) == 2
    assert "этажей ← не найдено" in await owner.press("hmset:floors:")
    assert "нет" in await owner.press("hmset:address:0000000000")
    assert "воронке" in await owner.press("hmp:0")
    assert "Дома hmpset:2" in buttons(owner)
    assert "воронка: Дома" in await owner.press("hmpset:2")
    cast("Crm", town.directory.platform).broken = {"pipelines": [VendorUnavailable("bitrix24", "crm.category.list", "503")]}
    assert "не ответил" in await owner.press("hmp:0")
    assert (await HouseMappingStore(town.database).read(1)).pipeline_id == "2"
    await Talk(town, MANAGER).press("hmpset:")
    assert "личном чате" in await owner.press("hmpset:", chat=GROUP)
    assert (await HouseMappingStore(town.database).read(1)).pipeline_id == "2"


async def test_houses_of_several_pipelines_are_told_of_to_who_can_choose(town: Desk) -> None:
    assert town.directory is not None
    store, mappings = town.directory.store, town.directory.mappings
    generation = await store.begin(1, DirectoryList.HOUSES)
    some = [replace(_house(number), pipeline_id="2" if number < 11 else "0") for number in range(1, 12)]
    await store.add_houses(1, generation, some)
    await store.complete(1, DirectoryList.HOUSES, generation, now=NOON)
    await mappings.learn_fields(1, FIELDS, now=NOON)
    await mappings.learn_pipelines(1, await town.directory.platform.pipelines())
    owner, told = Talk(town, OWNER), "Дома из 2 воронок: «Дома» 10, «Продажи» 1. Выбрать одну: /settings"
    assert told in await owner.say("/houses")
    assert told in await owner.say("/stats")
    assert "воронок" not in await Talk(town, MANAGER).say("/houses")
    for pressed in ("hmap:0", "hmp:0"):
        assert "домов в них: «Дома» 10, «Продажи» 1" in await owner.press(pressed)
    await owner.press("hmpset:2")
    assert "воронок" not in await owner.say("/houses")


def test_of_many_fields_that_fit_some_are_named(reader: Reader) -> None:
    kept = KeptMapping(fields=tuple(CardField(code=f"UF_{n}", label="Адрес" + " дома" * n) for n in range(6)))
    shown = as_text(mapping_screen(reader, MappingView(crm="Битрикс24", kept=kept, choices=choices_of(kept))))
    assert "«Адрес дома дома дома» (UF_3) и ещё 2. Проверьте" in shown
    assert "UF_4" not in shown


def test_before_a_house_is_read_no_field_is_called_empty(reader: Reader) -> None:
    kept = KeptMapping(fields=FIELDS)
    view = MappingView(crm="Битрикс24", kept=kept, choices=choices_of(kept))
    shown = as_text(mapping_screen(reader, view))
    assert "Ни одного дома пока не прочитано" in shown
    assert "не заполнено" not in shown
    assert "не заполнено" in as_text(mapping_screen(reader, replace(view, houses=3)))


def test_a_portal_without_an_address_is_told_of(reader: Reader) -> None:
    kept = KeptMapping(fields=tuple(CardField(code=f"UF_{n}", label=f"Поле {n}") for n in range(30)))
    view = MappingView(crm="Битрикс24", kept=kept, choices=choices_of(kept))
    assert "Не хватает поля адреса" in as_text(mapping_screen(reader, view))
    first = look(field_screen(reader, view, HouseField.ADDRESS, 0))
    assert "[Поле 29 →" in first
    assert "[Дальше → hmf:address:12]" in first
    targets = [button.target for row in field_screen(reader, view, HouseField.ENTRANCES, 12).buttons for button in row]
    assert all(len(target.encode()) <= 60 for target in targets)


TEXTS = load_texts()
COMPANIES = st.lists(
    st.builds(CompanyCount, key=st.text("абв", max_size=2), name=st.just("УК"), houses=st.integers(1, 99),
              flats=st.integers(0, 999), entrances=st.integers(0, 9)),
    max_size=20, unique_by=lambda one: one.key,
)  # fmt: skip


@settings(max_examples=30)
@given(COMPANIES)
def test_what_is_shown_adds_up(counted: list[CompanyCount]) -> None:
    """Every house is in some line, also where companies are too many to be named."""
    reader = Reader(texts=TEXTS, now=NOON, zone=MOSCOW)
    total = sum(one.houses for one in counted)
    figures = Statistics(
        houses=total, by_company=tuple(counted), employees=3, active=3, departments=1,
        by_department=(DepartmentCount(name="Продажи", people=2), DepartmentCount(name="", people=1)),
    )  # fmt: skip
    sights = [Sight(name=name, state=ListState(), crm="") for name in (DirectoryList.HOUSES, DirectoryList.EMPLOYEES)]
    lines = as_text(statistics_screen(reader, figures, *sights)).splitlines()
    shown = [line for line in lines if "дом" in line and "кварт" in line]
    assert sum(int(line.rpartition(": ")[2].split()[0]) for line in shown) == total
    assert any(line == "• без отдела: 1 человек" for line in lines)
