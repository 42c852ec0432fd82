"""Stretches of days as Russian names them: «вчера», «за неделю», «с 1 по 7 ноября», «за октябрь»."""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_DAYS = 3660
_HALF_A_YEAR = 183  # days: «7 ноября – 1 ноября» is not a year without a week

_MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_MONTH = (
    r"(янв(?:ар[ьяе])?|фев(?:рал[ьяе])?|мар(?:т[ае]?)?|апр(?:ел[ьяе])?|ма[йяе]|июн[ьяе]?|июл[ьяе]?|авг(?:уст[ае]?)?|"
    r"сен(?:тябр[ьяе])?|окт(?:ябр[ьяе])?|ноя(?:бр[ьяе])?|дек(?:абр[ьяе])?)\.?"
)
_WEEKDAYS = ("понедельник", "вторник", "сред", "четверг", "пятниц", "суббот", "воскресень")
_YEAR = r"(?:\s+((?:19|20)\d{2})(?!\d)(?:\s*(?:г\.?|года?))?)?"
_NUMERIC = r"(\d{1,2})\.(\d{2})(?:\.(\d{4}|\d{2}))?"
_ISO = r"(\d{4}-\d{2}-\d{2})"
_DASH = r"\s*(?:-|–|—|по|до)\s*"
_DayMonthYear = tuple[str, int, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Local days, both included. ``turned``: the last was named before the first."""

    first: date
    last: date
    turned: bool = field(default=False, compare=False)


def find_period(text: str, today: date) -> tuple[Period | None, str]:
    """The first period named in ``text`` (lower case, «ё» as «е») and the text without it; (None, text) when none is.

    A day or month without a year is the latest that has begun. Dates that do not exist (31 февраля) are no period.
    """
    found = place_period(text, today)
    return (found[0], f"{text[: found[1]]} {text[found[2] :]}") if found is not None else (None, text)


def place_period(text: str, today: date) -> tuple[Period, int, int] | None:
    """As ``find_period``: the period, where it begins in ``text``, and where it has ended."""
    for pattern, read in _FORMS:
        for found in re.finditer(rf"(?<![\w+.]){pattern}(?!\w|\.\d)", text):
            period = _safely(read, found, today)
            if period is not None:
                return period, found.start(), found.end()
    return None


def _safely(read: Callable[[re.Match[str], date], Period | None], found: re.Match[str], today: date) -> Period | None:
    try:
        return read(found, today)
    except (ValueError, OverflowError):  # a day its month does not have
        return None


def _days(first: date, last: date) -> Period | None:
    if first > last or not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR:
        return None
    return Period(first=first, last=last)


def _range(one: date, other: date) -> Period | None:
    """Said the wrong way round it means the same days."""
    days = _days(min(one, other), max(one, other))
    return replace(days, turned=one > other) if days is not None else None


def _last_days(count: int, today: date) -> Period | None:
    if not 1 <= count <= MOST_DAYS:
        return None
    return _days(today - timedelta(days=count - 1), today)


def _month(word: str) -> int:
    return next(number for number, start in enumerate(_MONTHS, 1) if word.startswith(start))


def _day(day: str, month: int, year: str | None, today: date) -> date:
    if year:
        return date(int(year) + (2000 if len(year) == 2 else 0), month, int(day))
    this_year = date(today.year, month, int(day))
    return this_year if this_year <= today else date(today.year - 1, month, int(day))


def _words(found: re.Match[str], today: date) -> Period | None:
    back = {"сегодня": 0, "вчера": 1, "позавчера": 2}[found.group(1)]
    return _days(today - timedelta(days=back), today - timedelta(days=back))


def _count(found: re.Match[str], today: date) -> Period | None:
    number = int(found.group(1) or "1")
    unit = found.group(2)
    size = {"д": 1, "с": 1, "н": 7, "м": 30, "г": 365, "л": 365, "к": 91}[unit[0]]
    return _last_days(number * size, today)


def _short_count(found: re.Match[str], today: date) -> Period | None:
    return _last_days(int(found.group(1)) * (7 if found.group(2) == "н" else 1), today)


def _week(found: re.Match[str], today: date) -> Period | None:
    monday = today - timedelta(days=today.weekday())
    if found.group(1).startswith("прошл"):
        return _days(monday - timedelta(days=7), monday - timedelta(days=1))
    return _days(monday, today)


def _this_month(found: re.Match[str], today: date) -> Period | None:
    first = today.replace(day=1)
    if found.group(1).startswith("прошл"):
        last = first - timedelta(days=1)
        return _days(last.replace(day=1), last)
    return _days(first, today)


def _month_range(found: re.Match[str], today: date) -> Period | None:
    first_day, last_day, word, year = found.groups()
    one = _day(first_day, _month(word), year, today)
    other = one.replace(day=int(last_day))
    return _range(one, other)


def _two_days(found: re.Match[str], today: date) -> Period | None:
    first_day, first_word, last_day, last_word, year = found.groups()
    return _between((first_day, _month(first_word), None), (last_day, _month(last_word), year), today)


def _two_numeric(found: re.Match[str], today: date) -> Period | None:
    day, month, year, last_day, last_month, last_year = found.groups()
    return _between((day, int(month), year), (last_day, int(last_month), last_year), today)


def _between(start: _DayMonthYear, end: _DayMonthYear, today: date) -> Period | None:
    """From one day to another; a year that is said of one end holds for both, unless the new year lies between."""
    if end[2] and not start[2]:
        last = _day(*end, today)
        first = _day(start[0], start[1], str(last.year), today)
        return _days(first if first <= last else first.replace(year=last.year - 1), last)
    first = _day(*start, today)
    last = _day(end[0], end[1], end[2] or str(first.year), today)
    if first <= last or end[2] or (first - last).days < _HALF_A_YEAR:
        return _range(first, last)
    return _range(first, last.replace(year=first.year + 1))


def _numeric_range(found: re.Match[str], today: date) -> Period | None:
    first_day, day, month, year = found.groups()
    last = _day(day, int(month), year, today)
    return _range(last.replace(day=int(first_day)), last)


def _one_day(found: re.Match[str], today: date) -> Period | None:
    day, word, year = found.groups()
    the_day = _day(day, _month(word), year, today)
    return _days(the_day, the_day)


def _numeric(found: re.Match[str], today: date) -> Period | None:
    day, month, year = found.groups()
    the_day = _day(day, int(month), year, today)
    return _days(the_day, the_day)


def _two_iso(found: re.Match[str], _today: date) -> Period | None:
    return _range(date.fromisoformat(found.group(1)), date.fromisoformat(found.group(2)))


def _iso(found: re.Match[str], _today: date) -> Period | None:
    the_day = date.fromisoformat(found.group(1))
    return _days(the_day, the_day)


def _whole_month(found: re.Match[str], today: date) -> Period | None:
    word, year = found.groups()
    first = _day("1", _month(word), year, today)
    return _days(first, first.replace(day=calendar.monthrange(first.year, first.month)[1]))


def _whole_year(found: re.Match[str], _today: date) -> Period | None:
    year = int(found.group(1))
    return _days(date(year, 1, 1), date(year, 12, 31))


def _weekday(found: re.Match[str], today: date) -> Period | None:
    wanted = next(n for n, start in enumerate(_WEEKDAYS) if found.group(1).startswith(start))
    back = (today.weekday() - wanted) % 7 or 7
    return _days(today - timedelta(days=back), today - timedelta(days=back))


_FORMS: tuple[tuple[str, Callable[[re.Match[str], date], Period | None]], ...] = (
    (rf"(?:с|за)?\s*{_NUMERIC}{_DASH}{_NUMERIC}", _two_numeric),
    (rf"(?:с|за)?\s*(\d{{1,2}}){_DASH}{_NUMERIC}", _numeric_range),
    (rf"(?:с|за)?\s*(\d{{1,2}})\s+{_MONTH}{_DASH}(\d{{1,2}})\s+{_MONTH}{_YEAR}", _two_days),
    (rf"(?:с|за)?\s*(\d{{1,2}}){_DASH}(\d{{1,2}})\s+{_MONTH}{_YEAR}", _month_range),
    (rf"(?:за|от)?\s*(\d{{1,2}})\s+{_MONTH}{_YEAR}", _one_day),
    (rf"(?:с\s+)?{_ISO}{_DASH}{_ISO}", _two_iso),
    (rf"(?:за\s+)?{_ISO}", _iso),
    (rf"(?:за|от)?\s*{_NUMERIC}", _numeric),
    (r"(?:за\s+)?(сегодня|вчера|позавчера)(?:шн\w*)?", _words),
    (r"(?:за|на|в)?\s*(эт\w*|прошл\w*)\s+недел\w*", _week),
    (r"(?:за|в)?\s*(эт\w*|прошл\w*)\s+месяц\w*", _this_month),
    (
        r"(?:за\s+)?(?:последн\w+\s+)?(\d{1,4})\s*(дн(?:я|ей)|день|сут(?:ки|ок)|недел[иьюя]\w*|месяц\w*|год[а]?|лет)",
        _count,
    ),
    (r"за\s+(?:последн\w+\s+)?()(день|сутки|неделю|месяц|квартал|год)", _count),
    (r"(\d{1,3})\s*([дн])", _short_count),
    (rf"(?:за|в|во)\s+{_MONTH}{_YEAR}", _whole_month),
    (r"(?:за|в)\s+(\d{4})(?:\s*(?:г\.?|год\w*))?", _whole_year),
    (rf"(?:в|во|за)\s+({'|'.join(_WEEKDAYS)})\w*", _weekday),
)
