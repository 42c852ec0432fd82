"""What a manager types about a registration or a visit: read field by field, each bad one named with its right form."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, tzinfo
from typing import TypeVar

from domain.errors import BadInput
from domain.people import phone_key
from domain.webinars import Marks

R = TypeVar("R")

EMPTY = "1"  # how older scripts write "not given" where a place must not stay empty
_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_LIKE_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}(?:[./]\d{1,4})?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_LIKE_TIME = re.compile(r"\d{1,2}[:.]\d{1,3}")
_ID = re.compile(r"\d+:[A-Za-z0-9_-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_CALL = re.compile(r"\A\s*\w+\((.*)\)\s*\Z", re.DOTALL)
_OBJECT = re.compile(r"['\"]?(\{.*\})['\"]?", re.DOTALL)
_MARK = re.compile(r"\A(?:utm_)?(source|medium|campaign|term|content|keyword|banner|phrase|group)=(.*)\Z", re.IGNORECASE)
_NUMBER = re.compile(r"\+?\d[\d ().-]{4,}\d")
_SEPARATORS = re.compile(r"[,;\s]+")
LONGEST_LINE = 1000
YEARS = range(2015, 2101)  # any other one is a slip; at the ends of the calendar no zone's time could be told
_NEEDED = ("page", "date", "time", "email")


class Problem(BadInput):
    """A field that cannot be used; ``field`` and ``name`` are names of texts: what it is called, what is wrong with it."""

    def __init__(self, field: str, name: str, **values: object) -> None:
        super().__init__(field, name)
        self.name = name
        self.values = values


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationLine:
    """/register in one line. ``day`` and ``at`` are of the account's zone; what was not given is None or ""."""

    confirm: bool = False
    page_id: str = ""
    day: date | None = None
    at: time | None = None
    email: str = ""
    phone: str = ""
    marks: Marks = field(default_factory=Marks)
    problems: tuple[Problem, ...] = ()

    def moment(self, zone: tzinfo) -> datetime | None:
        """The session, aware UTC."""
        return moment(self.day, self.at, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLine:
    """/visited in one line, in any order."""

    room_id: str = ""
    email: str = ""
    phone: str = ""
    day: date | None = None
    at: time | None = None
    problems: tuple[Problem, ...] = ()


def read_registration(text: str) -> RegistrationLine:
    """«подтверждение страница дата время почта телефон метки», by place, as the older function took them."""
    problems: list[Problem] = []
    words, marks = _words_and_marks(_inside(text), problems)
    confirm, page, day, at, email, phone, *left = [*words, *[""] * 6]
    line = RegistrationLine(
        confirm=_read(problems, read_flag, confirm) or False,
        page_id=_read(problems, read_page, page) or "",
        day=_read(problems, read_day, day),
        at=_read(problems, read_time, at),
        email=_read(problems, read_email, email) or "",
        phone=_read(problems, read_phone, phone) or "",
        marks=marks,
    )
    problems += _of_the_whole(line, dict(zip(_NEEDED, (page, day, at, email), strict=True)), phone, "".join(left))
    return replace(line, problems=tuple(problems))


def _of_the_whole(line: RegistrationLine, needed: dict[str, str], phone: str, left: str) -> Iterator[Problem]:
    """What is wrong with the fields together."""
    if left:
        yield Problem("marks", "marks_form", given=left)
    if line.marks != Marks() and not _given(phone):
        yield Problem("phone", "phone_with_marks")
    yield from (Problem(name, "missing") for name, word in needed.items() if not _given(word))


def read_visit(text: str) -> VisitLine:
    """«комната почта телефон дата время»: each is known by its form, so any order and any part of them will do."""
    problems: list[Problem] = []
    found: dict[str, str] = {}
    rest: list[str] = []
    for word in _split(_inside(text)):
        kind = _kind_of(word)
        if kind and kind not in found:
            found[kind] = word
        elif word != EMPTY:
            rest.append(word)
    return VisitLine(
        room_id=found.get("room", ""),
        email=_read(problems, read_email, found.get("email", "")) or "",
        phone=_read(problems, read_phone, " ".join(rest)) or "",
        day=_read(problems, read_day, found.get("date", "")),
        at=_read(problems, read_time, found.get("time", "")),
        problems=tuple(problems),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """Somebody as typed in one message: a name, a phone, an e-mail, in any order."""

    name: str = ""
    email: str = ""
    phone: str = ""
    problems: tuple[Problem, ...] = ()


def read_person(text: str) -> PersonLine:
    problems: list[Problem] = []
    words = text.strip()[:LONGEST_LINE].split()
    email = next((word.strip("<>(),;") for word in words if "@" in word), "")
    rest = " ".join(word for word in words if "@" not in word)
    number = _NUMBER.search(rest)
    name = _NUMBER.sub(" ", rest).strip(" ,;:—-") if number else rest.strip(" ,;:—-")
    return PersonLine(
        name=" ".join(name.split())[:100],
        email=_read(problems, read_email, email) or "",
        phone=_read(problems, read_phone, number.group() if number else "") or "",
        problems=tuple(problems),
    )


def read_moment(text: str, zone: tzinfo) -> datetime:
    """«16.09.2026 12:00» of ``zone``, as aware UTC. Problem names the part that is wrong."""
    words = _split(text.strip()[:LONGEST_LINE])
    day, at = read_day(words[0] if words else ""), read_time(words[1] if len(words) > 1 else "")
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def past(at: datetime | None, now: datetime) -> tuple[Problem, ...]:
    """What is wrong with a session that has begun: nobody can be registered for it any more."""
    return (Problem("date", "past"),) if at is not None and at <= now else ()


def read_flag(word: str) -> bool:
    if word not in {"0", "1", "да", "нет"}:
        raise Problem("confirm", "confirm_form", given=word)
    return word in {"1", "да"}


def read_page(word: str) -> str:
    if not _ID.fullmatch(word):
        raise Problem("page", "page_form", given=word)
    return word


def read_day(word: str) -> date:
    match = _DATE.fullmatch(word)
    if match is None:
        raise Problem("date", "date_form", given=word)
    day, month, year = map(int, match.groups())
    if year not in YEARS:
        raise Problem("date", "year_out", given=word)
    try:
        return date(year, month, day)
    except ValueError:
        raise Problem("date", "no_such_date", given=word) from None


def read_time(word: str) -> time:
    match = _TIME.fullmatch(word)
    if match is None:
        raise Problem("time", "time_form", given=word)
    hour, minute = map(int, match.groups())
    if hour > 23 or minute > 59:
        raise Problem("time", "no_such_time", given=word)
    return time(hour, minute)


def read_email(word: str) -> str:
    """As typed but for the case: two spellings of one address are one person."""
    if not _EMAIL.fullmatch(word) or len(word) > 254:
        raise Problem("email", "email_form", given=word)
    return word.casefold()


def read_phone(word: str) -> str:
    """The key of a number."""
    key = phone_key(word)
    if key is None:
        digits = sum(c.isdigit() for c in word)
        raise Problem("phone", "phone_form", given=word, digits=digits)
    return key


def moment(day: date | None, at: time | None, zone: tzinfo) -> datetime | None:
    """Aware UTC, None when either part is missing."""
    if day is None or at is None:
        return None
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _read(problems: list[Problem], read: Callable[[str], R], word: str) -> R | None:
    if not (word if read is read_flag else _given(word)):
        return None
    try:
        return read(word)
    except Problem as problem:
        problems.append(problem)
        return None


def _given(word: str) -> bool:
    return word not in {"", EMPTY}


def _inside(text: str) -> str:
    """What stands in the brackets of a call as older scripts write it, else the whole."""
    text = text.strip()[:LONGEST_LINE]
    call = _CALL.match(text)
    return call.group(1) if call else text


def _split(text: str) -> list[str]:
    """Words without the quotes around them; quoted nothing stays a word, for it holds a place."""
    return [word.strip("'\"") or EMPTY for word in _SEPARATORS.split(text) if word]


def _words_and_marks(text: str, problems: list[Problem]) -> tuple[list[str], Marks]:
    """The words by place, and utm marks: as «source=google» or as the object of older scripts."""
    given: dict[str, str] = {}
    found = _OBJECT.search(text)
    if found is not None:
        text = text[: found.start()] + text[found.end() :]
        given |= _object(found.group(1), problems)
    words = []
    for word in _split(text):
        mark = _MARK.match(word)
        if mark is None:
            words.append(word)
        else:
            given[mark.group(1).lower()] = mark.group(2)
    return words, Marks(**given)


def _object(text: str, problems: list[Problem]) -> dict[str, str]:
    try:
        whole = json.loads(text)
        items = {str(key).lower().removeprefix("utm_"): str(value or "") for key, value in whole.items()}
    except (ValueError, AttributeError, RecursionError):
        problems.append(Problem("marks", "marks_form", given=text[:40]))
        return {}
    return {key: value for key, value in items.items() if key in _MARKS}


def _kind_of(word: str) -> str:
    """room, email, date or time by the form of it, "" for what may be a part of a phone."""
    if "@" in word:
        return "email"
    if _TIME.fullmatch(word):
        return "time"
    if _ID.fullmatch(word):
        return "time" if _LIKE_TIME.fullmatch(word) else "room"
    if _LIKE_DATE.fullmatch(word):
        return "date"
    return ""


_MARKS = frozenset(mark.name for mark in fields(Marks)) - {"partner"}
