"""Registrations: those a page tells us of become a note for the team, those the team asks for are made at the platform."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time

from domain.errors import VendorRefused, VendorUnavailable
from domain.events import RegistrationAsked, WebinarRegistered
from domain.messages import Destination
from domain.people import email_key, personal_key, shorten_phone
from domain.ports import Attempt, Steps, Tx
from domain.webinars import MatchedBy, Registered, Registration, RoomId
from domain.work import WorkItem
from handlers.webinars.notes import Answer, Made, RegisteredNote, answer, answer_key, note
from handlers.webinars.reactions import Entrant, react
from handlers.webinars.services import WebinarServices

log = logging.getLogger(__name__)

SHOWN = 5  # the newest registrations of a page's day that its note names


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a second try has to know of a registration; who it is of stands in the event, which is sealed."""

    row_id: int
    matched_by: MatchedBy
    created: bool


async def registered(item: WorkItem[WebinarRegistered], steps: Steps, services: WebinarServices) -> None:
    """A page says that somebody registered: their values are kept, and the team's note of the day grows by a line."""
    registration = item.event.registration
    phone = personal_key(registration.phone)
    kept = await steps.write("keep", lambda tx: _keep(item, tx, services), Kept)
    if kept.matched_by is MatchedBy.NONE:
        outcome = "a new person" if kept.created else "nothing is made, there is no phone"
        log.info("No matching lead for a registration, phone %s: %s", shorten_phone(phone) if phone else "—", outcome)
    if item.event.occurred_at and item.heard_at - item.event.occurred_at > services.policy.catchup_max_age:
        return
    title = await steps.run("page", lambda: services.catalogue.title_of(registration.sublist_id), str)
    await steps.write("post:note", lambda tx: _note(item, tx, services, title), int)
    services.posted()
    one = Entrant(
        row_id=kept.row_id,
        name=registration.name,
        email=email_key(registration.email) and registration.email,
        phone=phone,
        session_at=registration.session_at,
        title=title or registration.sublist_id,
    )
    await react(item.account_id, one, steps, services)


async def _keep(item: WorkItem[WebinarRegistered], tx: Tx, services: WebinarServices) -> Kept:
    event = item.event
    person = await services.registrations.add_registration(
        tx, item.account_id, event.vendor, event.registration, source="hook", heard_at=item.heard_at
    )
    return Kept(row_id=person.id, matched_by=person.matched_by, created=person.created)


async def _note(item: WorkItem[WebinarRegistered], tx: Tx, services: WebinarServices, title: str) -> int:
    """One message for a page and a day, however many register: it is edited, and an edit makes no sound."""
    page_id = item.event.registration.sublist_id
    day = item.heard_at.astimezone(services.timezone).date()
    since = datetime.combine(day, time.min, tzinfo=services.timezone).astimezone(UTC)
    total, newest = await services.registrations.recent_registrations(tx, item.account_id, page_id, since=since, limit=SHOWN)
    view = RegisteredNote(title=title or page_id, total=total, newest=tuple(newest), timezone=services.timezone)
    key = f"registrations:{item.event.vendor}:{page_id}:{day}"
    shared, own = (note(view, services.texts, key=key, private=private) for private in (False, True))
    return await services.chat.post(tx, item.account_id, shared, private=own)


async def register_person(item: WorkItem[RegistrationAsked], steps: Steps, services: WebinarServices) -> None:
    """The team wants somebody registered: once, however often it is pressed and whatever breaks on the way."""
    request = item.event.request

    async def ask(_: Attempt) -> Registered:
        return await services.platform.register(request)

    async def look() -> Registered | None:
        found = await services.platform.find_subscriber(request.page_id, request.email, session_at=request.at)
        return Registered(key=found.key) if found is not None else None

    try:
        made = await steps.outward("register", ask, lambda tx, done: _record(item, tx, services, done), Made, lookup=look)
    except VendorUnavailable:
        await _tell(item, steps, services, Answer.WAITING)
        raise
    except VendorRefused as error:
        await _tell(item, steps, services, Answer.REFUSED, hint=error.hint)
        raise
    log.info("%s subscriber registered on %s", item.event.vendor, request.page_id)
    await _tell(item, steps, services, Answer.DONE, made=made)
    one = Entrant(
        row_id=made.row_id,
        name=request.name,
        email=request.email,
        phone=request.phone,
        session_at=request.at,
        title=item.event.title or request.page_id,
    )
    await react(item.account_id, one, steps, services)


async def _record(item: WorkItem[RegistrationAsked], tx: Tx, services: WebinarServices, done: Registered) -> Made:
    """Kept with the link: the platform tells it once, people ask for it again."""
    request = item.event.request
    page = Registration(
        sublist_id=request.page_id,
        room=RoomId(""),
        name=request.name,
        email=request.email,
        phone=request.phone,
        session_at=request.at,
        marks=request.marks,
    )
    person = await services.registrations.add_registration(
        tx, item.account_id, item.event.vendor, page, source="bot", heard_at=services.clock.now(), link=done.link,
        registered_by=item.event.asked_by,
    )  # fmt: skip
    return Made(row_id=person.id, link=done.link)


async def _tell(
    item: WorkItem[RegistrationAsked],
    steps: Steps,
    services: WebinarServices,
    stage: Answer,
    *,
    made: Made | None = None,
    hint: str = "",
) -> None:
    """The answer to who asked, where they asked: each later one takes the place of the one before.

    Asked in a group, the link and the contacts go to them alone. Whoever asked for the same meanwhile has «Записываю» under
    the same key, and is told the same.
    """
    event = item.event
    own = [Destination(chat_id=event.chat_id, topic_id=event.topic_id)]
    if stage is Answer.DONE and event.chat_id != event.asked_by:
        own.append(Destination(chat_id=event.asked_by))

    async def write(tx: Tx) -> int:
        waiting = await services.chat.places_of(tx, item.account_id, answer_key(event))
        places = {place.chat_id: place for place in (*waiting, *own)}
        for place in places.values():
            private = place.chat_id > 0  # a group's number is negative
            message = answer(event, stage, services.texts, services.timezone, private=private, made=made, hint=hint)
            await services.chat.post_to(tx, item.account_id, place, message)
        return len(places)

    if stage is Answer.DONE:
        await steps.write(f"post:{stage}", write, int)
    else:  # said again at every try: who presses once more has «Записываю» there
        await services.write(write)
    services.posted()
