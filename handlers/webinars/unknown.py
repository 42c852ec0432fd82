"""Leads for the viewers whom nobody knows: one by one from their list in Telegram, or all of it after a question."""

from collections.abc import Awaitable, Callable

from aiogram import Router
from aiogram.types import CallbackQuery

from domain.roles import Person
from handlers.calls.screens import action, say
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, number, redraw, toast
from handlers.webinars import answers
from handlers.webinars.cards import refresh_card
from handlers.webinars.lists import PER_PAGE, Place
from handlers.webinars.telegram import webinar_of
from handlers.webinars.viewers import reader_of
from storage.founding import count_unknown, found_all, found_leads
from storage.queries.audience import Group, find_guest
from storage.queries.webinars import WebinarLine

Handler = Callable[..., Awaitable[None]]


def build_router() -> Router:
    """Everybody the bot knows may: a lead too many is seen and deleted, one too few is never called."""
    router = Router(name="unknown viewers")
    buttons: dict[str, Handler] = {"wone": make_one, "wall": ask_for_all, "wallgo": make_all}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def make_one(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """The list without them comes in its place; pressed twice it is one lead."""
    name, who, offset = f"{argument}::".split(":")[:3]
    webinar = await webinar_of(callback, name, person, desk)
    if webinar is None:
        return
    guest = await find_guest(desk.database, person.account_id, webinar.id, seen=True, id_=number(who) or 0)
    if guest is None:
        await toast(callback, desk.texts.get("guests.gone"), alert=True)
        return
    if not (guest.name or guest.phone or guest.email):
        await toast(callback, desk.texts.get("viewer.nothing_to_lead"), alert=True)
        return
    made = await found_leads(desk.database, person.account_id, [guest.id], now=desk.clock.now())
    await refresh_card(desk, person.account_id, webinar.id)
    left, _ = await count_unknown(desk.database, person.account_id, webinar.id)
    place = Place(
        webinar=webinar, group=Group.UNKNOWN, offset=min(number(offset) or 0, max(left - 1, 0) // PER_PAGE * PER_PAGE)
    )
    screen = await answers.guests_page(desk, reader_of(desk, person, callback), person, place)
    await redraw(callback, desk, screen, word=desk.texts.get("viewer.done.lead" if made else "viewer.done.lead_before"))


async def ask_for_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """How many leads it would be, and whom it leaves out, before it is done."""
    webinar = await webinar_of(callback, argument, person, desk)
    if webinar is None:
        return
    unknown, reachable = await count_unknown(desk.database, person.account_id, webinar.id)
    reader = reader_of(desk, person, callback)
    back = (action(reader.say("guests.button.back"), _list(webinar)),)
    if not reachable:
        await redraw(callback, desk, say(reader.say("unknown.nobody"), back))
        return
    text = reader.say("unknown.ask", leads=reader.count(reachable, "lead_made"))
    if unknown > reachable:
        text += " " + reader.say("unknown.left_out", count=unknown - reachable)
    await redraw(callback, desk, say(text, (action(reader.say("unknown.button.go"), f"wallgo:{webinar.id}"),), back))


async def make_all(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Begun again after a crash it goes on: who is known by then is left alone."""
    webinar = await webinar_of(callback, argument, person, desk)
    if webinar is None:
        return
    reader = reader_of(desk, person, callback)
    await toast(callback, reader.say("unknown.going"))
    made = await found_all(desk.database, person.account_id, webinar.id, now=desk.clock.now())
    await refresh_card(desk, person.account_id, webinar.id)
    back = (action(reader.say("guests.button.back"), _list(webinar)),)
    done = reader.say("unknown.done", count=reader.count(made, "viewer")) if made else reader.say("unknown.done_before")
    await redraw(callback, desk, say(done, back))


def _list(webinar: WebinarLine) -> str:
    return Place(webinar=webinar, group=Group.UNKNOWN).target()
