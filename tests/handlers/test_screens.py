"""Screens as people see them: goldens, and what must hold for any."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.messages import ButtonKind, Message, as_text
from domain.roles import Person, Role
from handlers.admin import screens
from handlers.admin.status import (
    Money,
    Reception,
    Standing,
    code_name,
    errors_screen,
    month_forecast,
    status_screen,
)
from handlers.calls.ask import understand
from handlers.calls.screens import (
    PER_PAGE,
    QUOTE_UNITS,
    Paging,
    call_screen,
    inline_item,
    list_screen,
    more_row,
    no_recording,
    no_transcript,
    recording_message,
    transcript_message,
    units,
)
from handlers.calls.why import why_screen
from handlers.commands import commands_for
from handlers.desk import MoneyLimits, PartHealth, PartState
from handlers.wording import Reader
from storage.destinations import BoundChat
from storage.engine import Database
from storage.people import ListedPerson
from storage.queries.call import CallDetail, find_call
from storage.queries.calls import CallPage, CallQuery, find_calls
from storage.queries.crm_reckoning import CrmReckoning
from storage.queries.failures import FailureKind
from storage.queries.health import DeadDestination, LastEvent, Queue, UnknownKind
from storage.queries.journal import Journal, StepLine, WorkLine, read_journal
from storage.queries.reckoning import Reckoning
from storage.queries.repeats import Repeats
from storage.queries.webinar_reckoning import UnreadReport, WebinarReckoning
from tests.handlers.conftest import Golden, look
from tests.handlers.seed import NOON, call_row, seed_calls, seed_steps, seed_work, transcript

OWNER = Person(user_id=1, account_id=1, telegram_id=10, role=Role.OWNER, name="Анна")
MANAGER = Person(user_id=2, account_id=1, telegram_id=11, role=Role.MANAGER, name="Олег")
QUIET = Queue(ready=0, waiting=0, running=0, late=0, dead=0, posts=0, next_due=None)


async def page_of(database: Database, **more: Any) -> CallPage:
    await seed_calls(database)
    return await find_calls(database, 1, CallQuery(), limit=PER_PAGE, **more)


async def detail(database: Database, **changes: Any) -> CallDetail:
    (id_,) = await seed_calls(database, (call_row(1, **changes),))
    found = await find_call(database, 1, id_)
    assert found is not None
    return found


def journal(*works: WorkLine) -> Journal:
    return Journal(works=works, charges=())


def work_line(**changes: Any) -> WorkLine:
    line = WorkLine(
        id=9, kind="call", object="bitrix24:a", generation=1, source="hook", state="done", due_at=NOON, attempts=0,
        crashes=0, waiting_for="", error_code="", error="", created_at=NOON - timedelta(minutes=5),
        finished_at=NOON, steps=(),
    )  # fmt: skip
    return replace(line, **changes)


def why(reader: Reader, work: WorkLine, call: CallDetail | None = None, *, may_repeat: bool = True) -> str:
    screen = why_screen(reader, journal(work), call=call, call_id="a", min_duration_s=10, may_repeat=may_repeat)
    return look(screen)


async def test_a_list_of_calls(lite: Database, reader: Reader, golden: Golden) -> None:
    page = await page_of(lite)
    asked = understand("", now=reader.now, zone=reader.zone)
    golden("list", look(list_screen(reader, asked, page, Paging(name="abc", offset=0))))
    group = replace(reader, private=False)
    golden("list_in_a_group", look(list_screen(group, asked, page, Paging(name="abc", offset=0))))


async def test_the_question_is_read_back(lite: Database, reader: Reader, golden: Golden) -> None:
    question = "недовольные жалобы сотрудник Иванов про песок с 1 по 7 ноября 4567"
    asked = understand(question, now=reader.now, zone=reader.zone)
    empty = CallPage(rows=(), total=0, searched_from=NOON - timedelta(days=40))
    golden("list_nothing", look(list_screen(reader, asked, empty, Paging(name="", offset=0, older="old"))))
    phone = understand("8 999 123-45-67 за октябрь", now=reader.now, zone=reader.zone)
    assert "октябрь 2026 · номер +7 999 123-45-67" in look(list_screen(reader, phone, empty, Paging(name="", offset=0)))
    nothing = understand("", now=reader.now, zone=reader.zone)
    none = CallPage(rows=(), total=0)
    assert "Звонков пока нет" in look(list_screen(reader, nothing, none, Paging(name="", offset=0)))


async def test_pages_lead_on_and_back(lite: Database, reader: Reader) -> None:
    asked = understand("", now=reader.now, zone=reader.zone)
    page = replace(await page_of(lite), total=12)

    def targets(offset: int) -> list[str]:
        screen = list_screen(reader, asked, page, Paging(name="abc", offset=offset))
        return [button.target for button in screen.buttons[1]]

    assert targets(0) == ["list:abc:0", "list:abc:5"]
    assert targets(5) == ["list:abc:0", "list:abc:5", "list:abc:10"]
    assert targets(10) == ["list:abc:5", "list:abc:10"]


async def test_one_call(lite: Database, reader: Reader, golden: Golden) -> None:
    call = await detail(lite)
    golden("call", look(call_screen(reader, call)))
    short = replace(call, state="short", duration_s=8, summary=None, transcript=None, recording_path="")
    assert "Почему так: короткий, саммари не делали." in look(call_screen(reader, short))
    assert "+7 999 ···-··-67" in look(call_screen(replace(reader, private=False), call))
    long = look(call_screen(reader, replace(call, transcript=transcript(times=30))))
    assert "в файле" not in long
    assert f"[▶ Запись → rec:{call.id}] [Расшифровка → text:{call.id}] [Ещё → more:{call.id}]" in long
    assert "Почему так: состояние: lost." in look(call_screen(reader, replace(short, state="lost")))


async def test_more_buttons(lite: Database, reader: Reader) -> None:
    call = await detail(lite)

    def targets(reader: Reader, call: CallDetail, work_id: int | None) -> list[list[tuple[str, str]]]:
        return [[(b.kind, b.target) for b in row] for row in more_row(reader, call, work_id=work_id)]

    assert targets(reader, call, 9) == [
        [("action", f"why:{call.id}"), ("action", "again:9")],
        [("copy", "+79991234567"), ("url", "https://portal.example/crm/contact/details/17/")],
    ]
    group = replace(reader, private=False)
    assert targets(group, replace(call, crm_url="javascript:x"), None) == [[("action", f"why:{call.id}")]]


async def test_why_there_is_no_recording_or_transcript(lite: Database, reader: Reader) -> None:
    call = await detail(lite)
    bare = replace(call, recording_path="", recording_sha256="", transcript=None, summary=None, kind="")
    assert no_recording(reader, replace(call, recording_path="")) == "Запись уже удалена: срок хранения вышел."
    assert no_recording(reader, replace(bare, state="heard")).startswith("Записи пока нет")
    assert no_recording(reader, replace(bare, state="missed")) == "Записи не было: разговора не было."
    assert no_transcript(reader, call).startswith("Расшифровка уже удалена")
    assert no_transcript(reader, replace(bare, state="heard")).startswith("Расшифровки пока нет")
    assert no_transcript(reader, replace(bare, state="unheard")) == "Расшифровки нет: не расшифрован."


async def test_transcripts_and_recordings(lite: Database, reader: Reader, golden: Golden) -> None:
    call = await detail(lite)
    short = transcript_message(reader, call, transcript(), key="k", reply_to="card", path="t.txt")
    golden("transcript", look(short))
    assert not short.files
    long = transcript_message(reader, call, transcript(times=60), key="k", reply_to="card", path="t.txt")
    assert (long.sections, long.files[0].path, long.reply_to) == ((), "t.txt", "card")
    assert "20.11 14-00.txt" in long.files[0].name
    assert units("я👍") == 3
    assert units(as_text(short)) <= QUOTE_UNITS
    audio = recording_message(reader, call, key="k", reply_to="card")
    assert (audio.files[0].kind, audio.files[0].path) == ("audio", "recordings/1")
    assert audio.files[0].caption == "Звонок сегодня 14:00 · входящий · 1м 14с"


async def test_the_journal_of_a_call(lite: Database, reader: Reader, golden: Golden) -> None:
    call = await detail(lite)
    work_id = await seed_work(lite, call.object)
    await seed_steps(lite, work_id, call.object)
    lines = await read_journal(lite, 1, call.object)
    golden("why", look(why_screen(reader, lines, call=call, call_id=call.call_id, min_duration_s=10, may_repeat=True)))
    filtered = replace(call, state="short", duration_s=8)
    assert "Итог: фильтр длины: 8с, порог сейчас 15 с" in look(
        why_screen(reader, lines, call=filtered, call_id="a", min_duration_s=15, may_repeat=False)
    )


def test_where_work_stands(reader: Reader) -> None:
    ready = work_line(state="ready", finished_at=None, due_at=NOON + timedelta(minutes=20))
    waits = replace(ready, waiting_for="recording")
    assert "⏳ Ждём: запись звонка. Следующая попытка сегодня 15:20." in why(reader, waits)
    assert "ответа сервиса Битрикс24" in why(reader, replace(ready, waiting_for="vendor:bitrix24"))
    assert "звонок в списке телефонии" in why(reader, replace(ready, waiting_for="call is not listed yet"))
    assert "Ждём: луну" in why(reader, replace(ready, waiting_for="луну"))
    assert "начнём с минуты на минуту" in why(reader, replace(ready, due_at=NOON))
    failing = replace(ready, attempts=2, error="bitrix24 x: HTTP 503 [ab]")
    assert "Не вышло: bitrix24 x: HTTP 503 [ab]. Попыток подряд: 2." in why(reader, failing)
    assert "Сейчас в работе" in why(reader, work_line(state="running"))
    dead = work_line(state="dead", error_code="poison")
    assert "again:9" in why(reader, dead)
    assert "❌ Остановлено: poison. Нажмите «Повторить»" in why(reader, dead)
    manager = why(reader, dead, may_repeat=False)
    assert "Повторить может администратор" in manager
    assert "again:" not in manager
    assert "again:" not in why(reader, ready)


def test_steps_that_did_not_end_well(reader: Reader) -> None:
    step = StepLine(
        name="comment", state="intent", started_at=NOON, finished_at=None, took_ms=None, attempts=1, possible_repeats=1
    )
    shown = why(reader, work_line(generation=3, steps=(step, replace(step, name="new_step", state="failed"))))
    assert "Шаги, проход 3" in shown
    assert "15:00:00 написали в CRM · чем кончилось, неизвестно" in shown
    assert "15:00:00 new_step · не вышло" in shown
    assert "Возможны повторы: 2 повтора." in shown
    assert "Раньше было проходов: 2." in shown


def test_a_call_that_is_not_listed_yet(reader: Reader) -> None:
    assert "🔎 Звонок a\n" in why(reader, work_line()) + "\n"
    gone = why_screen(reader, journal(), call=None, call_id="a", min_duration_s=10, may_repeat=True)
    assert "Журнала нет" in look(gone)


async def test_inline_items_hide_the_phone_from_the_chat_they_go_to(lite: Database, reader: Reader) -> None:
    row = (await page_of(lite)).rows[0]
    title, description, message = inline_item(reader, replace(reader, private=False), row)
    assert title == "сегодня 14:00 · входящий · 1м 14с"
    assert "+7 999 123-45-67" in description
    assert "123-45" not in as_text(message)
    assert "+7 999 ···-··-67" in as_text(message)


def test_entrance_and_help(reader: Reader, golden: Golden) -> None:
    commands = commands_for(Role.OWNER, "private", reader.texts)
    golden("welcome_owner", look(screens.welcome_screen(reader, OWNER, commands)))
    few = commands_for(Role.MANAGER, "private", reader.texts)
    golden("welcome_manager", look(screens.welcome_screen(reader, MANAGER, few)))
    assert look(screens.welcome_screen(reader, replace(MANAGER, name=""), few)).startswith("Здравствуйте.\n")
    golden("help", look(screens.help_screen(reader, few)))
    golden("help_calls", look(screens.help_calls_screen(reader, 15)))
    golden("help_bitrix", look(screens.help_bitrix_screen(reader)))


def bound(**changes: Any) -> BoundChat:
    chat = BoundChat(
        id=1, account_id=1, chat_id=-100, topic_id=None, title="Отдел продаж", kinds=("call", "notice"), silent=False,
        source="chat", state="active", error="",
    )  # fmt: skip
    return replace(chat, **changes)


def test_settings_people_and_places(reader: Reader, golden: Golden) -> None:
    places = [bound(), bound(topic_id=7, title="", kinds=("missed",))]
    golden(
        "settings",
        look(screens.settings_screen(reader, min_duration_s=15, fixed=False, people=3, places=places)),
    )
    fixed = look(screens.settings_screen(reader, min_duration_s=10, fixed=True, people=1, places=[]))
    assert "Задано в .env" in fixed
    assert "min:" not in fixed
    people = [
        ListedPerson(person=OWNER, username="anna", created_at=NOON, disabled=False),
        ListedPerson(person=MANAGER, username="", created_at=NOON, disabled=False),
        ListedPerson(person=replace(MANAGER, user_id=3, name=""), username="x", created_at=NOON, disabled=True),
    ]
    golden("people", look(screens.people_screen(reader, OWNER, people)))
    golden("invitation", look(screens.invitation_screen(reader, Role.MANAGER, "https://t.me/svodka_bot?start=CODE")))
    golden("bound", look(screens.bound_screen(reader, bound())))
    assert "unbind" not in look(screens.bound_screen(reader, bound(source="env")))


NO_REPEATS = Repeats(payments=0, micro_usd=0, messages=0)


def standing(**changes: Any) -> Standing:
    state = Standing(
        parts=(PartHealth(name="telephony", title="Битрикс24", state=PartState.OK, since=NOON),),
        events=(LastEvent(vendor="bitrix24", heard_at=NOON - timedelta(minutes=3), polled_at=NOON),),
        rhythms={"bitrix24": timedelta(minutes=10)},
        queue=QUIET,
        reckonings=(Reckoning(vendor="bitrix24", at=NOON, listed=214, processed=209, filtered=4, waiting=1, found=2),),
        webinars=(WebinarReckoning(vendor="bizon365", at=NOON, listed=3, hook=1, poll=1, waiting=1),),
        crms=(CrmReckoning(vendor="amocrm", at=NOON, listed=214, hook=209, poll=5, waiting=0),),
        money=Money(today=0, month=0, limits=MoneyLimits()),
        reception=Reception(),
        dead=(),
        unknown=(),
        rejected={},
        held=0,
        repeats_today=NO_REPEATS,
        repeats=NO_REPEATS,
        version="0.1.0",
    )
    return replace(state, **changes)


def test_possible_repeats_are_told_where_there_are_any(reader: Reader) -> None:
    assert "повтор" not in look(status_screen(reader, standing()))
    today, month = replace(NO_REPEATS, payments=1, micro_usd=9_000), Repeats(payments=3, micro_usd=20_000, messages=1)
    shown = look(status_screen(reader, standing(repeats_today=today, repeats=month)))
    assert "Возможен повтор: сегодня 1, за 30 дней 3 оплаты (до $0,0200) и 1 сообщение. Подробно: /why" in shown


def test_status_when_all_is_well_and_when_it_is_not(reader: Reader, golden: Golden) -> None:
    golden("status_good", look(status_screen(reader, standing())))
    trouble = standing(
        parts=(
            PartHealth(name="telephony", title="Битрикс24", state=PartState.REFUSED, since=NOON - timedelta(hours=5),
                       detail="insufficient_scope", hint="добавьте право «Телефония» и сохраните."),
            PartHealth(name="speech", title="Распознавание речи", state=PartState.DOWN, since=NOON - timedelta(days=1),
                       detail="время ожидания вышло"),
            PartHealth(name="model", title="Модель", state=PartState.OFF),
            PartHealth(name="disk", title="Диск", state=PartState.UNKNOWN),
        ),
        queue=Queue(ready=1, waiting=4, running=2, late=1, dead=3, posts=2, next_due=NOON + timedelta(minutes=7)),
        money=Money(today=1_250_000, month=20_000_000, limits=MoneyLimits(day=2_000_000, month=40_000_000)),
        reception=Reception(webhook="https://x", pending=21, error="Connection timed out", error_at=NOON, inline=False),
        dead=(DeadDestination(id=1, chat_id=-5, topic_id=None, title="", error="бота удалили"),),
        unknown=(UnknownKind(vendor="bitrix24", kind="ONCRMDEALADD", count=14, last_at=NOON - timedelta(hours=2)),),
        events=(),
        webinars=(
            WebinarReckoning(
                vendor="bizon365", at=NOON, listed=6, hook=1, skipped=1, failed=4,
                unread=tuple(UnreadReport(title=f"Урок {n}", started_at=NOON, work_id=n) for n in range(1, 5)),
            ),
        ),
        rejected={"BadSignature": 3, "Strange": 1},
    )  # fmt: skip
    golden("status_trouble", look(status_screen(reader, trouble)))
    assert "о вебхуке узнать не удалось" in look(status_screen(reader, standing(reception=None)))


def test_the_forecast_of_a_month(reader: Reader) -> None:
    assert month_forecast(reader, 19_625_000) == 30_000_000  # 20 November 15:00 Moscow: 19.625 of 30 days are over
    first_hour = replace(reader, now=NOON.replace(day=1, hour=0))
    assert month_forecast(first_hour, 1_000_000) == 30_000_000


def test_failures_say_what_whose_and_what_to_press(reader: Reader, golden: Golden) -> None:
    kinds = [
        FailureKind(
            code="insufficient_scope",
            dead=5,
            trying=0,
            last_at=NOON,
            error="bitrix24 disk.file.get: insufficient_scope [a1]",
        ),
        FailureKind(
            code="unavailable", dead=1, trying=3, last_at=NOON - timedelta(hours=2), error="openai audio: HTTP 503 [b2]"
        ),
        FailureKind(code="never_seen", dead=0, trying=1, last_at=NOON - timedelta(minutes=1), error=""),
    ]
    part = PartHealth(
        name="t", title="Битрикс24", state=PartState.REFUSED, detail="insufficient_scope", hint="добавьте право «Диск»."
    )
    golden("errors", look(errors_screen(reader, kinds, [part], days=1)))
    golden("errors_none", look(errors_screen(reader, [], [], days=7)))
    alone = look(errors_screen(reader, kinds[:1], [], days=7))
    assert f"[Повторить одну → one:{code_name('insufficient_scope')}:7]" in alone


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5, "только что"), (60, "1 минуту назад"), (7200, "2 часа назад"), (86400 * 5, "5 дней назад")]
)
def test_how_long_ago(reader: Reader, seconds: int, shown: str) -> None:
    assert reader.ago(reader.now - timedelta(seconds=seconds)) == shown


def test_times_money_and_periods_in_words(reader: Reader) -> None:
    assert reader.ago(None) == "не было"
    assert reader.moment(NOON - timedelta(days=1)) == "вчера 15:00"
    assert reader.moment(NOON - timedelta(days=10)) == "10.11 15:00"
    assert reader.moment(NOON - timedelta(days=400)) == "16.10.2025 15:00"
    assert reader.moment(NOON + timedelta(days=1)) == "21.11 15:00"
    assert (reader.dollars(0), reader.dollars(3400), reader.dollars(1_250_000)) == ("$0,00", "$0,0034", "$1,25")
    assert (reader.took(3.2), reader.took(4100)) == ("3 мс", "4,1 с")
    assert reader.phone("", "hidden") == "номер скрыт"
    assert reader.phone("", "вн. 101") == "вн. 101"
    days = [reader.today.replace(month=m, day=d) for m, d in ((10, 1), (10, 31), (11, 7), (10, 30))]
    assert reader.period(days[0], days[1]) == "октябрь 2026"
    assert reader.period(days[2], days[2]) == "7 ноября"
    assert reader.period(days[3], days[2]) == "30 октября – 7 ноября"
    assert reader.period(days[0], days[3]) == "1–30 октября"
    last_year = days[0].replace(year=2025)
    assert reader.period(last_year, last_year) == "1 октября 2025"


def test_no_button_is_too_long_and_no_screen_too_wide(reader: Reader) -> None:
    code = code_name("очень длинный код " * 5)
    assert len(f"allgo:{code}:7".encode()) <= 60
    screen: Message = screens.people_screen(reader, OWNER, [])
    assert all(
        len(button.target.encode()) <= 60 for row in screen.buttons for button in row if button.kind is ButtonKind.ACTION
    )
