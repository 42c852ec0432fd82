"""Whose people of a webinar a list shows: everybody's, mine, one manager's, or those without one. Codes stand in buttons."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.messages import Message
from domain.plural import spaced
from domain.roles import Person
from handlers.calls.screens import action, say
from handlers.desk import Desk
from handlers.webinars.lists import Place
from handlers.wording import Reader, colleague_name, shortened
from storage.queries.audience import EVERYBODY, Whose, managers_of

MINE, NOBODYS = "m", "0"
MOST_MANAGERS = 20
NAME_LIMIT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a code means now; ``name`` says it to people, "" for everybody."""

    whose: Whose = field(default=EVERYBODY)
    name: str = ""


async def chosen(desk: Desk, reader: Reader, person: Person, place: Place) -> Chosen:
    """A manager who is there no more is everybody: an empty list would look as if all was done."""
    if not place.whose:
        return Chosen()
    if place.whose == NOBODYS:
        return Chosen(whose=Whose(manager=""), name=reader.say("whose.nobodys"))
    names = [name for name, _ in await managers_of(desk.database, person.account_id, place.webinar.id)]
    if place.whose == MINE:
        return Chosen(
            whose=Whose(manager=own_name(names, person.name), taken_by=person.telegram_id), name=reader.say("whose.mine")
        )
    name = next((name for name in names if code_of(name) == place.whose), None)
    return Chosen() if name is None else Chosen(whose=Whose(manager=name), name=colleague_name(reader.texts, name))


def own_name(names: Sequence[str], mine: str) -> str | None:
    """The manager that this person is: of that name, else the only one whose name has all words of theirs; None: nobody."""
    words = set(mine.casefold().split())
    same = [name for name in names if name and set(name.casefold().split()) == words]
    like = [name for name in names if name and words and words <= set(name.casefold().split())]
    found = same or like
    return found[0] if len(found) == 1 else None


def code_of(name: str) -> str:
    """Short enough for a button, and never one of the other codes."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8] if name else NOBODYS


def whose_screen(reader: Reader, place: Place, managers: Sequence[tuple[str, int]]) -> Message:
    """Everybody, mine, then each manager with how many there are to call."""
    first = (
        action(reader.say("whose.button.all"), place.target(offset=0, whose="")),
        action(reader.say("whose.button.mine"), place.target(offset=0, whose=MINE)),
    )
    rows = tuple(
        (action(f"{_shown(reader, name)} · {spaced(count)}", place.target(offset=0, whose=code_of(name))),)
        for name, count in managers[:MOST_MANAGERS]
    )
    return say(reader.say("whose.which"), first, *rows)


def _shown(reader: Reader, name: str) -> str:
    return shortened(colleague_name(reader.texts, name) or reader.say("whose.nobodys"), NAME_LIMIT)
