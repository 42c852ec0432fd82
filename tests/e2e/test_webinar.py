"""A webinar over real sockets, as a team lives it: the card, the picture, and a no-show registered again by three taps."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.keys import load_keys
from bot.settings import read_settings
from integrations.bizon365.fake import Fake
from integrations.bizon365.fake_viewers import email_of, phone_of
from sandbox.telegram.world import Message
from tests.conftest import Serve
from tests.e2e.town import Town, open_town

CAME, ABSENT = 0, 9001
ROOM, PAGE = "111222:room1", "111222:page1"
TITLE = "Как выбрать квартиру"


class Hall:
    """A town with a webinar that is over: one who registered was there, one was not, a later session is known."""

    def __init__(self, town: Town, fake: Fake) -> None:
        self.town = town
        self.fake = fake
        self.page = fake.add_page(PAGE, "Запись на вебинар", room_id=ROOM)
        self.start = (datetime.now(UTC) - timedelta(minutes=100)).replace(second=0, microsecond=0)
        self.following = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0)
        self.secret = load_keys(read_settings(town.environment)).hook("bizon365")

    async def post(self, path: str, body: bytes) -> None:
        assert await self.town.post(path, body, **{"Content-Type": "application/json"}) == 200

    async def register(self, person: int) -> None:
        facts = {"email": email_of(person), "phone": f"+{phone_of(person)}", "username": f"Гость {person}"}
        body = self.fake.registration_body(self.page, at=self.start, **facts)
        await self.post(f"/bizon_webhook/{self.secret}", body)

    def subscribe(self, person: int, at: datetime) -> None:
        asked = {"pageId": PAGE, "email": email_of(person), "time": at.isoformat()}
        self.fake.account.carry_out("subpages/addSubscriber", asked, writes=True)

    def subscribed(self, person: int) -> list[str]:
        """The sessions somebody is registered for at the platform."""
        return [str(one["webinarTime"]) for one in self.page.subscribers if one["email"] == email_of(person)]

    async def press(self, message: Message, button: str) -> None:
        self.town.telegram.press(self.town.owner, message, button)


@pytest.fixture
async def hall(tmp_path: Path, serve: Serve) -> AsyncIterator[Hall]:
    fake = Fake()
    settings = {
        "BIZON365_TOKEN": fake.token,
        "BIZON365_PROJECT_ID": fake.project_id,
        "BIZON365_BASE_URL": await serve(fake.build_app()),
        "BIZON365_RATE": "3",
    }
    async with open_town(tmp_path, **settings) as town:
        hall = Hall(town, fake)
        hall.subscribe(9100, hall.following)
        await town.start()
        yield hall


async def test_a_webinar_as_a_team_lives_it(hall: Hall) -> None:
    town = hall.town
    for person in (CAME, ABSENT):
        await hall.register(person)
    note = await town.until_card("Запись на вебинар", "За день записались: 2")
    assert "wa.me" not in str(note.entities)  # a group sees who registered, not how to reach them
    assert "···" in note.text
    webinar = hall.fake.add_webinar(viewers=300, started_at=hall.start, room_id=ROOM, title=TITLE)
    await hall.post(f"/hooks/bizon365/{hall.secret}", hall.fake.report_body(webinar))
    card = await town.until_card(TITLE, "Записались: 2", "Не пришли: 1")

    def pictures() -> list[Message]:
        return [message for message in town.cards() if message.file is not None and message.file.kind == "photo"]

    await town.until(pictures)
    (picture,) = pictures()
    assert picture.file is not None
    assert picture.file.data.startswith(b"\x89PNG")
    assert picture.reply_to == card.message_id

    await hall.press(card, "Записать снова")
    chosen = await town.until_card("Выберите, кого записать", f"Гость {ABSENT}")
    await hall.press(chosen, "1")
    asked = await town.until_card(f"Гость {ABSENT}: на когда записать?")
    (button,) = [b["text"] for row in asked.markup["inline_keyboard"] for b in row if "Запись на вебинар" in b["text"]]
    await hall.press(asked, button)
    done = await town.until_card("✅ Записан", "Ссылка и контакты — в личном чате")
    assert email_of(ABSENT) not in done.text

    def told() -> list[Message]:
        return [one for one in town.telegram.messages(town.telegram.private(town.owner)) if email_of(ABSENT) in one.text]

    await town.until(told)
    assert "Личная ссылка" in str(told()[0].markup)
    await hall.press(done, "Ссылка и контакты")
    await town.until(
        lambda: any(press.toast and "start=link" in press.toast.url for press in town.telegram.site.queries.presses.values())
    )
    (at,) = hall.subscribed(ABSENT)
    assert datetime.fromisoformat(at) == hall.following


async def test_who_was_called_after_the_webinar_is_ticked_off(hall: Hall) -> None:
    town = hall.town
    viewer = {"chatUserId": "u1", "phone": "+79001112233", "username": "Мария", "playVideo": 1, "finished": 1}
    viewer |= {"view": int(hall.start.timestamp() * 1000), "viewTill": int((hall.start.timestamp() + 5000) * 1000)}
    webinar = hall.fake.add_webinar(viewers=[viewer], started_at=hall.start, room_id=ROOM, title=TITLE)
    await hall.post(f"/hooks/bizon365/{hall.secret}", hall.fake.report_body(webinar))
    card = await town.until_card(TITLE, "Горячие: 1")
    await hall.press(card, "Список")
    listed = await town.until_card("Горячие", "Обзвонили 0", "Мария")
    await town.end_call(phone="+79001112233")
    await town.until_card("Готово через")
    await hall.press(card, "Список")
    await town.until_card("Обзвонили 1", "☎️ поговорили")
    assert listed.text
