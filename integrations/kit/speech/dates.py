"""Days that are named in speech by a weekday or relative to the call."""

import re
from datetime import date, timedelta

from integrations.kit.speech.numerals import numbers

MONTHS = {
    "январ": 1,
    "феврал": 2,
    "март": 3,
    "апрел": 4,
    "мая": 5,
    "май": 5,
    "мае": 5,
    "июн": 6,
    "июл": 7,
    "август": 8,
    "сентябр": 9,
    "октябр": 10,
    "ноябр": 11,
    "декабр": 12,
}

_WEEKDAYS = ("понедельник", "вторник", "сред", "четверг", "пятниц", "суббот", "воскресен")
_WEEKDAY = re.compile(r"\b(понедельник|вторник|сред(?=[аеуы]\b|ой\b|ам\b)|четверг|пятниц|суббот|воскресен)[а-я]*")
_NEAR = {"позавчера": -2, "вчера": -1, "сегодня": 0, "завтра": 1, "послезавтра": 2}
_AFTER = re.compile(
    r"(?:через|в течение)\s+(?P<count>[а-я\d\s]{0,30}?)\s*(?P<unit>день|дня|дней|сутки|суток|недел[юией]+|месяц)"
)


def mentioned_dates(text: str, said_on: date) -> frozenset[date]:
    """Every day that the text may mean by «в пятницу», «завтра», «через неделю», counted from the local day of the call.

    A weekday may be the one before, the one after, or the one a week later: all three are given.
    """
    plain = text.lower().replace("ё", "е")
    days = {said_on}
    for match in _WEEKDAY.finditer(plain):
        ahead = (_WEEKDAYS.index(match[1]) - said_on.weekday()) % 7
        days |= {said_on + timedelta(days=ahead + week) for week in (-7, 0, 7)}
        days |= {said_on + timedelta(days=14)} if not ahead else set()
    for word, shift in _NEAR.items():
        if re.search(rf"\b{word}", plain):
            days.add(said_on + timedelta(days=shift))
    for match in _AFTER.finditer(plain):
        days |= _later(match, said_on)
    return frozenset(days)


def _later(match: re.Match[str], said_on: date) -> set[date]:
    found = numbers(match["count"])
    count = int(found[0].value) if found else 1
    if count > 400:
        return set()
    if match["unit"].startswith("месяц"):
        return {said_on + timedelta(days=days) for days in range(28 * count, 31 * count + 1)}
    return {said_on + timedelta(days=count * (7 if match["unit"].startswith("недел") else 1))}
