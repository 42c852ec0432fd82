"""Promises of a call on their way to the CRM: guessed, changed, set once, and seen on the card."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from domain.calls import Evidence, Task, promise_keys
from domain.errors import VendorUnavailable
from domain.events import CallTaskAsked
from domain.messages import Destination
from domain.ports import Tx
from handlers.calls.screens import card_again
from handlers.desk import Desk
from handlers.tasks.promises import due
from handlers.tasks.setting import set_task
from storage.codec import dumps
from storage.models import calls, work
from storage.queries.call import CallDetail, find_call
from tests.calls.world import Crash
from tests.handlers.boards import DENIED, LOST, Board, BoardSteps, asked, link, with_board
from tests.handlers.chat import GROUP, MANAGER, OWNER, Talk
from tests.handlers.conftest import MOSCOW, Golden
from tests.handlers.office import shown
from tests.handlers.seed import call_row, seed_accounts, seed_calls
from tests.handlers.seed import summary as plain_summary
from tests.handlers.test_tasks import read_people

PROMISES = (
    Task(
        what="Перезвонить клиенту", who="Олег", when_text="завтра до двенадцати",
        due_date=date(2026, 11, 21), due_time="12:00",
        evidence=Evidence(quote="Олег перезвонит завтра", at=9.5, confirmed=True),
    ),
    Task(what="Прислать смету", evidence=Evidence(quote="Пришлю смету", at=20.0, confirmed=True)),
)  # fmt: skip
SUMMARY = replace(plain_summary(), tasks=PROMISES)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
async def office(desk: Desk, board: Board) -> Desk:
    await seed_accounts(desk.database)
    await desk.people.let_in(1, (OWNER.telegram_id,))
    await link(desk, OWNER.user_id)
    await read_people(desk)
    return with_board(desk, board)


@pytest.fixture
async def call(office: Desk) -> CallDetail:
    """One card with two promises, in a group that takes cards of calls."""
    (row_id,) = await seed_calls(office.database, (call_row(1, employee_name="Анна Петрова", comment_target="deal:42"),))
    await change_summary(office, row_id)
    found = await find_call(office.database, 1, row_id)
    assert found is not None
    return found


async def change_summary(office: Desk, row_id: int, summary: Any = SUMMARY) -> None:
    values = {"summary": dumps(type(summary), summary)}
    await office.database.write(lambda c: c.execute(calls.update().where(calls.c.id == row_id).values(**values)))


async def run(desk: Desk, item: Any, steps: BoardSteps | None = None) -> None:
    assert desk.tasks is not None
    await set_task(item, steps or BoardSteps(desk), desk.tasks)


async def works(desk: Desk) -> list[Any]:
    return await asked(desk, "calltask", CallTaskAsked)


async def test_whose_and_until_when_are_guessed_and_can_be_changed(office: Desk, call: CallDetail, golden: Golden) -> None:
    oleg = Talk(office, MANAGER)
    golden("call_tasks", await oleg.press(f"ctasks:{call.id}", chat=GROUP))
    (_, second), (everything,) = oleg.keyboard()
    assert everything == f"ctall:{call.id}"
    assert "Кому: Петрова Анна" in await oleg.press(second, chat=GROUP)
    assert "Кому поставить?" in await oleg.press(f"ctwho:{second[3:]}", chat=GROUP)
    assert [f"ctown:{second[3:]}:13"] in oleg.keyboard()
    assert "Кому: Смирнов Олег" in await oleg.press(f"ctown:{second[3:]}:14", chat=GROUP)
    assert "(Такого человека уже нет.)" in await oleg.press(f"ctown:{second[3:]}:99", chat=GROUP)
    assert "Срок: срок не назван" in await oleg.press(f"ctdue:{second[3:]}", chat=GROUP)
    assert "Срок: завтра 10:00" in await oleg.press(f"ctd:{second[3:]}:t", chat=GROUP)
    assert "Срок: сегодня 18:00" in await oleg.press(f"ctd:{second[3:]}:e", chat=GROUP)
    assert "Срок: срок не назван" in await oleg.press(f"ctd:{second[3:]}:n", chat=GROUP)
    said = await oleg.press(f"ctback:{call.id}", chat=GROUP)
    assert "Прислать смету — Смирнов Олег, срок не назван" in said
    assert "больше нет" in await oleg.press("ct:99")
    assert await oleg.press("ctasks:99")


async def test_all_are_set_once_bound_and_seen_on_the_card(office: Desk, call: CallDetail, board: Board) -> None:
    anna = Talk(office, OWNER)
    assert office.tasks is not None
    card = card_again(office.reader(1, private=False), call, key=f"call:{call.object}", set_tasks={})
    assert card is not None
    await post(office, card)
    await anna.press(f"ctasks:{call.id}", chat=GROUP)
    await anna.press(f"ctall:{call.id}", chat=GROUP)
    await anna.press(f"ctall:{call.id}", chat=GROUP)
    first, second = await works(office)
    assert "⏳ ставим" in (await shown(office))[GROUP, f"calltasks:{GROUP}:7"]
    await run(office, first)
    assert "✓ Поставлена в Битрикс24: Перезвонить клиенту" in (await shown(office))[GROUP, f"calltasks:{GROUP}:7"]
    await run(office, second)
    assert [(one.title, one.employee_id, one.deadline) for one in board.new] == [
        ("Перезвонить клиенту", "14", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("Прислать смету", "13", None),
    ]
    new = board.new[0]
    assert new.bound_to == (("deal", "42"),)
    assert "Сказано: «Олег перезвонит завтра»" in new.description
    assert call.crm_url in new.description
    said = await shown(office)
    assert said[GROUP, f"calltasks:{GROUP}:7"].count("✓ в CRM") == 2
    assert "✓ Поставлено в Битрикс24: 2" in said[GROUP, f"calltasks:{GROUP}:7"]
    assert said[GROUP, f"call:{call.object}"].count("https://portal.example/task/") == 2
    assert "уже ставится" in await anna.press("ctd:1:t")
    await run(office, first)
    assert len(board.new) == 2


async def post(office: Desk, card: Any) -> None:
    await office.destinations.bind(1, Destination(chat_id=GROUP), title="Отдел", kinds=("call",))
    await office.database.write(lambda connection: office.posts.post(cast("Tx", connection), 1, card))


@pytest.mark.parametrize("kept", range(2))
async def test_a_crash_anywhere_sets_one_task(office: Desk, call: CallDetail, board: Board, kept: int) -> None:
    anna = Talk(office, OWNER)
    await anna.press(f"ctasks:{call.id}")
    await anna.press("ctgo:1")
    (item,) = await works(office)
    steps = BoardSteps(office, die_after=kept)
    with pytest.raises(Crash):
        await run(office, item, steps)
    steps.die_after = None
    await run(office, item, steps)
    assert len(board.new) == 1
    assert steps.possible_repeats == 0
    assert list(steps.results) == ["add", "show"]
    assert "✓ Поставлена в Битрикс24" in (await shown(office))[10, "calltasks:10:7"]


async def test_what_was_given_up_is_asked_anew_and_set_once(office: Desk, call: CallDetail, board: Board) -> None:
    """The first asking had come to be, and its answer was lost, as its work was then."""
    anna = Talk(office, OWNER)
    await anna.press(f"ctasks:{call.id}")
    await anna.press("ctgo:1")
    board.fails = {"add": [LOST]}
    with pytest.raises(VendorUnavailable):
        await run(office, (await works(office))[0])
    office.clock.forward(7200)  # type: ignore[attr-defined]
    assert "ставится" in await anna.press("ctd:1:t")
    await office.database.write(lambda c: c.execute(work.update().values(state="dead")))
    assert "⛔ Поставить не вышло" in await anna.press(f"ctback:{call.id}")
    await anna.press("ctgo:1")
    await run(office, (await works(office))[1])
    assert len(board.new) == 1
    assert "✓ Поставлена в Битрикс24" in (await shown(office))[10, "calltasks:10:7"]


async def test_a_lost_answer_is_found_by_its_marker(office: Desk, call: CallDetail, board: Board) -> None:
    anna = Talk(office, OWNER)
    await anna.press(f"ctasks:{call.id}")
    await anna.press("ctgo:1")
    (item,) = await works(office)
    steps, board.fails = BoardSteps(office), {"add": [LOST]}
    with pytest.raises(VendorUnavailable):
        await run(office, item, steps)
    await run(office, item, steps)
    assert len(board.new) == 1
    assert "✓ Поставлена в Битрикс24" in (await shown(office))[10, "calltasks:10:7"]


async def test_a_refusal_is_said_and_may_be_tried_again(office: Desk, call: CallDetail, board: Board) -> None:
    anna = Talk(office, OWNER)
    await anna.press(f"ctasks:{call.id}")
    await anna.press("ctgo:1")
    board.fails = {"add": [DENIED]}
    await run(office, (await works(office))[0])
    assert "⛔ Закрыть может постановщик." in (await shown(office))[10, "calltasks:10:7"]
    office.clock.forward(5)  # type: ignore[attr-defined]
    await anna.press("ctgo:1")
    await run(office, (await works(office))[1])
    assert len(board.new) == 1


async def test_a_summary_made_anew_keeps_what_was_set(office: Desk, call: CallDetail, board: Board) -> None:
    anna = Talk(office, OWNER)
    await anna.press(f"ctasks:{call.id}")
    await anna.press("ctgo:1")
    await run(office, (await works(office))[0])
    reworded = replace(SUMMARY, tasks=(replace(PROMISES[0], what="Позвонить клиенту завтра"),))
    await change_summary(office, call.id, reworded)
    said = await anna.press(f"ctasks:{call.id}")
    assert "Перезвонить клиенту — Смирнов Олег, завтра 12:00 ✓ в CRM" in said
    assert "смету" not in said  # it was never set, and is promised no more
    assert anna.keyboard() == []
    await change_summary(office, call.id, replace(SUMMARY, tasks=()))
    assert "✓ в CRM" in await anna.press(f"ctasks:{call.id}")


async def test_without_tasks_in_the_crm_nothing_is_offered(desk: Desk, office: Desk, call: CallDetail) -> None:
    assert f"ctasks:{call.id}" not in str(await keyboard(desk, call))
    assert f"ctasks:{call.id}" in str(await keyboard(office, call))


async def keyboard(desk: Desk, call: CallDetail) -> list[list[str]]:
    talk = Talk(desk, OWNER)
    await talk.press(f"call:{call.id}")
    return talk.keyboard()


def test_promises_are_known_by_what_was_said() -> None:
    same = Evidence(quote="Перезвоню и пришлю", at=1.0, confirmed=True)
    twice = promise_keys((Task(what="Перезвонить", evidence=same), Task(what="Прислать", evidence=same)))
    assert len(set(twice)) == 2
    assert promise_keys((Task(what="Иначе сказано", evidence=same),))[0] == twice[0]
    assert promise_keys((Task(what="Ёлка  стоит!"),)) == promise_keys((Task(what="елка стоит"),))


def test_a_day_without_a_time_is_due_when_it_ends() -> None:
    assert due(Task(what="x"), MOSCOW) is None
    assert due(Task(what="x", due_date=date(2026, 11, 21)), MOSCOW) == datetime(2026, 11, 21, 15, tzinfo=UTC)
    assert due(Task(what="x", due_date=date(2026, 11, 21), due_time="25:00"), MOSCOW) == datetime(
        2026, 11, 21, 15, tzinfo=UTC
    )
