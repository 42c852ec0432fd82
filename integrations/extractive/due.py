"""Spoken times laid on the calendar, only as far as they follow from the words and the day of the call."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import assert_never

from integrations.extractive.moments import Ahead, Calendar, InMinutes, InMonths, Loose, MonthEnd, Weekday, When

_MAX_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Local date and "HH:MM", each empty where it does not follow."""

    day: date | None = None
    time: str = ""


def resolve(when: When, spoken_at: datetime, *, part: str = "") -> Due:
    """``spoken_at``: aware local time of these words. ``part``: a part of the day said just before by the other side."""
    if isinstance(when.day, InMinutes):
        moment = spoken_at + timedelta(minutes=min(when.day.minutes, _MAX_DAYS * 1440))
        return Due(day=moment.date(), time=f"{moment:%H:%M}")
    day = _day_of(when, spoken_at.date())
    clock = _clock_of(when, spoken_at, day, when.part or part)
    if day is None and when.day is None and clock and clock > f"{spoken_at:%H:%M}":
        day = spoken_at.date()
    if clock == "24:00":
        return Due(day=day)
    return Due(day=day, time=clock)


def _day_of(when: When, called: date) -> date | None:
    match when.day:
        case Ahead(days):
            return called + timedelta(days=days) if days <= _MAX_DAYS else None
        case Weekday(index, following):
            return _weekday(called, index, following=following)
        case Calendar():
            return _calendar(when.day, called)
        case InMonths(months):
            return _months_later(called, months) if months <= 120 else None
        case MonthEnd():
            return called.replace(day=monthrange(called.year, called.month)[1])
        case None | Loose() | InMinutes():
            return None
        case _ as never:
            assert_never(never)


def _weekday(called: date, index: int, *, following: bool) -> date | None:
    """The next such day after the call. «Следующий вторник» said on Monday may mean two days: None."""
    ahead = (index - called.weekday() - 1) % 7 + 1
    day = called + timedelta(days=ahead)
    if following and day.isocalendar().week == called.isocalendar().week:
        return None
    return day


def _calendar(said: Calendar, called: date) -> date | None:
    """The next such day from the call on; a year that was said is kept; 31 April gives None."""
    if said.year:
        year = said.year if said.year >= 100 else 2000 + said.year
        return _date(year, said.month, said.day)
    if said.month:
        day = _date(called.year, said.month, said.day)
        return day if day and day >= called else _date(called.year + 1, said.month, said.day)
    if said.day >= called.day:
        return _date(called.year, called.month, said.day)
    return _date(called.year + called.month // 12, called.month % 12 + 1, said.day)


def _months_later(called: date, months: int) -> date | None:
    index = called.month - 1 + months
    return _date(called.year + index // 12, index % 12 + 1, called.day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock_of(when: When, spoken_at: datetime, day: date | None, part: str) -> str:
    if when.hour is None:
        return ""
    hour = _hour(when.hour, part, spoken_at, day)
    return "" if hour is None else f"{hour:02d}:{when.minute:02d}"


def _hour(said: int, part: str, spoken_at: datetime, day: date | None) -> int | None:
    """24-hour clock. With no part of the day one to six is the afternoon: nobody promises a call for the small hours."""
    if said > 12 or said == 0:
        return said
    if part:
        return _hour_of_part(said, part)
    late = said <= 6 or (day == spoken_at.date() and said <= spoken_at.hour < said + 12)
    return said + 12 if late and said < 12 else said if said >= 8 else None


def _hour_of_part(said: int, part: str) -> int:
    """«Десять утра» 10, «двенадцать ночи» 0, «одиннадцать вечера» 23, «двенадцать дня» 12, «три после обеда» 15."""
    if part in {"morning", "before_noon"}:
        return said
    if part == "night":
        return said % 12 if said < 6 or said == 12 else said + 12
    return said if said >= 8 and part != "evening" else said % 12 + 12
