"""Houses and people from any chat: «дом кибальчича», «иванов»; as guests of that chat may read them."""

import re

from aiogram.types import InlineQuery, InlineQueryResultArticle, InputTextMessageContent

from domain.directory import DirectoryList
from domain.messages import Message
from domain.roles import Person
from handlers.desk import Desk
from handlers.directory import house_screens, staff_screens
from handlers.directory.answers import sight
from handlers.wording import shortened
from storage.queries.directory import find_employees, find_houses

CACHE_SECONDS = 5
MOST = 20
MOST_BESIDE = 3  # of each kind, where calls are looked for too
LONGEST = 200  # characters
LEAST = 3  # letters, before which everybody would be found
NAMED = re.compile(r"^\s*(дом[ау]?|адрес|сотрудник[аиу]?)\s+(\S.*)$", re.IGNORECASE)


async def ask_inline(query: InlineQuery, person: Person, desk: Desk) -> None:
    """The kind is said: only houses, or only people."""
    named = NAMED.match(query.query[:LONGEST].strip())
    kind, words = (named[1].casefold(), named[2]) if named else ("", "")
    found = await (_people if kind.startswith("сотр") else _houses)(desk, person, words, MOST)
    await query.answer(list(found), is_personal=True, cache_time=CACHE_SECONDS)


async def beside_calls(desk: Desk, person: Person, words: str) -> list[InlineQueryResultArticle]:
    """Houses and people whom these words fit too; nothing for a question of a letter or two."""
    if len(words.strip()) < LEAST:
        return []
    people = await _people(desk, person, words, MOST_BESIDE)
    return [*people, *await _houses(desk, person, words, MOST_BESIDE)]


async def _houses(desk: Desk, person: Person, words: str, most: int) -> list[InlineQueryResultArticle]:
    found = await find_houses(desk.database, person.account_id, words, limit=most, respell=False)
    seen = await sight(desk, person, DirectoryList.HOUSES)
    shared = desk.reader(person.account_id, private=False)
    return [
        _article(
            desk, f"house{one.external_id}", f"🏠 {house_screens.name_of(one)}", house_screens.summary(shared, one),
            house_screens.house_screen(shared, one, seen),
        )
        for one in found.lines
    ]  # fmt: skip


async def _people(desk: Desk, person: Person, words: str, most: int) -> list[InlineQueryResultArticle]:
    found = await find_employees(desk.database, person.account_id, words, limit=most, respell=False)
    seen = await sight(desk, person, DirectoryList.EMPLOYEES)
    shared = desk.reader(person.account_id, private=False)
    return [
        _article(
            desk, f"staff{one.external_id}", f"👤 {staff_screens.name_of(shared, one)}", staff_screens.summary(shared, one),
            staff_screens.employee_screen(shared, one, seen),
        )
        for one in found.lines
    ]  # fmt: skip


def _article(desk: Desk, id_: str, title: str, about: str, screen: Message) -> InlineQueryResultArticle:
    """Without buttons: they are for chats that the bot is in."""
    ready = desk.render(Message(key=screen.key, sections=screen.sections))
    content = InputTextMessageContent(message_text=ready["text"], entities=ready.get("entities"))
    return InlineQueryResultArticle(
        id=id_[:64], title=shortened(title, 60), description=shortened(about, 120), input_message_content=content
    )
