"""An hour without a vendor, a model or Telegram: everything is done after, in order, once, with one notice each way."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import SystemClock
from bot.http.ingress import seed_of
from bot.keys import load_keys
from bot.services import ACCOUNT, Services, build_services
from bot.settings import read_settings
from domain.messages import Message, as_text
from domain.webhooks import Delivery
from integrations.bitrix24.fake_portal import FakeCall
from storage.codec import loads
from storage.destinations import Destinations
from storage.engine import Database
from storage.migrate import migrate
from storage.models import posts
from tests.e2e.town import Town, open_town


class ShiftedClock(SystemClock):
    """The real clock, with hours that pass in no time."""

    def __init__(self) -> None:
        self.shift = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.shift)

    def monotonic(self) -> float:
        return super().monotonic() + self.shift


@dataclass
class Hour:
    """The runner among fakes, without HTTP and Telegram: what the chats should show is read from ``posts``."""

    town: Town
    services: Services
    clock: ShiftedClock

    async def hears_of(self, call: FakeCall) -> None:
        endpoint = self.services.hooks.default("bitrix24")
        assert endpoint is not None
        body = self.town.portal.event_body(call)
        delivery = Delivery(method="POST", path="/", query="", headers={}, body=body, received_at=self.clock.now())
        (event,) = endpoint.receiver.parse(delivery).events
        seed = seed_of(event)
        await self.services.work.add(
            account_id=ACCOUNT, kind="call", object_=seed.object, payload=seed.payload, source="hook", now=self.clock.now()
        )
        self.services.runner.wake()

    async def pass_seconds(self, seconds: float) -> None:
        """Time goes by in steps, and after each the runner has a moment to act."""
        for _ in range(int(seconds / 30)):
            self.clock.shift += 30
            self.services.runner.wake()
            await asyncio.sleep(0.01)
        await self.quiet()

    async def quiet(self) -> None:
        for _ in range(500):
            await asyncio.sleep(0.01)
            if self.services.runner.running == 0:
                return
        raise AssertionError("the runner never rests")

    async def shown(self) -> list[Message]:
        async with self.services.database.read() as connection:
            rows = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
            return [loads(Message, row) for row in rows]

    async def cards(self) -> list[str]:
        return [as_text(message) for message in await self.shown() if message.kind == "call"]

    async def notices(self) -> list[str]:
        return [as_text(message).splitlines()[0] for message in await self.shown() if message.kind == "notice"]


@pytest.fixture
async def hour(tmp_path: Path) -> AsyncIterator[Hour]:
    async with open_town(tmp_path) as town:
        settings = read_settings(town.environment)
        settings.data_dir.mkdir(parents=True)
        await migrate(settings.db_url)
        database = Database(settings.db_url)
        database.open()
        clock = ShiftedClock()
        services = await build_services(settings, load_keys(settings), database, clock)
        assert settings.telegram is not None
        await Destinations(database, clock).set_from_environment(ACCOUNT, settings.telegram.target)
        running = asyncio.create_task(services.runner.run())
        yield Hour(town, services, clock)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await services.runner.stop()
        await services.close()


async def three_calls(hour: Hour) -> list[FakeCall]:
    calls = [hour.town.call(phone=f"+7900555010{number}") for number in range(3)]
    for call in calls:
        await hour.hears_of(call)
    await hour.quiet()
    return calls


async def all_done(hour: Hour, *, in_order: bool) -> None:
    for _ in range(40):
        await hour.pass_seconds(30)
        if len(hour.town.portal.comments) == 3 and hour.services.runner.running == 0:
            break
    cards = await hour.cards()
    heard = [re.findall(r"555-01-0\d", card)[0] for card in cards]
    # Cards that stood before the outage are filled in where they are; new ones come in the order of the calls.
    assert (heard if in_order else sorted(heard)) == ["555-01-00", "555-01-01", "555-01-02"]
    assert all("Саммари:" in card and "Готово через" in card for card in cards)
    assert len(hour.town.portal.comments) == 3
    assert hour.town.models.paid == {"transcriptions": 3, "completions": 3}


async def test_the_portal_is_away_for_an_hour(hour: Hour) -> None:
    hour.town.portal.down = True
    await three_calls(hour)
    await hour.pass_seconds(3600)
    assert await hour.cards() == []
    assert await hour.notices() == ["⚠️ Битрикс24: нет связи"]
    hour.town.portal.down = False
    await all_done(hour, in_order=True)
    assert await hour.notices() == ["⚠️ Битрикс24: нет связи", "✅ Битрикс24: связь восстановлена"]


async def test_the_models_are_away_for_an_hour(hour: Hour) -> None:
    hour.town.models.up = False
    await three_calls(hour)
    await hour.pass_seconds(3600)
    assert all("Расшифровка появится здесь позже" in card for card in await hour.cards())
    assert await hour.notices() == ["⚠️ Распознавание речи: нет связи"]
    hour.town.models.up = True
    await all_done(hour, in_order=False)
    assert await hour.notices() == ["⚠️ Распознавание речи: нет связи", "✅ Распознавание речи: связь восстановлена"]


async def test_a_refused_key_is_told_once_with_its_cure(hour: Hour) -> None:
    hour.town.models.keys = frozenset({"another key"})
    await three_calls(hour)
    (told,) = [text for text in await hour.notices() if "отказ" in text]
    assert told == "⛔ Распознавание речи: отказ"
    shown = [as_text(message) for message in await hour.shown() if message.kind == "notice"]
    assert any("STT_API_KEY" in text or "OPENAI_API_KEY" in text for text in shown)
    assert any(text.startswith("⛔ Не обработано: 3 звонка") for text in shown)
    assert hour.town.models.paid == {"transcriptions": 0, "completions": 0}
