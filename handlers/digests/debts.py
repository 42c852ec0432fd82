"""Who waits, named below a digest: the buttons that open the numbers to call back and the leads nobody has talked to."""

from collections.abc import Iterator

from aiogram import Router
from aiogram.types import CallbackQuery

from domain.messages import Button, Message, Section, bold, plain
from domain.plural import spaced
from domain.roles import Person
from handlers.calls.screens import ANSWER, action
from handlers.desk import Desk
from handlers.digests.card import waiter_line
from handlers.digests.content import debt_span
from handlers.talk.telegram import Pressed, in_private, pressed_on, show, toast
from handlers.wording import Reader
from storage.queries.waiting import Waiter, Waiters, not_called_back, not_contacted

MOST = 10
IN_A_ROW = 5
CALLS = "calls"


def build_router() -> Router:
    """Everybody the bot knows may look, as in the digest itself."""
    router = Router(name="debts")
    router.callback_query.register(open_debt, Pressed("debt"))
    return router


async def open_debt(callback: CallbackQuery, argument: str, person: Person, desk: Desk) -> None:
    """As it is now, below the digest, which stays."""
    message = pressed_on(callback)
    await toast(callback)
    if message is None:
        return
    reader = desk.reader(person.account_id, private=in_private(message))
    span = debt_span(reader.now, reader.zone)
    if argument == CALLS:
        found = await not_called_back(desk.database, person.account_id, span, most=MOST)
        await show(message, desk, calls_screen(reader, found))
        return
    short_s = await desk.min_duration_s(person.account_id)
    found = await not_contacted(desk.database, person.account_id, span, short_s=short_s, most=MOST)
    await show(message, desk, leads_screen(reader, found))


def calls_screen(reader: Reader, waiters: Waiters) -> Message:
    """Each number opens its newest call."""
    buttons = [action(str(n), f"call:{one.id}") for n, one in enumerate(waiters.rows, 1)]
    rows = (tuple(buttons[start : start + IN_A_ROW]) for start in range(0, len(buttons), IN_A_ROW))
    return _screen(reader, waiters, "not_called_back", tuple(rows))


def leads_screen(reader: Reader, waiters: Waiters) -> Message:
    """Each lead opens its person, and can be taken at once."""
    rows = tuple(tuple(_lead_row(reader, n, one)) for n, one in enumerate(waiters.rows, 1))
    return _screen(reader, waiters, "not_contacted", rows)


def _lead_row(reader: Reader, number: int, one: Waiter) -> Iterator[Button]:
    if one.person_id is not None:
        yield action(reader.say("told.button.card", number=number), f"lcard:{one.person_id}")
    yield action(reader.say("told.button.take", number=number), f"ltake:{one.id}")


def _screen(reader: Reader, waiters: Waiters, name: str, rows: tuple[tuple[Button, ...], ...]) -> Message:
    if not waiters.total:
        return Message(key=ANSWER, sections=(Section(lines=(plain(reader.say("told.no_debts")),)),))
    lines = [plain(f"{n}. {waiter_line(reader, one)}") for n, one in enumerate(waiters.rows, 1)]
    if waiters.total > len(waiters.rows):
        lines.append(plain(reader.say("told.more", count=spaced(waiters.total - len(waiters.rows)))))
    title = bold(f"{reader.say(f'told.section.{name}')}: {spaced(waiters.total)}")
    return Message(key=ANSWER, sections=(Section(title=title, lines=tuple(lines)),), buttons=rows)
