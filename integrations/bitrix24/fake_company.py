"""A cleaning company in a town that does not exist: 490 houses, 82 people, 6 departments, the same at every start."""

from collections.abc import Iterator
from itertools import islice

from integrations.bitrix24.fake import Fake
from integrations.bitrix24.fake_directory import FakeDeal, FakeDepartment, FakeField

HOUSES, PEOPLE, FIRED, DEPARTMENTS = 490, 82, 4, 6
COMPANY_NAME = "Ясный Двор"
HOUSES_PIPELINE = 2
FIRST_HOUSE, FIRST_PERSON = 1001, 101

ADDRESS, FLATS, ENTRANCES, FLOORS = (f"UF_CRM_17473098{number}" for number in (79, 80, 81, 82))
COMPANY, SCHEDULE, BRIGADE, PRICE, SIGNED = (f"UF_CRM_17473098{number}" for number in (83, 84, 85, 86, 87))
GATE, GATE_OF_THE_YARD = "UF_CRM_1747309888", "UF_CRM_1751112233"

_STREETS = (
    "ул. Кибальчича", "ул. Звёздная", "Садовый пер.", "ул. Академика Ветрова", "ул. Мира", "Озёрный пр-д", "ул. Полевая",
    "ул. Строителей", "ул. Берёзовая", "ул. Черёмуховая", "пр-кт Победы", "ул. Тихая", "ул. Гончарная", "ул. Парковая",
    "Речной б-р", "ул. Лётчика Соловьёва", "ул. Новая", "ул. Учительская", "Кленовая аллея", "ул. 8 Марта", "ул. Ясная",
    "ул. Дачная", "ул. Вокзальная", "ул. Липовая", "Мельничный туп.",
)  # fmt: skip
_COMPANIES = {41: "УК «Северная слобода»", 42: "УК «Речной квартал»", 43: "УК «Старый парк»", 44: "ТСЖ «Кибальчича, 3»"}
_DAYS = {51: "Пн", 52: "Вт", 53: "Ср", 54: "Чт", 55: "Пт", 56: "Сб"}
_BRIGADES = {61: "Бригада «Север»", 62: "Бригада «Юг»"}
_SCHEDULES = ([51, 53, 55], [52, 54, 56], [51, 54], list(_DAYS))
_FLOORS = (5, 5, 9, 9, 9, 12, 16, 17, 2, 25)

_SURNAMES = (
    "Иванов", "Смирнов", "Кузнецов", "Попов", "Васильев", "Новиков", "Фёдоров", "Морозов", "Волков", "Алексеев", "Лебедев",
    "Семёнов", "Егоров", "Павлов", "Козлов", "Степанов", "Николаев", "Орлов", "Андреев", "Макаров", "Никитин", "Захаров",
    "Зайцев", "Соловьёв", "Борисов", "Яковлев", "Григорьев", "Романов", "Воробьёв", "Сергеев", "Кузьмин", "Фролов",
    "Александров", "Дмитриев", "Королёв", "Гусев", "Киселёв", "Ильин", "Максимов", "Поляков",
)  # fmt: skip
_MEN = ("Алексей", "Дмитрий", "Сергей", "Игорь", "Олег", "Артём", "Роман", "Тимур")
_WOMEN = ("Елена", "Ольга", "Наталья", "Ирина", "Светлана", "Марина", "Алёна", "Гульнара")
_FATHERS = ("Сергеев", "Иванов", "Петров", "Александров", "Владимиров", "Николаев", "Викторов")

OFFICE, SALES, DISPATCH, CLEANING, NORTH, SOUTH = range(1, 7)
# How many of the people who are made up work where, and as what; the first of each is the one who answers for the rest.
_STAFF = (
    (OFFICE, 4, ("Директор", "Бухгалтер", "Кадровик", "Юрист")),
    (SALES, 7, ("Начальник отдела продаж", "Менеджер по продажам")),
    (DISPATCH, 5, ("Старший диспетчер", "Диспетчер")),
    (CLEANING, 4, ("Начальник службы уборки", "Контролёр качества")),
    (NORTH, 31, ("Бригадир", "Уборщик подъездов", "Дворник")),
    (SOUTH, 29, ("Старший смены", "Уборщик подъездов", "Дворник")),
)


def company(portal: Fake) -> None:
    """Fill the portal. Who is there already (12 and 13) works in the company too; what it had of its own goes."""
    directory = portal.directory
    directory.fields = list(_fields())
    directory.pipelines = [(0, "Продажи"), (HOUSES_PIPELINE, "Дома на обслуживании")]
    directory.deals = list(islice(_houses(), HOUSES))
    people = portal.portal.people
    people |= {("user", user_id): row for user_id, row in _people(PEOPLE - 2)}
    people["user", "12"] = {**people["user", "12"], "SECOND_NAME": "Сергеевна", **_contacts(12), "UF_DEPARTMENT": [DISPATCH]}
    seller = people.get(("user", "13"), {"NAME": "Александр", "LAST_NAME": "Соколов", "WORK_POSITION": "Менеджер"})
    people["user", "13"] = {**seller, **_contacts(13), "UF_DEPARTMENT": [SALES]}
    directory.departments = list(_departments())


def _fields() -> Iterator[FakeField]:
    yield FakeField(code=ADDRESS, label="Адрес дома", type="address")
    yield FakeField(code=FLATS, label="Количество квартир", type="integer")
    yield FakeField(code=ENTRANCES, label="Количество подъездов", type="integer")
    yield FakeField(code=FLOORS, label="Этажность", type="integer")
    yield FakeField(code=COMPANY, label="Управляющая компания", type="enumeration", options=_COMPANIES)
    yield FakeField(code=SCHEDULE, label="График уборки", type="enumeration", multiple=True, options=_DAYS)
    yield FakeField(code=BRIGADE, label="Бригада", type="enumeration", options=_BRIGADES)
    yield FakeField(code=PRICE, label="Стоимость в месяц", type="money")
    yield FakeField(code=SIGNED, label="Договор подписан", type="boolean")
    # Portals grow: somebody once added the second field under the first one's name.
    yield FakeField(code=GATE, label="Код домофона")
    yield FakeField(code=GATE_OF_THE_YARD, label="Код домофона")


def _houses() -> Iterator[FakeDeal]:
    for index, address in enumerate(_addresses()):
        values = _values(index, address)
        yield FakeDeal(
            deal_id=FIRST_HOUSE + index,
            title=address if ADDRESS in values else f"Дом по договору {index + 1}",
            category_id=HOUSES_PIPELINE,
            stage_id=f"C{HOUSES_PIPELINE}:{'NEW' if index % 17 == 0 else 'EXECUTING'}",
            assigned_by=13 if index % 3 else 12,
            values=values,
        )


def _addresses() -> Iterator[str]:
    """Both sides of each street in turn; some houses stand in several buildings."""
    for number in range(1, 60):
        for place, street in enumerate(_STREETS):
            if (number * 7 + place * 3) % 5 == 0:
                continue
            building = (number + place + 4) % 6
            yield f"{street}, {number}" + (f" к. {building}" if number % 3 == 0 and 0 < building < 4 else "")


def _values(index: int, address: str) -> dict[str, object]:
    """What the card says. Some houses lack something, as cards that people fill in do."""
    floors = _FLOORS[index * 3 % len(_FLOORS)]
    entrances = 1 + index * 5 % (3 if floors > 12 else 8)
    known: dict[str, object] = {
        ADDRESS: f"{address}|{55 + index * 0.0007:.4f};{37 + index * 0.0011:.4f}|{3000 + index}",
        FLATS: floors * entrances * (4 if floors > 2 else 2),
        ENTRANCES: entrances,
        FLOORS: floors,
        COMPANY: 44 if address.startswith("ул. Кибальчича, 3 ") else 41 + index * 7 % 11 % 3,
        SCHEDULE: _SCHEDULES[index % len(_SCHEDULES)],
        BRIGADE: list(_BRIGADES)[index % 2],
        PRICE: f"{1500 * entrances}|RUB",
        SIGNED: index % 9 != 0,
        GATE: f"{index * 37 % 9000 + 1000}",
    }
    lacking = {ADDRESS: index % 97 == 96, FLATS: index % 53 == 52, COMPANY: index % 23 == 22, SCHEDULE: index % 61 == 60}
    return {code: value for code, value in known.items() if not lacking.get(code)}


def _people(count: int) -> Iterator[tuple[str, dict[str, object]]]:
    jobs = [
        (department, titles[0] if place == 0 else titles[1 + place % (len(titles) - 1)])
        for department, size, titles in _STAFF
        for place in range(size)
    ]
    for index, (department, position) in enumerate(jobs[:count]):
        user_id = FIRST_PERSON + index
        departments = [CLEANING, NORTH] if position == "Бригадир" else [department]
        fired = index % (count // FIRED) == count // FIRED - 1
        row: dict[str, object] = {"WORK_POSITION": position, "UF_DEPARTMENT": departments, "ACTIVE": not fired}
        yield str(user_id), {**_name(index), **row, **_contacts(user_id)}


def _name(index: int) -> dict[str, object]:
    father = _FATHERS[index * 5 % len(_FATHERS)]
    surname = _SURNAMES[index * 11 % len(_SURNAMES)]
    if index % 2:
        return {"NAME": _WOMEN[index // 2 % 8], "LAST_NAME": f"{surname}а", "SECOND_NAME": f"{father}на"}
    return {"NAME": _MEN[index // 2 % 8], "LAST_NAME": surname, "SECOND_NAME": f"{father}ич"}


def _contacts(user_id: int) -> dict[str, object]:
    return {
        "WORK_PHONE": f"+7 900 555-{40 + user_id // 100}-{user_id % 100:02}",
        "EMAIL": f"user{user_id}@yasny-dvor.example",
        "UF_PHONE_INNER": str(200 + user_id % 100) if user_id % 4 == 0 else "",
    }


def _departments() -> Iterator[FakeDepartment]:
    """The people who answer for their departments are the first who were made up for each; nobody heads the South."""
    first = FIRST_PERSON
    heads: dict[int, int] = {}
    for department, size, _ in _STAFF:
        heads[department] = first
        first += size
    for number, name, parent in (
        (OFFICE, COMPANY_NAME, None),
        (SALES, "Отдел продаж", OFFICE),
        (DISPATCH, "Диспетчерская", OFFICE),
        (CLEANING, "Служба уборки", OFFICE),
        (NORTH, _BRIGADES[61], CLEANING),
        (SOUTH, _BRIGADES[62], CLEANING),
    ):
        head = None if number == SOUTH else heads[number]
        yield FakeDepartment(department_id=number, name=name, parent_id=parent, head_id=head, place=100 * number)
