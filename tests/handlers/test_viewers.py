"""One viewer from the chat: their page, every key of the platform's record, all their visits, and who may see what."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from domain.people import email_key
from handlers.desk import Desk
from handlers.webinars import records
from storage.models import webinar_attendees
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import Golden
from tests.handlers.seed import seed_accounts
from tests.storage.hall import Hall, another, lead, viewer

PHONE = "+7 999 000-00-01"
RECORD = {
    "playVideo": 1, "email": "Ivan@p.ru", "phone": PHONE, "username": "Иван Ёлкин",
    "url": "https://start.example/room/1/abc?ssid=5", "ip": "203.0.113.7", "mob": 0, "useragent": "Mozilla/5.0",
    "referer": "https://ads.example/", "cv": None, "cu1": "", "p1": "77", "p2": None, "p3": None, "roomid": "111:room",
    "chatUserId": "u77", "city": "Краснодар", "country": "RU", "region": "Краснодарский край", "tz": "GMT+3",
    "created": "2026-11-20T16:24:48.000Z", "webinarId": "111:room*2026-11-20T19:00:00", "view": 1795191887000,
    "viewTill": 1795192787000, "messages_num": 3, "mood": "весёлый", "back": "https://own.example/x",
    "vi": [{"s": 1, "e": 9}],
}  # fmt: skip


def ivan(**changes: Any) -> Any:
    values = {"raw": json.dumps(RECORD | changes, ensure_ascii=False), "name": "Иван Ёлкин", "city": "Краснодар"}
    return viewer(PHONE, email_key("Ivan@p.ru"), minutes=(24, 39), messages=3, country="RU", **values)


VIEWERS = [ivan(), viewer("+79990000002", name="иван второй"), viewer("+79990000003", name="Пётр 100%")]


@pytest.fixture
async def hall(desk: Desk) -> Hall:
    await seed_accounts(desk.database)
    hall = Hall(desk.database)
    await hall.save(lead(PHONE, name="Иван Петрович", manager="Ирина", status="В работе"))
    await hall.hold(VIEWERS)
    return hall


@pytest.fixture
async def talk(desk: Desk, hall: Hall) -> Talk:
    return Talk(desk, MANAGER)


async def id_of(desk: Desk, name: str) -> int:
    newest = (
        select(webinar_attendees.c.id).where(webinar_attendees.c.username == name).order_by(webinar_attendees.c.id.desc())
    )
    async with desk.database.read() as connection:
        return int(await connection.scalar(newest.limit(1)) or 0)


async def test_the_page_of_a_viewer_reads_well(talk: Talk, golden: Golden) -> None:
    golden("viewer", await talk.say(f"/зритель {PHONE}"))


@pytest.mark.parametrize(
    "asked", ["/viewer 8 999 000 00 01", "/зритель IVAN@p.ru", "/Зритель елкин", "зритель Ёлкин", "кто такой +79990000001?"]
)
async def test_a_viewer_is_found_by_phone_mail_and_name(talk: Talk, asked: str) -> None:
    assert "Иван Ёлкин\n• +7 999 000-00-01\n• ivan@p.ru\n• Краснодар, RU" in await talk.say(asked)


async def test_several_who_are_called_so_are_chosen_by_button(talk: Talk, desk: Desk) -> None:
    shown = await talk.say("/зритель Иван")
    assert "Кто из них?" in shown
    assert "иван второй, +7 999 000-00-02" in shown
    id_ = await id_of(desk, "иван второй")
    assert f"vw:{id_}" in talk.keyboard()[0]
    assert "иван второй" in await talk.press(f"vw:{id_}")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("/зритель", "Кого показать?"),
        ("/зритель +7999", "Такого зрителя нет"),
        ("/зритель Никто", "Такого зрителя нет"),
        ("/зритель 100%", "Пётр 100%"),
        ("/зритель a@b", "почта: «a@b» не похоже на адрес"),
        ("/зритель +79995550000", "Такого зрителя нет"),
    ],
)
async def test_what_is_not_found_or_typed_wrongly_is_said(talk: Talk, asked: str, words: str) -> None:
    assert words in await talk.say(asked)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("city", "Краснодар"),
        ("город", "Краснодар"),
        ("CITY", "Краснодар"),
        ("view", "20.11.2026 19:24:47"),
        ("viewTill", "20.11.2026 19:39:47"),
        ("created", "20.11.2026 19:24:48"),
        ("playVideo", "1"),
        ("mob", "0"),
        ("messages_num", "3"),
        ("webinarId", "111:room*2026-11-20T19:00:00"),
        ("cv", "пусто"),
        ("mood", "весёлый"),
        ("nothing_like_it", "Поля «nothing_like_it» в записи нет"),
        ("ip", "только администратор"),
        ("useragent", "только администратор"),
        ("referer", "только администратор"),
        ("url", "только администратор"),
        ("back", "только администратор"),
    ],
)
async def test_any_key_of_the_record_is_told_by_name(talk: Talk, key: str, value: str) -> None:
    assert value in await talk.say(f"/зритель {PHONE} {key}")


async def test_the_older_way_to_ask_for_a_key_works(talk: Talk) -> None:
    assert "\nКраснодар\n" in await talk.say(f"/зритель get(b365_viewer,'city') {PHONE}")


async def test_the_whole_record_is_there_each_key_once(talk: Talk, desk: Desk, golden: Golden) -> None:
    id_ = await id_of(desk, "Иван Ёлкин")
    for_manager = await talk.press(f"vraw:{id_}")
    talk.person = OWNER
    whole = await talk.press(f"vraw:{id_}")
    golden("viewer_record", f"{for_manager}\n\n{whole}")
    assert all(whole.count(f"({key})") + whole.count(f"{key}: ") + whole.count(f"{key},") >= 1 for key in records.KEYS[:9])
    assert "203.0.113.7" in whole
    assert "203.0.113.7" not in for_manager


async def test_a_group_sees_neither_phones_nor_mails_nor_the_record(talk: Talk, desk: Desk) -> None:
    id_ = await id_of(desk, "Иван Ёлкин")
    for shown in (
        await talk.say(f"/зритель {PHONE}", chat=GROUP),
        await talk.press(f"vw:{id_}", chat=GROUP),
        await talk.press(f"vraw:{id_}", chat=GROUP),
        await talk.press(f"vpast:{id_}:0", chat=GROUP),
        await talk.say("/зритель Иван", chat=GROUP),
    ):
        assert "ivan@p.ru" not in shown.lower()
        assert "000-00-01" not in shown
        assert "79990000001" not in str(talk.keyboard())
    assert "\nКраснодар\n" in await talk.say(f"/зритель {PHONE} city", chat=GROUP)
    assert "в личном чате" in await talk.say(f"/зритель {PHONE} email", chat=GROUP)


async def test_somebody_who_came_in_twice_has_both_records(talk: Talk, desk: Desk, hall: Hall) -> None:
    again = [ivan(), ivan(city="Сочи", view=1795193000000, viewTill=1795193600000)]
    await hall.hold([*again, *VIEWERS[1:]])
    assert "\nКраснодар\nСочи\n" in await talk.say(f"/зритель {PHONE} city")
    assert "город (city): Краснодар · Сочи" in await talk.press(f"vraw:{await id_of(desk, 'Иван Ёлкин')}")


async def test_somebody_who_came_under_two_keys_is_one_page_with_each_way_in(talk: Talk, desk: Desk, hall: Hall) -> None:
    await hall.save(lead(PHONE, "work@p.ru", number="2"))
    await hall.hold([*VIEWERS, viewer(email="work@p.ru", name="Ваня", minutes=(30, 54))], another(days=7))
    shown = await talk.say("/зритель work@p.ru")
    by_phone, by_email = await id_of(desk, "Иван Ёлкин"), await id_of(desk, "Ваня")
    assert "30 мин, 19:24–19:54" in shown
    assert "из них по почте: 24 мин, 19:30–19:54" in shown
    assert [f"vw:{by_email}"] in talk.keyboard()
    part = await talk.press(f"vw:{by_email}")
    assert "вместе с другими входами: 30 мин, 19:24–19:54" in part
    assert [f"vw:{by_phone}"] in talk.keyboard()
    assert "work@p.ru" not in await talk.press(f"vw:{by_phone}", chat=GROUP)
    await hall.hold([*VIEWERS, viewer(email="work@p.ru", name="Ваня", minutes=(30, 54))], another(days=7))
    assert "из них по почте" in await talk.press(f"vw:{by_phone}")


async def test_a_thousand_records_of_one_person_stay_readable(talk: Talk, desk: Desk, hall: Hall) -> None:
    await hall.hold([ivan(view=1795191887000 + n, p1=str(n)) for n in range(1000)])
    shown = await talk.press(f"vraw:{await id_of(desk, 'Иван Ёлкин')}")
    assert "p1: 0 · 1 · 2 · 3 · 4 · и ещё 45" in shown
    assert len(shown) < 4096


@pytest.mark.parametrize("raw", ["", "[]", "7", "{", '{"city": {"a": [1]}}', '{"view": 1e30, "created": "вчера"}'])
def test_a_record_of_any_shape_is_read(raw: str) -> None:
    record = records.read_record([raw])
    assert set(records.KEYS) <= set(record.values)


async def test_all_visits_of_one_person(talk: Talk, desk: Desk, hall: Hall) -> None:
    for week in range(1, 10):
        await hall.hold([ivan()], another(days=-7 * week))
    id_ = await id_of(desk, "Иван Ёлкин")
    await talk.press(f"vw:{id_}")
    assert [f"vraw:{id_}", f"vpast:{id_}:0"] in talk.keyboard()
    shown = await talk.press(f"vpast:{id_}:0")
    assert "🎓 Посещения: Иван Ёлкин\n10 посещений, всего 150 мин\n\n1. сегодня 19:00 · Вебинар\nбыл, 15 мин" in shown
    assert talk.keyboard()[-1] == [f"vpast:{id_}:8"]
    assert "10. 18.09 19:00 · Вебинар" in await talk.press(f"vpast:{id_}:8")
    assert talk.keyboard()[-1] == [f"vpast:{id_}:0"]


async def test_visits_of_somebody_nobody_knows_are_told_by_what_they_left(talk: Talk, desk: Desk, hall: Hall) -> None:
    await hall.hold([VIEWERS[1]], another(days=-7))
    assert "Все посещения" not in await talk.say("/зритель +79990000002")
    assert any(button.startswith("vpast:") for row in talk.keyboard() for button in row)
    mail = [viewer("", "m@p.ru", name="Почта")]
    await hall.hold(mail, another(days=-14))
    await hall.hold(mail, another(days=-21))
    await talk.say("/зритель m@p.ru")
    (target,) = [button for row in talk.keyboard() for button in row if button.startswith("vpast:")]
    assert "2 посещения" in await talk.press(target)


async def test_visited_leads_to_the_page_and_to_all_visits(talk: Talk, desk: Desk, hall: Hall, clock: Any) -> None:
    clock.forward(8 * 3600)
    await hall.hold([ivan()], another(days=-7))
    id_ = (await hall.attendees())[0]["id"]
    await talk.say(f"/visited {PHONE} 20.11.2026")
    assert talk.keyboard() == [[f"vwb:{id_}", f"vpb:{id_}:0"]]
    assert "> Иван Ёлкин" in await talk.press(f"vwb:{id_}")
    assert "> 🎓 Посещения" in await talk.press(f"vpb:{id_}:0")
    await talk.say("/visited +79990000003 13.11.2026")
    assert [button.split(":")[0] for button in talk.keyboard()[0]] == ["vpb"]
    await talk.say("/visited +79995550000 13.11.2026")
    assert talk.keyboard() == []


@pytest.mark.parametrize("data", ["vw:999", "vwb:x", "vraw:999", "vpast:999:0", "vpb:", "vpart:9", "vto:9:9", "vlead:9"])
async def test_buttons_of_a_viewer_who_is_gone_say_so(talk: Talk, desk: Desk, data: str) -> None:
    assert desk.texts.get("viewer.gone") in await talk.press(data)


async def test_another_account_sees_nobody(talk: Talk, desk: Desk) -> None:
    id_ = await id_of(desk, "Иван Ёлкин")
    talk.person = replace(OWNER, account_id=2)
    assert "Такого зрителя нет" in await talk.say(f"/зритель {PHONE}")
    assert "Такого зрителя нет" in await talk.say("/зритель Иван")
    assert desk.texts.get("viewer.gone") in await talk.press(f"vraw:{id_}")
