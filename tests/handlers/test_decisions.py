"""Who a viewer is, as somebody of the team says: joined, parted, undone, made a lead; the main ways on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from domain.errors import BadInput
from domain.roles import Person, Role
from domain.webinars import Marks
from storage.decisions import Decisions
from storage.engine import Database
from storage.founding import count_unknown, found_all, found_leads
from storage.models import audit, identities, leads
from storage.pairs import By, PairStore
from storage.queries.conversions import conversions
from storage.queries.webinars import turnout
from storage.rollups import Dimension
from tests.handlers.conftest import MOSCOW
from tests.handlers.seed import seed_accounts
from tests.storage.hall import START, Hall, after, another, lead, viewer

ANNA = Person(user_id=1, account_id=1, telegram_id=10, role=Role.MANAGER, name="Анна")
NOW = START + timedelta(hours=3)
IVAN = "+79990000001"
VIEWERS = [
    viewer(IVAN, "ivan@p.ru", name="Иван"),
    viewer("+79990000002", "new@p.ru", name="Новый"),
    viewer("", "mail@p.ru", name="Почта"),
    viewer(name="Гость", raw='{"n": 1}', chat_user_id="u1"),
]


async def filled(database: Database) -> Hall:
    await seed_accounts(database)
    hall = Hall(database)
    await hall.save(lead(IVAN, name="Иван Петров"))
    return hall


@pytest.fixture
async def hall(lite: Database) -> Hall:
    return await filled(lite)


@pytest.fixture
async def webinar(hall: Hall) -> int:
    return await hall.hold(VIEWERS)


@pytest.fixture
def says(hall: Hall) -> Decisions:
    return Decisions(database=hall.database, by=ANNA, now=NOW)


async def row(hall: Hall, name: str) -> dict[str, Any]:
    return next(one for one in await hall.attendees() if one["username"] == name)


async def came(database: Database) -> int:
    day = START.date()
    period = {"first": day - timedelta(days=5), "last": day + timedelta(days=5)}
    return (await conversions(database, 1, Dimension.DIRECTION, **period, zone=MOSCOW)).total.came


async def test_parted_and_taken_back_with_all_that_follows(database: Database) -> None:
    hall, says = await filled(database), Decisions(database=database, by=ANNA, now=NOW)
    webinar = await hall.hold(VIEWERS)
    ivan = await row(hall, "Иван")
    assert (await came(database), (await turnout(database, webinar)).matched) == (1, 1)
    await says.part(ivan["id"])
    parted = await row(hall, "Иван")
    assert (parted["person_id"], parted["lead_id"], parted["matched_by"]) == (None, None, "hand")
    assert (await came(database), (await turnout(database, webinar)).matched) == (0, 0)
    await hall.hold(VIEWERS)  # the same report once more
    await hall.save(lead(IVAN, number="again", days=-0.5))  # and a later event of the same person
    assert (await row(hall, "Иван"))["person_id"] is None
    assert (await came(database), (await turnout(database, webinar)).unmatched) == (0, 4)
    await says.undo(ivan["id"])
    assert (await row(hall, "Иван"))["person_id"] == ivan["person_id"]
    assert (await came(database), (await turnout(database, webinar)).matched) == (1, 1)
    assert [one["action"] for one in await hall.rows(audit)] == ["viewer parted", "viewer undone"]


async def test_a_key_is_taken_from_a_person_at_every_webinar(hall: Hall, webinar: int, says: Decisions) -> None:
    await hall.hold(VIEWERS[:1], another(days=7))
    ivan = await row(hall, "Иван")
    await says.take_key(ivan["id"], "phone")
    assert {one["person_id"] for one in await hall.attendees() if one["username"] == "Иван"} == {None}
    await hall.hold(VIEWERS[:1], another(days=14))
    assert {one["person_id"] for one in await hall.attendees() if one["username"] == "Иван"} == {None}
    (taken,) = await hall.rows(identities)
    await says.give_key(ivan["id"], taken["id"])
    back = [one for one in await hall.attendees() if one["username"] == "Иван"]
    assert [(one["person_id"], one["matched_by"]) for one in back] == [(ivan["person_id"], "phone")] * 3
    with pytest.raises(BadInput, match="Вернуть нельзя"):
        await says.give_key(ivan["id"], taken["id"])
    with pytest.raises(BadInput, match="уже убрана"):
        await says.take_key(ivan["id"], "email")


async def test_joined_by_hand_they_are_known_next_time_and_parted_they_are_not(
    hall: Hall, webinar: int, says: Decisions
) -> None:
    ivan, new = await row(hall, "Иван"), await row(hall, "Новый")
    for _ in range(2):  # a press that comes twice
        await says.join(new["id"], ivan["person_id"])
    await hall.hold(VIEWERS)
    joined = await row(hall, "Новый")
    assert (joined["person_id"], joined["lead_id"], joined["matched_by"]) == (ivan["person_id"], ivan["lead_id"], "hand")
    await hall.hold(VIEWERS[1:2], another(days=7))
    assert [one["person_id"] for one in await hall.attendees() if one["username"] == "Новый"] == [ivan["person_id"]] * 2
    await says.part(new["id"])
    assert [one["person_id"] for one in await hall.attendees() if one["username"] == "Новый"] == [None] * 2
    with pytest.raises(BadInput, match="больше нет"):
        await says.join(new["id"], 999)
    with pytest.raises(BadInput, match="загружен заново"):
        await says.part(999)


async def test_a_key_of_somebody_else_stays_theirs_when_a_viewer_is_joined(
    hall: Hall, webinar: int, says: Decisions
) -> None:
    await hall.save(lead("+79990000007", "ivan@p.ru", number="wife"))
    wife = (await hall.rows(leads))[-1]["person_id"]
    ivan = await row(hall, "Иван")
    await says.join(ivan["id"], wife)
    assert (await row(hall, "Иван"))["person_id"] == wife
    phone = next(one for one in await hall.rows(identities) if one["value"] == "79990000001")
    assert (phone["person_id"], phone["undone_at"]) == (ivan["person_id"], None)


async def test_a_lead_is_made_once_of_each_unknown_viewer(database: Database) -> None:
    hall = await filled(database)
    webinar = await hall.hold(VIEWERS)
    assert await count_unknown(database, 1, webinar) == (3, 2)
    assert await found_all(database, 1, webinar, now=NOW) == 2
    assert await found_all(database, 1, webinar, now=NOW) == 0
    made = [one for one in await hall.rows(leads) if one["source"] == "bizon365"]
    assert {(one["name"], one["phone_key"], one["email_key"]) for one in made} == {
        ("Новый", "79990000002", "new@p.ru"),
        ("Почта", "", "mail@p.ru"),
    }
    figures = await turnout(database, webinar)
    assert (figures.matched, figures.unmatched) == (3, 1)
    (guest,) = [one["id"] for one in await hall.attendees() if one["person_id"] is None]
    assert [await found_leads(database, 1, [guest], now=NOW) for _ in range(2)] == [1, 0]
    await hall.hold(VIEWERS)
    assert {one["username"]: one["matched_by"] for one in await hall.attendees()} == {
        "Иван": "phone", "Новый": "phone", "Почта": "email", "Гость": "hand",
    }  # fmt: skip


async def test_who_left_no_key_is_joined_to_their_lead_by_a_word(hall: Hall, webinar: int) -> None:
    guest = await row(hall, "Гость")
    assert [await found_leads(hall.database, 1, [guest["id"]], now=NOW) for _ in range(2)] == [1, 0]
    await hall.hold(VIEWERS)
    known = await row(hall, "Гость")
    (made,) = [one for one in await hall.rows(leads) if one["source"] == "bizon365"]
    assert (known["matched_by"], known["lead_id"], made["name"]) == ("hand", made["id"], "Гость")


async def test_who_was_said_to_be_another_becomes_a_person_of_their_own(hall: Hall, webinar: int, says: Decisions) -> None:
    ivan = await row(hall, "Иван")
    await says.part(ivan["id"])
    assert await found_leads(hall.database, 1, [ivan["id"]], now=NOW) == 1
    other = await row(hall, "Иван")
    assert other["person_id"] not in {None, ivan["person_id"]}
    phone = next(one for one in await hall.rows(identities) if one["value"] == "79990000001")
    assert phone["person_id"] == ivan["person_id"]
    await says.part(ivan["id"])
    assert await found_leads(hall.database, 1, [ivan["id"]], now=NOW + timedelta(hours=1)) == 1
    assert (await row(hall, "Иван"))["person_id"] == other["person_id"]
    assert len([one for one in await hall.rows(leads) if one["source"] == "bizon365"]) == 1


async def test_the_viewers_own_marks_are_the_first_touch(hall: Hall) -> None:
    one = viewer("+79990000005", name="Метки", marks=Marks(source="vk", partner="p1"))
    webinar = await hall.hold([one])
    await found_all(hall.database, 1, webinar, now=after(200))
    made = (await hall.rows(leads))[-1]
    assert (made["first_utm_source"], made["first_url_marker"]) == ("vk", "p1")


async def test_who_turned_out_to_be_another_meanwhile_is_that_one(hall: Hall, webinar: int, says: Decisions) -> None:
    await hall.save(lead("+79990000009", name="Пётр"))
    ivan, peter = [one["person_id"] for one in await hall.rows(leads)]
    await PairStore(hall.database).join(1, ivan, peter, By(user=10, now=NOW))
    await says.join((await row(hall, "Новый"))["id"], peter)
    assert (await row(hall, "Новый"))["person_id"] == ivan
    given = {one["value"]: one["person_id"] for one in await hall.rows(identities)}
    assert given["new@p.ru"] == ivan
