"""Calls in Telegram: /calls and /why, plain words, inline mode, and the buttons of cards and lists."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command, CommandObject
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InputTextMessageContent,
)
from aiogram.types import Message as ChatMessage

from domain.messages import Button
from domain.roles import Person
from handlers.calls import answers
from handlers.calls.ask import understand
from handlers.calls.messages import TASKS_ACTION
from handlers.calls.screens import (
    call_screen,
    inline_item,
    more_row,
    no_recording,
    no_transcript,
    question,
    recording_message,
    say,
    transcript_message,
)
from handlers.desk import Desk
from handlers.directory.inline import beside_calls
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, place_of, pressed_on, redraw, show, toast
from storage.queries.call import CallDetail, find_call, find_call_of
from storage.queries.calls import find_calls
from storage.queries.journal import find_work, read_journal
from storage.queries.questions import kept_question

Buttons = dict[str, Callable[..., Awaitable[None]]]
INLINE_PAGE = 20
INLINE_CACHE_SECONDS = 5
PLACEHOLDER = "·"  # a keyboard is rendered with a text, and only the keyboard is used


def build_router() -> Router:
    """Commands and buttons about calls; repeating one is for those who run the bot."""
    router = Router(name="calls")
    router.message.register(ask_command, Command("calls", "звонки", ignore_case=True))
    router.message.register(why_command, Command("why", "почему", ignore_case=True))
    router.inline_query.register(ask_inline)
    buttons: Buttons = {"list": turn_page, "call": open_call, "rec": send_recording, "text": send_transcript, "more": unfold}
    buttons |= {"why": why_button, "no": leave}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    router.callback_query.register(ask_again, Pressed("again"), flags=ADMINS)
    router.callback_query.register(do_again, Pressed("redo"), flags=ADMINS)
    return router


def build_words_router() -> Router:
    """Plain words in private: whatever no other handler took."""
    router = Router(name="words")
    router.message.filter(in_private)
    router.message.register(ask_in_words, F.text, ~F.text.startswith("/"), ~F.via_bot)
    return router


async def ask_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    listed = await answers.ask_calls(desk, person, command.args or "", private=in_private(message))
    await show(message, desk, listed.screen)


async def ask_in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    """A question is answered; words that are none and stand in no call are met with examples."""
    listed = await answers.ask_calls(desk, person, message.text or "", private=True)
    understood = listed.total or listed.asked.about_calls
    await show(message, desk, listed.screen if understood else say(desk.texts.get("calls.not_understood")))


async def why_command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    private = in_private(message)
    reply = message.reply_to_message
    if command.args:
        screen = await answers.why_by_name(desk, person, command.args, private=private)
        await show(message, desk, screen or say(desk.texts.get("why.unknown")))
    elif (
        reply is None or reply.message_id == message.message_thread_id
    ):  # in a topic everything replies to its first message
        await show(message, desk, say(desk.texts.get("why.usage")))
    else:
        found = await answers.call_of_message(desk, person, message.chat.id, reply.message_id)
        screen = await answers.why(desk, person, *found, private=private) if found else None
        await show(message, desk, screen or say(desk.texts.get("why.not_a_card")))


async def ask_inline(query: InlineQuery, person: Person, desk: Desk) -> None:
    """Calls to put into any chat: phones in them are shortened. Answers are cached for the asker alone, and briefly.

    Above them are houses and people whom the words fit, unless it is plainly calls that are asked for.
    """
    offset = number(query.offset) or 0
    asked = understand(query.query, now=desk.clock.now(), zone=desk.timezone(person.account_id))
    page = await find_calls(desk.database, person.account_id, asked.query, limit=INLINE_PAGE, offset=offset)
    shared, own = (desk.reader(person.account_id, private=private) for private in (False, True))
    results = [] if offset or asked.about_calls else await beside_calls(desk, person, query.query)
    for row in page.rows:
        title, description, screen = inline_item(own, shared, row)
        shown = desk.render(screen)
        content = InputTextMessageContent(message_text=shown["text"], entities=shown.get("entities"))
        results.append(
            InlineQueryResultArticle(id=f"call{row.id}", title=title, description=description, input_message_content=content)
        )
    further = str(offset + INLINE_PAGE) if page.total > offset + INLINE_PAGE else ""
    await query.answer(list(results), is_personal=True, cache_time=INLINE_CACHE_SECONDS, next_offset=further)


async def turn_page(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    name, _, offset = argument.partition(":")
    kept = await kept_question(desk.database, person.account_id, name, desk.clock.now())
    if kept is None:
        await toast(callback, desk.texts.get("calls.expired"), alert=True)
        return
    listed = await answers.list_calls(desk, kept, offset=number(offset) or 0, private=_is_private(callback))
    await redraw(callback, desk, listed.screen)


async def open_call(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    call, message = await _call(callback, argument, person, desk), pressed_on(callback)
    if call is not None and message is not None:
        await toast(callback)
        set_tasks = await desk.tasks.promises.set_of(person.account_id, call.id) if desk.tasks is not None else None
        reader = desk.reader(person.account_id, private=in_private(message))
        await show(message, desk, call_screen(reader, call, set_tasks))


async def send_recording(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The recording from our disk, or plainly why there is none."""
    call, message = await _call(callback, argument, person, desk), pressed_on(callback)
    if call is None or message is None:
        return
    reader = desk.reader(person.account_id, private=in_private(message))
    if not await answers.recording_exists(desk, call):
        await toast(callback, no_recording(reader, call), alert=True)
        return
    await toast(callback, desk.texts.get("call.recording_on_its_way"))
    card = answers.card_key(call)
    audio = recording_message(reader, call, key=f"{card}#rec:{callback.id}", reply_to=card)
    await desk.send(person.account_id, place_of(message), audio)


async def send_transcript(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    call, message = await _call(callback, argument, person, desk), pressed_on(callback)
    if call is None or message is None:
        return
    reader = desk.reader(person.account_id, private=in_private(message))
    if call.transcript is None or call.transcript.empty:
        await toast(callback, no_transcript(reader, call), alert=True)
        return
    await toast(callback, desk.texts.get("call.transcript_on_its_way"))
    path, card = await answers.write_transcript(desk, reader, call), answers.card_key(call)
    key = f"{card}#text:{callback.id}"
    text = transcript_message(reader, call, call.transcript, key=key, reply_to=card, path=path)
    await desk.send(person.account_id, place_of(message), text)


async def unfold(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The second row of a card's buttons."""
    call, message = await _call(callback, argument, person, desk), pressed_on(callback)
    if call is None or message is None:
        return
    await toast(callback)
    latest = (await read_journal(desk.database, person.account_id, call.object)).latest
    may_repeat = person.role.runs_the_bot and latest is not None
    reader = desk.reader(person.account_id, private=in_private(message))
    rows = more_row(reader, call, work_id=latest.id if latest is not None and may_repeat else None)
    with suppress(TelegramBadRequest):  # pressed twice, or the message has just been deleted
        await message.edit_reply_markup(reply_markup=_with_rows(desk, message, rows))


async def why_button(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    call, message = await _call(callback, argument, person, desk), pressed_on(callback)
    if call is None or message is None:
        return
    screen = await answers.why(desk, person, call, call.object, private=in_private(message))
    await toast(callback)
    if screen is not None:
        await message.reply(**desk.render(screen))


async def ask_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Repeating may cost: it is asked first."""
    message = pressed_on(callback)
    work = await find_work(desk.database, person.account_id, number(argument) or 0)
    if work is None or message is None:
        await toast(callback, desk.texts.get("again.gone"), alert=True)
    elif work.state in {"ready", "running"}:
        await toast(callback, desk.texts.get("again.running"), alert=True)
    else:
        await toast(callback)
        asked = desk.texts.get("again.question_dead" if work.state == "dead" else "again.question")
        yes = (desk.texts.get("again.yes"), f"redo:{work.id}")
        await message.reply(**desk.render(question(asked, yes, (desk.texts.get("again.no"), "no:0"))))


async def do_again(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    work = await find_work(desk.database, person.account_id, number(argument) or 0)
    if work is None:
        await redraw(callback, desk, say(desk.texts.get("again.gone")))
        return
    started = await desk.replay(work.id)
    if started is None:
        await redraw(callback, desk, say(desk.texts.get("again.running")))
        return
    call = await find_call_of(desk.database, person.account_id, work.object)
    text = desk.texts.get("again.started", id=call.id) if call else desk.texts.get("again.started_work")
    await redraw(callback, desk, say(text))


async def leave(callback: CallbackQuery, desk: Desk) -> None:
    await redraw(callback, desk, say(desk.texts.get("again.left")))


async def _call(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> CallDetail | None:
    """The call of a button. Where it, or the message of the button, is gone the presser is told."""
    call = await find_call(desk.database, person.account_id, number(argument) or 0)
    if call is None:
        await toast(callback, desk.texts.get("call.gone"), alert=True)
    elif pressed_on(callback) is None:
        await toast(callback, desk.texts.get("call.no_card"), alert=True)
    return call


def _is_private(callback: CallbackQuery) -> bool:
    return callback.message is None or callback.message.chat.type == ChatType.PRIVATE


def _with_rows(desk: Desk, message: ChatMessage, rows: tuple[tuple[Button, ...], ...]) -> InlineKeyboardMarkup:
    """The card's own rows without «Ещё», and ``rows`` below them."""
    first, *others = message.reply_markup.inline_keyboard if message.reply_markup else [[]]
    kept = [button for button in first if not (button.callback_data or "").startswith("more:")]
    tasks = [row for row in others if row and (row[0].callback_data or "").startswith(f"{TASKS_ACTION}:")]
    added: InlineKeyboardMarkup | None = desk.render(say(PLACEHOLDER, *rows)).get("reply_markup")
    below = added.inline_keyboard if added is not None else []
    return InlineKeyboardMarkup(inline_keyboard=[row for row in (kept, *tasks, *below) if row])
