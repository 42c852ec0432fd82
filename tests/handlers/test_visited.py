"""/visited and /link: three different answers with the report they are from, and links of somebody's own."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain.attendance import Yardstick
from domain.webinars import Entry, RoomId
from handlers.desk import Desk
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import WebinarDesk
from storage.models import identities, links
from tests.handlers.chat import MANAGER, Talk
from tests.handlers.seed import NOON, seed_accounts, seed_work
from tests.handlers.test_register import Asked, Platform
from tests.storage.hall import REPORT, Hall, another, lead, viewer

VIEWERS = [viewer("+79990000001", "ivan@p.ru", name="Иван", minutes=(24, 39), city="Краснодар", country="RU")]
ROOM = "https://start.example/room/1/abc"


@pytest.fixture
async def talk(desk: Desk, clock: Any) -> Talk:
    await seed_accounts(desk.database)
    await Hall(desk.database).hold(VIEWERS)
    clock.forward(8 * 3600)
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(
        vendor="bizon365", catalogue=catalogue, ask=Asked(), yardstick=Yardstick(), public_url="https://svodka.example/"
    )
    return Talk(replace(desk, webinars=webinars), MANAGER)


@pytest.mark.parametrize(
    "asked",
    [
        "/visited +7 999 000-00-01 20.11.2026 19:00",
        "/был 8 999 000 00 01",
        "/visited ivan@p.ru 20.11.2026",
        "/visited bizon365_is_visitor('111:room', 'IVAN@p.ru', '1', '20.11.2026', '19:00')",
        "/visited bizon365_is_visitor('111:room', '1', '79990000001')",
    ],
)
async def test_yes_with_the_minutes_and_the_report(talk: Talk, asked: str) -> None:
    assert await talk.say(asked) == "> ✅ Да, 15 мин (19:24–19:39)\nИван · Краснодар, RU\nОтчёт: Вебинар, 20.11.2026 19:00"


async def test_no_is_another_answer_and_names_the_report(talk: Talk) -> None:
    assert await talk.say("/visited +79990000002") == "> ❌ Нет\nОтчёт: Вебинар, 20.11.2026 19:00"


async def test_no_report_is_never_no(talk: Talk, desk: Desk) -> None:
    assert "❔ Отчёта нет" in await talk.say("/visited +79990000001 21.11.2026 19:00")
    due = NOON + timedelta(hours=9)
    waits = {"kind": "webinar", "state": "ready", "waiting_for": "report", "due_at": due, "finished_at": None}
    await seed_work(desk.database, "bizon365:111:room*2026-11-21T19:00:00", **waits)
    answer = await talk.say("/visited 111:room +79990000001 21.11.2026 19:00")
    assert "⏳ Отчёт ещё не сформирован, проверю 21.11 00:00." in answer


async def test_the_last_report_of_the_room_is_taken_and_an_old_one_is_warned_of(talk: Talk, desk: Desk, clock: Any) -> None:
    later = another(days=7)
    await Hall(desk.database).hold([viewer("+79990000002")], later)
    clock.forward(7 * 86400)
    assert "❌ Нет\nОтчёт: Вебинар, 27.11.2026 19:00" in await talk.say("/visited +79990000001")
    assert "Отчёту больше недели" in await talk.say("/visited +79990000001 20.11.2026")


async def test_several_rooms_are_chosen_by_button(talk: Talk, desk: Desk) -> None:
    second = replace(REPORT, external_id="222:hall*2026-11-20T19:00:00", room_id=RoomId("222:hall"), title="Другой")
    await Hall(desk.database).hold([viewer("+79990000003")], second)
    for asked in ("/visited +79990000003 19:00", "/visited +79990000003"):
        assert "В какой комнате?" in await talk.say(asked)
    first, other = (row[0] for row in talk.keyboard())
    assert "❌ Нет" in await talk.press(first)
    assert "✅ Да, 20 мин" in await talk.press(other)
    assert desk.texts.get("visited.expired") in await talk.press("vroom:nothing:0")


async def test_a_report_without_phones_says_so(talk: Talk, desk: Desk) -> None:
    await Hall(desk.database).hold([viewer("", "a@b.ru")], another(days=1))
    assert "ни у кого нет телефона" in await talk.say("/visited +79990000001 21.11.2026")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("/visited", "Кого проверить?"),
        ("/visited 20.11.2026", "Кого проверить?"),
        ("/visited +7999000000 20.11.2026", "телефон: «+7999000000» не похоже на номер"),
        ("/visited +79990000001 31.02.2026", "такого дня нет"),
        ("/visited +79990000001 01.01.0001 00:00", "такого года не бывает"),
        ("/visited 111:page +79990000001", "код страницы записи"),
        ("/visited 111:nowhere +79990000001", "комнаты «111:nowhere» нет"),
    ],
)
async def test_what_is_typed_wrongly_is_named(talk: Talk, asked: str, words: str) -> None:
    assert words in await talk.say(asked)


async def test_a_link_of_somebodys_own(talk: Talk, desk: Desk) -> None:
    await Hall(desk.database).save(lead("+79990000001", "ivan@p.ru", name="Иван & Ко"))
    answer = await talk.say(f"/link {ROOM} +7 999 000-00-01")
    async with desk.database.read() as connection:
        kept = (await connection.execute(select(links))).one()
        known = await connection.scalar(select(identities.c.person_id).where(identities.c.value == kept.code))
    filled = f"{ROOM}?svodka={kept.code}&phone=79990000001&email=ivan@p.ru&username="
    assert kept.url == f"{ROOM}?svodka={kept.code}"  # anybody may follow it: nobody's phone is in it
    assert (kept.person_id, kept.created_by) == (known, MANAGER.telegram_id)
    assert filled in answer
    assert f"https://svodka.example/r/{kept.code}" in answer
    copies = [row[0] for row in talk.keyboard()]
    assert copies[0].startswith(filled)
    assert copies[1:] == [
        f"{ROOM}?svodka={kept.code}",
        f"https://svodka.example/r/{kept.code}",
    ]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("/link", "Пришлите общую ссылку комнаты"),
        (f"/link {ROOM}", "Чья ссылка?"),
        (f"/link {ROOM} +7999", "Чья ссылка?"),
        (f"/link {ROOM} a@b", "почта: «a@b» не похоже на адрес"),
        (f"/link {ROOM}?ssid=1 a@b.ru", "В ссылке уже есть параметры"),
        (f"/link {ROOM} a@b.ru", "Этого человека в базе нет"),
    ],
)
async def test_what_a_link_cannot_be_made_of(talk: Talk, asked: str, words: str) -> None:
    assert words in await talk.say(asked)


@pytest.mark.parametrize(
    ("entry", "words", "made"),
    [
        (Entry.INDIVIDUAL, "не общая ссылка комнаты, а индивидуальная", 0),
        (Entry.FOREIGN, "start.example — не адрес комнаты", 0),
        (Entry.OWN_DOMAIN, "start.example — не адрес платформы: ссылка сработает, только если это ваш домен", 1),
    ],
)
async def test_an_address_that_is_no_common_one_is_named(desk: Desk, entry: Entry, words: str, made: int) -> None:
    await seed_accounts(desk.database)
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(
        vendor="bizon365", catalogue=catalogue, ask=Asked(), yardstick=Yardstick(), entry_of=lambda _: entry
    )
    talk = Talk(replace(desk, webinars=webinars), MANAGER)
    assert words in await talk.say(f"/link {ROOM} a@b.ru")
    async with desk.database.read() as connection:
        assert len((await connection.execute(select(links))).all()) == made


async def test_without_a_platform_there_are_no_links(manager: Talk, desk: Desk) -> None:
    assert desk.texts.get("webinars.not_connected") in await manager.say(f"/link {ROOM} a@b.ru")


async def test_a_time_without_a_day_is_not_ignored_in_silence(talk: Talk, desk: Desk) -> None:
    assert desk.texts.get("visited.time_alone") in await talk.say("/visited +79990000001 19:00")
    assert desk.texts.get("visited.time_alone") not in await talk.say("/visited +79990000001 20.11.2026 19:00")


async def test_a_stranger_gets_no_short_link(talk: Talk) -> None:
    answer = await talk.say(f"/link {ROOM} a@b.ru")
    assert "email=a@b.ru" in answer
    assert "/r/" not in answer
