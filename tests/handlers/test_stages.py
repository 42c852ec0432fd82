"""The screens of a CRM's stages: what each means is chosen in the chat, by those who run the bot."""

from dataclasses import replace
from typing import cast

import pytest
from aiogram.types import InlineKeyboardMarkup
from sqlalchemy import select

from domain.crm import CrmStage, StageMap
from domain.ports import CrmPlatform
from handlers.crm.desk import StageDesk
from handlers.crm.directory import Directory
from handlers.desk import Desk
from storage.models import crm_stages, work
from storage.staff import StaffStore
from storage.stages import StageStore
from tests.handlers.chat import MANAGER, OWNER, Talk
from tests.handlers.conftest import Stage
from tests.handlers.seed import NOON, seed_accounts
from tests.handlers.test_crm_cards import GROUP, Platform

MAP = StageMap(fixed={"1/9": "deal"}, usual={"142": "won"}, everywhere=frozenset({"142"}))
LISTED = [
    CrmStage(pipeline_id="1", status_id=number, name=name, pipeline="Продажи")
    for number, name in (("58", "Переговоры"), ("9", "Договор"), ("142", "Успешно"))
]


@pytest.fixture
async def staged(desk: Desk, stage: Stage) -> Desk:
    await seed_accounts(desk.database)
    store = StageStore(desk.database, "amocrm", MAP)
    await store.learn(1, LISTED, now=NOON)
    platform, staff = cast("CrmPlatform", Platform()), StaffStore(desk.database, "amocrm")

    def follow() -> None:
        stage.woken += 1

    directory = Directory(platform, store, staff, desk.clock, follow)
    return replace(desk, stages=StageDesk(title="amoCRM", source="amocrm", store=store, directory=directory, follow=follow))


def buttons(talk: Talk) -> str:
    """What the buttons of the last screen say and carry."""
    markup = cast("InlineKeyboardMarkup", getattr(talk.shown()[-1], "reply_markup", None))
    return "\n".join(f"{one.text} {one.callback_data}" for row in markup.inline_keyboard for one in row)


async def test_from_the_settings_to_the_choice(staged: Desk, stage: Stage) -> None:
    owner = Talk(staged, OWNER)
    await owner.say("/settings")
    assert "Этапы amoCRM stgs:0" in buttons(owner)
    await owner.press("stgs:0")
    assert "Продажи · 3 stgp:1:0" in buttons(owner)
    await owner.press("stgp:1:0")
    for words in ("Переговоры → Переговоры", "Договор → сделка", "Успешно → успешно реализована"):
        assert words in buttons(owner)
    await owner.press("stg:1")
    assert "бронь stgset:1:reserved" in buttons(owner)
    assert "команда видит: бронь" in await owner.press("stgset:1:reserved")
    assert "✓ бронь" in buttons(owner)
    assert stage.woken == 1
    async with staged.database.read() as connection:
        assert await connection.scalar(select(work.c.kind)) == "stages"
    await owner.press("stgset:1:own")
    assert "✓ Не переносить" in buttons(owner)
    assert "Как было до выбора stgset:1:" in buttons(owner)
    assert "команда видит: Переговоры" in await owner.press("stgset:1:")
    assert "Как было до выбора" not in buttons(owner)


async def test_what_is_set_elsewhere_says_so(staged: Desk) -> None:
    owner = Talk(staged, OWNER)
    assert "Задано в .env" in await owner.press("stg:2")
    assert "одинаков" in await owner.press("stg:3")
    assert "stgset" not in buttons(owner)
    assert "задан не здесь" in await owner.press("stgset:3:deal")
    assert "больше нет" in await owner.press("stg:99")


async def test_names_are_asked_for_at_once(staged: Desk) -> None:
    assert "Обновлено" in await Talk(staged, OWNER).press("stgask:0")
    async with staged.database.read() as connection:
        assert "Первичный контакт" in set(await connection.scalars(select(crm_stages.c.name)))


async def test_it_is_nothing_for_managers_or_groups(staged: Desk) -> None:
    await Talk(staged, MANAGER).press("stgset:1:reserved")
    assert "личном чате" in await Talk(staged, OWNER).press("stg:1", chat=GROUP)
    async with staged.database.read() as connection:
        assert await connection.scalar(select(crm_stages.c.chosen).where(crm_stages.c.id == 1)) == ""
