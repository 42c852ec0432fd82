"""Webinars in plain words in private, and from any chat inline: the same answers as behind the commands."""

import re

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import InlineQuery, InlineQueryResultArticle, InputTextMessageContent
from aiogram.types import Message as ChatMessage

from domain.messages import Message, as_text
from domain.roles import Person
from handlers.calls.screens import say
from handlers.desk import Desk
from handlers.talk.telegram import in_private, show
from handlers.webinars import answers
from handlers.webinars.lists import Place, webinars_screen
from handlers.webinars.register import begin_dialogue
from handlers.webinars.visited import answer_visit, visit
from handlers.webinars.whose import MINE
from handlers.wording import shortened
from storage.queries.audience import Group
from storage.queries.webinars import WebinarLine, list_webinars

INLINE_WEBINARS = 10
INLINE_CACHE_SECONDS = 5
FIGURES_SECONDS = 15.0  # somebody types a word in less
MOST_KEPT = 500
LONGEST = 200  # characters: the pattern takes a square of them
_END = r"\s*\??\s*$"
LIST = re.compile(rf"^(?:покажи(?:те)?\s+|список\s+)?вебинар(?:ы|ов){_END}", re.IGNORECASE)
TO_CALL = re.compile(rf"^кому\s+(мне\s+)?(?:по|пере)?звонить(\s+мне)?(?:\s+после\s+вебинара)?{_END}", re.IGNORECASE)
VISITED = re.compile(r"^(?:был|была|были)\s+(?:ли\s+)?(.*(?:\d[\s()+-]*){10}.*|.*\S@\S.*)$", re.IGNORECASE | re.DOTALL)
REGISTER = re.compile(rf"^(?:запиши(?:те)?|записать|зарегистрируй(?:те)?)\s.*вебинар\w*{_END}", re.IGNORECASE)
_INLINE = re.compile(r"^(?:вебинар|был[аи]?\s)", re.IGNORECASE)


def build_router() -> Router:
    """Before the words about calls: these patterns are of webinars alone."""
    router = Router(name="webinar words")
    words = (F.text, ~F.via_bot, in_private)
    router.message.register(listed, *words, F.text.regexp(LIST))
    router.message.register(to_call, *words, F.text.regexp(TO_CALL))
    router.message.register(visited, *words, F.text[:LONGEST].regexp(VISITED))
    router.message.register(register, *words, F.text.regexp(REGISTER))
    router.inline_query.register(Inline().ask, F.query.regexp(_INLINE))
    return router


async def listed(message: ChatMessage, person: Person, desk: Desk) -> None:
    rows = await list_webinars(desk.database, person.account_id, limit=INLINE_WEBINARS)
    await show(message, desk, webinars_screen(desk.reader(person.account_id, private=True), rows, 0))


async def to_call(message: ChatMessage, person: Person, desk: Desk) -> None:
    """After the newest webinar; «кому мне звонить» is mine only."""
    newest = await list_webinars(desk.database, person.account_id, limit=1)
    if not newest:
        await show(message, desk, say(desk.texts.get("webinars.none")))
        return
    asked = TO_CALL.match(message.text or "")
    place = Place(webinar=newest[0], group=Group.HOT, whose=MINE if asked and any(asked.groups()) else "")
    await show(message, desk, await answers.guests_page(desk, desk.reader(person.account_id, private=True), person, place))


async def visited(message: ChatMessage, person: Person, desk: Desk) -> None:
    found = VISITED.match((message.text or "")[:LONGEST])
    await answer_visit(message, found.group(1) if found else "", person, desk)


async def register(message: ChatMessage, person: Person, desk: Desk, state: FSMContext) -> None:
    await begin_dialogue(message, person, desk, state)


class Inline:
    """Figures of webinars, or whether somebody was there, to put into any chat: no phone is in them.

    Telegram asks at each letter, so that the figures are counted once in some seconds.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[float, Message]] = {}  # until when, by account and webinar

    async def ask(self, query: InlineQuery, person: Person, desk: Desk) -> None:
        found = VISITED.match(query.query[:LONGEST])
        if found is None:
            rows = await list_webinars(desk.database, person.account_id, limit=INLINE_WEBINARS)
            shown = [(f"webinar{row.id}", await self._page(desk, person, row)) for row in rows]
        else:
            shown = [("visit", await visit(desk, person, found.group(1), private=False))]
        results = [_article(desk, name, screen) for name, screen in shown]
        await query.answer(list(results), is_personal=True, cache_time=INLINE_CACHE_SECONDS)

    async def _page(self, desk: Desk, person: Person, webinar: WebinarLine) -> Message:
        name, now = (person.account_id, webinar.id), desk.clock.monotonic()
        until, page = self._kept.get(name, (0.0, None))
        if page is None or now >= until:
            page = await answers.webinar_page(desk, person, webinar)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[name] = now + FIGURES_SECONDS, page
        return page


def _article(desk: Desk, name: str, screen: Message) -> InlineQueryResultArticle:
    """The screen without its buttons: they are for the chats that the bot is in."""
    ready = desk.render(Message(key=screen.key, sections=screen.sections))
    content = InputTextMessageContent(message_text=ready["text"], entities=ready.get("entities"))
    first, _, rest = as_text(screen).partition("\n")
    title, _, description = rest.partition("\n") if name != "visit" else (first, "", rest)
    description = " · ".join(line.removeprefix("• ") for line in description.splitlines() if line)
    return InlineQueryResultArticle(
        id=name, title=shortened(title or first, 60), description=shortened(description, 120), input_message_content=content
    )
