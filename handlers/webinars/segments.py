"""Parts of a webinar's people in Telegram: who stayed, left early, did not come, came again; as lists and as files."""

from collections.abc import Awaitable, Callable

from aiogram import Router
from aiogram.types import CallbackQuery

from domain.roles import Person
from handlers.desk import Desk
from handlers.talk.telegram import Pressed, number, pressed_on, redraw, show, toast
from handlers.webinars.files import guests_file, no_shows_file
from handlers.webinars.lists import PER_PAGE
from handlers.webinars.segment_screens import Part, part_screen, parts_screen
from handlers.webinars.telegram import file_place, webinar_of
from handlers.webinars.viewers import reader_of
from storage.queries.attendees import AttendeePage, Segment, find_attendees, segment_sizes
from storage.queries.audience import Group, Guests, guests
from storage.queries.webinars import WebinarLine, turnout

Handler = Callable[..., Awaitable[None]]
MANY = 5000  # people from which on it is not counted beforehand who of them had been there before


def build_router() -> Router:
    router = Router(name="segments")
    buttons: dict[str, Handler] = {"seg": open_parts, "sg": open_part, "sgf": send_part}
    for name, handler in buttons.items():
        router.callback_query.register(handler, Pressed(name))
    return router


async def open_parts(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    webinar, message = await webinar_of(callback, argument, person, desk), pressed_on(callback)
    if webinar is None or message is None:
        return
    await toast(callback)
    await show(message, desk, parts_screen(reader_of(desk, person, callback), webinar, await _sizes(desk, person, webinar)))


async def _sizes(desk: Desk, person: Person, webinar: WebinarLine) -> dict[Part, int]:
    counted = {part: part.segment for part in Part if part is not Part.AGAIN or webinar.attendees < MANY}
    segments: list[Segment] = [segment for segment in counted.values() if segment is not None]
    found = await segment_sizes(desk.database, person.account_id, webinar.id, segments)
    missed = (await turnout(desk.database, webinar.id)).no_show
    return {part: missed if segment is None else found[segment] for part, segment in counted.items()}


async def open_part(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found = await _found(callback, argument, person, desk)
    if found is None:
        return
    webinar, part, offset = found
    page = await _page(desk, person, webinar, part, offset)
    await redraw(callback, desk, part_screen(reader_of(desk, person, callback), webinar, part, page, offset))


async def _page(desk: Desk, person: Person, webinar: WebinarLine, part: Part, offset: int) -> AttendeePage | Guests:
    database, account, id_ = desk.database, person.account_id, webinar.id
    if part.segment is None:
        return await guests(database, account, id_, Group.NO_SHOW, limit=PER_PAGE, offset=offset)
    return await find_attendees(database, account, id_, part.segment, limit=PER_PAGE, offset=offset)


async def send_part(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    found, message = await _found(callback, argument, person, desk), pressed_on(callback)
    if found is None or message is None:
        return
    webinar, part, _ = found
    place = await file_place(callback, message, person, desk)
    names = {"key": f"webinar-part:{webinar.id}:{part}:{callback.id}", "title": desk.texts.get(f"segment.name.{part.texts}")}
    if part.segment is None:
        file = await no_shows_file(desk, person, webinar, **names)
    else:
        file = await guests_file(desk, person, webinar, segment=part.segment, **names)
    await desk.send(person.account_id, place, file)


async def _found(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> tuple[WebinarLine, Part, int] | None:
    """Of «webinar:letter:offset»."""
    name, letter, offset = f"{argument}::".split(":")[:3]
    webinar = await webinar_of(callback, name, person, desk)
    if webinar is None or letter not in set(Part):
        return None
    return webinar, Part(letter), number(offset) or 0
