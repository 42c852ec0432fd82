"""/client: one person with everything that happened to them, in order, and who says that it is two."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.calls import Task
from domain.leads import Lead
from domain.messages import Destination
from domain.webinars import Marks
from handlers.clients.screens import client_screen
from handlers.desk import Desk
from storage.leads import LeadStore
from storage.models import leads, person_joins
from storage.queries.client import read_client
from tests.handlers.chat import Talk
from tests.handlers.conftest import Golden, look
from tests.handlers.seed import NOON, call_row, seed_calls, summary
from tests.storage.hall import Hall, lead, viewer

GROUP = -1001


def form(number: str, **values: object) -> Lead:
    at = NOON - timedelta(days=9)
    told = {"source": "tilda", "external_id": number, "created_at": at, "updated_at": at, "form": "Запись на показ"}
    return Lead(**(told | values))  # type: ignore[arg-type]


@pytest.fixture
async def known(desk: Desk) -> Desk:
    """A form, the same person in the CRM with another spelling of the phone, a webinar, a call with a promise."""
    first = Marks(source="vk", medium="cpc", campaign="осень")
    await LeadStore(desk.database).save(
        1,
        [
            form("1:1", name="Ирина Белова", phone="+7 (999) 123-45-67", email="irina@example.ru", first=first),
            form(
                "77", source="amocrm", contact_id="5", phone="8 999 123 45 67", status="Договор", manager="Пётр",
                created_at=NOON - timedelta(days=8), updated_at=NOON - timedelta(days=1), form="",
                url="https://demo.amocrm.ru/leads/detail/77", first=Marks(source="yandex"),
            ),
        ],
    )  # fmt: skip
    hall = Hall(desk.database)
    await hall.hold([viewer("9991234567", minutes=(0, 42), name="Ирина")])
    promise = Task(what="прислать договор", when_text="завтра")
    await seed_calls(desk.database, (call_row(3, summary=_with(promise), crm_url=""),))
    return desk


def _with(task: Task) -> object:
    return replace(summary(), tasks=(task,))


async def test_the_card_tells_the_story_in_order(known: Desk, owner: Talk, golden: Golden) -> None:
    client = await read_client(known.database, 1, 1)
    assert client is not None
    golden("client", look(client_screen(known.reader(1, private=True), client)))
    golden("client_in_group", look(client_screen(known.reader(1, private=False), client)))


@pytest.mark.parametrize("words", ["+7 999 123-45-67", "89991234567", "irina@example.ru", "Irina@Example.ru", "белова"])
async def test_they_are_found_by_phone_email_and_name(known: Desk, owner: Talk, words: str) -> None:
    shown = await owner.say(f"/client {words}")
    assert "Ирина Белова" in shown
    assert "обещали: прислать договор — завтра" in shown


async def test_in_a_group_phones_are_shortened_and_emails_left_out(known: Desk, owner: Talk) -> None:
    await known.destinations.bind(1, Destination(chat_id=GROUP), title="", kinds=("call",))
    shown = await owner.say("/client 89991234567", chat=GROUP)
    assert "+7 999 ···-··-67" in shown
    assert "irina@" not in shown
    assert "123-45" not in shown


async def test_nobody_and_nothing_said_are_told(known: Desk, owner: Talk) -> None:
    assert "Такого человека нет" in await owner.say("/client +7 911 000-11-22")
    assert "Напишите телефон" in await owner.say("/client")
    assert "Такого человека нет" in await owner.say("/client Несуществующий")


async def test_a_wrong_join_is_taken_back_and_made_again_in_one_press(known: Desk, owner: Talk) -> None:
    store = LeadStore(known.database)
    await store.save(1, [lead(email="office@example.ru", number="e"), lead("89160001122", number="p")])
    await store.save(1, [lead("89160001122", "office@example.ru", number="both")])
    assert "соединены" in await owner.press("cties:3")
    (pair,) = await _pairs(known)
    assert "Разведены" in await owner.press(f"cpart:{pair}")
    assert [f"cjoin:{pair}"] in owner.keyboard()
    assert len(await _whose(known)) == 2
    assert "Уже сделано" in await owner.press(f"cpart:{pair}")
    await owner.press(f"cjoin:{pair}")
    assert len(await _whose(known)) == 1


async def test_a_key_is_split_off_and_brought_back(known: Desk, owner: Talk) -> None:
    await owner.press("cties:1")
    split = next(row[0] for row in owner.keyboard() if row[0].startswith("csplit") and row[0] != "csplit:1:1")
    assert "Разведены" in await owner.press(split)
    (pair,) = await _pairs(known)
    assert "один человек" in await owner.press(f"cjoin:{pair}")


async def test_without_a_platform_and_without_an_email_it_says_so(known: Desk, owner: Talk) -> None:
    assert "не подключ" in await owner.press("creg:1")
    assert "больше нет" in await owner.press("creg:999")
    assert "больше нет" in await owner.press("cl:999:0")


async def _pairs(desk: Desk) -> list[int]:
    async with desk.database.read() as connection:
        return list(await connection.scalars(select(person_joins.c.id)))


async def _whose(desk: Desk) -> set[int]:
    async with desk.database.read() as connection:
        found = select(leads.c.person_id).where(leads.c.external_id.in_(("e", "p", "both")))
        return set(await connection.scalars(found))


async def test_a_long_story_has_pages(known: Desk, owner: Talk) -> None:
    await seed_calls(known.database, tuple(call_row(number + 10) for number in range(12)))
    await owner.say("/client 89991234567")
    assert ["cl:1:10"] in owner.keyboard()
    shown = await owner.press("cl:1:10")
    assert "заявка, сайт" in shown
    assert ["cl:1:0"] in owner.keyboard()


@pytest.mark.parametrize("words", ["+7 999 123-45-67", "irina@example.ru", "клиент белова"])
async def test_inline_gives_the_card_as_guests_may_read_it(known: Desk, owner: Talk, words: str) -> None:
    (found,) = (await owner.inline(words)).results
    shown = found.model_dump()
    assert shown["title"] == "Ирина Белова"
    text = shown["input_message_content"]["message_text"]
    assert "+7 999 ···-··-67" in text
    assert not any(hidden in text for hidden in ("123-45", "irina@"))


async def test_inline_words_that_name_nobody_are_left_to_calls(known: Desk, owner: Talk) -> None:
    assert [one.model_dump()["id"][:4] for one in (await owner.inline("белова")).results] == []
    assert (await owner.inline("клиент небылица")).results == []
    await seed_calls(known.database, (call_row(20, client_phone="79160004567"),))
    assert [one.model_dump()["id"][:4] for one in (await owner.inline("+79160004567")).results] == ["call"]
