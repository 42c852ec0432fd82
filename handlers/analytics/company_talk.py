"""The company's figures in Telegram: /company, plain words, and the buttons below."""

import re

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, StateFilter
from aiogram.types import CallbackQuery
from aiogram.types import Message as ChatMessage

from domain.attendance import Yardstick
from domain.roles import Person
from handlers.analytics.ask import period_off_button
from handlers.analytics.catalogue import last_days
from handlers.analytics.company import CompanyFigures, count_company
from handlers.analytics.company_screens import company_screen, how_screen
from handlers.calls.periods import Period, find_period
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, in_private, pressed_on, redraw, show, toast
from storage.calls import folded

USUAL_DAYS = 7
_ABOUT = re.compile(r"\s*(?:покажи\s+)?показатели\b(?:\s+компании\b)?")
_FILLING = re.compile(r"\b(?:за|с|по|компании|показатели)\b|[^\w\s.]")


def build_router() -> Router:
    """Everybody the bot knows may look."""
    router = Router(name="company")
    router.message.register(company, Command("company", "показатели", ignore_case=True))
    words = (StateFilter(None), F.text, ~F.text.startswith("/"), ~F.via_bot, in_private)
    router.message.register(in_words, *words, _is_about)
    router.callback_query.register(show_days, Pressed("cmp"))
    router.callback_query.register(explain, Pressed("cmphow"))
    return router


def _is_about(message: ChatMessage) -> bool:
    return _ABOUT.match(folded(message.text or "")) is not None


async def company(message: ChatMessage, command: CommandObject, person: Person, desk: Desk) -> None:
    await _answer(message, command.args or "", person, desk)


async def in_words(message: ChatMessage, person: Person, desk: Desk) -> None:
    await _answer(message, _ABOUT.sub("", folded(message.text or ""), count=1), person, desk)


async def _answer(message: ChatMessage, words: str, person: Person, desk: Desk) -> None:
    reader = desk.reader(person.account_id, private=in_private(message))
    period, rest = find_period(folded(words), reader.today)
    left = " ".join(_FILLING.sub(" ", rest).split())
    await show(message, desk, company_screen(reader, await _counted(desk, person, period), puzzled=left))


async def show_days(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    figures = await _pressed(argument, person, desk)
    message = pressed_on(callback)
    reader = desk.reader(person.account_id, private=message is not None and in_private(message))
    await redraw(callback, desk, company_screen(reader, figures))


async def explain(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Below the figures, which stay as they are."""
    message = pressed_on(callback)
    await toast(callback)
    if message is None:
        return
    reader = desk.reader(person.account_id, private=in_private(message))
    attended_s = desk.webinars.yardstick.attended_s if desk.webinars else Yardstick().attended_s
    await show(message, desk, how_screen(reader, await _pressed(argument, person, desk), attended_s=attended_s))


async def _pressed(argument: str, person: Person, desk: Desk) -> CompanyFigures:
    today = desk.reader(person.account_id, private=True).today
    return await _counted(desk, person, period_off_button(argument, today))


async def _counted(desk: Desk, person: Person, period: Period | None) -> CompanyFigures:
    """Of the last days where nobody says of which."""
    zone, now = desk.timezone(person.account_id), desk.clock.now()
    period = period or last_days(USUAL_DAYS, now.astimezone(zone).date())
    short_s = await desk.min_duration_s(person.account_id)
    return await count_company(desk.database, person.account_id, period, zone=zone, now=now, short_s=short_s)
