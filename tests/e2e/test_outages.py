"""An hour without a vendor, a model or Telegram: everything is done after, once, with one notice each way."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.messages import as_text
from integrations.bitrix24.fake_portal import FakeCall
from tests.e2e.hour import Hour, open_hour


@pytest.fixture
async def hour(tmp_path: Path) -> AsyncIterator[Hour]:
    async with open_hour(tmp_path) as opened:
        yield opened


async def three_calls(hour: Hour) -> list[FakeCall]:
    calls = [hour.town.call(phone=f"+7900555010{number}") for number in range(3)]
    for call in calls:
        await hour.hears_of(call)
    await hour.quiet()
    return calls


async def all_done(hour: Hour) -> None:
    for _ in range(40):
        await hour.pass_seconds(30)
        if len(hour.town.portal.comments) == 3 and hour.services.runner.running == 0:
            break
    cards = await hour.cards()
    # What waited is taken in the order of the calls (tests/storage/test_work.py); a card comes when its own call is done.
    heard = sorted(re.findall(r"555-01-0\d", card)[0] for card in cards)
    assert heard == ["555-01-00", "555-01-01", "555-01-02"]
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
    await all_done(hour)
    assert await hour.notices() == ["⚠️ Битрикс24: нет связи", "✅ Битрикс24: связь восстановлена"]


async def test_the_models_are_away_for_an_hour(hour: Hour) -> None:
    hour.town.models.up = False
    await three_calls(hour)
    await hour.pass_seconds(3600)
    assert all("Расшифровка появится здесь позже" in card for card in await hour.cards())
    assert await hour.notices() == ["⚠️ Распознавание речи: нет связи"]
    hour.town.models.up = True
    await all_done(hour)
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
