"""What is usual for a team: a number against those of the days before, and what explains the difference. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, sqrt
from statistics import fmean, median

LEAST = 4  # of days to call anything usual
LEAST_WEEKS = 3
FAR = 3.0  # spreads away: of days that differ by chance one in five hundred is as far
FEWEST = 3  # a difference of less is no news, whatever the spread
SHARE_OF_NUMBER = 0.1  # a number that hardly ever changes may still change by this much
MAD_TO_SIGMA = 1.4826
EXPLAINS = 0.5  # a part of the difference that is worth naming
HOURS_EXPLAIN = 0.6
LONGEST_STRETCH = 6  # more of them are no stretch, it is the day
STANDS_OUT = 0.15  # by so much more than what it is of every day


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusual:
    """A number far from the middle of those before; ``far`` in spreads, below zero where it is less."""

    number: int
    usual: int
    far: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What makes most of a difference: ``name`` of a line, a person, a source; of a stretch ``first`` and ``last`` place.

    ``number`` there against the ``usual`` one; ``part`` of the whole difference, 0 to 1 or more.
    """

    by: str
    name: str = ""
    first: int = 0
    last: int = 0
    number: int
    usual: int
    part: float


def unusual(number: int, before: Sequence[int]) -> Unusual | None:
    """None where it is as usual: neither far for what comes by chance, nor for how these days differ from one another."""
    middle = median(before)
    deviation = MAD_TO_SIGMA * median(abs(one - middle) for one in before)
    apart = (number - middle) / max(deviation, middle * SHARE_OF_NUMBER, 1.0)
    # Roots of numbers that come by chance spread by a half, however big they are (Anscombe), and the middle does, too.
    chance = 2 * (sqrt(number + 3 / 8) - sqrt(middle + 3 / 8)) / sqrt(1 + pi / 2 / len(before))
    far = min(apart, chance, key=abs)
    if abs(far) <= FAR or abs(number - middle) < FEWEST:
        return None
    return Unusual(number=number, usual=round(middle), far=far)


def explained_by_name(by: str, now: Mapping[str, int], before: Sequence[Mapping[str, int]]) -> Cause | None:
    """The name that most of the difference is of; None where there is only one, or none stands out."""
    names = {name for one in (now, *before) for name, count in one.items() if count}
    usual = {name: fmean(one.get(name, 0) for one in before) for name in names}
    differences = {name: now.get(name, 0) - usual[name] for name in names}
    whole = sum(differences.values())
    if len(names) < 2 or not whole:
        return None
    name = max(names - {""}, key=lambda one: (differences[one] / whole, one), default="")
    part, always = differences[name] / whole if name else 0.0, usual.get(name, 0.0) / (sum(usual.values()) or 1.0)
    if part < max(EXPLAINS, min(always + STANDS_OUT, 1.0)):
        return None
    return Cause(by=by, name=name, number=now.get(name, 0), usual=round(usual[name]), part=part)


def explained_by_stretch(by: str, now: Sequence[int], before: Sequence[Sequence[int]]) -> Cause | None:
    """The shortest run of hours, or of days, that most of the difference is of; None where it is spread over all."""
    usual = [fmean(one[place] for one in before) for place in range(len(now))]
    whole = sum(now) - sum(usual)
    if not whole:
        return None
    parts = [(count - mean) / whole for count, mean in zip(now, usual, strict=True)]
    busy = sum(bool(count or mean) for count, mean in zip(now, usual, strict=True))
    for length in range(1, min(LONGEST_STRETCH, busy // 2) + 1):
        first = max(range(len(now) - length + 1), key=lambda start, size=length: sum(parts[start : start + size]))  # type: ignore[misc]
        if (part := sum(parts[first : first + length])) >= HOURS_EXPLAIN:
            last = first + length - 1
            number, mean = sum(now[first : last + 1]), sum(usual[first : last + 1])
            return Cause(by=by, first=first, last=last, number=number, usual=round(mean), part=part)
    return None
