"""Figures in Telegram: /conversions and /creatives, plain words, inline mode, and the buttons below a figure."""

from collections.abc import Awaitable, Callable

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.types import CallbackQuery, InlineQuery, InlineQueryResultArticle, InputTextMessageContent
from aiogram.types import Message as ChatMessage

from domain.messages import Message
from domain.roles import Person
from handlers.analytics import answers
from handlers.analytics.ask import Asked, about_visits, period_off_button, understand
from handlers.analytics.catalogue import Counted, Figure
from handlers.analytics.screens import inline_items
from handlers.calls.telegram import INLINE_CACHE_SECONDS
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, place_of, pressed_on, redraw, show, toast
from handlers.wording import Reader

Buttons = dict[str, Callable[..., Awaitable[None]]]


def build_router() -> Router:
    """Everybody the bot knows may look at figures. Stands before the routers that take any words."""
    router = Router(name="figures")
    router.message.register(conversions, Command("conversions", "конверсия", "конверсии", ignore_case=True))
    router.message.register(creatives, Command("creatives", "креативы", ignore_case=True))
    router.message.register(last_visits, Command("visits", "посещения", ignore_case=True))
    router.message.register(last_visits, StateFilter(None), _about_visits, in_private)
    words = (StateFilter(None), F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(in_words, *words, _about_figures)
    router.inline_query.register(inline, _asks_for_figures)
    buttons: Buttons = {"fig": redraw_figure, "fhow": explain, "fcsv": send_sheet, "fpic": send_picture}
    buttons |= {"vis": open_visits, "viscsv": send_visits}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


def _about_visits(message: ChatMessage) -> bool:
    return about_visits(message.text or "")


def _about_figures(message: ChatMessage, person: Person, desk: Desk) -> bool | dict[str, Asked]:
    return _understood(message.text or "", person, desk)


def _asks_for_figures(query: InlineQuery, person: Person, desk: Desk) -> bool | dict[str, Asked]:
    return _understood(query.query, person, desk)


def _understood(text: str, person: Person, desk: Desk) -> bool | dict[str, Asked]:
    asked = understand(text, desk.reader(person.account_id, private=True).today)
    return {"asked": asked} if asked is not None else False


async def conversions(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    await _command(message, command, person, desk, Figure.DIRECTION)


async def creatives(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    await _command(message, command, person, desk, Figure.TOP)


async def _command(message: ChatMessage, command: CommandObject, person: Person, desk: Desk, usual: Figure) -> None:
    """Words behind a command say by what and of which days; those that say neither are named."""
    reader = desk.reader(person.account_id, private=in_private(message))
    asked = understand(command.args or "", reader.today, usual=usual) or Asked(figure=usual, period=None)
    found = await answers.counted(desk, person, asked.figure, asked.period)
    await show(message, desk, answers.screen(reader, person, found, puzzled=asked.left))


async def in_words(message: ChatMessage, asked: Asked, person: Person, desk: Desk) -> None:
    found = await answers.counted(desk, person, asked.figure, asked.period)
    await show(message, desk, answers.screen(desk.reader(person.account_id, private=True), person, found))


async def inline(query: InlineQuery, asked: Asked, person: Person, desk: Desk) -> None:
    """The whole figure and each of its rows, to put into any chat."""
    reader = desk.reader(person.account_id, private=False)
    found = await answers.counted(desk, person, asked.figure, asked.period)
    results = []
    for number, (title, about, screen) in enumerate(inline_items(reader, found)):
        shown = desk.render(screen)
        content = InputTextMessageContent(message_text=shown["text"], entities=shown.get("entities"))
        results.append(
            InlineQueryResultArticle(id=f"fig{number}", title=title, description=about, input_message_content=content)
        )
    await query.answer(list(results), is_personal=True, cache_time=INLINE_CACHE_SECONDS)


async def redraw_figure(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found, reader = await _counted(callback, argument, person, desk)
    await redraw(callback, desk, answers.screen(reader, person, found))


async def explain(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Below the figure, which stays as it is."""
    message = pressed_on(callback)
    found, reader = await _counted(callback, argument, person, desk)
    await toast(callback)
    if message is not None:
        await show(message, desk, answers.how(desk, reader, found))


async def send_sheet(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found, reader = await _counted(callback, argument, person, desk)
    await _send(callback, person, desk, await answers.sheet(desk, reader, found, key=f"figure:{callback.id}"))


async def send_picture(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found, reader = await _counted(callback, argument, person, desk)
    await _send(callback, person, desk, await answers.picture(desk, reader, found, key=f"figure:{callback.id}"))


async def last_visits(message: ChatMessage, person: Person, desk: Desk) -> None:
    reader = desk.reader(person.account_id, private=in_private(message))
    await show(message, desk, await answers.visits(desk, person, reader))


async def open_visits(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    message = pressed_on(callback)
    await toast(callback)
    if message is not None:
        await last_visits(message, person, desk)


async def send_visits(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    """Whole phones are in it, so it is for private alone."""
    message = pressed_on(callback)
    if message is None or not in_private(message):
        await toast(callback, desk.texts.get("visits.private_only"), alert=True)
        return
    reader = desk.reader(person.account_id, private=True)
    await _send(callback, person, desk, await answers.visits_sheet(desk, person, reader, key=f"visits:{callback.id}"))


async def _counted(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> tuple[Counted, Reader]:
    """The figure of a button, counted anew; a letter nobody knows is the first of them."""
    letter, _, days = argument.partition(":")
    message = pressed_on(callback)
    reader = desk.reader(person.account_id, private=message is not None and in_private(message))
    figure = Figure(letter) if letter in set(Figure) else Figure.DIRECTION
    return await answers.counted(desk, person, figure, period_off_button(days, reader.today)), reader


async def _send(callback: CallbackQuery, person: Person, desk: Desk, message: Message) -> None:
    below = pressed_on(callback)
    await toast(callback, desk.texts.get("figures.on_its_way"))
    if below is not None:
        await desk.send(person.account_id, place_of(below), message)
