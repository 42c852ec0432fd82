"""The queue of one manager: mine, somebody's by name, those without one; and the way back keeps the choice."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from handlers.desk import Desk
from handlers.webinars.whose import code_of, own_name
from storage.engine import Database
from storage.models import webinar_attendees
from storage.queries.audience import Group, Whose, group_sizes, guests, managers_of
from tests.handlers.chat import MANAGER, Talk
from tests.handlers.seed import seed_accounts
from tests.storage.hall import Hall, lead, viewer
from tests.storage.test_audience import register

VIEWERS = [viewer(f"+7999000000{n}", name=f"Гость {n}", minutes=(0, 58)) for n in range(8)]


async def held(database: Database) -> int:
    """Eight hot ones: six of Олег's, one of Ирина's, one without a manager."""
    await seed_accounts(database)
    hall = Hall(database)
    await hall.save(*(lead(f"+7999000000{n}", manager="Олег Петров") for n in range(6)))
    await hall.save(lead("+79990000006", manager="Ирина"))
    await register(database, "Не пришла", "+79990000009", "no@p.ru")
    return await hall.hold(VIEWERS)


async def test_the_queue_of_one_and_of_who_took_somebody(database: Database) -> None:
    webinar = await held(database)
    assert await managers_of(database, 1, webinar) == (("Олег Петров", 6), ("", 2), ("Ирина", 1))
    assert await managers_of(database, 2, webinar) == ()
    theirs = Whose(manager="Ирина")
    assert [one.name for one in (await guests(database, 1, webinar, Group.HOT, limit=9, whose=theirs)).rows] == ["Гость 6"]
    assert (await group_sizes(database, 1, webinar, Whose(manager="")))[Group.NO_SHOW] == 1
    assert (await group_sizes(database, 1, webinar, Whose(taken_by=10)))[Group.HOT] == 0


@pytest.fixture
async def webinar(lite: Database) -> int:
    return await held(lite)


@pytest.fixture
async def talk(desk: Desk, webinar: int) -> Talk:
    return Talk(desk, MANAGER)


async def id_of(desk: Desk, name: str) -> int:
    async with desk.database.read() as connection:
        return int(await connection.scalar(select(webinar_attendees.c.id).where(webinar_attendees.c.username == name)) or 0)


async def test_mine_are_my_leads_and_whom_i_took(talk: Talk, desk: Desk, webinar: int) -> None:
    await talk.press(f"wlist:{webinar}")
    assert talk.keyboard()[-1] == [f"wg:{webinar}:h:0:m", f"wwho:{webinar}:h"]
    mine = await talk.press(f"wg:{webinar}:h:0:m")
    assert "Только: мои\nОбзвонили 0, взяли 0, всего 6." in mine
    assert "Ирина" not in mine
    await talk.press(f"wtake:{webinar}:a{await id_of(desk, 'Гость 6')}")
    assert "всего 7" in await talk.press(f"wg:{webinar}:h:0:m")
    assert talk.keyboard()[-1] == [f"wg:{webinar}:h:0", f"wwho:{webinar}:h"]
    assert "Только: мои" in await talk.say("кому мне звонить?")
    assert "Только" not in await talk.say("кому звонить")


async def test_a_manager_is_chosen_by_name(talk: Talk, webinar: int) -> None:
    assert "Чьих людей показать?" in await talk.press(f"wwho:{webinar}:h")
    buttons = talk.keyboard()
    assert buttons == [
        [f"wg:{webinar}:h:0", f"wg:{webinar}:h:0:m"],
        [f"wg:{webinar}:h:0:{code_of('Олег Петров')}"],
        [f"wg:{webinar}:h:0:0"],
        [f"wg:{webinar}:h:0:{code_of('Ирина')}"],
    ]
    assert "Только: Ирина\nОбзвонили 0, взяли 0, всего 1." in await talk.press(buttons[3][0])
    assert "Только: без менеджера" in await talk.press(buttons[2][0])
    assert "всего 8" in await talk.press(f"wg:{webinar}:h:0:ffffffff")  # a manager who is gone


async def test_the_way_back_from_a_person_keeps_the_page_and_the_choice(talk: Talk, webinar: int) -> None:
    await talk.press(f"wg:{webinar}:h:5:m")
    (person,) = talk.keyboard()[0]
    assert person.endswith(":h5.m")
    await talk.press(person)
    assert talk.keyboard()[-1] == [f"wg:{webinar}:h:5:m"]
    taking = talk.keyboard()[0][0]
    await talk.press(taking)
    assert talk.keyboard()[-1] == [f"wg:{webinar}:h:5:m"]
    assert all(len(button.encode()) <= 60 for row in talk.keyboard() for button in row if not button.startswith("https"))


@pytest.mark.parametrize(
    ("names", "mine", "found"),
    [
        (["Олег Петров", "Ирина"], "Олег", "Олег Петров"),
        (["Олег Петров", "Олег Сидоров"], "Олег", None),
        (["Олег Петров", "Олег"], "олег", "Олег"),
        (["Петров Олег"], "Олег Петров", "Петров Олег"),
        (["", "Ирина"], "", None),
    ],
)
def test_who_is_which_manager(names: list[str], mine: str, found: str | None) -> None:
    assert own_name(names, mine) == found


async def test_nobodys_people_have_no_manager_to_choose(talk: Talk, desk: Desk, webinar: int) -> None:
    await talk.press(f"wg:{webinar}:u:0")
    assert not any(button.startswith("wwho") for row in talk.keyboard() for button in row)
    assert desk.texts.get("guests.webinar_gone") in await talk.press("wwho:999:h")
    talk.person = replace(MANAGER, name="Чужой")
    assert "Здесь никого" in await talk.press(f"wg:{webinar}:h:0:m")
