"""The parameters of the API's addresses: each is known, given once and makes sense, or it is said which is wrong."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from multidict import MultiMapping

from bot.http.refusal import bad_value

MOST_ROWS = 10_000
FURTHEST = 1_000_000
LONGEST_QUESTION = 200
_SHOWN = 40
_YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which rows are wanted: ``limit`` None for all from ``offset`` on. ``words``: "" where nothing is searched for."""

    limit: int | None = None
    offset: int = 0
    words: str = ""
    active: bool | None = None

    @property
    def end(self) -> int | None:
        return None if self.limit is None else self.offset + self.limit


def read_page(query: MultiMapping[str], *known: str) -> Page:
    """Refusal for a parameter that is none of ``known``, given twice or senseless."""
    only_known(query, known)
    return Page(
        limit=_number(query, "limit", 1, MOST_ROWS),
        offset=_number(query, "offset", 0, FURTHEST) or 0,
        words=_question(query),
        active=_yes_or_no(query, "active"),
    )


def only_known(query: MultiMapping[str], known: Iterable[str]) -> None:
    """A misspelt «limit» would otherwise give all rows, and nobody would know why."""
    listed = tuple(known)
    for name in query:
        if name not in listed:
            raise bad_value(name[:_SHOWN], f"нет такого параметра; есть {', '.join(listed) if listed else 'никаких'}")
        if len(query.getall(name)) > 1:
            raise bad_value(name, "параметр дан дважды")


def _number(query: MultiMapping[str], name: str, low: int, high: int) -> int | None:
    given = query.get(name)
    if given is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", given) is None or not low <= int(given) <= high:
        raise bad_value(name, f"нужно целое число от {low} до {high}, пришло «{given[:_SHOWN]}»")
    return int(given)


def _question(query: MultiMapping[str]) -> str:
    given = query.get("q", "")
    if len(given) > LONGEST_QUESTION:
        raise bad_value("q", f"не длиннее {LONGEST_QUESTION} знаков")
    return given.strip()


def _yes_or_no(query: MultiMapping[str], name: str) -> bool | None:
    given = query.get(name)
    if given is None:
        return None
    if given.lower() not in _YES_OR_NO:
        raise bad_value(name, f"true или false, пришло «{given[:_SHOWN]}»")
    return _YES_OR_NO[given.lower()]
