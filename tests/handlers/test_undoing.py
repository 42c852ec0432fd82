"""A table is seen whole or not at all, and taken out again it leaves what others say and what people have done since."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations, product
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.imports import State, Undone
from domain.ports import Tx
from domain.webinars import PageId, Registration, RoomId
from storage.engine import Database
from storage.leads import MOST_LEADS, Saved
from storage.links import LinkStore
from storage.models import identities, import_leads, leads, people, registrations, spend, webinar_attendees
from storage.queries.contacts import find_contact
from storage.queries.conversions import conversions
from storage.registrations import RegistrationStore
from storage.rollups import Dimension
from storage.staging import StoppedError
from storage.undoing import take_out
from tests.handlers.loads import HEAD, MOSCOW, NOW, Loads
from tests.storage.hall import REPORT, Hall, another, lead, viewer

IVAN, ANNA, OLEG = "79990000001", "anna@example.ru", "79990000003"
A = HEAD + f"Иван;{IVAN};;Ремонт;Кухня;vk;01.11.2026;новый\nАнна;;{ANNA};Ремонт;;google;02.11.2026;\n"
SAME = HEAD + f"Иван;{IVAN};;Ремонт;Кухня;vk;01.11.2026;новый\n"
CHANGED = HEAD + f"Иван;{IVAN};ivan@example.ru;Ремонт;;;01.11.2026;сделка\nОлег;{OLEG};;;;;03.11.2026;\n"
SPEND = "Дата;Источник;Расход\n01.11.2026;google;{}\n02.11.2026;vk;{}\n"


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Loads:
    return Loads(database, tmp_path)


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


async def stands(desk: Loads) -> dict[str, list[dict[str, Any]]]:
    """All that a table of leads may touch, but for the numbers of rows."""
    tables = {table.name: await desk.rows(table) for table in (leads, people, identities, registrations, webinar_attendees)}
    names = ("external_id", "value", "person_key", "dedup_key", "name")

    def what_it_is(row: dict[str, Any]) -> list[str]:
        return [str(row.get(name, "")) for name in names]

    return {name: sorted(({**row, "id": 0} for row in rows), key=what_it_is) for name, rows in tables.items()}


async def counted(desk: Loads) -> tuple[int, int]:
    """Leads, and those of them who came, of the whole year."""
    year = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}
    found = await conversions(desk.database, 1, Dimension.SOURCE, zone=MOSCOW, **year)
    return found.total.leads, found.total.came


async def register(desk: Loads, phone: str, *, at: datetime = NOW, email: str = "", source: str = "hook") -> None:
    page = Registration(sublist_id=PageId("p"), room=RoomId("r"), name="Из заявки", email=email, phone=phone, session_at=at)

    async def job(connection: AsyncConnection) -> None:
        tx = cast("Tx", connection)
        await RegistrationStore().add_registration(tx, 1, "bizon365", page, source=source, heard_at=at)

    await desk.database.write(job)


async def half_loaded(desk: Loads, text: str) -> Any:
    """A table all of whose rows are written, and which is not complete."""
    table = await desk.keep(text)
    await desk.store.move(table.id, since=State.SHOWN, to=State.LOADING)

    async def break_off(_: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await desk.loader.load(await desk.stands(table), break_off)
    return table


async def test_nobody_sees_a_table_before_it_is_complete(desk: Loads, hall: Hall) -> None:
    await hall.hold([viewer(IVAN), viewer(OLEG)])
    table = await half_loaded(desk, A)
    assert await desk.count(leads) == 2
    assert await counted(desk) == (0, 0)
    assert await find_contact(desk.database, 1, phone=IVAN) is None
    assert (await desk.look(A)).new == 2
    await hall.hold([viewer(IVAN, minutes=(0, 30)), viewer("", ANNA)], another(days=1))
    await register(desk, "", email=ANNA)
    assert [row["person_id"] for row in await hall.attendees()] == [None] * 4
    assert [row["person_id"] for row in await desk.rows(registrations)] == [None]
    assert await desk.bring(table) == Saved(added=2)
    assert await counted(desk) == (2, 2)
    found = await find_contact(desk.database, 1, phone=IVAN)
    assert found is not None
    assert found.name == "Иван"
    assert [row["matched_by"] for row in await hall.attendees()] == ["phone", "none", "phone", "email"]
    assert [row["matched_by"] for row in await desk.rows(registrations)] == ["email"]


async def test_sums_stay_as_they_are_until_all_visits_have_followed(desk: Loads, hall: Hall) -> None:
    await desk.load(HEAD + f"Олег;{OLEG};;;;vk;03.11.2026;\n")
    await hall.hold([viewer(IVAN), viewer(OLEG)])
    assert await counted(desk) == (1, 1)
    table = await desk.keep(A + f"Олег;{OLEG};;;;yandex;03.11.2026;другой\n")
    await desk.store.move(table.id, since=State.SHOWN, to=State.LOADING)
    saved = await desk.loader.load(await desk.stands(table), desk.tell)
    assert (await desk.stands(table)).state is State.SETTLING
    assert [row["matched_by"] for row in await hall.attendees()] == ["phone", "phone"]
    assert await counted(desk) == (1, 1)
    await desk.settle(table, State.COMPLETE, saved)
    assert saved == Saved(added=2, changed=1)
    assert await counted(desk) == (3, 2)


async def test_a_crash_after_it_was_shown_goes_on_from_there(
    desk: Loads, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.load(HEAD + f"Иван;{IVAN};;;;vk;01.11.2026;\n")
    await hall.hold([viewer("", ANNA)])
    table = await desk.keep(A)

    async def die(*_: Any, **__: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("handlers.leads.loading.settle_leads", die)
        with pytest.raises(ConnectionError):
            await desk.bring(table)
    assert (await desk.stands(table)).state is State.SETTLING
    desk.write("файл больше не нужен")
    assert await desk.bring(table) == Saved(added=1, changed=1)
    assert [row["status"] for row in await desk.rows(leads)] == ["новый", ""]
    assert [row["matched_by"] for row in await hall.attendees()] == ["email"]


async def test_what_is_stopped_or_fails_leaves_nothing(desk: Loads, hall: Hall) -> None:
    await desk.load(SAME)
    await hall.hold([viewer(IVAN), viewer(OLEG)])
    before = await stands(desk)
    for text in (A, CHANGED):
        table = await half_loaded(desk, text)
        assert await stands(desk) != before
        await desk.store.move(table.id, since=State.LOADING, to=State.DROPPING)
        with pytest.raises(StoppedError):
            await desk.loader.load(await desk.stands(table), desk.tell)
        await desk.loader.drop(table)
        assert await stands(desk) == before
    assert {row["import_id"] for row in await desk.rows(import_leads)} == {1}


async def test_a_load_that_is_stopped_writes_nothing_more(desk: Loads) -> None:
    table = await desk.keep(A)
    await desk.store.move(table.id, since=State.SHOWN, to=State.LOADING)
    found = await desk.stands(table)
    await desk.store.move(table.id, since=State.LOADING, to=State.DROPPING)
    with pytest.raises(StoppedError):
        await desk.loader.load(found, desk.tell)
    assert await desk.count(leads) == await desk.count(people) == 0


async def test_taking_away_what_is_in_already_is_refused(desk: Loads) -> None:
    table = await desk.loaded(A)
    await desk.loader.drop(table)
    assert await desk.loader.undo(table) == Undone()
    assert await desk.count(leads) == 2


async def test_somebody_who_comes_meanwhile_is_known_by_what_they_left(desk: Loads) -> None:
    table = await half_loaded(desk, A)
    await register(desk, IVAN, email="ivan@example.ru")
    assert await counted(desk) == (1, 0)
    found = await find_contact(desk.database, 1, phone=IVAN)
    assert found is not None
    assert [row["value"] for row in await desk.rows(identities) if row["import_id"] is None] == [IVAN, "ivan@example.ru"]
    await desk.store.move(table.id, since=State.LOADING, to=State.DROPPING)
    await desk.loader.drop(table)
    assert await counted(desk) == (1, 0)
    assert [row["value"] for row in await desk.rows(identities)] == [IVAN, "ivan@example.ru"]
    assert await desk.count(people) == 1


async def test_a_report_that_was_being_loaded_meanwhile_is_matched(desk: Loads, hall: Hall) -> None:
    table = await half_loaded(desk, A)
    webinar = await hall.register()
    await hall.load(webinar, [viewer(IVAN)])
    assert [row["matched_by"] for row in await hall.attendees()] == ["none"]
    await desk.database.write(lambda tx: tx.execute(update(webinar_attendees).values(phone_number="")))  # not written yet
    await desk.bring(table)
    await desk.database.write(lambda tx: tx.execute(update(webinar_attendees).values(phone_number=IVAN)))
    await hall.webinars.match(webinar)
    assert [row["matched_by"] for row in await hall.attendees()] == ["phone"]


async def test_what_a_table_added_goes_and_what_it_changed_is_as_before(desk: Loads, hall: Hall) -> None:
    await desk.load(SAME)
    await hall.hold([viewer(IVAN), viewer(OLEG), viewer("", "ivan@example.ru")], REPORT)
    await register(desk, OLEG[:-1] + "9", at=NOW - timedelta(days=9))
    before, figures = await stands(desk), await counted(desk)
    table = await desk.loaded(CHANGED)
    assert [row["matched_by"] for row in await hall.attendees()] == ["phone", "phone", "email"]
    assert await desk.undo(table) == Undone(removed=1, restored=1)
    assert await stands(desk) == before
    assert await counted(desk) == figures
    assert {row["import_id"] for row in await desk.rows(import_leads)} == {1}
    assert (await desk.stands(table)).undone == Undone(removed=1, restored=1)
    assert await desk.load(CHANGED) == Saved(added=1, changed=1)


async def test_an_undoing_that_broke_off_goes_on_and_counts_each_once(desk: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    table = await desk.loaded(HEAD + "".join(f"К;7999{n:07};;;;;01.11.2026;\n" for n in range(230)))
    left = [1]

    async def die_later(*values: Any, **named: Any) -> None:
        if not left:
            raise ConnectionError
        left.pop()
        await take_out(*values, **named)

    with monkeypatch.context() as patch:
        patch.setattr("handlers.leads.loading.take_out", die_later)
        with pytest.raises(ConnectionError):
            await desk.undo(table)
    assert await desk.count(leads) == 130
    assert await desk.undo(table) == Undone(removed=230)
    assert await desk.count(leads) == await desk.count(people) == await desk.count(identities) == 0


async def test_what_people_did_since_stays(desk: Loads, hall: Hall) -> None:
    await desk.load(SAME)
    three = "".join(f"К{n};7999000001{n};;;;;01.11.2026;\n" for n in range(3))
    table = await desk.loaded(CHANGED + three)
    await register(desk, "79990000010", at=NOW + timedelta(hours=1), source="bot")
    linked = next(row for row in await desk.rows(leads) if row["phone_key"] == "79990000011")
    link = {"person_id": linked["person_id"], "lead_id": linked["id"]}
    await LinkStore(desk.database).add(1, "abcdef", "https://example.ru", now=NOW, **link)
    await desk.database.write(lambda tx: tx.execute(update(leads).where(leads.c.id == 1).values(status="отказ")))
    assert await desk.undo(table) == Undone(removed=2, used=2, changed=1)
    rows = {row["phone_key"]: row for row in await desk.rows(leads)}
    assert set(rows) == {IVAN, "79990000010", "79990000011"}
    assert (rows[IVAN]["status"], rows[IVAN]["email_key"]) == ("отказ", "")
    assert {row["value"] for row in await desk.rows(identities)} == {IVAN, "79990000010", "79990000011", "abcdef"}


async def test_two_tables_with_one_lead_are_undone_in_any_order(desk: Loads, hall: Hall) -> None:
    await hall.hold([viewer(IVAN), viewer("", ANNA), viewer(OLEG)])
    nothing = await stands(desk)
    for text, order in product((SAME, CHANGED, A), permutations((0, 1))):
        only_second = await desk.loaded(text)
        without_first = await stands(desk)
        await desk.undo(only_second)
        assert await stands(desk) == nothing
        tables = [await desk.loaded(A)]
        without_second = await stands(desk)
        tables.append(await desk.loaded(text))
        await desk.undo(tables[order[0]])
        if order[0] == 1:
            assert await stands(desk) == without_second
        else:
            _hold_what_the_second_says(await stands(desk), without_first)
        await desk.undo(tables[order[1]])
        assert await stands(desk) == nothing


def _hold_what_the_second_says(left: dict[str, list[dict[str, Any]]], wanted: dict[str, list[dict[str, Any]]]) -> None:
    """All that the second table would have brought alone; what the first said of the same leads beside it may stay."""
    beside = {"id", "import_id", "person_id", "creative_id", "direction_id", "first_utm_source", "last_utm_source"}
    beside |= {"creative_by", "direction_by"}
    for row, other in zip(left["leads"], wanted["leads"], strict=True):
        assert {name for name in row if row[name] != other[name]} <= beside
    assert [row["value"] for row in left["identities"]] == [row["value"] for row in wanted["identities"]]
    for row, other in zip(left["webinar_attendees"], wanted["webinar_attendees"], strict=True):
        assert [row[name] for name in ("username", "matched_by")] == [other[name] for name in ("username", "matched_by")]


async def test_three_tables_that_change_one_thing_are_undone_in_any_order(desk: Loads) -> None:
    said = ("первый", "второй", "второй")
    await desk.load(SAME)
    before = await stands(desk)
    for order in permutations((0, 1, 2)):
        tables = [await desk.loaded(SAME.replace("новый", status)) for status in said]
        for number, table in enumerate(order):
            await desk.undo(tables[table])
            left = order[number + 1 :]
            assert (await desk.rows(leads))[0]["status"] == (said[max(left)] if left else "новый")
        assert await stands(desk) == before


async def test_spend_is_undone_in_any_order(desk: Loads) -> None:
    async def amounts() -> list[int]:
        return [row["amount"] // 100 for row in await desk.rows(spend)]

    await desk.load("Дата;Источник;Расход\n01.11.2026;google;5\n")
    for order in permutations((0, 1)):
        tables = [await desk.loaded(SPEND.format(10, 20)), await desk.loaded(SPEND.format(10, 30))]
        assert await amounts() == [10, 30]
        undone = await desk.undo(tables[order[0]])
        assert undone == (Undone(known=2) if order[0] == 0 else Undone(known=1, restored=1))
        assert await amounts() == ([10, 30] if order[0] == 0 else [10, 20])
        await desk.undo(tables[order[1]])
        assert await amounts() == [5]


async def test_an_amount_that_was_put_right_by_hand_stays(desk: Loads) -> None:
    table = await desk.loaded(SPEND.format(10, 20))
    await desk.database.write(lambda tx: tx.execute(update(spend).where(spend.c.amount == 2000).values(amount=7)))
    assert await desk.undo(table) == Undone(removed=1, changed=1)
    assert [row["amount"] for row in await desk.rows(spend)] == [7]


async def test_what_can_be_undone_no_more_is_forgotten(desk: Loads) -> None:
    await desk.load(A)
    await desk.load(SPEND.format(1, 2))
    await desk.store.forget_changes(NOW - timedelta(hours=1))
    assert await desk.count(import_leads) == 2
    await desk.store.forget_changes(NOW + timedelta(hours=1))
    assert await desk.count(import_leads) == 0
    assert [(await desk.stands(table)).state for table in await _all(desk)] == [State.COMPLETE] * 2


async def _all(desk: Loads) -> list[Any]:
    return [table for number in (1, 2) if (table := await desk.store.get(1, number)) is not None]


async def test_a_lead_of_another_system_keeps_its_person(desk: Loads, hall: Hall) -> None:
    made = datetime(2026, 11, 5, tzinfo=UTC)
    await hall.save(replace(lead(IVAN, number="crm", source="amocrm"), created_at=made, updated_at=made))
    before = await stands(desk)
    table = await desk.loaded(CHANGED)
    assert await desk.count(people) == 2
    assert await desk.undo(table) == Undone(removed=2)
    assert await stands(desk) == before


async def test_people_are_one_only_once_the_table_is_seen_and_only_as_long_as_it_says_so(desk: Loads, hall: Hall) -> None:
    made = datetime(2026, 11, 5, tzinfo=UTC)
    for number, who in enumerate((lead(IVAN), lead(email=ANNA))):
        await hall.save(replace(who, external_id=str(number), source="amocrm", created_at=made, updated_at=made))
    await hall.hold([viewer(IVAN), viewer("", ANNA)])
    before = await stands(desk)
    text = HEAD + f"Анна;{IVAN};{ANNA};;;;01.11.2026;\n"
    table = await half_loaded(desk, text)
    assert [row["merged_into"] for row in await desk.rows(people)] == [None, None]
    await desk.bring(table)
    assert len({row["person_id"] for row in await hall.attendees()}) == 1
    assert await desk.undo(table) == Undone(removed=1)
    assert await stands(desk) == before
    await desk.load(text)
    assert len({row["person_id"] for row in await hall.attendees()}) == 1


async def test_who_only_shared_an_email_has_it_once_the_table_is_gone(desk: Loads, hall: Hall) -> None:
    table = await desk.loaded(HEAD + f"Анна;{OLEG};{ANNA};;;;01.11.2026;\n")
    await hall.save(lead(IVAN, ANNA, number="form", source="tilda"))
    await hall.hold([viewer("", ANNA)])
    assert await desk.undo(table) == Undone(removed=1)
    (person,) = await desk.rows(people)
    assert {row["value"]: row["person_id"] for row in await desk.rows(identities)} == dict.fromkeys(
        (IVAN, ANNA), person["id"]
    )
    assert [row["person_id"] for row in await hall.attendees()] == [person["id"]]


async def test_a_lead_goes_with_those_whom_its_table_shows_to_be_one(desk: Loads) -> None:
    """What is told of a lead waits with its person; an earlier piece of the table may say who that is."""
    between = "".join(f"Лид;7998{number:07};;;;;05.11.2026;{{0}}\n" for number in range(MOST_LEADS + 20))
    before = HEAD + f"Иван;{IVAN};;;;;02.11.2026;\n" + between + f"Анна;;{ANNA};;;;01.11.2026;новый\n"
    after = HEAD + f"Иван;{IVAN};{ANNA};;;;02.11.2026;\n" + between + f"Анна;;{ANNA};;;;01.11.2026;сделка\n"
    await desk.load(before.format("новый"))
    await desk.load(after.format("сделка"))
    whose = {row["name"]: row["person_id"] for row in await desk.rows(leads)}
    assert whose["Анна"] == whose["Иван"]
