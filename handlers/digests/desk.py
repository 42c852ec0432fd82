"""What screens of digests ask for: the digest itself, the schedules, and where they may go."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, time

from domain.digests import DigestKind, DigestPart
from domain.errors import BadInput
from domain.messages import Destination, Message, Texts
from domain.roles import Person
from domain.schedules import EVERY_DAY, WORKDAYS, Schedule
from handlers.desk import Desk
from handlers.digests.altering import MONDAY
from handlers.digests.buttons import Opened, with_switch
from handlers.digests.pictures import draw_digest, picture_file
from handlers.digests.services import Told
from handlers.digests.typed import Typed, understand
from handlers.digests.words import Places
from handlers.wording import Reader
from storage.destinations import Destinations
from storage.people import People
from storage.schedules import ScheduleStore

USUAL_TIME = time(9)
MOST = 30  # schedules of an account


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """``known``: there was such a one already."""

    schedule: Schedule
    known: bool


def understood(words: str, texts: Texts, today: date) -> Typed:
    """BadInput for a time that there is not, days no digest tells of, and words that say nothing to us."""
    typed = understand(words, texts, today)
    if typed.left:
        raise BadInput("schedule", texts.get("digest.typed.left", words=typed.left))
    return typed


async def show_digest(desk: Desk, person: Person, reader: Reader, opened: Opened, *, full: bool, key: str) -> Message:
    """The digest counted anew, with the switch between its short and its full form."""
    told = await _told(desk, person, opened)
    card = told.card(reader, full=full, late_since=opened.late_since, key=key)
    return with_switch(card, reader, opened, full=full)


async def show_picture(desk: Desk, person: Person, reader: Reader, opened: Opened, *, key: str) -> Message | None:
    """None where there is nothing to draw. NotDrawnError."""
    told, day = await _told(desk, person, opened), opened.now.astimezone(reader.zone).date()
    path = await draw_digest(told, reader, desk.data_dir, desk.clock.now().date(), asyncio.to_thread)
    return Message(key=key, sections=(), files=(picture_file(reader, path, day),), kind="answer") if path else None


async def places_for(desk: Desk, person: Person, here: Destination | None) -> Places:
    """``here``: the chat that reads, None where it does not matter."""
    return await read_places(desk.people, desk.destinations, person.account_id, here=here, me=person.telegram_id)


async def read_places(
    people: People, destinations: Destinations, account_id: int, *, here: Destination | None = None, me: int = 0
) -> Places:
    names = {one.person.telegram_id: one.person.name for one in await people.all(account_id) if not one.disabled}
    return Places(bound=await destinations.all(account_id), people=names, here=here, me=me)


async def set_schedule(desk: Desk, person: Person, here: Destination, typed: Typed) -> Made:
    """A schedule for this chat, with what is usual for all that was not said. BadInput where there are too many.

    One that comes at these times already is only given its picture, or rid of it, where that was said.
    """
    store = ScheduleStore(desk.database)
    had = await store.all(person.account_id)
    kind = typed.kind or DigestKind.DAILY
    new = Schedule(
        id=0,
        account_id=person.account_id,
        kind=kind,
        days=typed.days or _usual_days(kind, typed),
        at=typed.at or USUAL_TIME,
        zone=typed.zone,
        parts=frozenset(DigestPart),
        destination=here,
        picture=typed.picture is not False,
        enabled=True,
        obstacle=None,
        handled_at=desk.clock.now(),
        missed=0,
    )
    same = next((one for one in had if _times(one) == _times(new)), None)
    if same is not None and typed.picture not in (None, same.picture):
        drawn = new.picture
        same = await store.change(person, same.id, lambda old: replace(old, picture=drawn), desk.clock.now())
        return Made(schedule=same or new, known=False)
    if same is not None:
        return Made(schedule=same, known=True)
    if len(had) >= MOST:
        raise BadInput("schedule", desk.texts.get("digest.many", count=len(had)))
    return Made(schedule=await store.add(person, new, desk.clock.now()), known=False)


async def _told(desk: Desk, person: Person, opened: Opened) -> Told:
    return await desk.gather(
        person.account_id, kind=opened.kind, parts=opened.parts, now=opened.now, webinar_id=opened.webinar_id,
        so_far=opened.so_far,
    )  # fmt: skip


def _usual_days(kind: DigestKind, typed: Typed) -> frozenset[int]:
    """Who names a time alone means every day; who names nothing wants what most do."""
    if kind is DigestKind.WEEKLY:
        return MONDAY
    return WORKDAYS if typed.at is None else EVERY_DAY


def _times(one: Schedule) -> tuple[object, ...]:
    """What makes two of them the same to people."""
    clock = (one.days, one.at, one.zone) if one.by_the_clock else ()
    return one.kind, one.destination, clock
