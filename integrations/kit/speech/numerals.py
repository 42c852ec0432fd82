"""Reads Russian numbers as they are spoken and written: cases, ordinals, thousands, digits with words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from integrations.kit.speech.numeral_words import CARDINALS, HALVES, MULTIPLIERS, ORDINAL_ENDINGS, ORDINAL_STEMS, THIRD


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number and where it stands: ``text[start:end]``. ``spoken``: in words; ``ordinal``: «пятого», «5-й»."""

    value: float
    start: int
    end: int
    spoken: bool
    ordinal: bool = False


class _Rank(IntEnum):
    """What may follow what: a word fits after another of a higher rank («сто» → «двадцать» → «пять»)."""

    UNIT = 1
    TEEN = 2
    TEN = 3
    HUNDRED = 4
    START = 9


@dataclass(frozen=True, slots=True)
class _Word:
    """One piece of a number. ``times`` is 1,000 or 1,000,000 for a multiplier, else 1; ``clock``: half of «10:30»."""

    value: float
    start: int
    end: int
    times: int = 1
    ordinal: bool = False
    spoken: bool = True
    clock: bool = False


_TOKEN = re.compile(
    r"(?P<digits>\d{1,3}(?:[  ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?)(?P<nth>-(?:й|я|е|го|му|м|ом|ю|ую|ая|ой|ый|ое|ти|х|и))?"
    r"|(?P<word>[а-яё]+)",
    re.IGNORECASE,
)
_JOIN = re.compile(r"[\s ]*-?[\s ]*\Z")


def numbers(text: str) -> tuple[Number, ...]:
    """Every number of the text in order. Total: any text is fine."""
    found: list[Number] = []
    run: list[_Word] = []
    for word in _words(text):
        if run and not (_JOIN.match(text, run[-1].end, word.start) and _fits(run, word)):
            found.append(_number(run))
            run = []
        run.append(word)
    if run:
        found.append(_number(run))
    return tuple(found)


def _words(text: str) -> Iterator[_Word]:
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if match["digits"]:
            value = float(re.sub(r"[  ]", "", match["digits"]).replace(",", "."))
            clock = text[end : end + 1] == ":" or text[start - 1 : start] == ":"
            yield _Word(value, start, end, ordinal=bool(match["nth"]), spoken=False, clock=clock)
        elif meaning := _meaning(match["word"].lower().replace("ё", "е")):
            value, times, ordinal = meaning
            yield _Word(value, start, end, times=times, ordinal=ordinal)


@cache
def _meaning(word: str) -> tuple[float, int, bool] | None:
    """(value, times, ordinal) of one word."""
    if word in MULTIPLIERS:
        return 1, MULTIPLIERS[word], False
    value = CARDINALS.get(word, HALVES.get(word))
    if value is not None:
        return value, 1, False
    if word in THIRD:
        return 3, 1, True
    for ending in ORDINAL_ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and stem in ORDINAL_STEMS:
            return ORDINAL_STEMS[stem], 1, True
    return None


def _rank(word: _Word) -> _Rank:
    for limit, rank in ((10, _Rank.UNIT), (20, _Rank.TEEN), (100, _Rank.TEN)):
        if word.value < limit:
            return rank
    return _Rank.HUNDRED


def _fits(run: list[_Word], word: _Word) -> bool:
    """Whether the word continues the number that ``run`` began."""
    last = run[-1]
    if last.ordinal or last.clock or word.clock:
        return False
    if word.times > 1:
        smallest = min((w.times for w in run if w.times > 1), default=10**9)
        return word.times < smallest and last.times == 1 and last.value > 0
    if not word.spoken:
        return last.times > 1 and word.value < last.times and word.value == int(word.value)
    if last.times > 1:
        return 0 < word.value < last.times and word.value == int(word.value)
    return last.spoken and _follows(last, word)


def _follows(last: _Word, word: _Word) -> bool:
    """«двадцать пять», «сто двенадцать», but not «пять двадцать» and not «двадцать двенадцать»."""
    if not word.value or last.value != int(last.value) or word.value != int(word.value):
        return False
    after, before = _rank(word), _rank(last)
    return before > _Rank.TEEN and after < before and not (before is _Rank.TEN and after is _Rank.TEEN)


def _number(run: list[_Word]) -> Number:
    total = group = 0.0
    for word in run:
        if word.times > 1:
            total += (group or 1) * word.times
            group = 0.0
        else:
            group += word.value
    return Number(
        value=total + group,
        start=run[0].start,
        end=run[-1].end,
        spoken=all(w.spoken for w in run),
        ordinal=run[-1].ordinal,
    )
