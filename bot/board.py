"""Tasks and meetings of a connected CRM, joined to the process."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.crm import Run
from bot.ground import Ground
from domain.ports import Steps, Tx
from domain.work import WorkItem
from handlers.tasks.changing import change_task
from handlers.tasks.services import TaskServices
from handlers.tasks.setting import set_task
from storage.board import BoardStore
from storage.call_tasks import CallTaskStore


def build_tasks(ground: Ground, *, posted: Callable[[], None], come: Callable[[], None]) -> TaskServices | None:
    """None where no connected CRM has tasks.

    The health board does not listen: a right to tasks that a portal's people do not want is no failure of the portal, and
    whoever asks is told.
    """

    async def write(job: Callable[[Tx], Awaitable[int]]) -> int:
        async def run(connection: AsyncConnection) -> int:
            return await job(cast("Tx", connection))

        return await ground.database.write(run)

    for name, part in ground.connected.items():
        if part.ports.tasks is not None:
            return TaskServices(
                vendor=name,
                title=part.vendor.title,
                board=part.ports.tasks,
                store=BoardStore(ground.database),
                promises=CallTaskStore(ground.database),
                database=ground.database,
                posts=ground.chat,
                clock=ground.clock,
                texts=ground.texts,
                timezone=ground.settings.timezone,
                write=write,
                posted=posted,
                come=come,
            )
    return None


def build_promises(ground: Ground) -> CallTaskStore | None:
    """What has become of promises of calls; None where no CRM takes tasks."""
    taken = any(part.ports.tasks is not None for part in ground.connected.values())
    return CallTaskStore(ground.database) if taken else None


def task_runs(services: TaskServices | None) -> dict[str, Run]:
    """Without such a CRM its work waits to be given up, and says why."""

    def of(pipeline: Callable[[WorkItem[Any], Steps, TaskServices], Awaitable[None]]) -> Run:
        async def run(item: WorkItem[Any], steps: Steps) -> None:
            if services is None:
                raise RuntimeError("no CRM with tasks is configured")
            await pipeline(item, steps, services)

        return run

    return {"task": of(change_task), "calltask": of(set_task)}
