"""What happens when people ask about calls and press under cards, through a real dispatcher."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.methods import AnswerCallbackQuery
from sqlalchemy import select

from domain.messages import Message
from handlers.desk import Desk
from storage.codec import loads
from storage.models import connections, posts, work
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import Stage
from tests.handlers.seed import (
    NOON,
    bare,
    call_row,
    put,
    seed_calls,
    seed_post,
    seed_steps,
    seed_work,
    transcript,
)

BITRIX = {"account_id": 1, "vendor": "bitrix24", "public_id": "p", "created_at": NOON}


async def wanted(desk: Desk) -> list[Message]:
    """What stands in the outbox, oldest first."""
    async with desk.database.read() as connection:
        rows = await connection.scalars(select(posts.c.content).order_by(posts.c.id))
        return [loads(Message, content) for content in rows]


async def state_of(desk: Desk, work_id: int) -> str:
    async with desk.database.read() as connection:
        return str(await connection.scalar(select(work.c.state).where(work.c.id == work_id)))


async def test_calls_in_each_way_of_asking(manager: Talk, desk: Desk) -> None:
    await seed_calls(desk.database)
    for question in ("/calls", "/calls@svodka_bot", "/звонки", "/Звонки за 3 дня", "звонки за неделю", "покажи жалобы"):
        assert "📞 Звонки" in await manager.say(question), question
    assert "Нашлось: 7 звонков" in await manager.say("/calls")
    assert "Нашлось: 1 звонок" in await manager.say("+7 916 000 45 67")
    assert "Нашлось: 2 звонка" in await manager.say("песок")


async def test_words_that_are_no_question_are_met_with_examples(manager: Talk, desk: Desk) -> None:
    await seed_calls(desk.database)
    assert await manager.say("привет") == "> " + desk.texts.get("calls.not_understood")
    assert await manager.say("/unknown") == "> " + desk.texts.get("calls.not_understood")
    assert "Ничего не нашлось" in await manager.say("жалобы за 2020 год")
    assert await manager.say("звонки за неделю", via_bot=True) == ""
    assert await manager.say("звонки за неделю", chat=GROUP) == ""
    assert "📞 Звонки" in await manager.say("/calls", chat=GROUP)


async def test_pages_turn_also_weeks_later_and_mean_the_day_they_were_asked(manager: Talk, desk: Desk, clock: Any) -> None:
    await seed_calls(desk.database, tuple(call_row(n / 60, call_id=str(n)) for n in range(12)))
    await manager.say("звонки сегодня")
    here, older = manager.keyboard()[1]
    assert (here.split(":")[2], older.split(":")[2]) == ("0", "5")
    clock.forward(86400 * 30)
    assert "6. 20.11" in await manager.press(older)
    assert manager.keyboard()[1][0].endswith(":0")
    clock.forward(86400 * 60)
    assert "Этот список устарел" in await manager.press(older)
    assert "Этот список устарел" in await manager.press("list:nonsense")


async def test_a_search_that_spans_too_much_goes_on_where_it_stopped(
    manager: Talk, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.queries.calls.MOST_ROWS_READ", 3)
    await seed_calls(desk.database)
    assert "Просмотрены звонки с 20.11.2026" in await manager.say("песок")
    (older,) = manager.keyboard()[-1]
    shown = await manager.press(older)
    assert "Олег Петров" in shown
    assert "Просмотрены" not in shown
    await manager.say("анна за неделю")
    assert "Нашлось" in await manager.press(manager.keyboard()[-1][0])


async def test_a_call_opens_from_the_list(manager: Talk, desk: Desk) -> None:
    first, *_ = await seed_calls(desk.database)
    shown = await manager.press(f"call:{first}")
    assert "📝 Саммари:" in shown
    assert "+7 999 123-45-67" in shown
    assert manager.keyboard() == [[f"rec:{first}", f"text:{first}", f"more:{first}"]]
    assert "+7 999 ···-··-67" in await manager.press(f"call:{first}", chat=GROUP)


@pytest.mark.parametrize(
    "button",
    ["call:99", "rec:99", "text:99", "more:99", "why:99", "rec:", "rec:x", "rec:²", f"rec:{10**18}", f"rec:{10**30}"],
)
async def test_a_call_that_is_gone_is_a_word_and_no_error(manager: Talk, button: str) -> None:
    assert await manager.press(button) == "(Этого звонка больше нет.)"


@pytest.mark.parametrize("button", ["call", "rec", "text", "more", "why"])
async def test_a_message_that_telegram_no_longer_shows(manager: Talk, desk: Desk, button: str) -> None:
    first, *_ = await seed_calls(desk.database)
    assert "Сообщение слишком старое" in await manager.press(f"{button}:{first}", gone=True)


async def test_another_accounts_call_does_not_exist(manager: Talk, desk: Desk) -> None:
    (id_,) = await seed_calls(desk.database, (call_row(1, account_id=2),))
    assert await manager.press(f"call:{id_}") == "(Этого звонка больше нет.)"


async def test_the_recording_goes_through_the_outbox(manager: Talk, desk: Desk, stage: Stage, tmp_path: Path) -> None:
    first, *_ = await seed_calls(desk.database)
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "1").write_bytes(b"mp3")
    assert await manager.press(f"rec:{first}", chat=GROUP, topic=5) == "(Отправляю запись.)"
    (message,) = await wanted(desk)
    assert (message.files[0].path, message.files[0].kind) == ("recordings/1", "audio")
    assert message.reply_to == "call:bitrix24:externalCall.1"
    async with desk.database.read() as connection:
        row = (await connection.execute(select(posts.c.chat_id, posts.c.topic_id, posts.c.key))).one()
    assert (row.chat_id, row.topic_id) == (GROUP, 5)
    assert row.key.startswith("call:bitrix24:externalCall.1#rec:q1")
    assert stage.woken == 1


async def test_why_there_is_no_recording(manager: Talk, desk: Desk) -> None:
    (
        carded,
        _,
        missed,
        *_,
    ) = await seed_calls(desk.database)
    assert await manager.press(f"rec:{carded}") == "(Запись уже удалена: срок хранения вышел.)"
    assert await manager.press(f"rec:{missed}") == "(Записи не было: разговора не было.)"
    assert await manager.press(f"text:{missed}") == "(Расшифровки нет: разговора не было.)"
    assert await wanted(desk) == []


async def test_a_transcript_as_a_quote_or_as_a_file(manager: Talk, desk: Desk, tmp_path: Path) -> None:
    short, long = await seed_calls(desk.database, (call_row(1), call_row(2, transcript=transcript(times=60))))
    assert await manager.press(f"text:{short}") == "(Отправляю расшифровку.)"
    await manager.press(f"text:{long}")
    quoted, filed = await wanted(desk)
    assert quoted.sections
    assert not quoted.files
    text = (tmp_path / filed.files[0].path).read_text(encoding="utf-8")
    assert text.startswith("0:00 Мы: Добрый день")
    assert text.count("\n") == 180


async def test_more_unfolds_a_second_row_by_role(owner: Talk, desk: Desk) -> None:
    first, *_ = await seed_calls(desk.database)
    id_ = await seed_work(desk.database, "bitrix24:externalCall.1")
    card = [[{"text": "Запись", "callback_data": f"rec:{first}"}, {"text": "Ещё", "callback_data": f"more:{first}"}]]
    assert await owner.press(f"more:{first}", keyboard=card) == "~ keyboard"
    link = "https://portal.example/crm/contact/details/17/"
    assert owner.keyboard() == [[f"rec:{first}"], [f"why:{first}", f"again:{id_}"], ["+79991234567", link]]
    owner.person = MANAGER
    await owner.press(f"more:{first}", keyboard=card)
    assert owner.keyboard()[1] == [f"why:{first}"]
    await owner.press(f"more:{first}")
    assert owner.keyboard()[0] == [f"why:{first}"]
    owner.session.refuse["editMessageReplyMarkup"] = "Bad Request: message is not modified"
    assert await owner.press(f"more:{first}", keyboard=card) == "~ keyboard"


async def test_why_by_number_by_id_by_reply_and_by_button(manager: Talk, desk: Desk) -> None:
    await put(desk.database, connections, BITRIX)
    first, *_ = await seed_calls(desk.database)
    work_id = await seed_work(desk.database, "bitrix24:externalCall.1")
    await seed_steps(desk.database, work_id, "bitrix24:externalCall.1")
    await seed_post(desk.database, "call:bitrix24:externalCall.1", chat_id=GROUP, message_id=77)
    await seed_post(desk.database, "call:bitrix24:externalCall.1@5#file:x", chat_id=GROUP, message_id=78)
    await seed_post(desk.database, "digest:1", chat_id=GROUP, message_id=79)
    title = f"🔎 Звонок № {first}"
    for question in (f"/why {first}", f"/почему № {first}", "/why externalCall.1"):
        assert title in await manager.say(question), question
    assert title in await manager.say("/why", chat=GROUP, reply_to=77)
    assert title in await manager.say("/why", chat=GROUP, topic=5, reply_to=78)
    assert title in await manager.press(f"why:{first}")
    assert "Это сообщение не о звонке" in await manager.say("/why", chat=GROUP, reply_to=79)
    assert "Это сообщение не о звонке" in await manager.say("/why", chat=GROUP, reply_to=80)
    assert "Напишите номер звонка" in await manager.say("/why")
    assert "Напишите номер звонка" in await manager.say("/why", chat=GROUP, topic=5, reply_to=5)
    assert "Такого звонка нет" in await manager.say("/why 99")
    assert "Такого звонка нет" in await manager.say("/why ничего")


async def test_why_of_a_call_that_is_not_listed_yet(manager: Talk, desk: Desk) -> None:
    await put(desk.database, connections, BITRIX)
    waits = {
        "state": "ready",
        "due_at": NOON + timedelta(minutes=2),
        "waiting_for": "call is not listed yet",
        "finished_at": None,
    }
    await seed_work(desk.database, "bitrix24:new.1", **waits)
    await seed_post(desk.database, "call:bitrix24:new.1", chat_id=GROUP, message_id=77)
    shown = await manager.say("/why new.1")
    assert "🔎 Звонок new.1" in shown
    assert "звонок в списке телефонии. Следующая попытка сегодня 15:02" in shown
    assert "🔎 Звонок new.1" in await manager.say("/why", chat=GROUP, reply_to=77)


async def test_repeating_is_asked_first_and_only_of_those_who_may(owner: Talk, desk: Desk, stage: Stage) -> None:
    first, *_ = await seed_calls(desk.database)
    done = await seed_work(desk.database, "bitrix24:externalCall.1")
    assert "Обработать звонок заново?" in await owner.press(f"again:{done}")
    assert owner.keyboard() == [[f"redo:{done}", "no:0"]]
    owner.person = MANAGER
    for button in ("again", "redo"):
        assert "только администратор" in await owner.press(f"{button}:{done}")
    assert stage.replayed == []
    owner.person = OWNER
    assert "~ Оставили как есть." in await owner.press("no:0")
    assert f"Что происходит: /why {first}" in await owner.press(f"redo:{done}")
    assert stage.replayed == [done]


async def test_repeating_what_died_runs_or_is_gone(owner: Talk, desk: Desk, stage: Stage) -> None:
    dead = await seed_work(desk.database, "bitrix24:x", state="dead", error_code="defect")
    assert "Продолжить с места ошибки?" in await owner.press(f"again:{dead}")
    assert "Повтор запущен." in await owner.press(f"redo:{dead}")
    assert await state_of(desk, dead) == "ready"
    assert "Уже в работе" in await owner.press(f"again:{dead}")
    assert "Уже в работе" in await owner.press(f"redo:{dead}")
    assert "Этой работы больше нет" in await owner.press("again:999")
    assert "Этой работы больше нет" in await owner.press("redo:999")
    assert "Этой работы больше нет" in await owner.press("again:x")


async def test_inline_is_personal_brief_and_shares_no_whole_number(manager: Talk, desk: Desk) -> None:
    await seed_calls(desk.database)
    answer = await manager.inline("иванов")
    assert (answer.is_personal, answer.cache_time, answer.next_offset) == (True, 5, "")
    assert len(answer.results) == 5
    article = answer.results[0].model_dump()
    assert "+7 999 123-45-67" in article["description"]
    assert "+7 999 ···-··-67" in article["input_message_content"]["message_text"]
    assert "123-45-67" not in article["input_message_content"]["message_text"]
    assert (await manager.inline("+79160004567")).results[0].model_dump()["title"].endswith("пропущенный")
    assert (await manager.inline("небылица")).results == []


async def test_inline_pages(manager: Talk, desk: Desk) -> None:
    await seed_calls(desk.database, tuple(call_row(n, call_id=str(n)) for n in range(25)))
    first = await manager.inline("")
    assert (len(first.results), first.next_offset) == (20, "20")
    second = await manager.inline("", "20")
    assert (len(second.results), second.next_offset) == (5, "")
    assert len((await manager.inline("", "мусор")).results) == 20


async def test_redrawing_what_cannot_be_edited(owner: Talk) -> None:
    owner.session.refuse["editMessageText"] = "Bad Request: message is not modified: same content"
    assert ">" not in await owner.press("settings:0")
    owner.session.refuse["editMessageText"] = "Bad Request: message to edit not found"
    assert "> ⚙️ Настройки" in await owner.press("settings:0")
    assert await owner.press("settings:0", gone=True) == ""


async def test_a_tap_that_is_too_old_is_still_served(owner: Talk) -> None:
    owner.session.refuse["answerCallbackQuery"] = "Bad Request: query is too old"
    assert "~ ⚙️ Настройки" in await owner.press("settings:0")


async def test_each_tap_is_answered_once(owner: Talk, desk: Desk) -> None:
    first, *_ = await seed_calls(desk.database)
    await seed_work(desk.database, "bitrix24:externalCall.1")
    for button in (
        f"call:{first}",
        f"rec:{first}",
        f"text:{first}",
        f"more:{first}",
        f"why:{first}",
        "settings:0",
        "min:5",
        "errors:1",
    ):
        await owner.press(button)
        answers = [call for call in owner.session.calls if isinstance(call, AnswerCallbackQuery)]
        assert len(answers) == 1, button


async def test_short_missed_and_unrecorded_calls_are_listed_with_their_reason(manager: Talk, desk: Desk) -> None:
    await seed_calls(desk.database, (bare(1, "short", duration_s=8), bare(2, "no_recording"), bare(3, "old")))
    shown = await manager.say("/calls")
    for reason in ("короткий, саммари не делали", "без записи", "узнали слишком поздно"):
        assert reason in shown
