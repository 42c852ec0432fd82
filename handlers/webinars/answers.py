"""From what a person presses about webinars to the screen or file that answers, without a messenger."""

from zoneinfo import ZoneInfo

from domain.attendance import Turnout
from domain.messages import Line, Message, Section, Span, Style, bullet
from domain.roles import Person
from handlers.calls.screens import ANSWER, action
from handlers.desk import Desk
from handlers.webinars.lists import PER_PAGE, Place, guests_screen
from handlers.webinars.messages import Stage, WebinarView, webinar_card
from handlers.webinars.summary import SummaryView, summary_card
from handlers.webinars.whose import chosen
from handlers.wording import Reader
from storage.queries.audience import followup, group_sizes, guests
from storage.queries.webinars import WebinarLine, turnout


async def webinar_page(desk: Desk, person: Person, webinar: WebinarLine) -> Message:
    """The card of a webinar with the figures of now."""
    return webinar_card(await webinar_view(desk, person.account_id, webinar), desk.texts, key=ANSWER)


async def webinar_view(desk: Desk, account_id: int, webinar: WebinarLine) -> WebinarView:
    """What a card of it is made of now."""
    attended_s = desk.webinars.yardstick.attended_s if desk.webinars else 120
    found = await turnout(desk.database, webinar.id)
    return view_of(webinar, found, zone=desk.timezone(account_id), attended_s=attended_s)


def view_of(webinar: WebinarLine, found: Turnout, *, zone: ZoneInfo, attended_s: int) -> WebinarView:
    return WebinarView(
        stage=Stage.READY,
        title=webinar.title,
        timezone=zone,
        row_id=webinar.id,
        started_at=webinar.started_at,
        minutes=webinar.minutes,
        attended_s=attended_s,
        turnout=found,
        rehearsal=webinar.source == "rehearsal",
    )


async def guests_page(desk: Desk, reader: Reader, person: Person, place: Place) -> Message:
    database, account, webinar_id = desk.database, person.account_id, place.webinar.id
    theirs = await chosen(desk, reader, person, place)
    page = await guests(database, account, webinar_id, place.group, limit=PER_PAGE, offset=place.offset, whose=theirs.whose)
    sizes = {} if place.again else await group_sizes(database, account, webinar_id, theirs.whose)
    return guests_screen(reader, place, page, sizes, only=theirs.name)


async def summary_page(desk: Desk, person: Person, webinar: WebinarLine) -> Message:
    """What became of calling its people up to now, as the chats are told the day after."""
    view = SummaryView(
        found=await followup(desk.database, person.account_id, webinar.id),
        title=webinar.title,
        started_at=webinar.started_at,
        row_id=webinar.id,
        timezone=desk.timezone(person.account_id),
    )
    return summary_card(view, desk.texts, key=ANSWER)


def explanation(desk: Desk, webinar: WebinarLine, work_id: int | None) -> Message:
    """What each figure of the card means, in the account's words."""
    yardstick = desk.webinars.yardstick if desk.webinars else None
    minimum = yardstick.attended_s if yardstick else 120
    share = round((yardstick.hot_share if yardstick else 0.7) * 100)
    lines = desk.texts.get("webinar.how", minimum=minimum, share=share, room=webinar.room_id or "—").split("|")
    title = Line(spans=(Span(desk.texts.get("webinar.how_title"), Style.BOLD),))
    on = (
        action(desk.texts.get("segment.button.menu"), f"seg:{webinar.id}"),
        action(desk.texts.get("summary.button.open"), f"wsum:{webinar.id}"),
    )
    redo = (action(desk.texts.get("webinar.button.redo"), f"wredo:{work_id}"),) if work_id else ()
    rows = (on, *((redo,) if redo else ()))
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(bullet(line) for line in lines)),), buttons=rows)
