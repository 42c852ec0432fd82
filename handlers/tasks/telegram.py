"""Tasks in Telegram: /tasks and plain words, a task's buttons; each sees their own, in their own chat with the bot."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from aiogram import F, Router
from aiogram.filters import Command, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.errors import BadInput
from domain.events import TaskAsked
from domain.messages import Message
from domain.ports import Tx
from domain.roles import Person
from handlers.calls.screens import action, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, number, pressed_in_private, redraw, show, toast
from handlers.tasks.changing import DONE, MOVE, key_of, put
from handlers.tasks.reading import AT_ONCE, FRESH, board_of
from handlers.tasks.screens import board_screen, task_screen
from handlers.tasks.services import TaskServices
from handlers.tasks.when import presets, read_when
from storage.codec import dumps
from storage.queries.tasks import EmployeeLink, TaskLine, link_of, one_task

WORDS = re.compile(
    r"^(?:покажи(?:те)?\s+)?(?:мои\s+)?(?:задачи|дела|встречи)(?:\s+на\s+сегодня|\s+сегодня)?\s*\??\s*$"
    r"|^что\s+у\s+меня\s+(?:на\s+)?сегодня\s*\??\s*$",
    re.IGNORECASE,
)
LONGEST = 60  # characters of a question in words


class Postpone(StatesGroup):
    """The next message says until when."""

    when = State()


def build_router() -> Router:
    router = Router(name="tasks")
    router.message.register(tasks_command, Command("tasks", "задачи", ignore_case=True))
    router.message.register(typed_when, StateFilter(Postpone.when), F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(tasks_command, F.text[:LONGEST].regexp(WORDS), StateFilter(None), ~F.via_bot, in_private)
    buttons: dict[str, Callable[..., Awaitable[None]]] = {"tasks": turn_page, "tnow": read_again, "tsk": open_task}
    buttons |= {"tdone": do, "tput": put_off, "town": ask_when}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def tasks_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    if not in_private(message):
        await show(message, desk, say(desk.texts.get("tasks.private_only")))
        return
    await show(message, desk, await _board(desk, person))


async def turn_page(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    await state.clear()
    if await pressed_in_private(callback, desk) is not None:
        await redraw(callback, desk, await _board(desk, person, offset=number(argument) or 0))


async def read_again(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    """What was changed in the CRM a moment ago is to be seen."""
    if await pressed_in_private(callback, desk) is not None:
        await redraw(callback, desk, await _board(desk, person, within=AT_ONCE))


async def open_task(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is not None:
        await redraw(callback, desk, task_screen(desk.reader(person.account_id, private=True), found[2]))


async def do(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is not None:
        await _ask(callback, person, desk, found, None)


async def put_off(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    what, _, task_id = argument.partition(":")
    found = await _movable(callback, task_id, person, desk)
    if found is None:
        return
    deadline = presets(what, found[2].deadline, desk.clock.now(), desk.timezone(person.account_id))
    if deadline is None:
        await toast(callback, desk.texts.get("tasks.past_time"), alert=True)
        return
    await _ask(callback, person, desk, found, deadline)


async def ask_when(callback: CallbackQuery, argument: str, person: Person, desk: Desk, state: FSMContext) -> None:
    found = await _movable(callback, argument, person, desk)
    if found is None:
        return
    await state.set_state(Postpone.when)
    await state.set_data({"task": found[2].external_id})
    back = (action(desk.texts.get("tasks.button.back"), "tasks:0"),)
    await redraw(callback, desk, say(desk.texts.get("tasks.ask_when", title=found[2].title), back))


async def typed_when(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    """What was typed is read back on a button: the press is what goes to the CRM, and it has a message to answer in."""
    now, zone = desk.clock.now(), desk.timezone(person.account_id)
    task_id = str((await state.get_data()).get("task", ""))
    back = (action(desk.texts.get("tasks.button.back"), "tasks:0"),)
    try:
        at = read_when(message.text or "", now, zone)
    except BadInput as problem:
        await show(message, desk, say(desk.texts.get(problem.hint), back))
        return
    await state.clear()
    services = desk.tasks
    link = await link_of(desk.database, person.account_id, person.user_id) if services is not None else None
    task = await one_task(desk.database, person.account_id, link.employee_id, task_id) if link is not None else None
    if task is None:
        await show(message, desk, say(desk.texts.get("tasks.gone"), back))
        return
    local = at.astimezone(zone)
    asked = desk.texts.get("tasks.put_off_question", title=task.title, at=f"{local:%d.%m.%Y %H:%M}")
    yes = (action(desk.texts.get("tasks.button.put_off"), f"tput:{int(at.timestamp())}:{task_id}"),)
    await show(message, desk, say(asked, yes, back))


async def _board(desk: Desk, person: Person, *, offset: int = 0, within: timedelta = FRESH) -> Message:
    services = desk.tasks
    if services is None:
        return say(desk.texts.get("tasks.not_connected"))
    link = await link_of(desk.database, person.account_id, person.user_id)
    if link is None:
        return unlinked(desk, person, services)
    board = await board_of(services, person.account_id, link, now=desk.clock.now(), within=within)
    return board_screen(desk.reader(person.account_id, private=True), board, offset=offset)


def unlinked(desk: Desk, person: Person, services: TaskServices) -> Message:
    """Whose it is, and what to press."""
    if person.role.runs_the_bot:
        link = (action(desk.texts.get("tasks.button.link"), f"emp:{person.user_id}"),)
        return say(desk.texts.get("tasks.unlinked_admin", crm=services.title), link)
    return say(desk.texts.get("tasks.unlinked", crm=services.title))


Found = tuple[TaskServices, EmployeeLink, TaskLine]


async def _found(callback: CallbackQuery, task_id: str, person: Person, desk: Desk) -> Found | None:
    """The presser's own open task; where it is not theirs, or not there any more, they are told."""
    if await pressed_in_private(callback, desk) is None:
        return None
    link = await link_of(desk.database, person.account_id, person.user_id)
    task = await one_task(desk.database, person.account_id, link.employee_id, task_id) if link is not None else None
    if desk.tasks is None or link is None or task is None:
        await toast(callback, desk.texts.get("tasks.gone"), alert=True)
        return None
    return desk.tasks, link, task


async def _movable(callback: CallbackQuery, task_id: str, person: Person, desk: Desk) -> Found | None:
    """The webhook's owner may do more than the presser: what they may not do in the CRM, they may not do here."""
    found = await _found(callback, task_id, person, desk)
    if found is not None and not found[2].may_move:
        await toast(callback, desk.texts.get("tasks.fixed"), alert=True)
        return None
    return found


async def _ask(callback: CallbackQuery, person: Person, desk: Desk, found: Found, deadline: datetime | None) -> None:
    """Begin it, and show that: one commit. Pressed twice, the second press finds it begun."""
    services, link, task = found
    message = await pressed_in_private(callback, desk)
    if message is None:
        return
    await toast(callback)
    what, now = DONE if deadline is None else MOVE, desk.clock.now()
    event = TaskAsked(
        vendor=services.vendor,
        external_id=f"{what}:{task.external_id}:{int(now.timestamp() * 1000)}",
        occurred_at=None,
        task_id=task.external_id,
        employee_id=link.employee_id,
        chat_id=message.chat.id,
        message_id=message.message_id,
        deadline=deadline,
    )

    async def shown(tx: Tx) -> int:
        begun = replace(task, asked=what, problem="")
        screen = task_screen(desk.reader(person.account_id, private=True), begun, key=key_of(event))
        return await put(services, tx, person.account_id, event, screen)

    work = ("task", f"{event.vendor}:{event.external_id}", dumps(TaskAsked, event))
    if await services.store.ask(person.account_id, task.external_id, what, work, shown, now=now):
        services.posted()
        services.come()
