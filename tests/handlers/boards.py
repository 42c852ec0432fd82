"""A CRM's board in memory, and a desk that stands on it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from domain.errors import VendorRefused, VendorUnavailable
from domain.events import TaskAsked
from domain.ports import Attempt, Tx
from domain.tasks import BoardState, BoardTask, Meeting, NewTask
from domain.work import WorkItem
from handlers.desk import Desk
from handlers.tasks.changing import change_task
from handlers.tasks.services import TaskServices
from storage.board import BoardStore
from storage.call_tasks import CallTaskStore
from storage.codec import loads
from storage.models import work
from tests.handlers.chat import OWNER
from tests.handlers.conftest import MOSCOW
from tests.handlers.office import StoredWrites
from tests.handlers.seed import NOON

LOST = VendorUnavailable("bitrix24", "tasks.task.complete", "no answer", uncertain=True)
AWAY = VendorUnavailable("bitrix24", "tasks.task.list", "HTTP 502")
DENIED = VendorRefused("bitrix24", "tasks.task.complete", "http_400", hint="Закрыть может постановщик.")
SCOPE = VendorRefused("bitrix24", "calendar.event.get", "insufficient_scope", hint="Добавьте право «Календарь».")


@dataclass
class Board:
    """TaskBoard. ``fails``: how the next calls of a method go; a LOST one is carried out, and its answer is not."""

    tasks: dict[str, BoardTask] = field(default_factory=dict)
    events: list[Meeting] = field(default_factory=list)
    fails: dict[str, list[Exception]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    markers: dict[str, str] = field(default_factory=dict)
    new: list[NewTask] = field(default_factory=list)
    controlled: bool = False

    def put(self, number: int, title: str, deadline: datetime | None = None, employee_id: str = "13") -> None:
        self.tasks[str(number)] = BoardTask(
            external_id=str(number), title=title, employee_id=employee_id, deadline=deadline, changed_at=NOON,
            url=f"https://portal.example/task/{number}/",
        )  # fmt: skip

    def _call(self, name: str, done: Callable[[], None] = lambda: None) -> None:
        self.calls.append(name)
        error = self.fails[name].pop(0) if self.fails.get(name) else None
        if error is None or error is LOST:
            done()
        if error is not None:
            raise error

    async def open_tasks(self, employee_id: str) -> Sequence[BoardTask]:
        self._call("open_tasks")
        theirs = (one for one in self.tasks.values() if one.employee_id == employee_id)
        still = [one for one in theirs if one.state in {BoardState.OPEN, BoardState.DEFERRED}]
        return sorted(still, key=lambda one: (one.deadline is None, one.deadline or NOON))

    async def task(self, task_id: str) -> BoardTask | None:
        self._call("task")
        return self.tasks.get(task_id)

    async def complete(self, task_id: str) -> BoardTask:
        state = BoardState.REVIEW if self.controlled else BoardState.DONE
        self._call("complete", lambda: self._change(task_id, state=state))
        return self.tasks[task_id]

    async def postpone(self, task_id: str, deadline: datetime) -> BoardTask:
        self._call("postpone", lambda: self._change(task_id, deadline=deadline))
        return self.tasks[task_id]

    async def add(self, new: NewTask) -> BoardTask:
        number = str(9000 + len(self.new))

        def done() -> None:
            self.new.append(new)
            self.markers[new.marker] = number
            self.put(int(number), new.title, new.deadline, new.employee_id)

        self._call("add", done)
        return self.tasks[number]

    async def find(self, marker: str, *, since: datetime) -> BoardTask | None:
        self._call("find")
        return self.tasks.get(self.markers.get(marker, ""))

    async def meetings(self, employee_id: str, day: date, zone: ZoneInfo) -> Sequence[Meeting]:
        self._call("meetings")
        return self.events

    def _change(self, task_id: str, **changed: Any) -> None:
        task = self.tasks[task_id]
        at = (task.changed_at or NOON) + timedelta(seconds=1)
        self.tasks[task_id] = replace(task, changed_at=at, **changed)


class BoardSteps(StoredWrites):
    """Steps whose outward ones write rows, too."""

    async def outward(
        self, name: str, fn: Callable[[Attempt], Awaitable[Any]], record: Callable[[Tx, Any], Awaitable[Any]],
        returns: type[Any], **rest: Any,
    ) -> Any:  # fmt: skip
        async def stored(_: Tx, outcome: Any) -> Any:
            return await self._desk.database.write(lambda connection: record(cast("Tx", connection), outcome))

        return await super().outward(name, fn, stored, returns, **rest)


def with_board(desk: Desk, board: Board) -> Desk:
    async def write(job: Callable[[Tx], Awaitable[int]]) -> int:
        return await desk.database.write(lambda connection: job(cast("Tx", connection)))

    services = TaskServices(
        vendor="bitrix24", title="Битрикс24", board=board, store=BoardStore(desk.database),
        promises=CallTaskStore(desk.database), database=desk.database,
        posts=desk.posts, clock=desk.clock, texts=desk.texts, timezone=MOSCOW, write=write, posted=desk.wake, come=desk.wake,
    )  # fmt: skip
    return replace(desk, tasks=services)


async def link(desk: Desk, user_id: int, employee_id: str = "13", name: str = "Анна Петрова") -> None:
    await BoardStore(desk.database).link(OWNER, user_id, employee_id, name, now=NOON)


async def asked(desk: Desk, kind: str = "task", event: type[Any] = TaskAsked) -> list[WorkItem[Any]]:
    """The work there is, as its pipeline gets it."""
    async with desk.database.read() as connection:
        rows = (await connection.execute(work.select().where(work.c.kind == kind).order_by(work.c.id))).all()
    return [
        WorkItem(
            id=row.id, account_id=1, kind=kind, object=row.object, generation=1, event=loads(event, row.payload),
            source="chat", delivery_id=None, heard_at=NOON, failures=0,
        )
        for row in rows
    ]  # fmt: skip


async def run(desk: Desk, item: WorkItem[TaskAsked], steps: BoardSteps | None = None) -> None:
    assert desk.tasks is not None
    await change_task(item, steps or BoardSteps(desk), desk.tasks)
