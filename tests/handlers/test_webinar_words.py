"""Webinars asked for in plain words and inline, and the golden look of their card."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiogram.types import InputTextMessageContent

from domain.attendance import Turnout, Yardstick
from domain.messages import as_text, iter_lines
from handlers.desk import Desk
from handlers.texts import load_texts
from handlers.webinars import answers
from handlers.webinars.catalogue import Catalogue
from handlers.webinars.desk import WebinarDesk
from handlers.webinars.messages import Stage, WebinarView, webinar_card
from handlers.webinars.words import FIGURES_SECONDS
from tests.ground import HandClock
from tests.handlers.chat import MANAGER, Talk
from tests.handlers.conftest import PHONE_WIDTH, Golden, longest_word, look
from tests.handlers.seed import NOON, seed_accounts, seed_calls
from tests.handlers.test_register import Asked, Platform
from tests.storage.hall import Hall
from tests.storage.test_audience import VIEWERS
from tests.webinars.world import TURNOUT

VIEW = WebinarView(
    stage=Stage.READY, title="Как выбрать квартиру в новостройке", timezone=ZoneInfo("Europe/Moscow"), row_id=7, work_id=3,
    started_at=NOON, minutes=95, turnout=TURNOUT,
)  # fmt: skip


@pytest.fixture
async def talk(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    await Hall(desk.database).hold(VIEWERS)
    await seed_calls(desk.database)
    catalogue = Catalogue(Platform(), desk.clock)  # type: ignore[arg-type]  # all that is asked of it
    webinars = WebinarDesk(vendor="bizon365", catalogue=catalogue, ask=Asked(), yardstick=Yardstick())
    return Talk(replace(desk, webinars=webinars), MANAGER)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("вебинары", "🎓 Вебинары"),
        ("Покажи вебинары", "🎓 Вебинары"),
        ("кому звонить?", "🔥 Горячие"),
        ("кому перезвонить после вебинара", "🔥 Горячие"),
        ("был ли +7 999 000-00-01", "✅ Да, 58 мин"),
        ("была hot@p.ru 20.11.2026", "✅ Да, 58 мин"),
        ("запиши человека на вебинар", "На какую страницу записать?"),
        ("звонки за неделю", "📞 Звонки"),
        ("жалобы", "📞 Звонки"),
        ("были звонки за 3 дня", "📞 Звонки"),
    ],
)
async def test_plain_words_are_understood(talk: Talk, said: str, answer: str) -> None:
    assert answer in await talk.say(said)


async def test_inline_gives_figures_without_phones(talk: Talk) -> None:
    (result,) = (await talk.inline("вебинары")).results
    content = result.input_message_content  # type: ignore[union-attr]  # an article
    assert isinstance(content, InputTextMessageContent)
    assert "Пришли: 4" in content.message_text
    assert "999" not in content.message_text
    about = result.description or ""  # type: ignore[union-attr]  # likewise
    assert "Пришли: 4 · " in about
    assert "\n" not in about
    (visit,) = (await talk.inline("был 8 999 000 00 01")).results
    assert visit.title == "✅ Да, 58 мин (19:00–19:58)"  # type: ignore[union-attr]  # likewise
    assert len((await talk.inline("звонки")).results) > 1


async def test_help_has_a_page_of_its_own(talk: Talk, golden: Golden) -> None:
    golden("help_webinars", await talk.say("/help вебинары"))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("webinar", {}),
        ("webinar_no_phones", {"turnout": replace(TURNOUT, no_phone=700, registered=0, no_show=0, skipped=2)}),
        ("webinar_empty", {"turnout": Turnout()}),
        ("webinar_waiting", {"stage": Stage.WAITING, "turnout": None, "next_look": NOON, "minutes": 0}),
        ("webinar_loading", {"stage": Stage.LOADING, "turnout": None, "loaded": 3000, "total": 12400}),
        ("webinar_no_report", {"stage": Stage.NO_REPORT, "turnout": None, "started_at": None, "title": "", "row_id": 0}),
    ],
)
def test_the_card_reads_well_on_a_phone(golden: Golden, name: str, changes: dict[str, Any]) -> None:
    message = webinar_card(replace(VIEW, **changes), load_texts(), key="webinar:x")
    assert longest_word(message) <= PHONE_WIDTH
    assert all(len("".join(s.text for s in line.spans)) <= PHONE_WIDTH for line in iter_lines(message) if line.bullet)
    assert as_text(message)
    golden(name, look(message))


async def test_figures_are_counted_once_while_somebody_types(
    talk: Talk, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    async def count(database: Any, webinar_id: int) -> Turnout:
        counted.append(webinar_id)
        return TURNOUT

    monkeypatch.setattr(answers, "turnout", count)
    for typed in ("вебинар", "вебинары", "вебинары "):
        assert len((await talk.inline(typed)).results) == 1
    assert len(counted) == 1
    clock.forward(FIGURES_SECONDS)
    await talk.inline("вебинары")
    assert len(counted) == 2


async def test_of_a_long_text_the_beginning_is_looked_at(talk: Talk) -> None:
    assert "✅ Да" in await talk.say("был" + " " * 100 + "hot@p.ru")
    assert "✅ Да" not in await talk.say("был" + " " * 300 + "hot@p.ru")
    (visit,) = (await talk.inline("был 8 999 000 00 01 " + "а" * 300)).results
    assert visit.id == "visit"
