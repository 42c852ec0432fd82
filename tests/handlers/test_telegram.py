"""What happens when people type and press, through a real dispatcher."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import WebhookInfo
from sqlalchemy import select

from domain.messages import Destination, Message
from domain.roles import Person, Role
from handlers.admin.status import code_name
from handlers.desk import MIN_DURATION_VARIABLE, Desk, PartHealth, PartState
from storage.codec import loads
from storage.models import connections, counters, posts, work
from tests.handlers.chat import GROUP, PRIVATE_CHAT, Talk
from tests.handlers.conftest import Stage
from tests.handlers.seed import (
    NOON,
    bare,
    call_row,
    put,
    seed_accounts,
    seed_calls,
    seed_post,
    seed_steps,
    seed_work,
    transcript,
)

OWNER = Person(user_id=1, account_id=1, telegram_id=PRIVATE_CHAT, role=Role.OWNER, name="Анна")
BITRIX = {"account_id": 1, "vendor": "bitrix24", "public_id": "p", "created_at": NOON}
MANAGER = replace(OWNER, user_id=2, role=Role.MANAGER, name="Олег")


@pytest.fixture
async def owner(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    await desk.people.let_in(1, (PRIVATE_CHAT,))
    return Talk(desk, OWNER)


@pytest.fixture
async def manager(desk: Desk) -> Talk:
    await seed_accounts(desk.database)
    return Talk(desk, MANAGER)


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


async def test_start_and_help(manager: Talk, desk: Desk) -> None:
    assert "Ваша роль: менеджер" in await manager.say("/start")
    assert "Ваша роль: менеджер" in await manager.say("/start inline")
    assert await manager.say("/start", chat=GROUP) == ""
    assert "/status" not in await manager.say("/help")
    assert "/bind" not in await manager.say("/справка", chat=GROUP)
    assert "длиннее 10 с" in await manager.say("/help звонки")
    assert "Поддержка24" in await manager.say("/help Битрикс24")
    assert "Такого раздела нет" in await manager.say("/помощь луна")


@pytest.mark.parametrize("command", ["/status", "/errors", "/settings", "/bind", "/статус", "/Ошибки"])
async def test_managers_do_not_run_the_bot(manager: Talk, command: str) -> None:
    assert await manager.say(command) == "> Это может только администратор."


@pytest.mark.parametrize("button", ["errors:1", "one:a:1", "all:a:1", "allgo:a:1", "min:5", "people:0", "invite:manager",
                                    "off:1", "offgo:1", "settings:0", "kind:call", "unbind:0"])  # fmt: skip
async def test_managers_press_in_vain(manager: Talk, desk: Desk, button: str) -> None:
    assert await manager.press(button, chat=GROUP) == "(Это может только администратор.)"
    assert await desk.min_duration_s(1) == 10


async def test_status(owner: Talk, desk: Desk, stage: Stage) -> None:
    stage.parts = [PartHealth(name="t", title="Битрикс24", state=PartState.OK)]
    owner.session.webhook = WebhookInfo(
        url="https://x/telegram/webhook", has_custom_certificate=False, pending_update_count=3,
        last_error_date=NOON - timedelta(minutes=5), last_error_message="Wrong response: 502",
    )  # fmt: skip
    shown = await owner.say("/status")
    for part in (
        "✅ Битрикс24: работает",
        "приём: вебхук",
        "3 обновления",
        "5 минут назад: Wrong response: 502",
        "/setinline",
    ):
        assert part in shown
    await put(desk.database, counters, {"day": "2026-11-20", "name": "rejected:BadSignature", "value": 4})
    assert "сверьте его с настройкой сервиса: 4" in await owner.say("/status")
    owner.session.refuse["getWebhookInfo"] = "Bad Request: no"
    assert "о вебхуке узнать не удалось" in await owner.say("/статус")


async def test_failures_are_repeated_one_or_all(
    owner: Talk, desk: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = {"state": "dead", "error_code": "insufficient_scope", "error": "bitrix24 x: insufficient_scope [a1]"}
    ids = [await seed_work(desk.database, f"bitrix24:{n}", **dead) for n in range(4)]
    name = code_name("insufficient_scope")
    assert "Не хватает прав вебхука · 4 ошибки" in await owner.say("/errors")
    assert owner.keyboard() == [[f"one:{name}:1", f"all:{name}:1"], ["errors:7"]]
    assert "🧯 Ошибки за 7 дней" in await owner.press("errors:7")
    assert "(Повтор запущен: 1.)" in await owner.press(f"one:{name}:1")
    assert stage.replayed == ids[:1]
    assert "Повторить все остановленные: 3?" in await owner.press(f"all:{name}:1")
    assert owner.keyboard() == [[f"allgo:{name}:1", "errors:1"]]
    monkeypatch.setattr("handlers.admin.answers.MOST_AT_ONCE", 2)
    assert "Запущены первые 2" in await owner.press(f"allgo:{name}:1")
    assert "(Повтор запущен: 1.)" in await owner.press(f"allgo:{name}:1")
    assert stage.replayed == ids
    assert "Ошибок нет" in await owner.say("/errors")
    assert "(Больше нечего повторять.)" in await owner.press(f"allgo:{name}:1")
    assert "(Больше нечего повторять.)" in await owner.press(f"all:{name}:1")


async def test_the_shortest_call_changes_at_once(owner: Talk, desk: Desk) -> None:
    assert "длиннее 10 с" in await owner.say("/settings")
    assert "Теперь саммари для звонков длиннее 25 с" in await owner.say("/settings 25")
    assert await desk.min_duration_s(1) == 25
    assert "длиннее 0 с" in await owner.say("/settings длина 0")
    shown = await owner.press("min:20")
    assert "(Теперь саммари для звонков длиннее 20 с." in shown
    assert "~ ⚙️ Настройки" in shown
    for wrong in ("много", "-5", "3601", "1.5"):
        assert "Нужно целое число" in await owner.say(f"/settings {wrong}")
    assert await desk.min_duration_s(1) == 20
    assert "личном чате" in await owner.say("/settings", chat=GROUP)
    assert "⚙️ Настройки" in await owner.press("settings:0")


async def test_what_the_environment_sets_wins(desk: Desk) -> None:
    await seed_accounts(desk.database)
    talk = Talk(replace(desk, fixed={MIN_DURATION_VARIABLE: "15"}, default_min_duration_s=15), OWNER)
    assert "Задано в .env" in await talk.say("/settings")
    assert "Задано в .env" in await talk.say("/settings 25")
    assert "длиннее 15 с" in await talk.press("min:25")


async def test_people_are_invited_and_shut_out(owner: Talk, desk: Desk) -> None:
    await owner.press("invite:manager")
    (sent,) = [call for call in owner.session.calls if isinstance(call, SendMessage)]
    code = sent.text.rpartition("?start=")[2]
    assert "https://t.me/svodka_bot?start=" in sent.text
    let_in = await desk.people.accept(code, telegram_id=20, name="Олег", username="oleg")
    assert let_in is not None
    assert let_in.role is Role.MANAGER
    assert "Олег, @oleg — менеджер" in await owner.press("people:0")
    assert owner.keyboard() == [[f"off:{let_in.user_id}"], ["settings:0"]]
    assert "Отключить: Олег?" in await owner.press(f"off:{let_in.user_id}")
    shown = await owner.press(f"offgo:{let_in.user_id}")
    assert "(Отключён: Олег.)" in shown
    assert "Олег — отключён" in shown
    assert await desk.people.find(20) is None
    assert "Такого человека уже нет" in await owner.press(f"off:{let_in.user_id}")
    assert "Такого человека уже нет" in await owner.press(f"offgo:{let_in.user_id}")


async def test_an_invitation_is_for_private_and_the_last_admin_stays(owner: Talk, desk: Desk) -> None:
    assert "личном чате" in await owner.press("invite:manager", chat=GROUP)
    assert "личном чате" in await owner.press("invite:manager", gone=True)
    await owner.press("invite:admin")
    assert "администратор" in owner.shown()[-1].text  # type: ignore[attr-defined]
    (only,) = await desk.people.all(1)
    assert "единственный администратор" in await owner.press(f"offgo:{only.person.user_id}")


async def test_binding_a_group_and_its_topics(owner: Talk, desk: Desk) -> None:
    shown = await owner.say("/bind", chat=GROUP, topic=5)
    assert "Карточки пойдут сюда: звонки, пропущенные, уведомления." in shown
    assert "гости тоже" in shown
    (place,) = await desk.destinations.all(1)
    assert (place.chat_id, place.topic_id, place.title) == (GROUP, 5, "Отдел продаж")
    assert "сюда: звонки, уведомления." in await owner.press("kind:missed", chat=GROUP, topic=5)
    assert "сюда: звонки, пропущенные, уведомления." in await owner.press("kind:missed", chat=GROUP, topic=5)
    assert "сюда: пропущенные." in await owner.say("/привязать Пропущенные", chat=GROUP, topic=5)
    assert "Оставьте хотя бы один вид" in await owner.press("kind:missed", chat=GROUP, topic=5)
    assert "Сюда и так ничего не идёт" in await owner.press("kind:call", chat=GROUP)
    assert "Сюда и так ничего не идёт" in await owner.press("kind:луна", chat=GROUP, topic=5)
    assert "Сюда и так ничего не идёт" in await owner.press("unbind:0", gone=True)
    assert "Больше сюда не пишу" in await owner.press("unbind:0", chat=GROUP, topic=5)
    assert await desk.destinations.all(1) == []
    assert "Не знаю «луна»" in await owner.say("/bind луна", chat=GROUP)
    assert "для группы" in await owner.say("/bind")


async def test_a_chat_from_the_environment_stays_bound(owner: Talk, desk: Desk) -> None:
    await desk.destinations.set_from_environment(1, Destination(chat_id=GROUP))
    assert "задан в .env" in await owner.press("unbind:0", chat=GROUP)
    assert len(await desk.destinations.all(1)) == 1


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
