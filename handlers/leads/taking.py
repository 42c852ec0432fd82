"""«Взял» on a new lead: the first press has it, every copy of the card says so, and the contacts come in private."""

from typing import cast

from aiogram import Router
from aiogram.types import CallbackQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Destination, Message
from domain.ports import Tx
from domain.roles import Person
from handlers.calls.screens import action, say
from handlers.clients.screens import client_screen
from handlers.desk import Desk
from handlers.leads.offer_messages import offer_card
from handlers.leads.offering import redraw_card
from handlers.leads.services import OfferServices
from handlers.talk.telegram import ADMINS, Pressed, in_private, number, pressed_on, redraw, show, toast
from storage.offers import MINE, MINUTES, OfferedLead, OfferStore, copy_key
from storage.queries.client import read_client
from storage.queries.settings import change_setting

PRESETS = (5, 15, 30, 60)  # minutes
LONGEST = 24 * 60


def build_router() -> Router:
    router = Router(name="taking")
    router.callback_query.register(take_lead, Pressed("ltake"))
    router.callback_query.register(open_card, Pressed("lcard"))
    router.callback_query.register(show_waiting, Pressed("lwaits"), flags=ADMINS)
    router.callback_query.register(choose_waiting, Pressed("lwait"), flags=ADMINS)
    return router


async def show_waiting(callback: CallbackQuery, person: Person, desk: Desk) -> None:
    await redraw(callback, desk, await _waiting(desk, person))


async def choose_waiting(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """How many minutes of working time a new lead waits for somebody; 0: until somebody takes it."""
    minutes = number(argument)
    if minutes is None or minutes > LONGEST:
        await toast(callback, desk.texts.get("offer.too_long"), alert=True)
        return
    now = desk.clock.now()
    await change_setting(desk.database, person.account_id, MINUTES, str(minutes), by=person.user_id, now=now)
    await redraw(callback, desk, await _waiting(desk, person))


async def _waiting(desk: Desk, person: Person) -> Message:
    minutes = await OfferStore(desk.database).minutes(person.account_id)
    text = desk.texts.get("offer.waits", minutes=minutes) if minutes else desk.texts.get("offer.waits_for_ever")
    rows = tuple((action(desk.texts.get("offer.button.minutes", minutes=one), f"lwait:{one}"),) for one in PRESETS)
    for_ever = (action(desk.texts.get("offer.button.for_ever"), "lwait:0"),)
    return say(text, *rows, for_ever, (action(desk.texts.get("offer.button.settings"), "settings:0"),))


async def take_lead(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    lead = await _taken(desk, person, number(argument) or 0)
    if lead is None or lead.taken is None:
        await toast(callback, desk.texts.get("client.gone"), alert=True)
        return
    desk.wake()
    if desk.notes is not None:
        desk.notes.come()
    mine = lead.taken.mine
    word = "offer.yours" if mine else "offer.before"
    await toast(callback, desk.texts.get(word, name=lead.taken.name or desk.texts.get("offer.somebody")), alert=not mine)


async def _taken(desk: Desk, person: Person, lead_id: int) -> OfferedLead | None:
    """The claim, the cards that tell it and the contacts for who made it are one commit."""
    store, zone = OfferStore(desk.database), desk.timezone(person.account_id)
    services = OfferServices(
        offers=store, chat=desk.posts, clock=desk.clock, texts=desk.texts, timezone=zone, posted=desk.wake
    )

    async def job(connection: AsyncConnection) -> OfferedLead | None:
        tx = cast("Tx", connection)
        lead = await store.take(tx, person, lead_id, desk.clock.now())
        if lead is None or lead.taken is None:
            return None
        if desk.notes is not None and lead.taken.mine:
            asked = [desk.notes.of_taking(lead_id, number) for source, number in lead.told if source == desk.notes.vendor]
            await desk.notes.book.ask(tx, person.account_id, asked, now=desk.clock.now())
        for shown in lead.cards:
            await redraw_card(tx, person.account_id, shown, services)
        if lead.taken.mine:
            own = offer_card(lead, desk.texts, zone, private=True, key=copy_key(lead.id, MINE))
            await desk.posts.post_to(tx, person.account_id, Destination(chat_id=person.telegram_id), own)
        return lead

    return await desk.database.write(job)


async def open_card(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """Below: the card of the lead stays for everybody."""
    message = pressed_on(callback)
    client = await read_client(desk.database, person.account_id, number(argument) or 0)
    if client is None or message is None:
        await toast(callback, desk.texts.get("client.gone"), alert=True)
        return
    await toast(callback)
    reader = desk.reader(person.account_id, private=in_private(message))
    await show(message, desk, client_screen(reader, client))
