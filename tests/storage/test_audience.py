"""Whom to call after a webinar, on both databases: groups, reasons, who took whom, and calls that tick people off."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import insert

from domain.ports import Tx
from domain.roles import Person, Role
from domain.webinars import PageId, Registration, RoomId
from storage.claims import give_back, take
from storage.engine import Database
from storage.models import accounts, calls
from storage.queries.audience import Group, Guest, Whose, find_guest, group_sizes, guests, work_of
from storage.registrations import RegistrationStore
from tests.handlers.seed import call_row
from tests.storage.hall import REPORT, START, Hall, after, lead, viewer

ANNA = Person(user_id=1, account_id=1, telegram_id=10, role=Role.MANAGER, name="Анна")
OLEG = Person(user_id=2, account_id=1, telegram_id=11, role=Role.MANAGER, name="Олег")
VIEWERS = [
    viewer("+79990000001", "hot@p.ru", name="Горячий", minutes=(0, 58), messages=3, finished=True),
    viewer("+79990000002", name="Заказал", minutes=(0, 45), ordered=True),
    viewer("+79990000003", name="Тёплый", minutes=(0, 20)),
    viewer("+79990000004", name="Заглянул", minutes=(0, 1)),
]


async def register(database: Database, name: str, phone: str, email: str = "", page: str = "111:page") -> None:
    store = RegistrationStore()
    registration = Registration(
        sublist_id=PageId(page), room=RoomId("111:room"), name=name, phone=phone, email=email, session_at=START
    )

    async def job(connection: Any) -> None:
        await store.add_registration(
            cast("Tx", connection), 1, "bizon365", registration, source="hook", heard_at=after(-600)
        )

    await database.write(job)


@pytest.fixture
async def webinar(database: Database) -> int:
    async def account(connection: Any) -> None:
        await connection.execute(insert(accounts).values(id=1, name="d", timezone="Europe/Moscow", created_at=START))

    await database.write(account)
    hall = Hall(database)
    await hall.save(lead("+79990000001", manager="Ирина"))
    await register(database, "Горячий", "+79990000001")
    await register(database, "Не пришла", "+79990000009", "no@p.ru")
    await register(database, "Не пришла", "+79990000009", "no@p.ru", page="111:other")
    return await hall.hold(VIEWERS)


async def call(database: Database, phone: str, minutes: float, outcome: str = "answered") -> None:
    row = call_row(1, client_phone=phone, started_at=after(minutes), call_id=f"c{phone}{minutes}", outcome=outcome)
    await database.write(lambda connection: connection.execute(insert(calls).values(**row)))


async def names(database: Database, webinar: int, group: Group, **more: Any) -> list[str]:
    return [guest.name for guest in (await guests(database, 1, webinar, group, limit=10, **more)).rows]


async def only(database: Database, webinar: int, group: Group) -> Guest:
    (guest,) = (await guests(database, 1, webinar, group, limit=10)).rows
    return guest


async def test_groups_hold_everybody_once(database: Database, webinar: int) -> None:
    assert await names(database, webinar, Group.HOT) == ["Заказал", "Горячий"]
    assert await names(database, webinar, Group.WARM) == ["Тёплый"]
    assert await names(database, webinar, Group.COLD) == ["Заглянул"]
    assert await names(database, webinar, Group.NO_SHOW) == ["Не пришла"]
    sizes = await group_sizes(database, 1, webinar)
    assert sizes == {Group.HOT: 2, Group.WARM: 1, Group.NO_SHOW: 1, Group.COLD: 1, Group.UNKNOWN: 3}
    assert await group_sizes(database, 2, webinar) == {}
    assert await names(database, webinar, Group.HOT, whose=Whose(manager="Ирина")) == ["Горячий"]


async def test_reasons_come_with_them(database: Database, webinar: int) -> None:
    page = await guests(database, 1, webinar, Group.HOT, limit=1, offset=1)
    (hot,) = page.rows
    assert (page.total, hot.manager, hot.watched_s, hot.messages) == (2, "Ирина", 58 * 60, 3)
    assert (hot.finished, hot.ordered, hot.matched_by, hot.joined_at) == (True, False, "phone", START)
    missing = await only(database, webinar, Group.NO_SHOW)
    assert (missing.seen, missing.email, missing.registered_at) == (False, "no@p.ru", after(-600))
    assert await find_guest(database, 1, webinar, seen=False, id_=missing.id) == missing
    assert await find_guest(database, 1, webinar, seen=True, id_=hot.id) == hot
    assert await find_guest(database, 2, webinar, seen=True, id_=hot.id) is None
    assert await find_guest(database, 1, webinar, seen=True, id_=99) is None


async def test_a_talk_after_the_webinar_ticks_off_without_a_press(database: Database, webinar: int) -> None:
    await call(database, "79990000003", 30)  # during the webinar
    await call(database, "79990000003", 70, outcome="missed")
    assert (await only(database, webinar, Group.WARM)).called_at is None
    await call(database, "79990000003", 90)
    await call(database, "79990000003", 200)
    assert (await only(database, webinar, Group.WARM)).called_at == after(90)
    await call(database, "79990000002", 80)
    page = await guests(database, 1, webinar, Group.HOT, limit=10)
    assert [guest.name for guest in page.rows] == ["Горячий", "Заказал"]  # done goes last
    assert (page.called, page.taken) == (1, 0)
    await call(database, "79990000009", 80)
    assert (await only(database, webinar, Group.NO_SHOW)).called_at == after(80)


async def test_the_first_press_takes_and_only_who_took_gives_back(database: Database, webinar: int) -> None:
    guest = await only(database, webinar, Group.WARM)
    now = START + timedelta(hours=2)
    claims = await asyncio.gather(*(take(database, who, webinar, guest.key, now) for who in (ANNA, OLEG)))
    assert [claim.mine for claim in claims] == [True, False]
    assert {claim.name for claim in claims} == {"Анна"}
    held = await only(database, webinar, Group.WARM)
    assert (held.taken_by, held.taken_by_id, held.taken_at) == ("Анна", 10, now)
    assert not await give_back(database, OLEG, webinar, guest.key)
    assert await give_back(database, ANNA, webinar, guest.key)
    assert (await only(database, webinar, Group.WARM)).taken_by == ""


async def test_a_report_loaded_again_keeps_who_took_whom(database: Database, webinar: int) -> None:
    guest = await only(database, webinar, Group.WARM)
    await take(database, ANNA, webinar, guest.key, after(200))
    await Hall(database).hold(VIEWERS)
    assert (await only(database, webinar, Group.WARM)).taken_by == "Анна"


async def test_a_webinar_without_work_has_none_to_repeat(database: Database, webinar: int) -> None:
    assert await work_of(database, 1, webinar) is None


async def test_a_claim_on_somebody_nameless_stays_with_them(database: Database, webinar: int) -> None:
    ann, bob = (viewer(name=name, minutes=(0, 30), raw=f'{{"name": "{name}"}}') for name in ("Анна", "Борис"))
    await Hall(database).hold([ann, bob])
    claimed = next(one for one in (await guests(database, 1, webinar, Group.WARM, limit=10)).rows if one.name == "Борис")
    await take(database, ANNA, webinar, claimed.key, after(200))
    await Hall(database).hold([bob, ann])
    rows = (await guests(database, 1, webinar, Group.WARM, limit=10)).rows
    assert {one.name: one.taken_by for one in rows} == {"Анна": "", "Борис": "Анна"}


async def test_nobody_is_missing_from_a_webinar_without_a_start(database: Database, webinar: int) -> None:
    other = await Hall(database).hold(VIEWERS[:1], replace(REPORT, external_id="no start", started_at=None))
    assert await group_sizes(database, 1, other) == {
        Group.HOT: 1, Group.WARM: 0, Group.NO_SHOW: 0, Group.COLD: 0, Group.UNKNOWN: 0
    }  # fmt: skip
    assert (await guests(database, 1, other, Group.NO_SHOW, limit=10)).rows == ()


async def test_who_left_no_phone_is_called_by_that_of_their_lead(database: Database, webinar: int) -> None:
    hall = Hall(database)
    await hall.save(lead("+79990000005", "mail@p.ru"), lead("+79990000006", "late@p.ru"))
    await register(database, "Не дошёл", "", "late@p.ru")
    session = await hall.hold([viewer("", "mail@p.ru", name="По почте")], replace(REPORT, external_id="111:room*again"))
    assert (await only(database, session, Group.WARM)).phone == "79990000005"
    missing = {guest.name: guest.phone for guest in (await guests(database, 1, session, Group.NO_SHOW, limit=10)).rows}
    assert missing["Не дошёл"] == "79990000006"
    await call(database, "79990000005", 120)
    assert (await only(database, session, Group.WARM)).called_at == after(120)
