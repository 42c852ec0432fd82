"""Tasks and meetings in the chat: whose they are, what is shown while the CRM is away, and that a press counts once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.directory import DirectoryList, Employee
from domain.errors import BadInput, VendorUnavailable
from domain.tasks import BoardState, Meeting
from handlers.desk import Desk
from handlers.tasks.reading import refresh_all
from handlers.tasks.when import presets, read_when
from storage.directory import DirectoryStore
from storage.models import users
from storage.queries.tasks import links, one_task, overdue
from tests.calls.world import Crash
from tests.ground import HandClock
from tests.handlers.boards import AWAY, DENIED, LOST, SCOPE, Board, BoardSteps, asked, link, run, with_board
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import MOSCOW, Golden
from tests.handlers.office import shown
from tests.handlers.seed import NOON, put, seed_accounts

HOUR = timedelta(hours=1)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
async def office(desk: Desk, board: Board) -> Desk:
    """Anna owns the bot, Oleg is a manager; she is 13 in the CRM."""
    await seed_accounts(desk.database)
    await desk.people.let_in(1, (OWNER.telegram_id,))
    await desk.people.introduce(OWNER, name="Анна")
    oleg = {"account_id": 1, "telegram_id": 502, "role": "manager", "name": "Олег", "created_at": NOON}
    await put(desk.database, users, oleg)
    await link(desk, OWNER.user_id)
    return with_board(desk, board)


@pytest.fixture
def anna(office: Desk) -> Talk:
    return Talk(office, OWNER)


async def test_tasks_and_meetings_of_the_day(anna: Talk, board: Board, golden: Golden, clock: HandClock) -> None:
    board.put(1, "Перезвонить Ворониной", NOON - 20 * HOUR)
    board.put(2, "Прислать смету", NOON + 2 * HOUR)
    board.put(3, "Договор с УК", NOON + 24 * HOUR)
    board.put(4, "Разобрать почту")
    board.tasks["4"] = replace(board.tasks["4"], state=BoardState.DEFERRED)
    board.put(5, "Чужая", employee_id="12")
    board.events = [
        Meeting(external_id="1", title="Отпуск", first_day=date(2026, 11, 19), last_day=date(2026, 11, 22)),
        Meeting(external_id="2", title="Ночная смена", begins=NOON - 17 * HOUR, ends=NOON - 13 * HOUR),
        Meeting(external_id="3", title="Планёрка", begins=NOON + HOUR, ends=NOON + 2 * HOUR, place="Офис", unanswered=True),
        Meeting(external_id="4", title="До полуночи", begins=NOON + 8 * HOUR, ends=NOON + 9 * HOUR),
    ]
    golden("tasks", await anna.say("/tasks"))
    assert "tsk:1" in str(anna.keyboard())
    for words in ("/задачи", "мои задачи", "Задачи на сегодня?", "что у меня сегодня"):
        assert "Перезвонить Ворониной" in await anna.say(words)
    assert board.calls == ["open_tasks", "meetings"]  # what is a minute old is not asked for again
    golden("task", await anna.press("tsk:1"))
    clock.forward(6)
    await anna.press("tnow:0")
    assert board.calls == ["open_tasks", "meetings"] * 2  # but for who asks again


async def test_a_portal_that_is_away_shows_what_was_read(anna: Talk, board: Board, desk: Desk, clock: HandClock) -> None:
    board.put(1, "Позвонить", NOON + HOUR)
    assert "Позвонить" in await anna.say("/tasks")
    clock.forward(300)
    board.fails = {"open_tasks": [AWAY], "meetings": [AWAY]}
    said = await anna.say("/tasks")
    assert "данные на сегодня 15:00" in said
    assert "Позвонить" in said
    board.fails = {"meetings": [SCOPE]}
    said = await anna.say("/tasks")
    assert "Встреч не видно. Добавьте право «Календарь»." in said
    assert "данные на" not in said


async def test_what_could_never_be_read_says_so(anna: Talk, board: Board) -> None:
    board.fails = {"open_tasks": [AWAY], "meetings": [AWAY]}
    assert "Задач ещё не видно" in await anna.say("/tasks")
    board.fails = {"open_tasks": [DENIED]}
    assert "⛔ Закрыть может постановщик." in await anna.say("/tasks")


async def test_who_is_nobody_in_the_crm_is_told_whom_to_ask(office: Desk, desk: Desk, board: Board) -> None:
    oleg = Talk(office, MANAGER)
    assert "Попросите администратора" in await oleg.say("/tasks")
    assert board.calls == []
    await link(office, OWNER.user_id, "")
    anna = Talk(office, OWNER)
    assert "Найдите себя" in await anna.say("/tasks")
    assert anna.keyboard() == [["emp:1"]]
    assert "не подключён" in await Talk(desk, OWNER).say("/tasks")
    assert "в личном чате" in await anna.say("/tasks", chat=GROUP)


async def test_nobody_touches_the_task_of_somebody_else(office: Desk, board: Board) -> None:
    board.put(1, "Анны", NOON)
    await Talk(office, OWNER).say("/tasks")
    oleg = Talk(office, MANAGER)
    for button in ("tsk:1", "tdone:1", "tput:h:1", "town:1"):
        assert "больше нет среди ваших" in await oleg.press(button)
    await link(office, MANAGER.user_id, "14", "Олег")
    for button in ("tsk:1", "tdone:1", "tput:h:1", "town:1"):
        assert "больше нет среди ваших" in await oleg.press(button)
    assert await asked(office) == []


async def test_done_is_said_in_place_and_once(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Позвонить", NOON)
    board.put(2, "Ещё одна", NOON)
    await anna.say("/tasks")
    await anna.press("tdone:1")
    await anna.press("tdone:1")
    (item,) = await asked(office)
    assert "Закрываем в CRM" in (await shown(office))[10, "tasks:10:7"]
    assert "⏳ закрываем" in await anna.press("tasks:0")
    await run(office, item)
    said = (await shown(office))[10, "tasks:10:7"]
    assert "✓ Закрыта: Позвонить" in said
    assert "Ещё одна" in said
    assert board.calls.count("complete") == 1
    assert "больше нет среди ваших" in await anna.press("tdone:1")


async def test_what_its_author_must_agree_to_goes_to_review(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Отчёт", NOON)
    board.controlled = True
    await anna.say("/tasks")
    await anna.press("tdone:1")
    await run(office, (await asked(office))[0])
    assert "на проверку постановщику: Отчёт" in (await shown(office))[10, "tasks:10:7"]


@pytest.mark.parametrize("kept", range(3))
async def test_a_crash_anywhere_closes_once(anna: Talk, office: Desk, board: Board, kept: int) -> None:
    board.put(1, "Позвонить", NOON)
    await anna.say("/tasks")
    await anna.press("tdone:1")
    (item,) = await asked(office)
    steps = BoardSteps(office, die_after=kept)
    if kept < 2:
        with pytest.raises(Crash):
            await run(office, item, steps)
        steps.die_after = None
    await run(office, item, steps)
    assert board.calls.count("complete") == 1
    assert list(steps.results) == ["change", "show"]


async def test_a_lost_answer_is_looked_up_and_not_sent_again(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Позвонить", NOON)
    await anna.say("/tasks")
    await anna.press("tput:t:1")
    (item,) = await asked(office)
    steps, board.fails = BoardSteps(office), {"postpone": [LOST]}
    with pytest.raises(VendorUnavailable):
        await run(office, item, steps)
    await run(office, item, steps)
    assert board.calls.count("postpone") == 1
    assert steps.possible_repeats == 0
    assert "Отложена до завтра 10:00: Позвонить" in (await shown(office))[10, "tasks:10:7"]
    kept = await one_task(office.database, 1, "13", "1")
    assert kept is not None
    assert (kept.deadline, kept.asked) == (datetime(2026, 11, 21, 7, tzinfo=UTC), "")


async def test_a_refusal_names_who_may_and_can_be_tried_again(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Позвонить", NOON)
    await anna.say("/tasks")
    await anna.press("tdone:1")
    board.fails = {"complete": [DENIED]}
    await run(office, (await asked(office))[0])
    assert "Закрыть может постановщик." in (await shown(office))[10, "tasks:10:7"]
    office.clock.forward(5)  # type: ignore[attr-defined]
    await anna.press("tdone:1")
    _, second = await asked(office)
    await run(office, second)
    assert "Закрыта" in (await shown(office))[10, "tasks:10:7"]


async def test_who_closed_it_elsewhere_is_no_refusal(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Позвонить", NOON)
    await anna.say("/tasks")
    await anna.press("tdone:1")
    board.tasks["1"] = replace(board.tasks["1"], state=BoardState.DONE)
    board.fails = {"complete": [DENIED]}
    await run(office, (await asked(office))[0])
    assert "✓ Закрыта: Позвонить" in (await shown(office))[10, "tasks:10:7"]


async def test_a_time_of_ones_own_is_read_back_first(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Позвонить", NOON)
    await anna.say("/tasks")
    assert "до какого времени" in await anna.press("town:1")
    assert "Не понял время" in await anna.say("когда рак свистнет")
    assert "уже прошло" in await anna.say("20.11.2026 10:00")
    assert "Отложить «Позвонить» до 21.11.2026 15:00?" in await anna.say("завтра в 15")
    button = next(data for row in anna.keyboard() for data in row if data.startswith("tput:"))
    await anna.press(button)
    (item,) = await asked(office)
    assert item.event.deadline == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert "уже прошло" in await anna.press("tput:x:1")


async def test_a_deadline_that_is_its_authors_stays(anna: Talk, office: Desk, board: Board) -> None:
    board.put(1, "Отчёт", NOON)
    board.tasks["1"] = replace(board.tasks["1"], may_move=False)
    await anna.say("/tasks")
    assert "срок меняет только постановщик" in await anna.press("tsk:1")
    assert "tput" not in str(anna.keyboard())
    for button in ("tput:h:1", "town:1"):
        assert "срок меняет только постановщик" in await anna.press(button)
    assert await asked(office) == []


async def test_the_digest_counts_what_is_overdue(office: Desk, board: Board) -> None:
    assert office.tasks is not None
    assert await overdue(office.database, 1, now=NOON) is None
    board.put(1, "Позвонить", NOON - HOUR)
    board.put(2, "Прислать", NOON + HOUR)
    board.put(3, "Без срока")
    await refresh_all(office.tasks, 1)
    assert await overdue(office.database, 1, now=NOON) == 1
    assert await overdue(office.database, 1, now=NOON + 2 * HOUR) == 2
    await link(office, OWNER.user_id, "")
    assert await overdue(office.database, 1, now=NOON) is None


PEOPLE = (
    Employee(external_id="13", name="Анна", last_name="Петрова", position="Диспетчер"),
    Employee(external_id="14", name="Олег", last_name="Смирнов", position="Менеджер"),
    Employee(external_id="15", name="Олег", last_name="Уволенный", active=False),
)


async def read_people(desk: Desk) -> None:
    store = DirectoryStore(desk.database)
    generation = await store.begin(1, DirectoryList.EMPLOYEES)
    await store.add_employees(1, generation, PEOPLE)
    await store.complete(1, DirectoryList.EMPLOYEES, generation, now=NOON)


async def test_who_is_who_is_chosen_by_a_tap(anna: Talk, office: Desk, board: Board) -> None:
    await anna.press("people:0")
    assert ["emps:0"] in anna.keyboard()
    said = await anna.press("emps:0")
    assert "Анна → Анна Петрова" in said
    assert "Олег → не указано" in said
    assert "ещё не прочитаны" in await anna.press("emp:2")
    await read_people(office)
    assert "Кто в Битрикс24 — Олег?" in await anna.press("emp:2")
    assert anna.keyboard() == [["empset:2:14"], ["empset:2:", "emps:0"]]
    assert "никого не нашлось" in await anna.say("диспетчер бригады")
    await anna.say("петр")
    assert anna.keyboard()[0] == ["empset:2:13"]
    assert "Олег → Смирнов Олег" in await anna.press("empset:2:14")
    board.put(1, "Позвонить", NOON, employee_id="14")
    assert "Позвонить" in await Talk(office, MANAGER).say("/tasks")
    assert "Олег → не указано" in await anna.press("empset:2:")
    assert "уже нет" in await anna.press("empset:2:99")
    assert "Попросите администратора" in await Talk(office, MANAGER).say("/tasks")


async def test_who_is_called_just_so_is_offered_first(anna: Talk, office: Desk) -> None:
    store, names = DirectoryStore(office.database), ("Иванович", "Ильич", "Львович", "Петрович", "Фомич", "")
    same = [
        Employee(external_id=str(number), name="Олег", last_name="Смирнов", second_name=second, position="Слесарь")
        for number, second in enumerate((*names, *names[:5]), 20)
    ]
    generation = await store.begin(1, DirectoryList.EMPLOYEES)
    await store.add_employees(1, generation, same)
    await store.complete(1, DirectoryList.EMPLOYEES, generation, now=NOON)
    await anna.press("emp:2")
    await anna.say("олег смирнов")
    assert anna.keyboard()[0] == ["empset:2:25"]
    assert len(anna.keyboard()) == 9


async def test_a_manager_links_nobody(office: Desk) -> None:
    await read_people(office)
    oleg = Talk(office, MANAGER)
    for button in ("emps:0", "emp:2", "empset:2:14"):
        await oleg.press(button)
    assert list(await links(office.database, 1)) == [OWNER.user_id]


NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)  # a Friday, 15:30 in Moscow


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("завтра в 15", "21.11.2026 15:00"),
        ("завтра", "21.11.2026 18:00"),
        ("на завтра", "21.11.2026 18:00"),
        ("Послезавтра 9:05", "22.11.2026 09:05"),
        ("в пятницу", "27.11.2026 18:00"),
        ("пн 10", "23.11.2026 10:00"),
        ("во вторник в 9.30", "24.11.2026 09:30"),
        ("через час", "20.11.2026 16:30"),
        ("через 2 часа", "20.11.2026 17:30"),
        ("через 20 минут", "20.11.2026 15:50"),
        ("на 3 дня", "23.11.2026 15:30"),
        ("на неделю", "27.11.2026 15:30"),
        ("5.12 10:00", "05.12.2026 10:00"),
        ("до 5.12", "05.12.2026 18:00"),
        ("1.02", "01.02.2027 18:00"),
        ("05.12.27 10:00", "05.12.2027 10:00"),
        ("16", "20.11.2026 16:00"),
        ("в 9", "21.11.2026 09:00"),
        ("к 18:00", "20.11.2026 18:00"),
        ("5 декабря", "05.12.2026 18:00"),
        ("до 3 марта 2027 в 9:30", "03.03.2027 09:30"),
        ("завтра в 9 вечера", "21.11.2026 21:00"),
        ("завтра утром", "21.11.2026 10:00"),
        ("в 12 ночи", "21.11.2026 00:00"),
        ("через полчаса", f"{NOW.astimezone(MOSCOW) + timedelta(minutes=30):%d.%m.%Y %H:%M}"),
    ],
)
def test_times_in_words(text: str, expected: str) -> None:
    assert f"{read_when(text, NOW, MOSCOW).astimezone(MOSCOW):%d.%m.%Y %H:%M}" == expected


@pytest.mark.parametrize(
    "text",
    ["", "потом", "32.12 10:00", "31.11 10:00", "завтра в 25", "через пять", "5.13.2026", "сегодня в 10", "1.01.2099", "²"],
)
def test_what_is_no_time_to_come(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_when(text, NOW, MOSCOW)
    assert refused.value.hint in {"tasks.bad_time", "tasks.past_time"}


def test_presets_count_from_now_where_it_is_over() -> None:
    late, ahead = NOW - HOUR, NOW + 5 * HOUR
    assert presets("h", late, NOW, MOSCOW) == NOW + HOUR
    assert presets("h", ahead, NOW, MOSCOW) == ahead + HOUR
    assert presets("w", None, NOW, MOSCOW) == NOW + timedelta(days=7)
    assert presets("t", ahead, NOW, MOSCOW) == datetime(2026, 11, 21, 7, tzinfo=UTC)
    assert presets("99999999999", None, NOW, MOSCOW) is None
