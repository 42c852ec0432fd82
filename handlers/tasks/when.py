"""«завтра в 15», «в пятницу», «через 2 часа», «5.12 10:00»: until when somebody puts a task off."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.errors import BadInput

DAY_ENDS = time(18)  # of a day that is named without a time
MORNING = time(10)
LONGEST = timedelta(days=5 * 366)
HINT = "tasks.bad_time"  # the name of a text

_DAYS = {"сегодня": 0, "завтра": 1, "послезавтра": 2}
_WEEKDAYS = ("пон", "вто", "сре", "чет", "пят", "суб", "вос")
_SHORT_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
_UNITS = {"мин": timedelta(minutes=1), "час": timedelta(hours=1), "ден": timedelta(days=1), "дн": timedelta(days=1)}
_UNITS |= {"нед": timedelta(weeks=1)}
_AFTER = re.compile(r"(?:через|на)\s+(?:(\d{1,4})\s*)?([а-я]+)")
_TIME = re.compile(r"(?:(?:в|к|до)\s*)?(\d{1,2})(?:[:.](\d{2}))?(?:\s*(?:час(?:а|ов)?|ч))?(?:\s*(утра|дня|вечера|ночи))?")
_TIMES = {"утром": MORNING, "днем": time(14), "вечером": time(19), "в полдень": time(12)}
_MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_DATE_IN_WORDS = re.compile(r"^(?:до\s+|на\s+|к\s+)?(\d{1,2})\s+([а-я]{3,8})(?:\s+(\d{4}))?(?=\s|$)")
_DATE = re.compile(r"^(?:до\s+|на\s+)?(\d{1,2})\.(0?[1-9]|1[0-2])(?:\.(\d{4}|\d{2}))?(?=\s|$)")
_WORD = re.compile(r"^(?:(?:до|к|ко|в|во|на)\s+)?([а-я]+)")


def read_when(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Aware UTC, later than ``now``. BadInput whose hint names a text for what is no such time, or is over."""
    words = " ".join(text.casefold().replace("ё", "е").split())[:60]
    local = now.astimezone(zone)
    at = _after(words, local) or _named(words, local)
    if at is None:
        raise BadInput("deadline", HINT)
    moment = at.astimezone(UTC)
    if moment <= now or moment > now + LONGEST:
        raise BadInput("deadline", "tasks.past_time")
    return moment


def _after(words: str, local: datetime) -> datetime | None:
    found = _AFTER.fullmatch(words.replace("полчаса", "30 минут"))
    if found is None:
        return None
    count = int(found[1] or 1)
    step = next((size for start, size in _UNITS.items() if found[2].startswith(start)), None)
    if step is None:
        return None
    if step < timedelta(days=1):  # as time passes, also over a change of the clocks
        return (local.astimezone(UTC) + step * count).astimezone(local.tzinfo)
    return local + step * count


def _named(words: str, local: datetime) -> datetime | None:
    """A day, a time, or both."""
    day, rest = _day(words, local.date())
    if not rest:
        return datetime.combine(day, DAY_ENDS, tzinfo=local.tzinfo) if day is not None else None
    clock = _TIMES.get(rest) or _clock(rest)
    if clock is None:
        return None
    at = datetime.combine(day or local.date(), clock, tzinfo=local.tzinfo)
    return at + timedelta(days=1) if day is None and at <= local else at


def _clock(words: str) -> time | None:
    """«в 15», «9:30», «в 9 вечера»."""
    given = _TIME.fullmatch(words)
    if given is None:
        return None
    hour, minute = int(given[1]), int(given[2] or 0)
    if given[3] in {"дня", "вечера"} and hour < 12:
        hour += 12
    elif given[3] in {"утра", "ночи"} and hour == 12:
        hour = 0
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _day(words: str, today: date) -> tuple[date | None, str]:
    """The day that begins ``words``, None where none does, and what is left of them."""
    dated = _DATE.match(words)
    if dated is not None:
        return _date(dated[1], int(dated[2]), dated[3], today), words[dated.end() :].strip()
    named = _DATE_IN_WORDS.match(words)
    month = next((place for place, start in enumerate(_MONTHS, 1) if named and named[2].startswith(start)), None)
    if named is not None and month is not None:
        return _date(named[1], month, named[3], today), words[named.end() :].strip()
    word = _WORD.match(words)
    if word is None:
        return None, words
    rest = words[word.end() :].strip()
    if word[1] in _DAYS:
        return today + timedelta(days=_DAYS[word[1]]), rest
    place = _weekday(word[1])
    if place is None:
        return None, words
    return today + timedelta(days=(place - today.weekday() - 1) % 7 + 1), rest


def _weekday(word: str) -> int | None:
    if word in _SHORT_WEEKDAYS:
        return _SHORT_WEEKDAYS.index(word)
    return next((place for place, start in enumerate(_WEEKDAYS) if len(word) > 4 and word.startswith(start)), None)


def _date(day: str, month: int, year: str | None, today: date) -> date:
    """Without a year it is the next such day."""
    try:
        if year is not None:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, int(day))
        this = date(today.year, month, int(day))
        return this if this >= today else date(today.year + 1, month, int(day))
    except ValueError:
        raise BadInput("deadline", HINT) from None


def presets(what: str, deadline: datetime | None, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The new deadline behind a button: an hour, tomorrow at ten, a week, counted from now where it is over; or a moment."""
    start = max(deadline or now, now).replace(second=0, microsecond=0)  # as exact as Bitrix24 keeps it
    if what == "h":
        return start + timedelta(hours=1)
    local = (start if what == "w" else now).astimezone(zone)
    if what == "w":
        return (local + timedelta(days=7)).astimezone(UTC)
    if what == "t":
        return datetime.combine(local.date() + timedelta(days=1), MORNING, tzinfo=zone).astimezone(UTC)
    at = datetime.fromtimestamp(int(what), UTC) if what.isascii() and what.isdigit() and len(what) <= 10 else None
    return at if at is not None and at > now else None
