"""Looking into webinars from the chat: the list, whom to call, taking them, and registering a no-show by three taps."""

import csv
import io
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from domain.attendance import Yardstick
from domain.messages import Message, as_text
from handlers.desk import Desk
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import Asking, WebinarDesk
from storage.codec import loads
from storage.models import posts, registrations, webinar_attendees
from storage.queries import attendees
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.conftest import Golden, Stage
from tests.handlers.seed import seed_accounts, seed_work
from tests.handlers.test_register import SESSION, Asked, Platform
from tests.storage.hall import Hall, another, lead, viewer
from tests.storage.test_audience import VIEWERS, register

pytestmark = pytest.mark.usefixtures("held")


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def held(desk: Desk) -> int:
    """A webinar with four viewers and one who registered and did not come."""
    await seed_accounts(desk.database)
    hall = Hall(desk.database)
    await hall.save(lead("+79990000001", manager="Ирина"))
    await register(desk.database, "Не пришла", "+79990000009", "no@p.ru")
    return await hall.hold(VIEWERS)


@pytest.fixture
async def talk(desk: Desk, asked: Asked) -> Talk:
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=asked, yardstick=Yardstick())
    return Talk(replace(desk, webinars=webinars), MANAGER)


async def wanted(desk: Desk) -> Message:
    """The newest of the outbox."""
    async with desk.database.read() as connection:
        content = await connection.scalar(select(posts.c.content).order_by(posts.c.id.desc()).limit(1))
    return loads(Message, str(content))


async def one_id(desk: Desk, table: Any, *where: Any) -> int:
    async with desk.database.read() as connection:
        return int(await connection.scalar(select(table.c.id).where(*where)) or 0)


async def test_the_list_and_one_webinar(talk: Talk, desk: Desk, held: int) -> None:
    for command in ("/webinars", "/вебинары"):
        assert "🎓 Вебинары\n\n1. сегодня 19:00 · Вебинар\n4 зрителя" in await talk.say(command)
    assert talk.keyboard() == [[f"web:{held}"], ["vis:0", "regs:0"]]
    page = await talk.press(f"web:{held}")
    assert "Пришли: 4" in page
    assert "🔥 Горячие: 2" in page
    assert "💤 Не пришли: 1" in page
    assert talk.keyboard() == [[f"wlist:{held}", f"wfile:{held}"], [f"wagain:{held}", f"wmore:{held}"]]


async def test_older_webinars_are_on_the_next_page(talk: Talk, desk: Desk) -> None:
    for week in range(1, 7):
        await Hall(desk.database).hold(VIEWERS[:1], another(days=-7 * week))
    await talk.say("/webinars")
    assert talk.keyboard()[1] == ["webs:5"]
    assert "6. " in await talk.press("webs:5")
    assert talk.keyboard()[1] == ["webs:0"]


async def test_whom_to_call_reads_well(talk: Talk, held: int, golden: Golden) -> None:
    shown = [await talk.press(f"wlist:{held}")]
    hot = talk.keyboard()
    assert hot[1] == [f"wg:{held}:w:0", f"wg:{held}:n:0", f"wg:{held}:c:0", f"wg:{held}:u:0"]
    shown += [await talk.press(f"wg:{held}:{group}:0") for group in "wncu"]
    golden("guests", "\n\n".join(shown))


async def test_a_person_is_taken_once_and_given_back(talk: Talk, desk: Desk, held: int) -> None:
    id_ = await one_id(desk, webinar_attendees, webinar_attendees.c.username == "Тёплый")
    assert "Тёплый\n• +7 999 000-00-03\n• был 19:00–19:20\n• посмотрел 33 %" in await talk.press(f"wp:{held}:a{id_}")
    assert talk.keyboard()[:2] == [[f"wtake:{held}:a{id_}"], ["https://wa.me/79990000003", "https://t.me/+79990000003"]]
    assert desk.texts.get("guests.taken_toast") in await talk.press(f"wtake:{held}:a{id_}")
    assert talk.keyboard()[0] == [f"wback:{held}:a{id_}"]
    talk.person = replace(MANAGER, telegram_id=99, name="Пётр")
    assert "Уже взял Олег" in await talk.press(f"wtake:{held}:a{id_}")
    assert desk.texts.get("guests.not_yours") in await talk.press(f"wback:{held}:a{id_}")
    assert "✋ взял Олег" in await talk.press(f"wg:{held}:w:0")
    talk.person = MANAGER
    assert desk.texts.get("guests.given_back") in await talk.press(f"wback:{held}:a{id_}")


async def test_a_no_show_is_registered_again_by_three_taps(talk: Talk, desk: Desk, held: int, asked: Asked) -> None:
    id_ = await one_id(desk, registrations)
    assert "Выберите, кого записать на следующий сеанс" in await talk.press(f"wagain:{held}")
    assert talk.keyboard()[0] == [f"wra:{held}:r{id_}"]
    assert "Не пришла: на когда записать?" in await talk.press(f"wra:{held}:r{id_}")
    (choice,) = talk.keyboard()[0]
    assert choice == f"wreg:{held}:r{id_}:{int(SESSION.timestamp())}"
    await talk.press(choice)
    assert "⏳ Записываю" in as_text(await wanted(desk))
    request = asked.events[0].request
    assert (request.page_id, request.email, request.phone, request.at) == ("111:page", "no@p.ru", "79990000009", SESSION)
    asked.outcome = Asking.DONE
    await talk.press(choice)
    assert desk.texts.get("register.done_before") in as_text(await wanted(desk))
    assert desk.texts.get("register.page_gone") in await talk.press(f"wreg:{held}:r{id_}:1")


async def test_who_left_no_email_cannot_be_registered(talk: Talk, desk: Desk, held: int) -> None:
    id_ = await one_id(desk, webinar_attendees, webinar_attendees.c.username == "Тёплый")
    assert desk.texts.get("guests.no_email") in await talk.press(f"wra:{held}:a{id_}")


async def test_the_file_opens_in_excel_and_carries_nothing_out(talk: Talk, desk: Desk, held: int) -> None:
    await Hall(desk.database).hold([*VIEWERS, replace(VIEWERS[2], name="=cmd()", phone="+79990000077")])
    assert desk.texts.get("webinar.file_on_its_way") in await talk.press(f"wfile:{held}")
    (file,) = (await wanted(desk)).files
    assert file.name == "Зрители вебинара 20.11.2026.csv"
    table = (desk.data_dir / file.path).read_bytes()
    assert table.startswith(b"\xef\xbb\xbfwebinar_id;webinar_title;webinar_date;lead_id;phone_number")
    text = table.decode("utf-8-sig")
    assert "'=cmd()" in text
    rows = {row["username"]: row for row in csv.DictReader(io.StringIO(text), delimiter=";")}
    said = {name: tuple(row[column] for column in ("presence", "warmth", "matched_by")) for name, row in rows.items()}
    assert said["Горячий"] == ("досмотрел", "горячий", "по телефону")
    assert said["Заглянул"] == ("только заглянул", "заглянул", "не найден")
    assert len(table.decode().strip().splitlines()) == 6


async def test_how_it_was_counted_and_again(talk: Talk, desk: Desk, held: int, stage: Stage) -> None:
    assert "Как посчитано" in await talk.press(f"wmore:{held}")
    assert talk.keyboard() == [[f"seg:{held}", f"wsum:{held}"]]
    work_id = await seed_work(desk.database, "bizon365:111:room*2026-11-20T19:00:00", kind="webinar")
    await talk.press(f"wmore:{held}")
    assert talk.keyboard() == [[f"seg:{held}", f"wsum:{held}"], [f"wredo:{work_id}"]]
    assert desk.texts.get("webinar.redone") in await talk.press(f"wredo:{work_id}")
    assert stage.replayed == [work_id]


@pytest.mark.parametrize("data", ["web:999", "wlist:x", "wp:999:a1", "wredo:999", "wg:999:h:0"])
async def test_buttons_of_what_is_gone_say_so(talk: Talk, desk: Desk, data: str) -> None:
    assert desk.texts.get("guests.webinar_gone") in await talk.press(data)


async def test_somebody_who_is_no_longer_in_the_report(talk: Talk, desk: Desk, held: int) -> None:
    assert desk.texts.get("guests.gone") in await talk.press(f"wp:{held}:a999")


async def test_in_a_group_phones_are_shortened(talk: Talk, held: int) -> None:
    assert "+7 999 ···-··-01" in await talk.press(f"wlist:{held}", chat=GROUP)


async def test_a_group_sees_no_way_to_reach_a_person(talk: Talk, desk: Desk, held: int) -> None:
    id_ = await one_id(desk, webinar_attendees, webinar_attendees.c.username == "Горячий")
    for button in (f"wp:{held}:a{id_}", f"wra:{held}:a{id_}"):
        shown = await talk.press(button, chat=GROUP)
        assert "+7 999 ···-··-01" in shown
        assert "hot@p.ru" not in shown
        assert "79990000001" not in str(talk.keyboard())
    assert "hot@p.ru" in await talk.press(f"wp:{held}:a{id_}")
    assert "https://wa.me/79990000001" in str(talk.keyboard())


async def test_who_has_no_name_has_no_email_in_a_group_either(talk: Talk, desk: Desk, held: int) -> None:
    other = await Hall(desk.database).hold([viewer(email="mail@p.ru", minutes=(0, 58))], another(days=1))
    assert "mail@p.ru" not in await talk.press(f"wlist:{other}", chat=GROUP)
    assert "mail@p.ru" in await talk.press(f"wlist:{other}")


async def test_the_file_asked_for_in_a_group_comes_in_private(talk: Talk, desk: Desk, held: int) -> None:
    assert desk.texts.get("webinar.file_in_private") in await talk.press(f"wfile:{held}", chat=GROUP)
    async with desk.database.read() as connection:
        assert list(await connection.scalars(select(posts.c.chat_id))) == [MANAGER.telegram_id]


async def test_a_large_file_is_made_off_the_event_loop(
    talk: Talk, desk: Desk, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def line(row: Any) -> Any:
        threads.append(threading.get_ident())
        return whole(row)

    whole = attendees._line
    monkeypatch.setattr(attendees, "_line", line)
    monkeypatch.setattr(attendees, "SLICE", 3)
    await talk.press(f"wfile:{held}")
    assert len(threads) == len(VIEWERS)
    assert threading.get_ident() not in threads


async def test_who_cannot_be_reached_is_told(talk: Talk, desk: Desk) -> None:
    session = await Hall(desk.database).hold([viewer("", name="Гость")], another(days=-3))
    assert "ни телефона, ни почты" in await talk.press(f"wg:{session}:w:0")
