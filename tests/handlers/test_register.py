"""Registering somebody from the chat: the dialogue, the one line, and everything that is typed wrongly."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import insert, select

from domain.attendance import Yardstick
from domain.events import RegistrationAsked
from domain.messages import Destination, Message, Section, as_text, plain
from domain.ports import Tx
from domain.webinars import Marks, PageId, RegistrationPage, Room, RoomId, WebinarReport
from handlers.desk import Desk
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import Asking, WebinarDesk
from handlers.webinars.notes import answer_key
from storage.codec import loads
from storage.models import identities, leads, posts
from storage.models.leads import people
from storage.posts import StoredChat
from tests.ground import HandClock
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.seed import NOON, seed_accounts

SESSION = datetime(2026, 11, 27, 9, tzinfo=UTC)
PAGES = (
    RegistrationPage(page_id=PageId("111:page"), title="Открытый урок", sessions=(NOON - timedelta(days=1), SESSION)),
    RegistrationPage(page_id=PageId("111:other"), title="Без сеансов"),
    RegistrationPage(page_id=PageId("111:off"), title="Выключена", enabled=False),
)


class Platform:
    """What there is to choose from; ``listed``: reports, newest first."""

    def __init__(self) -> None:
        self.listed: list[WebinarReport] = []

    async def pages(self) -> Sequence[RegistrationPage]:
        return PAGES

    async def rooms(self) -> Sequence[Room]:
        return (Room(room_id=RoomId("111:room"), title="Зал"),)

    async def reports(self, *, since: datetime | None, limit: int) -> Sequence[WebinarReport]:
        return self.listed[:limit]


class Asked:
    """Keeps what was asked for; ``outcome`` is what becomes of it."""

    def __init__(self) -> None:
        self.events: list[RegistrationAsked] = []
        self.outcome = Asking.STARTED

    async def __call__(self, account_id: int, event: RegistrationAsked) -> Asking:
        self.events.append(event)
        return self.outcome


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def talk(desk: Desk, asked: Asked) -> Talk:
    await seed_accounts(desk.database)
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=asked, yardstick=Yardstick())
    return Talk(replace(desk, webinars=webinars), MANAGER)


async def seed_lead(desk: Desk) -> None:
    async def job(connection: Any) -> None:
        await connection.execute(insert(people).values(id=1, account_id=1, name="", created_at=NOON))
        for kind, value in (("phone", "79991234567"), ("email", "ivan@p.ru")):
            row = {"account_id": 1, "kind": kind, "value": value, "person_id": 1, "source": "import", "since": NOON}
            await connection.execute(insert(identities).values(**row))
        lead = {"account_id": 1, "person_id": 1, "source": "import", "name": "Иван Петров", "created_at": NOON}
        await connection.execute(insert(leads).values(**lead, updated_at=NOON))

    await desk.database.write(job)


async def tell(desk: Desk, event: RegistrationAsked, words: str) -> None:
    message = Message(key=answer_key(event), sections=(Section(lines=(plain(words),)),))
    await desk.send(1, Destination(chat_id=event.chat_id), message)


async def answer_in_place(desk: Desk) -> tuple[str, int | None]:
    """The newest of the outbox, and the message that it takes the place of."""
    async with desk.database.read() as connection:
        newest = select(posts.c.content, posts.c.message_id).order_by(posts.c.id.desc()).limit(1)
        row = (await connection.execute(newest)).one()
    return as_text(loads(Message, row.content)), row.message_id


async def test_a_dialogue_from_the_page_to_the_press(talk: Talk, desk: Desk, asked: Asked) -> None:
    await seed_lead(desk)
    assert "На какую страницу записать?" in await talk.say("/register")
    assert talk.keyboard() == [["rpage:111:page"], ["rpage:111:other"], ["rno:0"]]
    assert "На когда?" in await talk.press("rpage:111:page")
    assert talk.keyboard() == [[f"rat:{int(SESSION.timestamp())}"], ["rno:0"]]
    assert "Кого записать?" in await talk.press(f"rat:{int(SESSION.timestamp())}")
    checked = await talk.say("8 999 123-45-67")
    assert "Проверьте\n• Иван Петров\n• ivan@p.ru\n• +7 999 123-45-67\n• Открытый урок\n• 27.11 12:00" in checked
    assert asked.events == []
    await talk.press("rgo:0")
    shown, place = await answer_in_place(desk)
    assert "⏳ Записываю" in shown
    (event,) = asked.events
    await tell(desk, event, "готово")  # what comes of it takes the same place
    assert await answer_in_place(desk) == ("готово", place)
    assert place is not None
    assert (event.request.page_id, event.request.at, event.request.email) == ("111:page", SESSION, "ivan@p.ru")
    assert (event.request.name, event.request.phone, event.request.confirm) == ("Иван Петров", "79991234567", False)
    assert (event.chat_id, event.title) == (MANAGER.telegram_id, "Открытый урок")
    assert desk.texts.get("register.ended") in await talk.press("rgo:0")
    assert len(asked.events) == 1


async def test_a_session_that_began_while_it_was_talked_over_is_refused(talk: Talk, asked: Asked, clock: HandClock) -> None:
    await talk.say("/register 0 111:page 27.11.2026 12:00 a@b.ru")
    clock.forward((SESSION - clock.now()).total_seconds())
    await talk.press("rgo:0")
    assert "уже начался или прошёл" in str(talk.session.calls)
    assert asked.events == []


async def test_without_an_email_it_is_asked_for_and_nothing_is_sent(talk: Talk, asked: Asked) -> None:
    await talk.say("/register")
    await talk.press("rpage:111:page")
    await talk.press(f"rat:{int(SESSION.timestamp())}")
    assert "Какая у него почта?" in await talk.say("Пётр Сидоров +7 999 765-43-21")
    assert "почта: «petr@sidorov» не похоже на адрес" in await talk.say("petr@sidorov")
    assert "• Пётр Сидоров\n• petr@sidorov.ru\n• +7 999 765-43-21" in await talk.say("Petr@Sidorov.ru")
    assert "✓ с подтверждением" not in str(talk.session.calls)
    await talk.press("rconf:1")
    assert "✓ с подтверждением" in str(talk.session.calls)
    await talk.press("rgo:0")
    assert asked.events[0].request.confirm


async def test_a_page_that_tells_no_sessions_takes_a_typed_one(talk: Talk, asked: Asked) -> None:
    await talk.say("/register")
    assert "На какой день и время?" in await talk.press("rpage:111:other")
    assert "31.02.2026 — такого дня нет" in await talk.say("31.02.2026 12:00")
    assert "25:00 — такого времени нет" in await talk.say("16.12.2026 25:00")
    assert "такого года не бывает" in await talk.say("01.01.0001 00:00")
    assert "такого года не бывает" in await talk.say("31.12.9999 23:59")
    assert "уже начался или прошёл" in await talk.say("16.09.2021 12:00")
    assert "время: «» не подходит" in await talk.say("16.12.2026")
    assert "Кого записать?" in await talk.say("16.12.2026 12:00")
    await talk.say("a@b.ru")
    await talk.press("rgo:0")
    assert asked.events[0].request.at == datetime(2026, 12, 16, 9, tzinfo=UTC)


async def test_a_contact_from_the_address_book(talk: Talk) -> None:
    await talk.say("/register")
    await talk.press("rpage:111:page")
    await talk.press(f"rat:{int(SESSION.timestamp())}")
    answer = await talk.send_contact("Пётр", "79997654321")
    assert "Какая у него почта?" in answer
    assert "Пётр" in answer
    assert "+7 999 765-43-21" in answer


async def test_a_contact_sent_later_is_another_person(talk: Talk, desk: Desk) -> None:
    await seed_lead(desk)
    await talk.say("/register")
    await talk.press("rpage:111:page")
    await talk.press(f"rat:{int(SESSION.timestamp())}")
    assert "Какая у него почта?" in await talk.say("Пётр +7 999 765-43-21")
    answer = await talk.send_contact("Иван", "79991234567")
    assert "Проверьте" in answer
    assert "ivan@p.ru" in answer
    assert "Пётр" not in answer
    assert "Какая у него почта?" in await talk.send_contact("Пётр", "79997654321")


async def test_one_line_is_checked_and_then_pressed(talk: Talk, asked: Asked) -> None:
    line = "/register 1 111:page 16.12.2026 12:00 a@b.ru 79991234567 source=google campaign=333"
    assert "метки: source=google, campaign=333" in await talk.say(line)
    await talk.press("rgo:0")
    request = asked.events[0].request
    assert (request.confirm, request.phone, request.marks) == (True, "79991234567", Marks(source="google", campaign="333"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/register 0 111:page 01.01.0001 00:00 a@b.ru", "такого года не бывает"),
        ("/register 0 111:page 16.09.2021 12:00 a@b.ru", "уже начался или прошёл"),
        ("/register 0 111:room 16.12.2026 12:00 a@b.ru", "код комнаты, а записывают на страницу"),
        ("/register 0 111:nowhere 16.12.2026 12:00 a@b.ru", "страницы «111:nowhere» нет"),
        ("/register 0 111:page", "Не хватает: дата, время, почта"),
        ("/register 0 111:page 16.12.2026 12:00 a@b.ru 7999123456", "цифр 10, а в российском их 11"),
    ],
)
async def test_a_bad_line_is_explained_and_shown_an_example(talk: Talk, asked: Asked, line: str, words: str) -> None:
    answer = await talk.say(line)
    assert words in answer
    assert "Порядок такой" in answer
    assert asked.events == []


async def test_a_second_asking_of_what_is_done_says_so(talk: Talk, desk: Desk, asked: Asked) -> None:
    asked.outcome = Asking.DONE
    await talk.say("/register 0 111:page 16.12.2026 12:00 a@b.ru")
    await talk.press("rgo:0")
    shown, place = await answer_in_place(desk)
    assert desk.texts.get("register.done_before") in shown
    assert place is not None


async def test_what_another_chat_asked_for_is_told_where_it_was_pressed(talk: Talk, desk: Desk, asked: Asked) -> None:
    asked.outcome = Asking.RUNNING
    await talk.say("/register 0 111:page 16.12.2026 12:00 a@b.ru", chat=GROUP)
    await talk.press("rgo:0", chat=GROUP)
    key = answer_key(asked.events[0])
    async with desk.database.read() as connection:
        rows = (await connection.execute(select(posts).where(posts.c.key == key).order_by(posts.c.chat_id))).all()
    assert [row.chat_id for row in rows] == [GROUP, MANAGER.telegram_id]
    group, own = (as_text(loads(Message, row.content)) for row in rows)
    assert "⏳ Записываю" in group
    assert "⏳ Записываю" in own
    assert ("a@b.ru" in group, "a@b.ru" in own) == (False, True)
    assert rows[0].message_id is not None  # that which was pressed
    assert len(asked.events) == 2  # again, now that they can be told: it may have been through before
    found = await desk.database.write(lambda tx: StoredChat(desk.clock).places_of(cast("Tx", tx), 1, key))
    assert {place.chat_id for place in found} == {GROUP, MANAGER.telegram_id}


async def test_a_dialogue_can_be_left_and_commands_still_work(talk: Talk, desk: Desk) -> None:
    await talk.say("/register")
    assert "Звонки" in await talk.say("/calls")
    await talk.press("rpage:111:page")
    assert desk.texts.get("register.cancelled") in await talk.press("rno:0")
    assert desk.texts.get("register.ended") in await talk.press(f"rat:{int(SESSION.timestamp())}")
    assert desk.texts.get("register.page_gone") in await talk.press("rpage:111:gone")


async def test_in_a_group_the_dialogue_is_refused_and_the_line_is_not(talk: Talk, desk: Desk) -> None:
    assert desk.texts.get("register.in_private") in await talk.say("/register", chat=GROUP)
    assert "Проверьте" in await talk.say("/register 0 111:page 16.12.2026 12:00 a@b.ru", chat=GROUP)
    assert "⏳ Записываю" in await talk.press("rgo:0", chat=GROUP)


async def test_without_a_platform_it_says_what_is_missing(manager: Talk, desk: Desk) -> None:
    assert desk.texts.get("webinars.not_connected") in await manager.say("/register")


async def test_a_page_with_a_long_id_is_chosen_like_any_other(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    long = RegistrationPage(page_id=PageId("111:" + "otkrytyj-urok-" * 8), title="Длинная", sessions=(SESSION,))
    monkeypatch.setattr("tests.handlers.test_register.PAGES", (*PAGES, long))
    assert "На какую страницу записать?" in await talk.say("/register")
    (button,) = talk.keyboard()[2]
    assert "На когда?\nДлинная" in await talk.press(button)
