"""Webinars over real sockets: Bizon365's hooks in, its API asked with our token, people in our rows, the chat told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.keys import load_keys
from bot.settings import read_settings
from integrations.bizon365.fake import Fake
from integrations.bizon365.platform import ADD, VIEWERS
from sandbox.telegram.world import Message
from tests.conftest import Serve
from tests.e2e.town import Town, open_town

TOKEN = "fake-bizon-token"
LEADS = ("+7 900 000-00-01", "8 (900) 000-00-02", "79000000003@s.whatsapp.net")


class Hall:
    """A town with a webinar platform."""

    def __init__(self, town: Town, fake: Fake, folder: Path) -> None:
        self.town = town
        self.fake = fake
        self._folder = folder
        keys = load_keys(read_settings(town.environment))
        self.secret, self.user_id = keys.hook("bizon365"), keys.public_id("bizon365")

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self._folder / "data/svodka.db", timeout=10)) as database:
            return database.execute(sql, values).fetchall()

    def write(self, sql: str) -> None:
        with closing(sqlite3.connect(self._folder / "data/svodka.db", timeout=10)) as database, database:
            database.execute(sql)

    async def post(self, path: str, body: bytes) -> int:
        return await self.town.post(path, body, **{"Content-Type": "application/json"})

    async def report(self, body: bytes) -> int:
        return await self.post(f"/api/webhooks/bizon?user_id={self.user_id}", body)

    async def until_done(self, kind: str, count: int = 1) -> None:
        def done() -> bool:
            return self.rows("SELECT count(*) FROM work WHERE kind = ? AND state = 'done'", kind) == [(count,)]

        await self.town.until(done, why=lambda: str(self.rows("SELECT kind, object, state, error FROM work")))


@pytest.fixture
async def hall(tmp_path: Path, serve: Serve, request: pytest.FixtureRequest) -> AsyncIterator[Hall]:
    fake = Fake(token=TOKEN)
    settings = {"BIZON365_TOKEN": TOKEN, "BIZON365_BASE_URL": await serve(fake.build_app()), "BIZON365_RATE": "3"}
    if getattr(request, "param", "v2") == "v2":
        settings["BIZON365_PROJECT_ID"] = fake.project_id
    async with open_town(tmp_path, LOG_FILE=str(tmp_path / "svodka.txt"), **settings) as town:
        await town.start()
        yield Hall(town, fake, tmp_path)


@pytest.mark.parametrize("hall", ["v1", "v2"], indirect=True)
async def test_a_report_becomes_people_once(hall: Hall, tmp_path: Path) -> None:
    viewers: list[dict[str, object]] = [{"chatUserId": f"u{number}", "phone": phone} for number, phone in enumerate(LEADS)]
    viewers.append(dict(viewers[0]))  # the same person from a second device
    webinar = hall.fake.add_webinar(viewers=viewers)
    for _ in range(3):
        assert await hall.report(hall.fake.report_body(webinar)) == 200
    await hall.until_done("webinar")
    people = hall.rows("SELECT phone_number FROM webinar_attendees ORDER BY phone_number")
    assert people == [("79000000001",), ("79000000002",), ("79000000003",)]
    assert len(hall.fake.asked(VIEWERS)) == 1
    assert {seen.token for seen in hall.fake.requests} == {TOKEN}
    await hall.town.until_card(webinar.title)
    assert await hall.report(hall.fake.report_body(webinar)) == 200
    assert hall.rows("SELECT count(*) FROM work WHERE kind = 'webinar'") == [(1,)]
    written = (tmp_path / "svodka.txt").read_text(encoding="utf-8")
    assert "bizon" in written
    assert TOKEN not in written
    assert hall.secret not in written
    assert hall.user_id not in written


async def test_three_hundred_odd_viewers(hall: Hall) -> None:
    webinar = hall.fake.add_webinar(viewers=300)
    assert await hall.post(f"/hooks/bizon365/{hall.secret}", hall.fake.report_body(webinar)) == 200
    await hall.until_done("webinar")
    assert hall.rows("SELECT records, state FROM webinars") == [(300, "complete")]


async def test_the_body_of_the_papers_is_answered_at_once_although_there_is_no_report(hall: Hall) -> None:
    body = b'{"event": "webinar.ended", "webinarId": "abc123", "title": "T", "date": "2025-11-01T10:00:00Z"}'
    assert await hall.report(body) == 200
    await hall.town.until(lambda: hall.fake.asked("reports/get"))
    assert hall.rows("SELECT object FROM work WHERE kind = 'webinar'") == [("bizon365:abc123",)]


def forgets_who_it_was(hall: Hall) -> None:
    """Work that is done keeps nobody's contacts in the clear: what its steps gave is gone, its event is sealed."""
    kept = str(hall.rows("SELECT s.result, s.name FROM work_step AS s")) + str(hall.rows("SELECT payload, error FROM work"))
    for contact in ("9001234567", "900 123", "client@", "petr@", "Пётр"):
        assert contact not in kept


async def test_a_registration_is_kept_with_all_its_values(hall: Hall) -> None:
    page = hall.fake.add_page()
    at = datetime(2026, 12, 25, 9, tzinfo=UTC)
    body = hall.fake.registration_body(page, at=at, url_marker="link7", url_marker_name="svodka", utm_group="g")
    assert await hall.post(f"/bizon_webhook/{hall.secret}", body) == 200
    assert await hall.post(f"/hooks/bizon365/{hall.secret}", body) == 200
    await hall.until_done("registration")
    names = "sublist_id, room, email, phone_key, webinar_time, webinar_date, secret, url_marker, url_marker_name, utm_group"
    (row,) = hall.rows(f"SELECT {names} FROM registrations")
    assert row[:4] == ("111222:page1", "111222:room1", "client@example.com", "79001234567")
    assert "12:00" in str(row[4])  # 09:00Z in Moscow
    assert row[6:] == ("s00001", "link7", "svodka", "g")
    forgets_who_it_was(hall)


async def test_the_rule_for_registrations_is_carried_out_once_however_often_it_is_told(hall: Hall) -> None:
    rule = (
        "INSERT INTO registration_rules VALUES (1, '', 'Здравствуйте, {имя}!', 'Записан', 1, '2026-01-01 00:00:00.000000')"
    )
    hall.write(rule)
    page, at = hall.fake.add_page(), datetime(2026, 12, 25, 9, tzinfo=UTC)
    told = [hall.fake.registration_body(page, at=at, username="Мария К", utm_group=group) for group in "abc"] * 3
    answers = await asyncio.gather(*(hall.post(f"/bizon_webhook/{hall.secret}", body) for body in told))
    assert answers == [200] * 9
    await hall.until_done("registration", 3)
    card = await hall.town.until_card("Написать клиенту", "Здравствуйте, Мария!", "статус лида: Записан")
    assert "https://wa.me/79001234567?text=" in str(card.entities)
    assert hall.rows("SELECT status FROM leads") == [("Записан",)]
    assert hall.rows("SELECT count(*) FROM posts WHERE key LIKE 'reaction:%'") == [(1,)]
    assert hall.rows("SELECT count(*) FROM audit WHERE action = 'lead_status'") == [(1,)]


async def test_somebody_is_registered_from_the_chat_and_found_at_the_platform(hall: Hall) -> None:
    town, at = hall.town, (datetime.now(UTC) + timedelta(days=3)).replace(hour=9, minute=0, second=0, microsecond=0)
    page = hall.fake.add_page(title="Запись на вебинар")
    known = {"email": "a@example.com", "webinarTime": at.isoformat(), "registeredTime": at.isoformat(), "vizitWebinar": 0}
    page.subscribers = [known]
    chat = town.telegram.private(town.owner)

    def newest(*words: str) -> Message | None:
        shown = [one for one in town.telegram.messages(chat) if one.author == town.telegram.bot]
        return next((one for one in reversed(shown) if all(word in one.text for word in words)), None)

    async def shown(*words: str) -> Message:
        await town.until(lambda: newest(*words), why=lambda: str([one.text for one in town.telegram.messages(chat)]))
        found = newest(*words)
        assert found is not None
        return found

    async def press(button: str, *words: str) -> None:
        await town.telegram.press(town.owner, await shown(*words), button).answered()

    town.telegram.say(town.owner, "/register")
    await press("Запись на вебинар", "На какую страницу")
    await press(f"{at.astimezone(ZoneInfo('Europe/Moscow')):%d.%m} 12:00", "На когда")
    await shown("Кого записать")
    town.telegram.say(town.owner, "Пётр Иванов +7 900 123-45-67 petr@example.com")
    await press("Записать", "Проверьте", "petr@example.com")
    await town.until(lambda: [one["email"] for one in page.subscribers] == ["a@example.com", "petr@example.com"])
    (sent,) = hall.fake.asked(ADD)
    assert sent["time"] == f"{at:%Y-%m-%dT09:00:00.000Z}"
    assert (sent["username"], sent["phone"]) == ("Пётр Иванов", "79001234567")
    await hall.until_done("register")
    forgets_who_it_was(hall)


async def test_a_report_nobody_told_us_of_is_found(hall: Hall) -> None:
    await hall.town.until(lambda: hall.rows("SELECT 1 FROM vendor_connections WHERE vendor = 'bizon365' AND cursor != ''"))
    hall.fake.add_webinar(viewers=3, created_at=datetime.now(UTC) + timedelta(seconds=1))
    await hall.town.stop()  # a process asks at its start, and need not be waited for
    await hall.town.start()
    await hall.until_done("webinar")
    assert hall.rows("SELECT source FROM webinars") == [("poll",)]
    assert hall.fake.asked(ADD) == []
