"""/spend in the chat: read, checked, counted once, changed, taken back; files and words see each other."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from domain.roles import Role
from domain.webinars import Marks
from handlers.desk import Desk
from storage.models import directions, spend
from storage.spend_entries import SpendEntries
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.seed import NOON, put, seed_accounts
from tests.handlers.test_spending import paid
from tests.storage.hall import Hall, lead


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    return Talk(desk, OWNER)


async def rows(desk: Desk) -> list[dict[str, Any]]:
    async with desk.database.read() as connection:
        return [dict(row._mapping) for row in await connection.execute(select(spend).order_by(spend.c.day, spend.c.id))]


async def counted(desk: Desk) -> int:
    return sum(row["amount"] for row in await rows(desk) if row["replaced_by"] is None)


async def press(talk: Talk, name: str) -> str:
    """The first button that begins so."""
    button = next(one for row in talk.keyboard() for one in row if one.partition(":")[0] == name)
    return flat(await talk.press(button))


async def say(talk: Talk, text: str) -> str:
    return flat(await talk.say(text))


def flat(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


async def test_shown_written_and_divided_to_the_kopeck(talk: Talk, desk: Desk) -> None:
    shown = await say(talk, "/spend google 40000 1–7 ноября")
    assert "40 000 ₽ на google, 1–7 ноября: по 5 714,29 ₽ в день" in shown
    assert await rows(desk) == []
    written = await press(talk, "spw")
    assert "Записано" in written
    spent = await rows(desk)
    assert [row["day"] for row in spent] == [f"2026-11-0{day}" for day in range(1, 8)]
    assert sum(row["amount"] for row in spent) == 4_000_000
    assert {row["utm_source"] for row in spent} == {"google"}


async def test_words_without_a_command_and_a_second_press(talk: Talk, desk: Desk) -> None:
    assert "12 500,50 ₽ на vk, 19 ноября" in await say(talk, "расход вк 12 500,50 руб вчера")
    ((button, _),) = talk.keyboard()
    await talk.press(button)
    assert "уже записано" in await talk.press(button)
    assert await counted(desk) == 1_250_050


async def test_the_same_week_twice(talk: Talk, desk: Desk) -> None:
    await say(talk, "/spend google 40000 1–7 ноября")
    await press(talk, "spw")
    shown = await say(talk, "/spend гугл 10000 7–8 ноября")
    assert "За эти дни уже есть:\n• 5 714,28 ₽ на google, 7 ноября (в чате)" in shown
    assert "Прибавить — станет 15 714,28 ₽" in shown
    assert [[one.partition(":")[0] for one in row] for row in talk.keyboard()] == [["spr", "spa"], ["spno"]]
    await press(talk, "spr")
    assert await counted(desk) == 4_000_000 - 571_428 + 1_000_000
    assert "40 000 ₽ на google, 1–7 ноября; из них 5 714,28 ₽ заменены" in await press(talk, "spl")
    await talk.press("spc:2")
    assert "Убрано" in await press(talk, "spx")
    assert await counted(desk) == 4_000_000
    assert "За эти дни уже есть" in await press(talk, "spb")
    await press(talk, "spa")
    assert await counted(desk) == 5_000_000


async def test_what_a_file_said_is_seen(talk: Talk, desk: Desk) -> None:
    await put(desk.database, directions, {"id": 1, "account_id": 1, "name": "Ремонт", "created_at": NOON})
    await put(
        desk.database, spend, paid(3_000_00, "2026-11-02", utm_source="google", direction_id=1),
        paid(50_00, "2026-11-03", utm_source="vk"), paid(70_00, "2026-11-03", utm_source="google", currency="USD"),
    )  # fmt: skip
    assert "3 000 ₽ на google · Ремонт, 2 ноября (таблица)" in await say(talk, "/spend google 40000 1–7 ноября")
    await press(talk, "spr")
    assert await counted(desk) == 4_000_000 + 50_00 + 70_00
    assert "1–20 ноября\n40 050 ₽ · 70 $\n" in await say(talk, "/spend")


async def test_a_file_is_told_what_words_have_said(talk: Talk, desk: Desk) -> None:
    await say(talk, "/spend google 700 1–7 ноября")
    await press(talk, "spw")
    table = "Дата;Источник;Направление;Расход\n02.11.2026;google;Ремонт;300\n02.11.2026;vk;;50\n09.11.2026;google;;5\n"
    shown = flat(await talk.send("spend.csv", table.encode()))
    assert "За эти дни уже есть:\n• 100 ₽ на google, 2 ноября (в чате)\nТаблица прибавится к этому." in shown


async def test_what_came_meanwhile_is_shown_before_it_is_written(talk: Talk, desk: Desk) -> None:
    await say(talk, "/spend google 500 вчера")
    ((button, _),) = talk.keyboard()
    await put(desk.database, spend, paid(3_000_00, "2026-11-19", utm_source="google"))
    assert "уже есть" in await talk.press(button)
    assert await counted(desk) == 3_000_00


async def test_a_sum_that_was_promised_is_not_written_where_it_has_changed(talk: Talk, desk: Desk) -> None:
    await say(talk, "/spend google 40000 вчера")
    await press(talk, "spw")
    assert "станет 80 000 ₽" in await say(talk, "/spend google 40000 вчера")
    ((instead, beside), _) = talk.keyboard()
    await say(talk, "/spend google 10000 вчера")
    await press(talk, "spr")
    for button in (beside, instead):
        shown = flat(await talk.press(button))
        assert "изменились" in shown
        assert "станет 50 000 ₽" in shown
    assert await counted(desk) == 1_000_000
    await press(talk, "spa")
    assert await counted(desk) == 5_000_000


async def test_changed_in_the_chat(talk: Talk, desk: Desk) -> None:
    await say(talk, "/spend google $400 1–7 ноября")
    await press(talk, "spw")
    assert "Исправляю: 400 $ на google, 1–7 ноября" in await press(talk, "spe")
    shown = await say(talk, "450")
    assert "450 $ на google, 1–7 ноября" in shown
    assert "уже есть" not in shown
    assert "Исправлено" in await press(talk, "spw")
    assert await counted(desk) == 450_00
    assert "1 запись" in await say(talk, "/spend список")
    assert "450 $ на google" in await press(talk, "spc")


async def test_what_went_to_one_ad_is_shown(talk: Talk, desk: Desk) -> None:
    await say(talk, "/spend google 700 1–7 ноября")
    await press(talk, "spw")
    await say(talk, "/spend вк 50 вчера")
    await press(talk, "spw")
    shown = await say(talk, "/spend гугл")
    assert "Расходы · 1–20 ноября" in shown
    assert "google — 700 ₽" in shown
    assert "vk" not in shown
    assert "20 ₽ на google, 20 ноября" in await say(talk, "20")
    assert "На google за эти дни ничего не потрачено" in await say(talk, "расход google вчера")
    assert "не вижу суммы" in await say(talk, "/spend yandex")


async def test_new_names_are_asked(talk: Talk, desk: Desk) -> None:
    await put(desk.database, directions, {"id": 1, "account_id": 1, "name": "Ремонт", "created_at": NOON})
    shown = await say(talk, "/spend google, ремнот, 500 вчера")
    assert "Направления «ремнот» ещё нет" in shown
    assert "Ремонт, 19 ноября" in await press(talk, "spn")
    await press(talk, "spw")
    (row,) = await rows(desk)
    assert row["direction_id"] == 1


async def test_what_is_missing_is_asked(talk: Talk, desk: Desk) -> None:
    assert "не вижу суммы" in await say(talk, "/spend google вчера")
    assert "500 ₽ на google, 19 ноября" in await say(talk, "500")
    assert "две суммы" in await say(talk, "/spend google 500 и 60")
    assert "взял 1–7 ноября" in await say(talk, "google 500 7–1 ноября")
    assert "взял до сегодняшнего, 1–20 ноября" in await say(talk, "/spend google 500 ноябрь")
    assert "Это 2025 год" in await say(talk, "/spend google 500 1 декабря")
    assert await rows(desk) == []


async def test_a_lead_costs_what_the_sheet_says(talk: Talk, desk: Desk) -> None:
    hall = Hall(desk.database)
    await hall.save(*(lead(f"7999000000{n}", first=Marks(source="google")) for n in range(4)))
    await say(talk, "/spend google 1000 19–20 ноября")
    written = await press(talk, "spw")
    assert "Что получается за эти дни\nрасход 1 000 ₽\nлид 250 ₽" in written
    month = await press(talk, "spm")
    assert "Расходы · 1–20 ноября\n1 000 ₽\nлид 250 ₽" in month
    assert "google — 1 000 ₽\nлид 250 ₽" in month
    assert "расходов нет" in await say(talk, "расходы за октябрь")


async def test_for_those_who_run_the_bot_in_private(desk: Desk, talk: Talk) -> None:
    assert "в личном чате" in await talk.say("/spend google 5", chat=GROUP)
    manager = Talk(desk, MANAGER)
    assert "только администратор" in await manager.say("/spend google 5")
    assert "только администратор" in await manager.press("spw:1")
    assert "google" not in await manager.say("расход google 5")


async def test_who_runs_the_bot_no_more_writes_nothing_they_had_begun(desk: Desk, talk: Talk) -> None:
    assert "не вижу суммы" in await say(talk, "/spend google вчера")
    talk.person = replace(OWNER, role=Role.MANAGER)
    assert "500" not in (told := await say(talk, "500"))
    assert "только администратор" in told
    assert await SpendEntries(desk.database).get(1, 1) is None
