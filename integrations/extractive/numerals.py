"""Numbers said in words, in digits or in both: «сто двадцать», «18 тысяч», «двадцать первого»."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.extractive.lexicon import Numerals
from integrations.extractive.words import Token

_DIGITS = re.compile(r"(\d+)-?([а-я]*)$")
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number in tokens [start, end). ``tenths`` is ten times its value: halves stay exact."""

    tenths: int
    start: int
    end: int
    ordinal: bool = False
    scaled: bool = False  # «тысяч» or «миллион» was said

    @property
    def value(self) -> int:
        """Whole units, rounded down."""
        return self.tenths // 10

    @property
    def whole(self) -> bool:
        return self.tenths % 10 == 0


@dataclass(slots=True)
class _Reading:
    """The sum so far. ``room``: only something smaller may follow («сто» leaves 100, «двадцать» leaves 10)."""

    total: int = 0
    group: int = 0
    room: int = 1000
    scale: int = 10**9
    taken: bool = False
    ordinal: bool = False


def number_at(tokens: Sequence[Token], start: int, lex: Numerals) -> Number | None:
    """The longest number that starts at this token; a comma ends it. None when there is none."""
    if not tokens[start].is_number and tokens[start].word not in lex.words:
        return None
    reading = _Reading()
    at = start
    while at < len(tokens) and not (at > start and tokens[at].parted):
        step = _take(reading, tokens, at, lex)
        if step == 0:
            break
        at += step
        if reading.ordinal:
            break
    if not reading.taken:
        return None
    return Number(
        tenths=reading.total + reading.group, start=start, end=at, ordinal=reading.ordinal, scaled=reading.scale < 10**9
    )


def _take(reading: _Reading, tokens: Sequence[Token], at: int, lex: Numerals) -> int:
    """Add the word at ``at`` to the reading; how many tokens it took, 0 when it does not belong."""
    word = tokens[at].word
    if tokens[at].is_number:
        return _take_digits(reading, word)
    if word in lex.multiplier:
        return _take_inverted(reading, tokens, at, lex) or _take_scale(reading, lex.multiplier[word])
    if word in lex.tenths:
        return _take_tenths(reading, lex.tenths[word])
    if word == "с" and reading.group and at + 1 < len(tokens) and tokens[at + 1].word == "половиной":
        reading.group, reading.room = reading.group + 5, 1
        return 2
    value = lex.cardinal.get(word)
    ordinal = value is None
    if value is None:
        value = lex.ordinal.get(word)
    if value is None or not _fits(value, reading.room):
        return 0
    reading.group += value * 10
    reading.room = _room_after(value)
    reading.taken, reading.ordinal = True, ordinal
    return 1


def _fits(value: int, room: int) -> bool:
    """«Двадцать» takes a unit but no teen, «сто» takes both; a nought stands alone."""
    if value >= 100:
        return room == 1000
    return room >= 100 if value >= 10 or value == 0 else room >= 10


def _room_after(value: int) -> int:
    if value >= 100:
        return 100
    return 10 if value >= 20 else 1


def _take_digits(reading: _Reading, word: str) -> int:
    if reading.room != 1000:
        return 0
    compact = re.sub(r"\s", "", word)
    match = _DIGITS.match(compact)
    if match and len(match.group(1)) <= _MAX_DIGITS:
        reading.group, reading.ordinal = int(match.group(1)) * 10, bool(match.group(2))
    elif decimal := _decimal(compact):
        reading.group = decimal
    else:
        return 0
    reading.room, reading.taken = 1, True
    return 1


def _decimal(word: str) -> int | None:
    """«18,5» and «18.000» in tenths; anything else with marks is a time, a date or a version."""
    parts = re.split(r"[.,]", word)
    if ":" in word or len(word) > _MAX_DIGITS:
        return None
    if all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3:
        return int("".join(parts)) * 10
    return int(parts[0]) * 10 + int(parts[1][0]) if len(parts) == 2 else None


def _take_inverted(reading: _Reading, tokens: Sequence[Token], at: int, lex: Numerals) -> int:
    """«Тысяч пять», «тысячи полторы»: about five thousand, not a thousand and five."""
    word = tokens[at].word
    if reading.taken or not word.endswith(("ч", "чи", "ов", "щи")) or at + 1 >= len(tokens) or tokens[at + 1].parted:
        return 0
    after = number_at(tokens, at + 1, lex)
    if after is None or after.ordinal or after.scaled:
        return 0
    scale = lex.multiplier[word]
    reading.total, reading.room, reading.scale, reading.taken = after.tenths * scale, 0, scale, True
    return after.end - at


def _take_scale(reading: _Reading, scale: int) -> int:
    if scale >= reading.scale:
        return 0
    reading.total += (reading.group or 10) * scale
    reading.group, reading.room, reading.scale, reading.taken = 0, 1000, scale, True
    return 1


def _take_tenths(reading: _Reading, tenths: int) -> int:
    if reading.room != 1000:
        return 0
    reading.group, reading.room, reading.taken = tenths, 1, True
    return 1
