"""/visited where we have no report: the platform is asked, what it lists is loaded, and none of it is «нет»."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.attendance import Yardstick
from domain.errors import VendorUnavailable
from domain.events import WebinarEnded
from domain.webinars import RoomId
from handlers.desk import Desk
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import WebinarDesk
from tests.ground import HandClock
from tests.handlers.chat import MANAGER, Talk
from tests.handlers.conftest import Stage
from tests.handlers.seed import NOON, seed_accounts, seed_work
from tests.handlers.test_register import Asked, Platform
from tests.storage.hall import REPORT, Hall, another, viewer

LISTED = replace(another(days=-2), title="Разбор")  # 18.11.2026 19:00
LIMIT = 3


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def talk(desk: Desk, platform: Platform, clock: HandClock) -> Talk:
    await seed_accounts(desk.database)
    clock.forward(8 * 3600)
    catalogue = Catalogue(platform, desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=Asked(), yardstick=Yardstick(), report_limit=LIMIT)
    return Talk(replace(desk, webinars=webinars), MANAGER)


@pytest.mark.parametrize("asked", ["/visited +79990000001", "/visited 111:room ivan@p.ru 18.11.2026 19:00"])
async def test_a_report_we_have_not_is_loaded_and_asked_again(
    talk: Talk, desk: Desk, platform: Platform, stage: Stage, asked: str
) -> None:
    platform.listed = [LISTED]
    answer = await talk.say(asked)
    assert "⏳ Отчёт есть, загружаю: Разбор, 18.11.2026 19:00." in answer
    assert [(type(event), event.external_id) for event in stage.submitted] == [(WebinarEnded, LISTED.external_id)]
    again = talk.keyboard()[0][0]
    assert "ещё не загружен" in await talk.press(again)
    await Hall(desk.database).hold([viewer("+79990000001", "ivan@p.ru")], LISTED)
    answer = await talk.press(again)
    assert "✅ Да, 20 мин" in answer
    assert "Отчёт: Разбор, 18.11.2026 19:00" in answer


async def test_without_a_day_only_the_newest_reports_are_meant(talk: Talk, platform: Platform, stage: Stage) -> None:
    elsewhere = replace(REPORT, external_id="222:hall*2026-11-20T19:00:00", room_id=RoomId("222:hall"))
    platform.listed = [elsewhere] * LIMIT + [LISTED]
    assert f"среди последних ({LIMIT}) на платформе его не нашлось" in await talk.say("/visited 111:room +79990000001")
    assert stage.submitted == []
    assert "загружаю: Разбор" in await talk.say("/visited 111:room +79990000001 18.11.2026")


async def test_a_platform_that_is_away_is_no_absence(
    talk: Talk, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(**_: object) -> None:
        raise VendorUnavailable("bizon365", "reports", "HTTP 503")

    monkeypatch.setattr(platform, "reports", away)
    assert "платформа сейчас не отвечает" in await talk.say("/visited +79990000001")
    assert "Спросить ещё раз" in desk_buttons(talk)


async def test_a_report_of_another_time_is_not_the_one_that_is_waited_for(talk: Talk, desk: Desk) -> None:
    await waited_for(desk, "222:late*2026-11-20T21:00:00", datetime(2026, 11, 20, 18, tzinfo=UTC))
    assert "проверю 21.11 00:00" in await talk.say("/visited +79990000001 20.11.2026 21:00")
    assert "❔ Отчёта нет: на это время" in await talk.say("/visited +79990000001 19.11.2026 19:00")


async def test_a_room_whose_only_report_is_waited_for_is_a_room(talk: Talk, desk: Desk) -> None:
    await waited_for(desk, "222:late*2026-11-20T21:00:00", datetime(2026, 11, 20, 18, tzinfo=UTC))
    assert "⏳ Отчёт ещё не сформирован" in await talk.say("/visited 222:late 1 79990000001")


async def test_who_only_looked_in_was_not_there(talk: Talk, desk: Desk) -> None:
    await Hall(desk.database).hold([viewer("+79990000001", minutes=(2, 3))])
    assert "> 👀 Заходил на 1 мин (19:02–19:03)" in await talk.say("/visited +79990000001")


async def waited_for(desk: Desk, session: str, began: datetime) -> None:
    told = {"vendor": "bizon365", "external_id": session, "occurred_at": began.isoformat(), "title": ""}
    waits = {"kind": "webinar", "state": "ready", "waiting_for": "report", "due_at": NOON + timedelta(hours=9)}
    await seed_work(desk.database, f"bizon365:{session}", payload=json.dumps(told), finished_at=None, **waits)


def desk_buttons(talk: Talk) -> str:
    """What is written on the buttons of the newest answer."""
    markup = getattr(talk.shown()[-1], "reply_markup", None)
    return " ".join(button.text for row in markup.inline_keyboard for button in row) if markup else ""
