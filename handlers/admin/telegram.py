"""Entering, help, state, failures, settings, people and bound chats in Telegram."""

from collections.abc import Awaitable, Callable

from aiogram import Bot, Router
from aiogram.exceptions import AiogramError
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.errors import BadInput
from domain.messages import Message
from domain.roles import Person, Role
from handlers.admin import answers, screens
from handlers.admin.status import Reception
from handlers.calls.screens import question, say
from handlers.commands import PRIVATE, commands_for
from handlers.desk import Desk
from handlers.leads.messages import help_screen
from handlers.talk.telegram import (
    ADMINS,
    Pressed,
    in_private,
    number,
    place_of,
    pressed_in_private,
    pressed_on,
    redraw,
    show,
    toast,
)
from handlers.webinars.help import help_webinars_screen
from storage.destinations import BoundChat
from storage.held import count_held
from storage.queries.settings import MIN_DURATION, change_setting

Buttons = dict[str, Callable[..., Awaitable[None]]]
TELEGRAM_SECONDS = 5
LONGEST_MINIMUM_S = 3600
HELD_CHOICES = ("send", "drop")
_KIND_WORDS = {"звонки": "call", "пропущенные": "missed", "вебинары": "webinar", "регистрации": "registration"}
_KIND_WORDS |= {"заявки": "lead", "уведомления": "notice"}
_TOPICS = {"звонки": "calls", "битрикс": "bitrix", "битрикс24": "bitrix", "таблицы": "tables", "вебинары": "webinars"}


def build_router() -> Router:
    """Entrance and help for everybody the bot knows, the rest for those who run it."""
    router = Router(name="admin")
    router.message.register(start, Command("start", "старт", ignore_case=True), in_private)
    router.message.register(help_command, Command("help", "помощь", "справка", ignore_case=True))
    for names, handler in (
        (("status", "статус"), status_command),
        (("errors", "ошибки"), errors_command),
        (("queue", "очередь"), queue_command),
        (("metrics", "метрики"), metrics_command),
        (("settings", "настройки"), settings_command),
        (("bind", "привязать"), bind_command),
    ):
        router.message.register(handler, Command(*names, ignore_case=True), flags=ADMINS)
    buttons: Buttons = {"errors": errors_button, "one": repeat_one, "all": ask_repeat_all, "allgo": repeat_all}
    buttons |= {"min": choose_minimum, "people": people_button, "invite": invite, "off": ask_disable, "offgo": disable}
    buttons |= {"held": ask_held, "heldgo": settle_held, "status": status_button}
    buttons |= {"queue": queue_button, "metrics": metrics_button}
    buttons |= {"settings": settings_button, "kind": switch_kind, "unbind": unbind}
    for name, pressed in buttons.items():
        router.callback_query.register(pressed, Pressed(name), flags=ADMINS)
    return router


async def start(message: ChatMessage, person: Person, desk: Desk) -> None:
    """Codes behind /start never get here: the gate lets their holders in, and tells them so."""
    commands = commands_for(person.role, PRIVATE, desk.texts)
    await show(message, desk, screens.welcome_screen(desk.reader(person.account_id, private=True), person, commands))


async def help_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    reader = desk.reader(person.account_id, private=in_private(message))
    topic = (command.args or "").strip().lower()
    if not topic:
        kind = PRIVATE if in_private(message) else "group"
        await show(message, desk, screens.help_screen(reader, commands_for(person.role, kind, desk.texts)))
    elif _TOPICS.get(topic) == "calls":
        await show(message, desk, screens.help_calls_screen(reader, await desk.min_duration_s(person.account_id)))
    elif _TOPICS.get(topic) == "bitrix":
        await show(message, desk, screens.help_bitrix_screen(reader))
    elif _TOPICS.get(topic) == "webinars":
        await show(message, desk, help_webinars_screen(reader))
    elif _TOPICS.get(topic) == "tables":
        await show(message, desk, help_screen(reader))
    else:
        await show(message, desk, say(reader.say("help.unknown")))


async def status_command(message: ChatMessage, person: Person, desk: Desk, bot: Bot) -> None:
    await show(message, desk, await answers.status(desk, person, await _reception(bot)))


async def status_button(callback: CallbackQuery, person: Person, desk: Desk, bot: Bot) -> None:
    await redraw(callback, desk, await answers.status(desk, person, await _reception(bot)))


async def ask_held(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """What a restore put aside is sent or dropped as a whole: it is asked first, with the number there is now."""
    count = await count_held(desk.database, person.account_id)
    if not count or argument not in HELD_CHOICES:
        await toast(callback, desk.texts.get("status.held_none"), alert=True)
        return
    yes = (desk.texts.get(f"status.held_{argument}_yes"), f"heldgo:{argument}")
    back = (desk.texts.get("settings.back"), "status:0")
    await redraw(callback, desk, question(desk.texts.get(f"status.held_{argument}_question", count=count), yes, back))


async def settle_held(callback: CallbackQuery, argument: str, person: Person, desk: Desk, bot: Bot) -> None:
    known = argument in HELD_CHOICES
    count = await answers.settle_held(desk, person, send=argument == "send") if known else 0
    word = desk.texts.get(f"status.held_{argument}_done", count=count) if count else desk.texts.get("status.held_none")
    await redraw(callback, desk, await answers.status(desk, person, await _reception(bot)), word=word)


async def _reception(bot: Bot) -> Reception | None:
    """What Telegram says about our webhook and inline mode; None when it does not answer."""
    try:
        info = await bot.get_webhook_info(request_timeout=TELEGRAM_SECONDS)
        me = await bot.me()
    except AiogramError:
        return None
    return Reception(
        webhook=info.url,
        pending=info.pending_update_count,
        error=info.last_error_message or "",
        error_at=info.last_error_date,
        inline=bool(me.supports_inline_queries),
    )


async def errors_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    await show(message, desk, await answers.errors(desk, person, days=1))


async def errors_button(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await answers.errors(desk, person, days=_days(argument)))


async def queue_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    await show(message, desk, await answers.queue(desk, person))


async def queue_button(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await answers.queue(desk, person))


async def metrics_command(message: ChatMessage, person: Person, desk: Desk) -> None:
    await show(message, desk, await answers.workings(desk, person, days=1))


async def metrics_button(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await answers.workings(desk, person, days=_days(argument)))


async def repeat_one(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, days = _split(argument)
    await _repeat(callback, name, days, person, desk, limit=1)


async def ask_repeat_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, days = _split(argument)
    kind = await answers.kind_named(desk, person, name, days=days)
    if kind is None:
        await toast(callback, desk.texts.get("errors.all_left"), alert=True)
        return
    yes = (desk.texts.get("errors.all_yes"), f"allgo:{name}:{days}")
    back = (desk.texts.get("settings.back"), f"errors:{days}")
    await redraw(callback, desk, question(desk.texts.get("errors.all_question", count=kind.dead), yes, back))


async def repeat_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, days = _split(argument)
    await _repeat(callback, name, days, person, desk, limit=answers.MOST_AT_ONCE)


async def _repeat(callback: CallbackQuery, name: str, days: int, person: Person, desk: Desk, *, limit: int) -> None:
    kind = await answers.kind_named(desk, person, name, days=days)
    started = await answers.repeat(desk, person, kind, days=days, limit=limit) if kind else 0
    if kind is None or not started:
        text = desk.texts.get("errors.all_left")
    else:
        more = limit > 1 and kind.dead > started
        text = desk.texts.get("errors.limited" if more else "errors.all_started", count=started)
    await redraw(callback, desk, await answers.errors(desk, person, days=days), word=text)


async def settings_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    """/settings shows; /settings 25 sets the shortest call."""
    if not in_private(message):
        await show(message, desk, say(desk.texts.get("settings.private_only")))
        return
    if not command.args:
        await show(message, desk, await _settings(desk, person))
        return
    await show(message, desk, say(await _set_minimum(desk, person, command.args.split()[-1])))


async def _set_minimum(desk: Desk, person: Person, value: str) -> str:
    """Sets the shortest call in seconds and says so, or says why not."""
    if desk.min_duration_fixed:
        return desk.texts.get("settings.min_fixed")
    seconds = number(value)
    if seconds is None or seconds > LONGEST_MINIMUM_S:
        return desk.texts.get("settings.min_bad")
    now = desk.clock.now()
    await change_setting(desk.database, person.account_id, MIN_DURATION, str(seconds), by=person.user_id, now=now)
    return desk.texts.get("settings.min_changed", limit=seconds)


async def choose_minimum(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    word = await _set_minimum(desk, person, argument)
    await redraw(callback, desk, await _settings(desk, person), word=word)


async def settings_button(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await _settings(desk, person))


async def _settings(desk: Desk, person: Person) -> Message:
    people = await desk.people.all(person.account_id)
    return screens.settings_screen(
        desk.reader(person.account_id, private=True),
        min_duration_s=await desk.min_duration_s(person.account_id),
        fixed=desk.min_duration_fixed,
        people=sum(not listed.disabled for listed in people),
        places=await desk.destinations.all(person.account_id),
        crm=desk.stages.title if desk.stages is not None else "",
        houses=desk.directory is not None,
    )


async def people_button(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    await _show_people(callback, person, desk)


async def _show_people(callback: CallbackQuery, person: Person, desk: Desk, *, word: str = "") -> None:
    people = await desk.people.all(person.account_id)
    crm = desk.tasks.title if desk.tasks is not None else ""
    screen = screens.people_screen(desk.reader(person.account_id, private=True), person, people, crm=crm)
    await redraw(callback, desk, screen, word=word)


async def invite(callback: CallbackQuery, argument: str, person: Person, desk: Desk, bot: Bot) -> None:
    """A one-time link, in private alone: whoever reads it first could use it."""
    message = await pressed_in_private(callback, desk)
    role = Role.ADMIN if argument == Role.ADMIN else Role.MANAGER
    if message is None:
        return
    me = await bot.me()
    link = f"https://t.me/{me.username}?start={await desk.people.invite(person, role)}"
    await toast(callback)
    await show(message, desk, screens.invitation_screen(desk.reader(person.account_id, private=True), role, link))


async def ask_disable(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    other = await _member(desk, person, argument)
    if other is None:
        await toast(callback, desk.texts.get("people.gone"), alert=True)
        return
    reader = desk.reader(person.account_id, private=True)
    text = reader.say("people.disable_question", name=screens.name_of(reader, other))
    yes = (reader.say("people.disable_yes"), f"offgo:{other.user_id}")
    await redraw(callback, desk, question(text, yes, (reader.say("settings.back"), "people:0")))


async def disable(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    other = await _member(desk, person, argument)
    reader = desk.reader(person.account_id, private=True)
    try:
        done = other is not None and await desk.people.disable(person, other.telegram_id)
    except BadInput as error:
        await toast(callback, error.hint, alert=True)
        return
    name = screens.name_of(reader, other) if other is not None else ""
    word = reader.say("people.disabled", name=name) if done else reader.say("people.gone")
    await _show_people(callback, person, desk, word=word)


async def _member(desk: Desk, person: Person, argument: str) -> Person | None:
    """Somebody of this account who is let in, by the number on a button."""
    people = await desk.people.all(person.account_id)
    return next((p.person for p in people if p.person.user_id == number(argument) and not p.disabled), None)


async def bind_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    """/bind in a group or topic: cards come here from now on."""
    if in_private(message):
        await show(message, desk, say(desk.texts.get("bind.private_hint")))
        return
    words = (command.args or "").lower().replace(",", " ").split()
    unknown = next((word for word in words if word not in _KIND_WORDS), None)
    if unknown is not None:
        await show(message, desk, say(desk.texts.get("bind.unknown_kind", word=unknown)))
        return
    kinds = tuple(dict.fromkeys(_KIND_WORDS[word] for word in words)) or screens.KINDS
    title = message.chat.title or ""
    place = await desk.destinations.bind(person.account_id, place_of(message), title=title, kinds=kinds)
    await show(message, desk, screens.bound_screen(desk.reader(person.account_id, private=False), place))


async def switch_kind(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """One kind of card for this chat on or off."""
    message = pressed_on(callback)
    place = await _bound(message, person, desk)
    if message is None or place is None or argument not in screens.KINDS:
        await toast(callback, desk.texts.get("bind.not_bound"), alert=True)
        return
    kinds = tuple(kind for kind in screens.KINDS if (kind in place.kinds) != (kind == argument))
    if not kinds:
        await toast(callback, desk.texts.get("bind.kinds_none"), alert=True)
        return
    changed = await desk.destinations.bind(
        person.account_id, place_of(message), title=place.title, kinds=kinds, silent=place.silent
    )
    await redraw(callback, desk, screens.bound_screen(desk.reader(person.account_id, private=False), changed))


async def unbind(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    message = pressed_on(callback)
    place = await _bound(message, person, desk)
    if message is None or place is None:
        await toast(callback, desk.texts.get("bind.not_bound"), alert=True)
    elif place.source == "env":
        await toast(callback, desk.texts.get("bind.fixed"), alert=True)
    else:
        await desk.destinations.unbind(person.account_id, place_of(message))
        await redraw(callback, desk, say(desk.texts.get("bind.unbound")))


async def _bound(message: ChatMessage | None, person: Person, desk: Desk) -> BoundChat | None:
    """The destination that the chat and topic of ``message`` are."""
    if message is None:
        return None
    here = place_of(message)
    places = await desk.destinations.all(person.account_id)
    return next((place for place in places if (place.chat_id, place.topic_id) == (here.chat_id, here.topic_id)), None)


def _split(argument: str) -> tuple[str, int]:
    name, _, days = argument.partition(":")
    return name, _days(days)


def _days(argument: str) -> int:
    return 7 if argument == "7" else 1
