"""Plain words as a question about figures: which one, and of which days."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.analytics.catalogue import Figure, last_days
from handlers.calls.periods import Period, find_period
from storage.calls import folded

LONGEST = 200
_CONVERSIONS = re.compile(r"\b(?:конверси\w*|conversions?)")
_TOP = re.compile(r"\b(?:креатив\w*|топ\w* креатив\w*|creatives?)")
_BY = (
    (re.compile(r"\b(?:источник\w*|utm\w*|площадк\w*|sources?)"), Figure.SOURCE),
    (re.compile(r"\b(?:партн[её]р\w*|partners?)"), Figure.PARTNER),
    (re.compile(r"\b(?:креатив\w*|объявлени\w*|баннер\w*|creatives?)"), Figure.CREATIVE),
    (re.compile(r"\b(?:направлени\w*|directions?)"), Figure.DIRECTION),
)
_CALLS = re.compile(r"\b(?:звон|разговор)")
_VISITS = re.compile(r"\b(?:последние\s+)?посещени[яй]\b")
_LONE = re.compile(r"(?<![\w.,:-])(\d{1,4})(?![\w.,:-])")  # «7» behind a command is days
_EVER = re.compile(r"\b(?:за\s+)?все время\b")
_FILLING = re.compile(r"\b(?:по|за|с|со|на|в|и|из|последн\w*|покажи)\b|[^\w\s.]")
_ABSOLUTE = re.compile(r"(\d{8})-(\d{8})\Z")
MOST_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``period`` None: what is usual for the figure. ``left``: words behind a command that say nothing to us."""

    figure: Figure
    period: Period | None
    left: str = ""


def understand(text: str, today: date, *, usual: Figure | None = None) -> Asked | None:
    """What is asked for; None for words about something else. ``usual``: the command that the words stand behind."""
    words = folded(unicodedata.normalize("NFC", text)[:LONGEST])
    if usual is None and _CALLS.search(words):
        return None
    period, rest = find_period(words, today)
    by = next((figure for pattern, figure in _BY if pattern.search(words)), None)
    if usual is not None:
        period, rest = _behind_a_command(period, rest, today, usual)
    left = _left_of(rest) if usual is not None else ""
    if _CONVERSIONS.search(words) or (usual is not None and usual is not Figure.TOP):
        return Asked(figure=by or usual or Figure.DIRECTION, period=period, left=left)
    if usual is Figure.TOP or _TOP.search(words):
        return Asked(figure=Figure.TOP, period=period, left=left)
    return None


def _behind_a_command(period: Period | None, rest: str, today: date, usual: Figure) -> tuple[Period | None, str]:
    """A number alone means days there, as on the buttons; «за всё время» is all that is looked through."""
    if period is not None:
        return period, rest
    number = _LONE.search(rest)
    if number is not None and 1 <= int(number.group(1)) <= MOST_DAYS:
        return last_days(int(number.group(1)), today), _LONE.sub(" ", rest, count=1)
    if _EVER.search(rest):
        return None if usual is Figure.TOP else last_days(MOST_DAYS, today), _EVER.sub(" ", rest)
    return None, rest


def _left_of(rest: str) -> str:
    for pattern in (_CONVERSIONS, _TOP, *(by for by, _ in _BY), _FILLING):
        rest = pattern.sub(" ", rest)
    return " ".join(rest.split())


def about_visits(text: str) -> bool:
    """The last attendances are asked for."""
    return _VISITS.match(folded(text.strip())) is not None


def period_on_button(period: Period | None, today: date) -> str:
    """What a button carries: «30» for the last days of whenever it is pressed, «20261101-20261107», or «0» for all."""
    if period is None:
        return "0"
    days = (period.last - period.first).days + 1
    return (
        str(days) if period == last_days(days, today) and days < MOST_DAYS else f"{period.first:%Y%m%d}-{period.last:%Y%m%d}"
    )


def period_off_button(text: str, today: date) -> Period | None:
    """None for all there is, and for what is no period."""
    found = _ABSOLUTE.match(text)
    try:
        if found is not None:
            first, last = (date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in found.groups())
            return Period(first=first, last=last) if first <= last <= first + timedelta(days=MOST_DAYS) else None
        return last_days(int(text), today) if 1 <= int(text) <= MOST_DAYS else None
    except ValueError:
        return None
