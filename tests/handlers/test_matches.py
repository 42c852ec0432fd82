"""Who a viewer is, decided from the chat: and the card, the lists and the conversions follow, there and back again."""

from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy import select

from domain.attendance import Yardstick
from domain.messages import Destination, Message, as_text
from domain.ports import Tx
from handlers.desk import Desk
from handlers.webinars.answers import webinar_view
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import WebinarDesk
from handlers.webinars.messages import webinar_card
from handlers.webinars.run import card_key
from storage.codec import loads
from storage.models import leads, posts, webinar_attendees
from storage.posts import StoredChat
from storage.queries.webinars import webinar_line
from tests.handlers.chat import GROUP, MANAGER, Talk
from tests.handlers.seed import seed_accounts
from tests.handlers.test_register import Asked, Platform
from tests.storage.hall import REPORT, Hall, another, lead, viewer

IVAN = "+79990000001"
VIEWERS = [
    viewer(IVAN, "ivan@p.ru", name="Иван", minutes=(0, 40)),
    viewer("+79990000002", name="Новый", minutes=(0, 30)),
    viewer(name="Гость", raw='{"n": 1}'),
    viewer(raw='{"n": 2}'),
]


@pytest.fixture
async def hall(desk: Desk) -> Hall:
    await seed_accounts(desk.database)
    hall = Hall(desk.database)
    await hall.save(lead(IVAN, name="Иван Петров"), lead("", "petr@p.ru", name="Пётр Ильич", number="2"))
    return hall


@pytest.fixture
async def held(desk: Desk, hall: Hall) -> int:
    """A webinar whose card is in a chat."""
    held = await hall.hold(VIEWERS)
    webinar = await webinar_line(desk.database, 1, held)
    assert webinar is not None
    card = webinar_card(await webinar_view(desk, 1, webinar), desk.texts, key=card_key("bizon365", REPORT.external_id))
    await desk.destinations.bind(1, Destination(chat_id=-100))
    await desk.database.write(lambda connection: StoredChat(desk.clock).post(cast("Tx", connection), 1, card))
    return held


@pytest.fixture
async def talk(desk: Desk, held: int) -> Talk:
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=Asked(), yardstick=Yardstick())
    return Talk(replace(desk, webinars=webinars), MANAGER)


async def card(desk: Desk) -> str:
    """What the chat shows of the webinar."""
    async with desk.database.read() as connection:
        content = await connection.scalar(select(posts.c.content).where(posts.c.key.startswith("webinar:")))
    return as_text(loads(Message, str(content)))


async def id_of(desk: Desk, name: str, session: int) -> int:
    mine = (webinar_attendees.c.username == name) & (webinar_attendees.c.session_id == session)
    async with desk.database.read() as connection:
        return int(await connection.scalar(select(webinar_attendees.c.id).where(mine)) or 0)


async def made(hall: Hall) -> list[str]:
    return [one["name"] for one in await hall.rows(leads) if one["source"] == "bizon365"]


async def dashes(talk: Talk) -> str:
    """«дошли 1 из 2» of the conversions."""
    return next(line for line in (await talk.say("/conversions 01.11.2026-30.11.2026")).splitlines() if "дошли" in line)


async def test_another_person_and_back_again(talk: Talk, desk: Desk, hall: Hall, held: int) -> None:
    id_ = await id_of(desk, "Иван", held)
    assert "Иван Петров — по телефону" in await talk.press(f"vw:{id_}")
    assert [f"vpart:{id_}"] in talk.keyboard()
    assert "дошли 1 из 2" in await dashes(talk)
    shown = await talk.press(f"vpart:{id_}")
    assert "вы сказали, что это другой человек" in shown
    assert desk.texts.get("viewer.done.part") in shown
    assert talk.keyboard()[1:4] == [[f"vundo:{id_}"], [f"vtake:{id_}:phone"], [f"vlead:{id_}", f"vjoin:{id_}"]]
    assert "Не найдены: 4" in await card(desk)
    assert "дошли 0 из 2" in await dashes(talk)
    await hall.hold(VIEWERS)
    assert "другой человек" in await talk.press(f"vpart:{id_}")  # pressed twice, and after the report came again
    assert "Иван Петров — по телефону" in await talk.press(f"vundo:{id_}")
    assert "Нашлись: 1" in await card(desk)
    assert "дошли 1 из 2" in await dashes(talk)


async def test_a_phone_is_taken_from_a_person_for_good_and_given_back(talk: Talk, desk: Desk, hall: Hall, held: int) -> None:
    other = await hall.hold(VIEWERS[:1], another(days=7))
    id_ = await id_of(desk, "Иван", held)
    await talk.press(f"vpart:{id_}")
    shown = await talk.press(f"vtake:{id_}:phone")
    assert "телефон раньше считали его: Иван Петров" in shown
    (give,) = [row[0] for row in talk.keyboard() if row[0].startswith("vgive:")]
    assert "телефон раньше считали его" in await talk.press(f"vw:{await id_of(desk, 'Иван', other)}")
    assert desk.texts.get("viewer.done.give") in await talk.press(give)
    assert "Иван Петров — по телефону" in await talk.press(f"vw:{await id_of(desk, 'Иван', other)}")
    assert "Вернуть нельзя" in await talk.press(give)
    assert "уже убрана" in await talk.press(f"vtake:{id_}:email")


@pytest.mark.parametrize("answer", ["petr@p.ru", "Пётр", "петр ильич"])
async def test_a_viewer_is_joined_to_a_lead_by_hand(talk: Talk, desk: Desk, hall: Hall, held: int, answer: str) -> None:
    id_ = await id_of(desk, "Новый", held)
    assert "Пришлите телефон, почту или имя лида" in await talk.press(f"vjoin:{id_}")
    assert desk.texts.get("viewer.join_none") in await talk.say("Никто Никакой")
    assert "Чей это зритель?" in await talk.say(answer)
    (choice,) = talk.keyboard()[0]
    assert "Пётр Ильич — указан вручную" in await talk.press(choice)
    assert "Нашлись: 2" in await card(desk)
    await hall.hold(VIEWERS)
    await hall.hold(VIEWERS[1:2], another(days=7))
    assert "Пётр Ильич — указан вручную" in await talk.press(f"vw:{id_}")
    await talk.press(f"vpart:{id_}")
    assert [choice] in talk.keyboard()  # the way back is to whom it was
    assert "Пётр Ильич — указан вручную" in await talk.press(choice)


async def test_a_contact_answers_too_and_a_press_leaves_it(talk: Talk, desk: Desk, held: int) -> None:
    id_ = await id_of(desk, "Новый", held)
    await talk.press(f"vjoin:{id_}")
    assert "Чей это зритель?" in await talk.send_contact("Иван", "79990000001")
    assert talk.keyboard()[-1] == [f"vno:{id_}"]
    assert desk.texts.get("viewer.join_left") in await talk.press(f"vno:{id_}")
    assert "Чей это зритель?" not in await talk.say("Пётр")
    assert desk.texts.get("viewer.join_in_private") in await talk.press(f"vjoin:{id_}", chat=GROUP)
    assert "больше нет" in await talk.press(f"vto:{id_}:999")


async def test_a_lead_is_made_from_the_page_once(talk: Talk, desk: Desk, hall: Hall, held: int) -> None:
    id_ = await id_of(desk, "Гость", held)
    assert desk.texts.get("viewer.done.lead") in await talk.press(f"vlead:{id_}")
    assert desk.texts.get("viewer.done.lead_before") in await talk.press(f"vlead:{id_}")
    assert await made(hall) == ["Гость"]
    assert "Нашлись: 2" in await card(desk)
    nobody = await id_of(desk, "", held)
    assert desk.texts.get("viewer.nothing_to_lead") in await talk.press(f"vlead:{nobody}")


async def test_leads_are_made_from_the_list_of_those_not_found(talk: Talk, desk: Desk, hall: Hall, held: int) -> None:
    ids = {name: await id_of(desk, name, held) for name in ("Новый", "Гость", "")}
    assert "❔ Не найдены в базе" in await talk.press(f"wg:{held}:u:0")
    assert talk.keyboard()[1][0] == f"wone:{held}:{ids['Новый']}:0"
    assert talk.keyboard()[2] == [f"wall:{held}"]
    shown = await talk.press(f"wone:{held}:{ids['Новый']}:0")
    assert "Новый" not in shown
    assert "Не найдены: 2" in await card(desk)
    assert desk.texts.get("viewer.done.lead_before") in await talk.press(f"wone:{held}:{ids['Новый']}:0")
    assert desk.texts.get("viewer.nothing_to_lead") in await talk.press(f"wone:{held}:{ids['']}:0")
    assert desk.texts.get("guests.gone") in await talk.press(f"wone:{held}:999:0")
    assert desk.texts.get("guests.webinar_gone") in await talk.press("wone:999:1:0")
    assert await made(hall) == ["Новый"]


async def test_leads_for_all_of_the_list_after_a_question(talk: Talk, desk: Desk, hall: Hall, held: int) -> None:
    asked = await talk.press(f"wall:{held}")
    assert "Создать 1 лид? Ещё 2 не оставили ни телефона, ни почты: их пропущу." in asked
    assert talk.keyboard() == [[f"wallgo:{held}"], [f"wg:{held}:u:0"]]
    assert "Готово. Теперь в базе ещё 1 зритель." in await talk.press(f"wallgo:{held}")
    assert desk.texts.get("unknown.done_before") in await talk.press(f"wallgo:{held}")
    assert desk.texts.get("unknown.nobody") in await talk.press(f"wall:{held}")
    assert await made(hall) == ["Новый"]
    assert "Нашлись: 2" in await card(desk)
    for button in ("wall:999", "wallgo:x"):
        assert desk.texts.get("guests.webinar_gone") in await talk.press(button)


async def test_an_email_that_names_another_can_be_followed(talk: Talk, desk: Desk, hall: Hall, held: int) -> None:
    other = await hall.hold([viewer(IVAN, "petr@p.ru", name="Спорный")], another(days=7))
    id_ = await id_of(desk, "Спорный", other)
    assert "по почте это другой человек: Пётр Ильич" in await talk.press(f"vw:{id_}")
    (target,) = [row[0] for row in talk.keyboard() if row[0].startswith("vto:")]
    assert "Пётр Ильич — указан вручную" in await talk.press(target)


async def test_the_list_leads_to_the_page_below_it(talk: Talk, desk: Desk, held: int) -> None:
    id_ = await id_of(desk, "Новый", held)
    await talk.press(f"wp:{held}:a{id_}")
    assert f"vwb:{id_}" in [button for row in talk.keyboard() for button in row]
