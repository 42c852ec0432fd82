"""What a spoken time can be, before the calendar is looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ahead:
    """So many days after the call: сегодня 0, завтра 1, через неделю 7."""

    days: int


@dataclass(frozen=True, slots=True)
class Weekday:
    """Monday is 0. ``following``: «следующий» was said, which people use for two different days."""

    index: int
    following: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """A day of a month; ``month`` 0 = only the day was said, ``year`` 0 = no year was said."""

    day: int
    month: int = 0
    year: int = 0


@dataclass(frozen=True, slots=True)
class InMinutes:
    """So long after these words."""

    minutes: int


@dataclass(frozen=True, slots=True)
class InMonths:
    months: int


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """By the last day of the month of the call."""


@dataclass(frozen=True, slots=True)
class Loose:
    """«На днях», «на следующей неделе», «за два рабочих дня»: said, but no date follows."""


Day = Ahead | Weekday | Calendar | InMinutes | InMonths | MonthEnd | Loose


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A time said in tokens [start, end). ``hour`` as said (0..24) or None; ``part`` of the day, empty when not said.

    ``prep`` is the preposition it began with; ``firm`` is false for a bare number that only neighbours make a time.
    """

    start: int
    end: int
    day: Day | None = None
    hour: int | None = None
    minute: int = 0
    part: str = ""
    prep: str = ""
    firm: bool = True
