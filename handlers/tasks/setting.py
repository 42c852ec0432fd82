"""A promise of a call becomes a task of the CRM, once, whatever breaks on the way; its card and who asked see it."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from domain.errors import VendorRefused
from domain.events import CallTaskAsked
from domain.messages import Destination, Message, Texts
from domain.ports import Attempt, Steps, Tx
from domain.tasks import BoardTask, NewTask
from domain.work import WorkItem
from handlers.calls.answers import card_key
from handlers.calls.screens import card_again
from handlers.tasks.call_screens import tasks_of_call
from handlers.tasks.promises import current
from handlers.tasks.services import TaskServices
from storage.call_tasks import SET, CallTask
from storage.queries.call import CallDetail, find_call

log = logging.getLogger(__name__)

CLOCKS_APART = timedelta(hours=1)  # the portal's and ours


async def set_task(item: WorkItem[CallTaskAsked], steps: Steps, services: TaskServices) -> None:
    """VendorUnavailable is tried again; a refusal is said to who asked, and they may ask again.

    One that is set already is only shown: the process may have died between the two.
    """
    task = await services.promises.one(item.account_id, item.event.row_id)
    call = await find_call(services.database, item.account_id, task.call_id) if task is not None else None
    if task is None or call is None:
        return
    try:
        if task.state != SET:
            made = await _set(item, steps, services, task, call)
            log.info("a promise of call %d is task %s of %s", call.id, made.external_id, services.vendor)
    except VendorRefused as refusal:
        log.info("%s would not take a task of call %d: %s", services.vendor, call.id, refusal.code)
        hint = refusal.hint

        async def refuse(tx: Tx) -> int:
            await services.promises.refuse(tx, item.account_id, task.id, hint)
            return 0

        await services.write(refuse)
        await _show(item, steps, services, call, lambda _: services.texts.get("tasks.refused"))
        return
    await _show(item, steps, services, call, lambda tasks: _became(services, task, tasks))


def _became(services: TaskServices, task: CallTask, tasks: Sequence[CallTask]) -> str:
    """Of those that one press has asked for, all that are set by now."""
    done = [one for one in tasks if one.state == SET and one.asked_at == task.asked_at]
    if len(done) > 1:
        return services.texts.get("calltask.became_many", crm=services.title, count=len(done))
    return services.texts.get("calltask.became", crm=services.title, title=task.title)


async def _set(
    item: WorkItem[CallTaskAsked], steps: Steps, services: TaskServices, task: CallTask, call: CallDetail
) -> BoardTask:
    marker = marker_of(call, task)
    new = NewTask(
        title=task.title,
        employee_id=task.employee_id,
        marker=marker,
        deadline=task.deadline,
        description=_description(services.texts, services, task, call),
        bound_to=_bound(call),
    )
    before = item.event.asked_before
    since = (before or task.asked_at or item.heard_at) - CLOCKS_APART

    async def find() -> BoardTask | None:
        return await services.board.find(marker, since=since)

    async def add(_: Attempt) -> BoardTask:
        there = await find() if before is not None else None
        return there if there is not None else await services.board.add(new)

    async def keep(tx: Tx, made: BoardTask) -> BoardTask:
        await services.promises.settle(tx, item.account_id, task.id, made)
        return made

    return await steps.outward("add", add, keep, BoardTask, lookup=find)


def marker_of(call: CallDetail, task: CallTask) -> str:
    """What the task carries, so that it is found instead of set again."""
    return "svodka-" + hashlib.sha256(f"{call.vendor}:{call.call_id}:{task.task_key}".encode()).hexdigest()[:12]


def _description(texts: Texts, services: TaskServices, task: CallTask, call: CallDetail) -> str:
    """Which call it was, what was said, and the way back to its card."""
    reader = services.reader()
    said = next((one for one in call.summary.tasks if one.what == task.title), None) if call.summary is not None else None
    quote = said.evidence.quote if said is not None and said.evidence is not None else ""
    lines = [texts.get("calltask.of_call", when=f"{call.started_at.astimezone(reader.zone):%d.%m.%Y %H:%M}")]
    lines += [texts.get("calltask.client", name=call.client_name)] if call.client_name else []
    lines += [texts.get("calltask.quote", quote=quote)] if quote else []
    lines += [call.crm_url] if call.crm_url else []
    return "\n".join(lines)


def _bound(call: CallDetail) -> tuple[tuple[str, str], ...]:
    """The card that the call's comment went to: its deal, where there is one."""
    kind, _, number = call.comment_target.partition(":")
    return ((kind, number),) if number else ()


async def _show(
    item: WorkItem[CallTaskAsked], steps: Steps, services: TaskServices, call: CallDetail,
    word: Callable[[Sequence[CallTask]], str],
) -> None:  # fmt: skip
    """The list that was pressed, and the card wherever it is. As the write sees them: others may be set at this moment."""
    event, account = item.event, item.account_id

    async def show(tx: Tx) -> int:
        tasks = await services.promises.within(tx, account, call.id)
        listed, addresses = current(call, tasks), {one.task_key: one.url for one in tasks if one.state == SET}
        said, key = word(tasks), key_of(event)
        screen = tasks_of_call(services.reader(), call, listed, crm=services.title, word=said, key=key)
        await put_call_tasks(services, tx, account, event, screen)
        card = card_again(services.reader(), call, key=card_key(call), set_tasks=addresses)
        return await services.posts.repost(tx, account, card) if card is not None else 0

    await steps.write("show", show, int)
    services.posted()


def key_of(event: CallTaskAsked) -> str:
    return f"calltasks:{event.chat_id}:{event.message_id}"


async def put_call_tasks(services: TaskServices, tx: Tx, account_id: int, event: CallTaskAsked, screen: Message) -> int:
    """Into the message that was pressed."""
    place = Destination(chat_id=event.chat_id, topic_id=event.topic_id)
    return await services.posts.take_over(tx, account_id, place, screen, event.message_id)
