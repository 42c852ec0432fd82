"""«Задачи» under a call's card: each promise with its owner and deadline, set in the CRM by a tap."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from aiogram import Router
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.events import CallTaskAsked
from domain.messages import Message
from domain.ports import Tx
from domain.roles import Person
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, place_of, pressed_on, redraw, show, toast
from handlers.tasks.call_screens import call_task_screen, dues_screen, owners_screen, tasks_of_call
from handlers.tasks.promises import current, promises_of
from handlers.tasks.services import TaskServices
from handlers.tasks.setting import key_of, put_call_tasks
from handlers.tasks.when import DAY_ENDS, presets
from handlers.wording import Reader
from storage.call_tasks import LOST, CallTask
from storage.codec import dumps
from storage.queries.call import CallDetail, find_call
from storage.queries.directory import employee
from storage.queries.tasks import EmployeeLink, link_of, links

MOST_OWNERS = 20
Wanted = tuple[TaskServices, CallDetail, tuple[CallTask, ...]]


def build_router() -> Router:
    """For everybody the bot knows: what was promised is the team's."""
    router = Router(name="call tasks")
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"ctasks": open_all, "ct": open_one, "ctwho": ask_owner}
    buttons |= {"ctown": choose_owner, "ctdue": ask_due, "ctd": choose_due, "ctgo": set_one, "ctall": set_all}
    buttons |= {"ctback": back_to_all}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def open_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Below the card, which stays for everybody."""
    found, message = await _opened(callback, argument, person, desk), pressed_on(callback)
    if found is not None and message is not None:
        await toast(callback)
        services, call, tasks = found
        await show(message, desk, tasks_of_call(_reader(desk, person, message), call, tasks, crm=services.title))


async def back_to_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _opened(callback, argument, person, desk)
    if found is not None:
        services, call, tasks = found
        reader = _reader(desk, person, pressed_on(callback))
        await redraw(callback, desk, tasks_of_call(reader, call, tasks, crm=services.title))


async def open_one(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _one(callback, argument, person, desk)
    if found is not None:
        await redraw(callback, desk, _task_screen(desk, person, callback, *found))


async def ask_owner(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _one(callback, argument, person, desk)
    if found is None:
        return
    services, task = found
    people = {one.employee_id: one for one in (await links(desk.database, person.account_id)).values()}
    if task.employee_id and task.employee_id not in people:  # who spoke with the client need not know the bot
        people[task.employee_id] = EmployeeLink(user_id=0, employee_id=task.employee_id, employee_name=task.employee_name)
    listed = list(people.values())[:MOST_OWNERS]
    await redraw(
        callback, desk, owners_screen(_reader(desk, person, pressed_on(callback)), task, listed, crm=services.title)
    )


async def choose_owner(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    row, _, employee_id = argument.partition(":")
    found = await _one(callback, row, person, desk)
    if found is None:
        return
    known = await employee(desk.database, person.account_id, employee_id)
    linked = {one.employee_id: one.employee_name for one in (await links(desk.database, person.account_id)).values()}
    name = known.full_name if known is not None else linked.get(employee_id, "")
    if not name:
        await toast(callback, desk.texts.get("people.gone"), alert=True)
        return
    await _change(callback, person, desk, found, employee_id=employee_id, employee_name=name)


async def ask_due(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _one(callback, argument, person, desk)
    if found is not None:
        await redraw(callback, desk, dues_screen(_reader(desk, person, pressed_on(callback)), found[1]))


async def choose_due(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    row, _, code = argument.partition(":")
    found = await _one(callback, row, person, desk)
    if found is not None:
        await _change(callback, person, desk, found, deadline=_due(desk, person, code))


def _due(desk: Desk, person: Person, code: str) -> datetime | None:
    """None: without a deadline."""
    now, zone = desk.clock.now(), desk.timezone(person.account_id)
    if code == "e":
        local = now.astimezone(zone)
        today = datetime.combine(local.date(), DAY_ENDS, tzinfo=zone)
        return today if today > local else today + timedelta(days=1)
    return presets(code, None, now, zone) if code in {"t", "w"} else None


async def set_one(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _one(callback, argument, person, desk)
    if found is not None:
        call = await find_call(desk.database, person.account_id, found[1].call_id)
        if call is not None:
            await _set(callback, person, desk, (found[0], call, (found[1],)))


async def set_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _opened(callback, argument, person, desk)
    if found is not None:
        services, call, tasks = found
        ready = tuple(one for one in tasks if one.settable and one.employee_id)
        await _set(callback, person, desk, (services, call, ready))


async def _set(callback: CallbackQuery, person: Person, desk: Desk, wanted: Wanted) -> None:
    """Begin them, and show that: one commit. Pressed twice, the second press finds them begun."""
    services, call, asked = wanted
    message = pressed_on(callback)
    if message is None:
        return
    await toast(callback)
    now, place = desk.clock.now(), place_of(message)

    def event(task: CallTask) -> CallTaskAsked:
        return CallTaskAsked(
            vendor=services.vendor,
            external_id=f"{task.id}:{int(now.timestamp() * 1000)}",
            occurred_at=None,
            row_id=task.id,
            chat_id=place.chat_id,
            topic_id=place.topic_id,
            message_id=message.message_id,
            asked_before=task.asked_at if task.state == LOST else None,
        )

    def work(task: CallTask) -> tuple[str, str, str]:
        told = event(task)
        return "calltask", f"{told.vendor}:{told.external_id}", dumps(CallTaskAsked, told)

    async def shown(tx: Tx) -> int:
        some, listed = event(asked[0]), current(call, await services.promises.within(tx, person.account_id, call.id))
        screen = tasks_of_call(_reader(desk, person, message), call, listed, crm=services.title, key=key_of(some))
        return await put_call_tasks(services, tx, person.account_id, some, screen)

    if asked and await services.promises.ask(person.account_id, asked, work, shown, by=person.telegram_id, now=now):
        services.posted()
        services.come()


async def _change(
    callback: CallbackQuery, person: Person, desk: Desk, found: tuple[TaskServices, CallTask], **changed: object
) -> None:
    services, task = found
    if not await services.promises.change(person.account_id, task.id, **changed):
        await toast(callback, desk.texts.get("calltask.begun"), alert=True)
        return
    fresh = await services.promises.one(person.account_id, task.id)
    if fresh is not None:
        await redraw(callback, desk, _task_screen(desk, person, callback, services, fresh))


async def _opened(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> Wanted | None:
    """A call and its promises, as people have changed them; where there are none the presser is told."""
    services, call = desk.tasks, await find_call(desk.database, person.account_id, number(argument) or 0)
    if services is None or call is None:
        await toast(callback, desk.texts.get("call.gone" if services is not None else "tasks.not_connected"), alert=True)
        return None
    presser = await link_of(desk.database, person.account_id, person.user_id)
    zone = desk.timezone(person.account_id)
    promises = await promises_of(desk.database, person.account_id, call, zone=zone, presser=presser)
    return services, call, current(call, await services.promises.open(person.account_id, call.id, promises))


async def _one(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> tuple[TaskServices, CallTask] | None:
    services = desk.tasks
    task = await services.promises.one(person.account_id, number(argument) or 0) if services is not None else None
    if services is None or task is None:
        await toast(callback, desk.texts.get("calltask.gone"), alert=True)
        return None
    return services, task


def _task_screen(desk: Desk, person: Person, callback: CallbackQuery, services: TaskServices, task: CallTask) -> Message:
    return call_task_screen(_reader(desk, person, pressed_on(callback)), task, crm=services.title)


def _reader(desk: Desk, person: Person, message: ChatMessage | None) -> Reader:
    return desk.reader(person.account_id, private=message is None or in_private(message))
