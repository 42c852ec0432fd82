"""A card follows the leads that were loaded after it: once, without a sound, and never as a new message."""

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.attendance import Yardstick
from domain.imports import ImportKind, State
from domain.messages import Destination, Message, as_text
from domain.ports import Tx
from domain.webinars import PageId, Registration, RoomId
from handlers.texts import load_texts
from handlers.webinars.answers import view_of
from handlers.webinars.following import follow_changes
from handlers.webinars.messages import webinar_card
from handlers.webinars.run import card_key
from storage.codec import loads
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import imports, posts, webinar_changes, webinars
from storage.posts import StoredChat
from storage.queries.webinars import turnout, webinar_line
from storage.registrations import RegistrationStore
from tests.ground import HandClock
from tests.handlers.conftest import MOSCOW
from tests.handlers.seed import seed_accounts
from tests.storage.hall import START, Hall, lead, viewer

VIEWERS = [viewer(f"+7999000000{n}", name=f"Гость {n}") for n in range(3)]


@dataclass
class Place:
    """One webinar with its card in one group."""

    database: Database
    clock: HandClock
    webinar: int
    services: Any

    async def follow(self) -> int:
        return await follow_changes(self.database, self.services, 1)

    async def leads(self, *phones: str) -> None:
        await Hall(self.database).save(*(lead(phone) for phone in phones))

    async def register(self, phone: str, **values: Any) -> None:
        told = {"room": RoomId("111:room"), "name": "Гость", "email": "", "session_at": START} | values
        page = Registration(sublist_id=PageId("111:page"), phone=phone, **told)

        async def job(connection: AsyncConnection) -> None:
            await RegistrationStore().add_registration(
                cast("Tx", connection), 1, "bizon365", page, source="hook", heard_at=self.clock.now()
            )

        await self.database.write(job)

    async def row(self) -> Any:
        async with self.database.read() as connection:
            return (await connection.execute(select(posts))).one()

    async def shown(self) -> str:
        return as_text(loads(Message, (await self.row()).content))

    async def write(self, statement: Any) -> None:
        await self.database.write(lambda connection: connection.execute(statement))


@pytest.fixture
async def place(lite: Database, clock: HandClock) -> Place:
    return await _place(lite, clock)


async def _place(database: Database, clock: HandClock) -> Place:
    await seed_accounts(database)
    await Destinations(database, clock).bind(1, Destination(chat_id=-100))
    clock.forward((START + timedelta(days=1) - clock.now()).total_seconds())
    hall, chat = Hall(database), StoredChat(clock)
    await hall.save(lead("+79990000000"))
    webinar = await hall.hold(VIEWERS)
    services = SimpleNamespace(
        chat=chat, clock=clock, texts=load_texts(), timezone=MOSCOW, posted=int,
        policy=SimpleNamespace(yardstick=Yardstick()),
    )  # fmt: skip
    line = await webinar_line(database, 1, webinar)
    assert line is not None
    view = view_of(line, await turnout(database, webinar), zone=MOSCOW, attended_s=Yardstick().attended_s)
    card = webinar_card(view, services.texts, key=card_key("bizon365", line.external_id))
    await database.write(lambda connection: chat.post(cast("Tx", connection), 1, card))
    place = Place(database, clock, webinar, services)
    await place.write(update(posts).values(state="sent", sent_revision=1, message_id=77))
    await place.follow()
    return place


async def test_leads_loaded_later_change_the_card_once(database: Database, clock: HandClock) -> None:
    place = await _place(database, clock)
    assert "Нашлись: 1" in await place.shown()
    assert (await place.row()).revision == 1  # the card was right already
    await place.leads("+79990000001")
    await place.leads("+79990000002")
    assert await place.follow() == 1
    row = await place.row()
    assert "Нашлись: 3" in await place.shown()
    assert (row.revision, row.message_id, row.state) == (2, 77, "wanted")
    assert await place.follow() == 0
    assert (await place.row()).revision == 2


async def test_leads_of_other_people_change_nothing(place: Place) -> None:
    await place.leads("+79991110000")
    assert await place.follow() == 0


async def test_the_same_numbers_make_no_edit(place: Place) -> None:
    await place.leads("+79990000000")  # once more, the newer lead counts: the visit is another lead's, the card the same
    await Hall(place.database).save(lead("+79990000000", number="again", days=-0.5))
    await place.follow()
    row = await place.row()
    assert (row.revision, row.state) == (1, "sent")


async def test_a_registration_that_comes_late_changes_the_card_once(database: Database, clock: HandClock) -> None:
    place = await _place(database, clock)
    assert "Записались" not in await place.shown()
    await place.register("+79990000001")
    await place.register("+79990000009")
    assert await place.follow() == 1
    shown = await place.shown()
    assert "Записались: 2" in shown
    assert "Не пришли: 1" in shown
    assert (await place.row()).message_id == 77
    await place.register("+79990000009")  # the same hook again
    await place.follow()
    assert (await place.row()).revision == 2


@pytest.mark.parametrize(
    "other", [{"session_at": START + timedelta(days=7)}, {"session_at": None}, {"room": RoomId("111:another")}]
)
async def test_a_registration_for_another_session_changes_nothing(place: Place, other: dict[str, Any]) -> None:
    await place.register("+79990000009", **other)
    assert await place.follow() == 0
    async with place.database.read() as connection:
        assert (await connection.execute(select(webinar_changes))).all() == []


async def test_a_table_under_way_is_waited_for(place: Place) -> None:
    table = {
        "account_id": 1, "kind": ImportKind.LEADS, "state": State.SETTLING, "name": "x.csv", "path": "x", "rows": 1,
        "sha256": "x",
        "asked_by": 1, "chat_id": 1, "shown_at": place.clock.now(),
    }  # fmt: skip
    await place.write(insert(imports).values(**table))
    await place.leads("+79990000001")
    assert await place.follow() == 0
    await place.write(update(imports).values(state=State.COMPLETE))
    assert await place.follow() == 1
    assert "Нашлись: 2" in await place.shown()


async def test_an_old_webinar_is_left_and_its_mark_goes(place: Place) -> None:
    place.clock.forward(timedelta(days=31).total_seconds())
    await place.leads("+79990000001")
    assert await place.follow() == 0
    async with place.database.read() as connection:
        assert (await connection.execute(select(webinar_changes))).all() == []


async def test_where_there_is_no_card_none_is_made(place: Place) -> None:
    await place.write(posts.delete())
    await place.leads("+79990000001")
    assert await place.follow() == 0
    async with place.database.read() as connection:
        assert (await connection.execute(select(posts))).all() == []


async def test_a_card_that_never_arrived_is_not_sent_now(place: Place) -> None:
    await place.write(update(posts).values(state="dead", message_id=None, error="refused"))
    await place.leads("+79990000001")
    assert await place.follow() == 0
    assert (await place.row()).state == "dead"


async def test_what_happens_meanwhile_keeps_its_mark(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.leads("+79990000001")
    count = turnout

    async def slow(database: Database, webinar_id: int) -> Any:
        found = await count(database, webinar_id)
        if found.matched == 2:
            await place.leads("+79990000002")
        return found

    monkeypatch.setattr("handlers.webinars.following.turnout", slow)
    assert await place.follow() == 1
    assert "Нашлись: 2" in await place.shown()
    assert await place.follow() == 1
    assert "Нашлись: 3" in await place.shown()


async def test_a_report_still_being_loaded_has_its_card_at_the_end(place: Place) -> None:
    await place.write(update(webinars).values(state="loading"))
    await place.leads("+79990000001")
    assert await place.follow() == 0
    await place.write(update(webinars).values(state="complete"))
    assert await place.follow() == 1
