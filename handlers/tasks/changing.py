"""A task of the CRM is done or put off, once, whatever breaks on the way; who asked sees what became of it."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from domain.errors import VendorRefused
from domain.events import TaskAsked
from domain.messages import Destination, Message
from domain.ports import Attempt, Steps, Tx
from domain.tasks import BoardState, BoardTask
from domain.work import WorkItem
from handlers.tasks.reading import board_of
from handlers.tasks.screens import board_screen, due_in_words
from handlers.tasks.services import TaskServices
from storage.queries.tasks import links, tasks_within

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

DONE, MOVE = "done", "move"
FINISHED = frozenset({BoardState.DONE, BoardState.REVIEW})


async def change_task(item: WorkItem[TaskAsked], steps: Steps, services: TaskServices) -> None:
    """VendorUnavailable is tried again; a refusal is said to who asked, for it is theirs to settle."""
    try:
        task = await _change(item, steps, services)
    except VendorRefused as refusal:
        log.info("%s would not let task %s be changed: %s", services.vendor, item.event.task_id, refusal.code)
        hint = refusal.hint

        async def refuse(tx: Tx) -> int:
            await services.store.refuse(tx, item.account_id, item.event.task_id, hint)
            return 0

        await services.write(refuse)
        await _show(item, steps, services, services.texts.get("tasks.refused"))
        return
    await _show(item, steps, services, _became(services, task))


async def _change(item: WorkItem[TaskAsked], steps: Steps, services: TaskServices) -> BoardTask:
    event, board = item.event, services.board

    async def do(_: Attempt) -> BoardTask:
        if event.deadline is not None:
            return await board.postpone(event.task_id, event.deadline)
        try:
            return await board.complete(event.task_id)
        except VendorRefused:
            there = await look()  # somebody else was quicker: that is no refusal
            if there is None:
                raise
            return there

    async def look() -> BoardTask | None:
        task = await board.task(event.task_id)
        return task if task is not None and _is_so(task, event.deadline) else None

    async def keep(tx: Tx, task: BoardTask) -> BoardTask:
        await services.store.settle(tx, item.account_id, task)
        return task

    return await steps.outward("change", do, keep, BoardTask, lookup=look)


def _is_so(task: BoardTask, deadline: datetime | None) -> bool:
    return task.state in FINISHED if deadline is None else task.deadline == deadline


def _became(services: TaskServices, task: BoardTask) -> str:
    if task.state in FINISHED:
        return services.texts.get(f"tasks.became.{task.state}", title=task.title)
    at = due_in_words(services.reader(), task.deadline) if task.deadline is not None else "—"
    return services.texts.get("tasks.became.moved", title=task.title, at=at)


async def _show(item: WorkItem[TaskAsked], steps: Steps, services: TaskServices, word: str) -> None:
    """The list as it is now, in the place of what was pressed."""
    event = item.event
    known = (await links(services.database, item.account_id)).values()
    link = next((one for one in known if one.employee_id == event.employee_id), None)
    if link is None:  # they are somebody else there since
        return
    now = services.clock.now()
    board = await board_of(services, item.account_id, link, now=now, within=None)

    async def show(tx: Tx) -> int:  # tasks as the write sees them: another may be settled at this moment
        tasks = await tasks_within(cast("AsyncConnection", tx), item.account_id, link.employee_id)
        screen = board_screen(services.reader(), replace(board, tasks=tasks), word=word, key=key_of(event))
        return await put(services, tx, item.account_id, event, screen)

    await steps.write("show", show, int)
    services.posted()


def key_of(event: TaskAsked) -> str:
    return f"tasks:{event.chat_id}:{event.message_id}"


async def put(services: TaskServices, tx: Tx, account_id: int, event: TaskAsked, screen: Message) -> int:
    """Into the message that was pressed."""
    place = Destination(chat_id=event.chat_id)
    return await services.posts.take_over(tx, account_id, place, screen, event.message_id)
