"""Tasks and meetings over the portal's wire: what is asked, what is made of it, and what is said when it refuses."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import VendorRefused, VendorUnavailable
from domain.tasks import BoardState, NewTask
from integrations.bitrix24.events import EventRow, meetings_of
from integrations.bitrix24.fake import Scripted
from integrations.bitrix24.fake_tasks import FakeEvent
from integrations.bitrix24.tasks import Tasks
from tests.integrations.bitrix24.conftest import NOW, Shop

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = date(2026, 3, 11)


def board_of(shop: Shop) -> Tasks:
    return Tasks(shop.client, "https://portal.example")


async def test_open_tasks_come_by_deadline_over_all_pages(shop: Shop) -> None:
    board = shop.fake.board
    for place in range(60):
        board.put(f"Задача {place}", "13", deadline=NOW + timedelta(hours=60 - place))
    board.put("Без срока", "13")
    board.put("Чужая", "12", deadline=NOW)
    board.change(board.put("Сделана", "13"), status="5")
    board.change(board.put("Ждёт проверки", "13"), status="4")
    board.change(board.tasks[0], status="6")
    tasks = await board_of(shop).open_tasks("13")
    assert len(tasks) == 61
    assert [tasks[0].title, tasks[-2].title, tasks[-1].title] == ["Задача 59", "Задача 0", "Без срока"]
    assert (tasks[0].deadline, tasks[-2].state) == (NOW + timedelta(hours=1), BoardState.DEFERRED)
    assert tasks[0].url == "https://portal.example/company/personal/user/13/tasks/task/view/8060/"
    asked = shop.fake.asked("tasks.task.list")
    assert [one["start"] for one in asked] == [0, 50]
    assert asked[0]["filter"] == {"RESPONSIBLE_ID": 13, "!REAL_STATUS": [4, 5]}


async def test_a_task_is_completed_and_one_under_control_waits_for_its_author(shop: Shop) -> None:
    plain = shop.fake.board.put("Позвонить", "13")
    controlled = shop.fake.board.put("Отчёт", "13", control=True)
    board = board_of(shop)
    assert (await board.complete(str(plain.task_id))).state is BoardState.DONE
    assert (await board.complete(str(controlled.task_id))).state is BoardState.REVIEW
    seen = await board.task(str(plain.task_id))
    assert seen is not None
    assert seen.state is BoardState.DONE
    assert await board.task("999999") is None


async def test_a_task_is_put_off_with_its_zone(shop: Shop) -> None:
    task = shop.fake.board.put("Позвонить", "13", deadline=NOW)
    later = datetime(2026, 3, 12, 10, 0, tzinfo=MOSCOW)
    moved = await board_of(shop).postpone(str(task.task_id), later)
    assert moved.deadline == later
    assert shop.fake.asked("tasks.task.update")[0]["fields"] == {"DEADLINE": "2026-03-12T07:00:00+00:00"}


async def test_whose_task_it_is_and_who_may_help_is_said(shop: Shop) -> None:
    task = shop.fake.board.put("Чужая", "12", locked=True)
    with pytest.raises(VendorRefused) as refused:
        await board_of(shop).complete(str(task.task_id))
    assert "администратор портала" in refused.value.hint
    assert "Action on the task is not allowed" in refused.value.hint
    shop.fake.portal.scopes = frozenset({"crm"})
    with pytest.raises(VendorRefused) as missing:
        await board_of(shop).open_tasks("12")
    assert (missing.value.code, "«Задачи (task)»" in missing.value.hint) == ("insufficient_scope", True)
    with pytest.raises(VendorRefused) as calendar:
        await board_of(shop).meetings("12", DAY, MOSCOW)
    assert "«Календарь (calendar)»" in calendar.value.hint


async def test_a_task_is_added_bound_and_found_again_by_its_marker(shop: Shop) -> None:
    board = board_of(shop)
    new = NewTask(
        title="Прислать [b]смету[/b]", employee_id="13", marker="svodka-0123456789ab", deadline=NOW + timedelta(days=1),
        description="Обещано: «пришлю [b]завтра[/b]»", bound_to=(("deal", "10"), ("contact", "7"), ("dynamic_128", "5")),
    )  # fmt: skip
    shop.fake.fail("tasks.task.add", 500, "INTERNAL_SERVER_ERROR", after=True)
    with pytest.raises(VendorUnavailable) as lost:
        await board.add(new)
    assert lost.value.uncertain
    since = datetime.now(UTC) - timedelta(hours=1)
    found = await board.find(new.marker, since=since)
    assert found is not None
    assert found.title == new.title
    assert await board.find("svodka-ffffffffffff", since=since) is None
    fields = shop.fake.asked("tasks.task.add")[0]["fields"]
    assert isinstance(fields, dict)
    assert fields["UF_CRM_TASK"] == ["D_10", "C_7", "T80_5"]
    assert "[b]" not in fields["DESCRIPTION"]
    assert len(shop.fake.board.tasks) == 1


@pytest.mark.parametrize("said", [b'{"result": true}', b'{"result": {"task": {"id": "8001"}}}', b'{"result": []}'])
async def test_a_short_answer_is_asked_about(shop: Shop, said: bytes) -> None:
    """Versions of the portal tell less: what it is now is read."""
    task = shop.fake.board.put("Позвонить", "13", deadline=NOW)
    for method in ("tasks.task.complete", "tasks.task.update"):
        shop.fake.answer(method, Scripted(status=200, body=said, after=True))
    board = board_of(shop)
    later = NOW + timedelta(days=1)
    assert (await board.postpone(str(task.task_id), later)).deadline == later
    assert (await board.complete(str(task.task_id))).state is BoardState.DONE


async def test_a_task_that_is_hidden_is_none_and_a_missing_right_is_said(shop: Shop) -> None:
    shop.fake.fail("tasks.task.get", 400, "0")
    assert await board_of(shop).task("8001") is None
    shop.fake.portal.scopes = frozenset()
    with pytest.raises(VendorRefused):
        await board_of(shop).task("8001")


async def test_the_number_alone_is_enough_of_a_new_task(shop: Shop) -> None:
    shop.fake.answer("tasks.task.add", Scripted(status=200, body=b'{"result": {"task": {"id": "77"}}}'))
    made = await board_of(shop).add(NewTask(title="Позвонить", employee_id="13", marker="m"))
    assert made.url == "https://portal.example/company/personal/user/13/tasks/task/view/77/"
    shop.fake.answer("tasks.task.add", Scripted(status=200, body=b'{"result": []}'))
    with pytest.raises(VendorUnavailable) as unknown:
        await board_of(shop).add(NewTask(title="Позвонить", employee_id="13", marker="m"))
    assert unknown.value.uncertain


async def test_a_portal_that_wants_more_fields_is_quoted(shop: Shop) -> None:
    with pytest.raises(VendorRefused) as refused:
        await board_of(shop).add(NewTask(title=" ", employee_id="13", marker="m"))
    assert "Task title is not specified»" in refused.value.hint


async def test_the_meetings_of_a_day(shop: Shop) -> None:
    def at(hour: int, minute: int = 0, day: int = 11) -> datetime:
        return datetime(2026, 3, day, hour, minute, tzinfo=MOSCOW)

    events = shop.fake.board.events
    events += [
        FakeEvent(owner_id="13", name="Планёрка", begins=at(9), first_at=at(9, day=2)),
        FakeEvent(owner_id="13", name="Планёрка", begins=at(9, day=12), first_at=at(9, day=2)),
        FakeEvent(
            owner_id="13", name="Выезд", begins=datetime(2026, 3, 10, tzinfo=UTC), length_s=3 * 86400, whole_days=True
        ),
        FakeEvent(owner_id="13", name="Вчера", begins=datetime(2026, 3, 10, tzinfo=UTC), length_s=86400, whole_days=True),
        FakeEvent(owner_id="13", name="Ночная смена", begins=at(22, day=10), length_s=4 * 3600),
        FakeEvent(owner_id="13", name="До полуночи", begins=at(22, day=10), length_s=2 * 3600),
        FakeEvent(owner_id="13", name="Отказались", begins=at(11), status="N"),
        FakeEvent(owner_id="13", name="Ещё не ответили", begins=at(12), status="Q", place="ECMR_8"),
        FakeEvent(owner_id="13", name="Удалена", begins=at(12), deleted=True),
        FakeEvent(owner_id="13", name="Поздняя", begins=at(23, 30), length_s=3600, place="Офис"),
        FakeEvent(owner_id="12", name="Чужая", begins=at(12)),
    ]
    found = await board_of(shop).meetings("13", DAY, MOSCOW)
    assert [one.title for one in found] == ["Выезд", "Ночная смена", "Планёрка", "Ещё не ответили", "Поздняя"]
    assert (found[0].first_day, found[0].last_day) == (date(2026, 3, 10), date(2026, 3, 12))
    assert (found[2].begins, found[2].ends) == (at(9), at(10))
    assert [one.unanswered for one in found] == [False, False, False, True, False]
    assert [one.place for one in found] == ["", "", "", "", "Офис"]
    vladivostok = await board_of(shop).meetings("13", DAY, ZoneInfo("Asia/Vladivostok"))
    assert [one.title for one in vladivostok] == ["Выезд", "До полуночи", "Ночная смена", "Планёрка", "Ещё не ответили"]


@pytest.mark.parametrize(
    ("starts", "formatted"),
    [
        ("12/11/2024 05:59:00 pm", "Wed Dec 11 2024 17:59:00"),
        ("12/11/2024 05:59:00 pm", ""),
        ("11.12.2024 17:59:00", ""),
        ("", "Wed Dec 11 2024 17:59:00"),
    ],
)
async def test_a_recurring_meeting_goes_by_the_clock_on_its_wall(starts: str, formatted: str) -> None:
    row = EventRow.model_validate(
        {
            "ID": "1", "NAME": "Х", "DATE_FROM": starts, "DATE_FROM_FORMATTED": formatted, "TZ_FROM": "Europe/Berlin",
            "TZ_OFFSET_FROM": "7200", "DATE_FROM_TS_UTC": "1718200740", "DT_LENGTH": 3600, "DT_SKIP_TIME": "N",
            "RRULE": {"FREQ": "WEEKLY"},
        }
    )  # fmt: skip
    (meeting,) = meetings_of([row], date(2024, 12, 11), MOSCOW)
    assert meeting.begins == datetime(2024, 12, 11, 16, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "left_out", "there"),
    [
        ({"FREQ": "DAILY", "INTERVAL": 1}, "", True),
        ({"FREQ": "DAILY", "INTERVAL": 2}, "", False),
        ({"FREQ": "DAILY", "INTERVAL": 1, "UNTIL": "10.03.2026"}, "", False),
        ({"FREQ": "DAILY", "INTERVAL": 1, "UNTIL": "11.03.2026"}, "", True),
        ({"FREQ": "DAILY", "INTERVAL": 1}, "10.03.2026;11.03.2026", False),
        ({"FREQ": "WEEKLY", "INTERVAL": 1, "BYDAY": {"MO": "MO", "WE": "WE"}}, "", True),
        ({"FREQ": "WEEKLY", "INTERVAL": 2, "BYDAY": {"WE": "WE"}}, "", False),
        ({"FREQ": "WEEKLY", "INTERVAL": 1}, "", False),
        ({"FREQ": "MONTHLY", "INTERVAL": 1}, "", False),
        ({"FREQ": "HOURLY"}, "", False),
        ("FREQ=DAILY", "", False),
    ],
)
def test_a_row_of_meetings_told_as_one_is_followed_to_the_day(rule: object, left_out: str, there: bool) -> None:
    row = EventRow.model_validate(
        {
            "ID": "1", "NAME": "Планёрка", "DATE_FROM": "02.02.2026 09:30:00", "TZ_FROM": "Europe/Moscow",
            "DATE_FROM_TS_UTC": "1770013800", "DT_LENGTH": 1800, "DT_SKIP_TIME": "N", "RRULE": rule, "EXDATE": left_out,
        }
    )  # fmt: skip
    found = meetings_of([row], DAY, MOSCOW)
    assert [one.begins for one in found] == ([datetime(2026, 3, 11, 6, 30, tzinfo=UTC)] if there else [])
