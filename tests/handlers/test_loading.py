"""A table into rows: nothing before it is agreed to, the same again changes nothing, a crash in the middle costs nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain.errors import BadInput
from domain.imports import ImportKind, State
from handlers.leads.reading import PIECE
from storage.engine import Database
from storage.leads import Saved
from storage.models import conversion_dirty, creatives, directions, identities, leads, people, spend
from tests.handlers.loads import HEAD, NOW, Loads
from tests.storage.hall import REPORT, Hall, lead, viewer

ROWS = (
    "Иван;8 999 000 00 01;;Ремонт;Кухня;vk;01.11.2026;новый\n"
    "Анна;;anna@example.ru;ремонт;;google;02.11.2026 10:00;\n"
    "Олег;79990000003@s.whatsapp.net;;;;;;\n"
)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Loads:
    return Loads(database, tmp_path)


async def test_looking_writes_nothing_and_says_what_would_be(desk: Loads) -> None:
    survey = await desk.look(HEAD + ROWS + ROWS + "Пётр;123;;;;;31.02.2026;\n")
    assert (survey.kind, survey.rows, survey.repeats, survey.refused, survey.new) == (ImportKind.LEADS, 6, 3, 1, 3)
    assert [(number, fault.field) for number, fault in survey.faults] == [(8, "created"), (8, "phone")]
    assert (survey.undated, min(survey.days), max(survey.days)) == (2, date(2026, 11, 1), date(2026, 11, 2))
    for table in (leads, people, identities, directions, creatives):
        assert await desk.count(table) == 0


async def test_every_row_becomes_a_lead_with_its_person_and_names(desk: Loads) -> None:
    assert await desk.load(HEAD + ROWS) == Saved(added=3)
    assert await desk.count(people) == 3
    first, second, third = await desk.rows(leads)
    assert [row["name"] for row in await desk.rows(directions)] == ["Ремонт"]
    assert [row["title"] for row in await desk.rows(creatives)] == ["Кухня"]
    assert (first["phone_key"], first["direction_id"], first["creative_id"], first["status"]) == (
        "79990000001",
        1,
        1,
        "новый",
    )
    assert (second["email_key"], second["direction_id"], second["first_utm_source"]) == ("anna@example.ru", 1, "google")
    assert second["created_at"] == datetime(2026, 11, 2, 7, tzinfo=UTC)
    assert (third["phone_key"], third["created_at"]) == ("79990000003", NOW)


async def test_the_same_table_again_changes_nothing_and_a_later_one_what_it_tells(desk: Loads) -> None:
    await desk.load(HEAD + ROWS)
    before = await desk.rows(leads)
    later = NOW + timedelta(days=1)
    assert await desk.load(HEAD + ROWS, now=later) == Saved(same=3)
    assert await desk.rows(leads) == before
    survey = await desk.look(HEAD + ROWS)
    assert (survey.stored, survey.new) == (3, 0)
    saved = await desk.load(HEAD + ROWS.replace("новый", "сделка"), now=later)
    assert (saved.added, saved.changed, saved.same) == (0, 1, 2)
    assert (await desk.rows(leads))[0]["status"] == "сделка"


async def test_a_lead_of_another_system_is_not_added_again(desk: Loads) -> None:
    hall = Hall(desk.database)
    made = datetime(2026, 11, 1, 20, tzinfo=UTC)
    await hall.save(lead("79990000001", number="crm1", source="amocrm", created_at=made, updated_at=made))
    await hall.save(lead("79990000003", number="crm2", source="amocrm", created_at=made, updated_at=made))
    survey = await desk.look(HEAD + ROWS)
    assert (survey.known, survey.new) == (2, 1)
    assert await desk.load(HEAD + ROWS) == Saved(added=1, same=2)
    other_day = "Иван;8 999 000 00 01;;;;;05.11.2026;\n"
    assert await desk.load(HEAD + other_day) == Saved(added=1)
    assert await desk.count(people) == 3


async def test_a_load_that_broke_off_goes_on_as_if_nothing_had_been(desk: Loads) -> None:
    text = HEAD + "".join(f"К{n};7999{n:07};;Ремонт;;vk;01.11.2026;\n" for n in range(PIECE * 2 + 3))
    table = await desk.keep(text)
    await desk.store.move(table.id, since=State.SHOWN, to=State.LOADING)

    async def break_off(done: int) -> None:
        if done > PIECE:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await desk.loader.load(await desk.stands(table), break_off)
    assert await desk.count(leads) == PIECE * 2
    desk.told.clear()
    saved = await desk.bring(table)
    assert (saved.added, saved.same) == (PIECE * 2 + 3, 0)
    assert desk.told == [PIECE, PIECE * 2, PIECE * 2 + 3]
    assert await desk.count(leads) == await desk.count(people) == PIECE * 2 + 3


async def test_leads_of_a_table_are_matched_with_visits_that_were_before(desk: Loads) -> None:
    hall = Hall(desk.database)
    await hall.hold([viewer("+7 (999) 000-00-03"), viewer("", "ANNA@example.ru"), viewer("79990000009")], REPORT)
    await desk.load(HEAD + ROWS)
    matched = {row["phone_number"] or row["email"]: row["matched_by"] for row in await hall.attendees()}
    assert matched == {"79990000003": "phone", "anna@example.ru": "email", "79990000009": "none"}


async def test_spend_of_one_ad_is_added_up_and_a_later_table_corrects_it(desk: Loads) -> None:
    head = "Дата;Источник;Расход;Направление\n"
    day = "01.11.2026;google;{};Ремонт\n"
    assert (await desk.load(head + day.format(100) + day.format("50,5"))).added == 1
    (row,) = await desk.rows(spend)
    assert (row["day"], row["amount"], row["currency"], row["utm_source"], row["direction_id"]) == (
        "2026-11-01", 15_050, "RUB", "google", 1,
    )  # fmt: skip
    assert await desk.load(head + day.format(100) + day.format("50,5")) == Saved(same=1)
    assert await desk.load(head + day.format(200)) == Saved(added=1)
    assert [row["amount"] for row in await desk.rows(spend)] == [20_000]


async def test_creatives_know_their_leads_by_the_rule(desk: Loads) -> None:
    assert (await desk.load("Креатив;utm_content\nКухня;ad_17\nДетская;ad_18\n")).added == 2
    assert await desk.load("Креатив;utm_content\nкухня;ad_17\n") == Saved(same=1)
    await desk.load("Телефон;utm_content\n79990000001;ad_18\n")
    assert [row["creative_id"] for row in await desk.rows(leads)] == [2]
    assert (await desk.load("Направление\nРемонт\nремонт\n")).added == 1


async def test_a_rule_finds_the_leads_that_came_before_it(desk: Loads) -> None:
    table = "Телефон;utm_content;Дата\n79990000001;ad_9;01.11.2026\n79990000002;ad_8;01.11.2026\n"
    await desk.load(table)
    async with desk.database.read() as connection:
        before = await connection.scalar(select(func.max(conversion_dirty.c.stamp)))
    await desk.load("Креатив;utm_content\nСпальня;ad_9\n")
    assert [row["creative_id"] for row in await desk.rows(leads)] == [1, None]
    async with desk.database.read() as connection:
        assert await connection.scalar(select(func.max(conversion_dirty.c.stamp))) != before


async def test_a_column_of_comments_is_no_direction(desk: Loads) -> None:
    rows = "".join(f"7999000{n:04};разное {n}\n" for n in range(501))
    with pytest.raises(BadInput, match="«Направление»"):
        await desk.look("Телефон;Направление\n" + rows)


async def test_a_path_that_is_not_ours_is_not_opened(desk: Loads) -> None:
    table = await desk.keep(HEAD + ROWS)

    async def told(_: int) -> None: ...

    for path in ("keys/secret_key", "../x.csv", "imports/../keys/x.csv"):
        with pytest.raises(FileNotFoundError):
            await desk.loader.load(replace(table, path=path), told)
