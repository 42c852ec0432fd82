"""Tasks of people as they were read last, and promises of calls: both databases, presses at once, and what is forgotten."""

import asyncio
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, insert, select

from domain.ports import Tx
from domain.roles import Person, Role
from domain.tasks import BoardState, BoardTask, Meeting
from storage.board import BoardStore
from storage.call_tasks import CallTask, CallTaskStore, Promise
from storage.engine import Database
from storage.models import board_tasks, users, work
from storage.queries.tasks import board_read, links, one_task, open_tasks, overdue

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BY = Person(user_id=1, account_id=1, telegram_id=10, role=Role.OWNER, name="Анна")


def task(number: int, deadline: datetime | None = None, changed_at: datetime = NOW) -> BoardTask:
    return BoardTask(
        external_id=str(number), title=f"Задача {number}", employee_id="13", deadline=deadline, changed_at=changed_at
    )


async def nothing(_: Tx) -> int:
    return 0


async def seed(database: Database) -> BoardStore:
    row = {"id": 1, "account_id": 1, "telegram_id": 10, "role": "owner", "name": "Анна", "created_at": NOW}
    await database.write(lambda connection: connection.execute(insert(users).values(**row)))
    store = BoardStore(database)
    await store.link(BY, 1, "13", "Анна Петрова", now=NOW)
    return store


async def test_what_was_read_last_is_there_until_it_is_read_again(database: Database) -> None:
    store = await seed(database)
    assert await overdue(database, 1, now=NOW) is None
    await store.keep_tasks(1, "13", [task(1), task(2, NOW - HOUR), task(3, NOW + HOUR)], now=NOW)
    await store.keep_meetings(1, "13", date(2026, 11, 20), [Meeting(external_id="1", title="Планёрка", begins=NOW)], now=NOW)
    assert [one.external_id for one in await open_tasks(database, 1, "13")] == ["2", "3", "1"]
    assert await overdue(database, 1, now=NOW) == 1
    await store.keep_problem(1, "13", tasks="нет права", meetings="")
    read = await board_read(database, 1, "13")
    assert (read.tasks_at, read.tasks_problem, read.meetings[0].begins) == (NOW, "нет права", NOW)
    await store.keep_tasks(1, "13", [task(3)], now=NOW + HOUR)
    assert [one.external_id for one in await open_tasks(database, 1, "13")] == ["3"]
    assert (await board_read(database, 1, "13")).tasks_problem == ""
    assert await open_tasks(database, 2, "13") == ()
    await store.link(BY, 1, "14", "Другая", now=NOW)
    assert (await links(database, 1))[1].employee_id == "14"
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(board_tasks)) == 0


async def test_two_presses_at_once_are_one_work(database: Database) -> None:
    store = await seed(database)
    await store.keep_tasks(1, "13", [task(1)], now=NOW)

    async def press(number: int) -> bool:
        return await store.ask(1, "1", "done", ("task", f"bitrix24:{number}", "{}"), nothing, now=NOW)

    assert sorted(await asyncio.gather(press(1), press(2))) == [False, True]
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(work)) == 1
    for changed_at in (NOW, NOW + HOUR):  # of a work that is still open, whoever changes the task meanwhile
        await store.keep_tasks(1, "13", [task(1, changed_at=changed_at)], now=NOW + 9 * HOUR)
        assert await _asked(database) == "done"
        assert not await store.ask(1, "1", "move", ("task", "bitrix24:3", "{}"), nothing, now=NOW + 9 * HOUR)
    await database.write(lambda connection: connection.execute(work.update().values(state="dead")))
    assert await store.ask(1, "1", "move", ("task", "bitrix24:3", "{}"), nothing, now=NOW + 9 * HOUR)
    await database.write(lambda connection: connection.execute(work.update().values(state="dead")))
    await store.keep_tasks(1, "13", [task(1, changed_at=NOW + HOUR)], now=NOW + 9 * HOUR)
    assert await _asked(database) == ""  # that work was given up
    done = BoardTask(external_id="1", title="x", state=BoardState.REVIEW)
    await database.write(lambda connection: store.settle(connection, 1, done))
    assert await one_task(database, 1, "13", "1") is None


async def _asked(database: Database) -> str | None:
    kept = await one_task(database, 1, "13", "1")
    return kept.asked if kept is not None else None


async def test_promises_are_kept_as_people_changed_them_and_set_once(database: Database) -> None:
    store = CallTaskStore(database)
    promises = [Promise(key="a", title="Перезвонить", employee_id="13"), Promise(key="b", title="Прислать")]
    first, second = await store.open(1, 7, promises)
    assert await store.change(1, second.id, employee_id="14", employee_name="Олег")
    opened, again = await store.open(1, 7, promises), await store.open(1, 7, promises)
    assert (opened, again[1].employee_id) == (again, "14")

    def made(one: CallTask) -> tuple[str, str, str]:
        return "calltask", f"bitrix24:{one.id}", "{}"

    begun = [store.ask(1, again, made, nothing, by=10, now=NOW) for _ in range(2)]
    assert sorted(await asyncio.gather(*begun)) == [0, 2]
    assert not await store.change(1, first.id, deadline=NOW)
    assert {one.state for one in await store.of_call(1, 7)} == {"asked"}
    await database.write(lambda connection: connection.execute(work.update().values(state="dead")))
    assert {one.state for one in await store.of_call(1, 7)} == {"lost"}
    assert await store.change(1, second.id, deadline=NOW)
    there = BoardTask(external_id="9", title="x", url="https://portal.example/9/")
    await database.write(lambda connection: store.settle(connection, 1, first.id, there))
    assert await store.set_of(1, 7) == {"a": "https://portal.example/9/"}
    assert await store.set_of(2, 7) == {}
    await store.forget([7])
    assert await store.of_call(1, 7) == ()
