"""Adding from the chat: the dialogue, the one line, the check, and who may."""

from typing import Any

import pytest
from sqlalchemy import Table, select

from handlers.desk import Desk
from storage.models import creatives, directions, leads
from tests.handlers.chat import GROUP, Talk


async def rows(desk: Desk, table: Table) -> list[dict[str, Any]]:
    async with desk.database.read() as connection:
        return [dict(row._mapping) for row in await connection.execute(select(table).order_by(table.c.id))]


async def test_a_lead_by_a_dialogue(owner: Talk, desk: Desk) -> None:
    assert "Что добавить" in await owner.say("/add")
    assert owner.keyboard() == [["add:leads", "add:spend"], ["add:creatives", "add:directions"]]
    assert "Кто и откуда" in await owner.press("add:leads")
    wrong = await owner.say("Иван, +7911111111")
    assert "телефон: «+7911111111» — это не номер телефона" in wrong
    checked = await owner.say("Иван Петров, 8 999 123 45 67, Ремонт, vk")
    assert "Новый лид" in checked
    assert "Иван Петров · +7 999 123-45-67 · Ремонт · vk · 20.11.2026" in checked
    assert await rows(desk, leads) == []
    assert "Лид сохранён" in await owner.press("addgo:0")
    (row,) = await rows(desk, leads)
    assert (row["phone_key"], row["source"], row["direction_id"], row["first_utm_source"]) == (
        "79991234567",
        "chat",
        1,
        "vk",
    )
    assert "черновик устарел" in await owner.press("addgo:0")


async def test_the_same_lead_of_a_day_is_told(owner: Talk, desk: Desk) -> None:
    await owner.say("/add лид Иван, 79991234567")
    await owner.press("addgo:0")
    assert "уже есть лид" in await owner.say("/add лид Ваня, 79991234567")
    await owner.press("addno:0")
    assert len(await rows(desk, leads)) == 1
    assert "черновик устарел" in await owner.press("addgo:0")


async def test_names_are_added_and_changed(owner: Talk, desk: Desk) -> None:
    await owner.say("/add направление Ремонт")
    await owner.press("addgo:0")
    await owner.say("/add направление ремонт → Ремонт квартир")
    assert "Направление сохранено" in await owner.press("addgo:0")
    assert [row["name"] for row in await rows(desk, directions)] == ["Ремонт квартир"]
    await owner.say("/add направление Нет такого → Что-то")
    assert "нет: проверьте" in await owner.press("addgo:0")
    await owner.say("/add направление Дизайн")
    await owner.press("addgo:0")
    await owner.say("/add направление Дизайн → Ремонт квартир")
    assert "уже есть" in await owner.press("addgo:0")
    await owner.say("/add креатив Кухня, Дизайн, utm_content: ad_17")
    await owner.press("addgo:0")
    (row,) = await rows(desk, creatives)
    assert (row["title"], row["direction_id"], row["external_id"]) == ("Кухня", 2, "ad_17")


@pytest.mark.parametrize("text", ["/spend google 5", "/add расход google 5", "/add направление X"])
async def test_managers_add_leads_alone(manager: Talk, desk: Desk, text: str) -> None:
    assert "только администратор" in await manager.say(text)
    assert "только администратор" in await manager.press("add:spend")
    await manager.say("/add")
    assert manager.keyboard() == [["add:leads"]]


async def test_a_line_typed_into_a_dialogue_is_no_question(owner: Talk, desk: Desk) -> None:
    await owner.press("add:creatives")
    assert "Креатив" in await owner.say("Креатив про кухню")
    await owner.press("addgo:0")
    assert [row["title"] for row in await rows(desk, creatives)] == ["Креатив про кухню"]


async def test_groups_are_sent_to_private(owner: Talk, desk: Desk) -> None:
    assert "в личном чате" in await owner.say("/add лид Иван, 79991234567", chat=GROUP)
    assert "в личном чате" in await owner.say("/spend google 5", chat=GROUP)
