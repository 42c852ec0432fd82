"""From a finished call to the chat and the CRM, over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.town import Town, open_town

LINES = (
    "📞 Received call webhook from Bitrix24",
    "🎙️ Processing Bitrix call",
    "✅ Got recording URL",
    "✅ Transcription completed",
    "✅ Sent to Telegram",
    "✅ Successfully processed call",
)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with open_town(tmp_path, LOG_FILE=str(tmp_path / "svodka.txt")) as opened:
        await opened.start()
        yield opened


async def test_a_complaint_becomes_a_card_and_a_comment(town: Town, tmp_path: Path) -> None:
    call = await town.end_call()
    card = await town.until_card("Входящий звонок", "Саммари:", "Готово через")
    for words in ("Билибина", "Задачи:", "12:00", "негативный", "Запрос клиента:", "+7 900 123-45-67", "1м 14с"):
        assert words in card.text
    await town.until(lambda: town.portal.comments)
    (comment,) = town.portal.comments
    assert comment.entity == ("deal", "42")
    assert town.models.paid == {"transcriptions": 1, "completions": 1}

    def counts() -> list[int]:
        rows = (tmp_path / "svodka.txt").read_text(encoding="utf-8").splitlines()
        return [sum(line in row and call.call_id in row for row in rows) for line in LINES]

    await town.until(lambda: counts() == [1] * 6, why=lambda: str(counts()))
    written = (tmp_path / "svodka.txt").read_text(encoding="utf-8")
    assert town.portal.secret not in written
    assert town.telegram.token not in written


async def test_the_same_event_many_times_is_one_card(town: Town) -> None:
    call = town.call()
    assert [await town.post_event(call) for _ in range(5)] == [200] * 5
    await town.until_card("Готово через")
    assert await town.post_event(call) == 200
    await town.until(lambda: town.portal.comments)
    assert len(town.cards()) == 1
    assert town.models.paid == {"transcriptions": 1, "completions": 1}


async def test_a_missed_call_and_a_short_one(town: Town) -> None:
    await town.end_call("03_very_short", duration_s=10)
    await town.end_call(None, duration_s=0, failed_code="304")
    await town.until_card("Пропущенный звонок")
    assert len(town.cards()) == 1
    assert town.models.paid == {"transcriptions": 0, "completions": 0}


async def test_ringing_costs_nothing(town: Town) -> None:
    await town.end_call("04_ringing_no_answer", duration_s=15)
    await town.until_card("Речь не найдена")
    assert town.models.paid == {"transcriptions": 0, "completions": 0}


async def test_an_answering_machine_is_heard_and_costs_no_model(town: Town) -> None:
    await town.end_call("07_voicemail", duration_s=24, call_type="1")
    await town.until_card("автоответчик")
    await town.until(lambda: town.portal.comments)
    assert town.models.paid == {"transcriptions": 1, "completions": 0}


async def test_a_wrong_token_is_refused_and_nothing_is_kept(town: Town) -> None:
    call = town.call()
    assert await town.post_event(call, token="wrong") == 401
    assert await town.post("/hooks/bitrix24/0123456789abcdef0123456789abcdef", town.portal.event_body(call)) == 404
    assert await town.post("/api/bitrix-webhook/call-finished", b"event=ONVOXIMPLANTCALLEND") in {400, 401}
    assert town.cards() == []


async def test_a_lost_event_is_found_by_asking(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        await town.start()
        await town.until(lambda: town.portal.asked("voximplant.statistic.get"))
        await town.stop()
        call = town.call()
        await town.start()
        await town.until_card("Готово через")
        assert call.call_id
        assert len(town.cards()) == 1
