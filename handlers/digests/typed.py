"""Typed words as a schedule: «9:00 будни», «каждый понедельник в 9», «после вебинара»; and as a time zone. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from zoneinfo import available_timezones

from domain.digests import DigestKind
from domain.errors import BadInput
from domain.messages import Texts
from domain.schedules import EVERY_DAY, WORKDAYS
from handlers.calls.periods import place_period

LONGEST = 200
_CLOCK = re.compile(r"\b(\d{1,3})\s?[:.\-ч]\s?(\d{1,3})\b|\b(\d{1,3})\b(?:\s?(?:час(?:а|ов)?|ч)\b)?")
_EVENING = re.compile(r"\b(?:вечера|дня)\b")
_NIGHT = re.compile(r"\b(?:утра|ночи)\b")
_MIDNIGHT, _NOON = re.compile(r"\bв?\s?полночь\b"), re.compile(r"\bв?\s?полдень\b")
_WEEKLY = re.compile(r"\b(?:раз в неделю|еженедельн\w*|недельн\w*|кажд\w+ недел\w+)\b")
_OF_A_WEEK = re.compile(r"\b(?:за (?:эту |прошл\w+ )?неделю|итог\w* недели)\b")
_WEBINAR = re.compile(r"\b(?:после (?:кажд\w+ )?вебинар\w*)\b")
_SHOWN = (
    (re.compile(r"\b(?:за )?(?:вчера\w*)(?: день)?\b"), "yesterday"),
    (re.compile(r"\b(?:за )?(?:сегодня\w*)(?: день)?\b"), "today"),
)
# What names days before today, and neither a time, as «9.05», nor days to come on, as «в пятницу».
_PAST = re.compile(r"(?:за|от|с)\s|позавчера|\d{1,2}\s?[а-я\-–—]|\d{4}-|(?:2[4-9]|3[01])\.|\d{1,2}\.\d{2}\.\d")
_PICTURE = re.compile(r"\b(с|без)\s+картин\w+")
_SETS = (
    (re.compile(r"\b(?:будн\w*(?: д(?:ень|ни|ням))?|(?:по )?рабоч\w+ д(?:ень|ни|ням)|кроме выходных)\b"), WORKDAYS),
    (re.compile(r"\b(?:выходн\w*(?: д(?:ень|ни|ням))?)\b"), frozenset({5, 6})),
    (re.compile(r"\b(?:кажд\w+ (?:день|утро|вечер)|ежедневн\w*|все дни|без выходных)\b"), EVERY_DAY),
)
_DAYS = ("пн|понедельник\\w*", "вт|вторник\\w*", "ср|сред[ауые]\\w*", "чт|четверг\\w*", "пт|пятниц\\w*", "сб|суббот\\w*",
         "вс|воскресень\\w*")  # fmt: skip
_DAY = "|".join(f"(?P<d{number}{{n}}>{names})" for number, names in enumerate(_DAYS))
_RANGE = re.compile(rf"\b(?:{_DAY.format(n='a')})\s?(?:-|–|—|по)\s?(?:{_DAY.format(n='b')})\b")
_ONE = re.compile(rf"\b(?:{_DAY.format(n='a')})\b")
_FILLING = re.compile(
    r"\b(?:дайджест\w*|сводк\w*|присылай\w*|пришли\w*|шли|отправляй\w*|каждый|каждую|каждое|мне|сюда|в|во|по|на|и|с|со|"
    r"утром|вечером|время|часов|сейчас|покажи\w*)\b|[^\w\s+/:.\-]"
)
_OFFSET = re.compile(r"(?:utc|gmt)?\s?([+\-−–]\s?\d{1,2})(?::00)?")
_FROM_MOSCOW = re.compile(r"\bмск\b\s?([+\-−–]\s?\d{1,2})?")
_BY_MOSCOW = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk",
    "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka",
)  # fmt: skip
MOST_HOURS = 14
_ETC = re.compile(r"Etc/GMT([+-]\d+)")
ZONES = "digest.zone."  # texts under the names of zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was said of when. None and "" is what was not said; ``left`` are words that say nothing to us.

    ``day``: «today» or «yesterday», where the digest of that day is asked for; ``on``: another day before.
    """

    at: time | None
    days: frozenset[int] | None
    kind: DigestKind | None
    zone: str
    day: str
    left: str
    on: date | None = None
    picture: bool | None = None

    @property
    def empty(self) -> bool:
        """Neither a time nor days: nobody sets anything by it."""
        return self.at is None and self.days is None and self.kind is not DigestKind.WEBINAR


def understand(text: str, texts: Texts, today: date) -> Typed:
    """BadInput for a time that there is not, and for days that no digest tells of."""
    words = " ".join(unicodedata.normalize("NFC", text)[:LONGEST].lower().replace("ё", "е").split())
    kind, words = _kind(words, _WEBINAR, DigestKind.WEBINAR)
    kind, words = (kind, words) if kind is not None else _kind(words, _WEEKLY, DigestKind.WEEKLY)
    day, words = _day(words)
    on, words = _past(words, texts, today)
    picture, words = _picture(words)
    days, words = find_days(words)
    days = days or (frozenset({0}) if kind is DigestKind.WEEKLY else None)
    kind, words = (kind, words) if kind is not None else _kind(words, _OF_A_WEEK, DigestKind.WEEKLY)
    zone, words = _zone(words, texts)
    at, words = find_time(words, texts)
    if kind is None and days is not None and len(days) == 1:
        kind = DigestKind.WEEKLY  # who wants it once a week wants to read of the week
    left = " ".join(_FILLING.sub(" ", words).split())
    return Typed(at=at, days=days, kind=kind, zone=zone, day=day, left=left, on=on, picture=picture)


def find_time(words: str, texts: Texts) -> tuple[time | None, str]:
    """The time of day and the words around it."""
    for pattern, at in ((_MIDNIGHT, time(0)), (_NOON, time(12))):
        if pattern.search(words):
            return at, pattern.sub(" ", words, count=1)
    found = _CLOCK.search(words)
    if found is None:
        return None, words
    hours, minutes = int(found[1] or found[3]), int(found[2] or 0)
    rest = words[: found.start()] + " " + words[found.end() :]
    if _EVENING.search(rest) and 1 <= hours < 12:
        hours += 12
    elif hours == 12 and _NIGHT.search(rest):
        hours = 0
    if hours > 23 or minutes > 59:
        raise BadInput("time", texts.get("digest.typed.no_time", time=found.group().strip()))
    return time(hours, minutes), _NIGHT.sub(" ", _EVENING.sub(" ", rest))


def find_days(words: str) -> tuple[frozenset[int] | None, str]:
    """The days of the week (0 is Monday) and the words around them."""
    for pattern, days in _SETS:
        if pattern.search(words):
            return days, pattern.sub(" ", words)
    days = frozenset[int]()
    while found := _RANGE.search(words):
        first, last = _number(found, "a"), _number(found, "b")
        days |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
        words = words[: found.start()] + " " + words[found.end() :]
    while found := _ONE.search(words):
        days |= {_number(found, "a")}
        words = words[: found.start()] + " " + words[found.end() :]
    return days or None, words


def find_zone(text: str, texts: Texts) -> str | None:
    """The name of a zone for a city, «МСК+2», «UTC+5», or the name itself; None where there is none of that."""
    words = " ".join(text.lower().replace("ё", "е").split())
    if (city := cities(texts).get(words)) is not None:
        return city
    if (known := _names().get(words.replace(" ", "_"))) is not None:
        return known
    if (moscow := _FROM_MOSCOW.fullmatch(words)) is not None:
        place = 1 + _hours(moscow[1])
        return _BY_MOSCOW[place] if 0 <= place < len(_BY_MOSCOW) else None
    offset = _OFFSET.fullmatch(words)
    if offset is None or abs(_hours(offset[1])) > MOST_HOURS:
        return None
    # These names have their sign the wrong way round: Etc/GMT-5 is five hours east of Greenwich.
    return _names().get(f"etc/gmt{-_hours(offset[1]):+d}") if _hours(offset[1]) else "UTC"


def cities(texts: Texts) -> dict[str, str]:
    """Zones by the names that people call them by, in small letters."""
    return {city.lower().replace("ё", "е"): zone for zone, names in _listed(texts) for city in names}


def zone_title(texts: Texts, zone: str) -> str:
    """«Екатеринбург», «UTC+5»; the zone's own name where we know no city of it."""
    known = next((names[0] for name, names in _listed(texts) if name == zone), None)
    if known is None and (hours := _ETC.fullmatch(zone)) is not None:
        return f"UTC{-int(hours[1]):+d}"
    return known or zone


def _listed(texts: Texts) -> Iterator[tuple[str, list[str]]]:
    for name, cities_ in texts.entries.items():
        if name.startswith(ZONES):
            yield name.removeprefix(ZONES), cities_.split(",")


@cache
def _names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def _hours(text: str | None) -> int:
    return int((text or "0").replace(" ", "").replace("−", "-").replace("–", "-"))


def _kind(words: str, pattern: re.Pattern[str], kind: DigestKind) -> tuple[DigestKind | None, str]:
    return (kind, pattern.sub(" ", words, count=1)) if pattern.search(words) else (None, words)


def _day(words: str) -> tuple[str, str]:
    """«за вчера», «сегодня»."""
    for pattern, day in _SHOWN:
        if pattern.search(words):
            return day, pattern.sub(" ", words)
    return "", words


def _past(words: str, texts: Texts, today: date) -> tuple[date | None, str]:
    """«за 27 ноября», «27.11», «за пятницу»."""
    placed = place_period(words, today) if not _OF_A_WEEK.search(words) else None
    if placed is None or _PAST.match(said := words[placed[1] : placed[2]].strip()) is None:
        return None, words
    period, start, end = placed
    if period.first != period.last:
        raise BadInput("day", texts.get("digest.typed.one_day", words=said))
    if period.first > today:
        raise BadInput("day", texts.get("digest.typed.ahead", words=said))
    return period.first, f"{words[:start]} {words[end:]}"


def _picture(words: str) -> tuple[bool | None, str]:
    found = _PICTURE.search(words)
    return (found[1] == "с", _PICTURE.sub(" ", words)) if found is not None else (None, words)


def _zone(words: str, texts: Texts) -> tuple[str, str]:
    """«по МСК+2», «по Омску» in the middle of it all."""
    found = _FROM_MOSCOW.search(words)
    place = 1 + _hours(found[1]) if found is not None else -1
    if found is not None and 0 <= place < len(_BY_MOSCOW):
        return _BY_MOSCOW[place], words[: found.start()] + " " + words[found.end() :]
    for city, zone in cities(texts).items():
        if (named := _in_dative(city).search(words)) is not None:
            return zone, words[: named.start()] + " " + words[named.end() :]
    return "", words


@cache
def _in_dative(city: str) -> re.Pattern[str]:
    """«по омску», «по москве», «по нижнему новгороду» of «омск», «москва», «нижний новгород»."""
    stems = [re.escape(word.rstrip("аяьйиы")) for word in city.split()]
    return re.compile(r"\bпо\s+" + r"\s+".join(rf"{stem}\w{{0,3}}" for stem in stems) + r"\b")


def _number(found: re.Match[str], side: str) -> int:
    return next(number for number in range(7) if found[f"d{number}{side}"] is not None)
