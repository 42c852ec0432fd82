"""What people are told of work that was given up."""

from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot.alerts import Alerts
from domain.errors import VendorRefused
from domain.messages import Destination, Message, as_text
from handlers.texts import load_texts
from storage.codec import loads
from storage.destinations import Destinations
from storage.engine import Database
from storage.models import posts
from storage.posts import StoredChat
from storage.work import WorkRow
from tests.ground import HandClock


async def test_work_that_was_refused_says_what_to_press(database: Database, clock: HandClock) -> None:
    await Destinations(database, clock).bind(1, Destination(chat_id=-100))
    alerts = Alerts(
        database, StoredChat(clock), clock, texts=load_texts(), timezone=ZoneInfo("Europe/Moscow"), account_id=1,
        posted=lambda: None,
    )  # fmt: skip
    row = WorkRow(**dict.fromkeys(WorkRow.__slots__, 0) | {"account_id": 1, "kind": "webinar"})  # type: ignore[arg-type]
    refusal = VendorRefused("bizon365", "reports/getlist", "no_right", hint="Дайте токену право видеть отчёты.")
    await alerts.died(row, refusal, error_id="a1")
    async with database.read() as connection:
        told = as_text(loads(Message, str(await connection.scalar(select(posts.c.content)))))
    assert told.splitlines()[1] == "Дайте токену право видеть отчёты."
    assert "no_right [a1]" in told
