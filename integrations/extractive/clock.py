"""Hours in speech: «в три часа», «до шести вечера», «в половине третьего», «с двух до четырёх», «к 15:30»."""

import re
from collections.abc import Sequence

from integrations.extractive.lexicon import Lexicon
from integrations.extractive.moments import When
from integrations.extractive.numerals import Number, number_at
from integrations.extractive.words import Token

_PREPS = frozenset(["в", "во", "к", "ко", "до", "с", "со", "по", "после", "на", "около"])
_HOURS = frozenset(["час", "часа", "часов", "часам", "часу", "ч"])
_DIGITAL = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)")
_PARTS = {"утра": "morning", "дня": "day", "вечера": "evening", "ночи": "night"}


def time_at(tokens: Sequence[Token], at: int, lex: Lexicon) -> When | None:
    """A time of the day that starts at this token, its preposition included; hours as said."""
    start = at
    prep = tokens[at].word if tokens[at].word in _PREPS else ""
    at += bool(prep)
    if at >= len(tokens):
        return None
    return (
        _digital(tokens, start, at, prep)
        or _half(tokens, start, at, prep, lex)
        or _before(tokens, start, at, prep, lex)
        or _one(tokens, start, at, prep)
        or _spoken(tokens, start, at, prep, lex)
    )


def _digital(tokens: Sequence[Token], start: int, at: int, prep: str) -> When | None:
    """«15:30»; with a dot only after a preposition, because «15.30» may be a price."""
    word = tokens[at].word
    match = _DIGITAL.fullmatch(word)
    if match is None or ("." in word and not prep):
        return None
    return _when(tokens, start, at + 1, prep, (int(match.group(1)), int(match.group(2))))


def _half(tokens: Sequence[Token], start: int, at: int, prep: str, lex: Lexicon) -> When | None:
    """«В половине третьего», «в пол третьего», «в полтретьего» = 2:30."""
    word = tokens[at].word
    if word in {"половине", "половину", "половины", "пол"} and at + 1 < len(tokens):
        hour, end = lex.numerals.ordinal.get(tokens[at + 1].word), at + 2
    elif word.startswith("пол"):
        hour, end = lex.numerals.ordinal.get(word[3:]), at + 1
    else:
        return None
    return _when(tokens, start, end, prep, (hour - 1, 30)) if hour and hour <= 12 else None


def _before(tokens: Sequence[Token], start: int, at: int, prep: str, lex: Lexicon) -> When | None:
    """«Без четверти пять», «без десяти минут пять»."""
    if tokens[at].word != "без" or at + 1 >= len(tokens):
        return None
    at += 1
    less = 15 if tokens[at].word == "четверти" else None
    number = number_at(tokens, at, lex.numerals)
    if less is None and number is None:
        return None
    end = number.end if number else at + 1
    minutes = less or (number.value if number else 0)
    end += end < len(tokens) and tokens[end].word == "минут"
    hour = number_at(tokens, end, lex.numerals) if end < len(tokens) else None
    if hour is None or not 1 <= hour.value <= 24 or not 1 <= minutes <= 30:
        return None
    return _when(tokens, start, hour.end, prep, (hour.value - 1, 60 - minutes))


def _one(tokens: Sequence[Token], start: int, at: int, prep: str) -> When | None:
    """«В час дня», «до часу»: an hour with no number is one o'clock."""
    if tokens[at].word not in {"час", "часу", "часа"} or prep not in {"в", "к", "до", "после", "с", "на"}:
        return None
    when = _when(tokens, start, at + 1, prep, (1, 0))
    return when if when.part or (prep in {"до", "к"} and tokens[at].word in {"часу", "часа"}) else None


def _spoken(tokens: Sequence[Token], start: int, at: int, prep: str, lex: Lexicon) -> When | None:
    hour = number_at(tokens, at, lex.numerals)
    if hour is None or hour.ordinal or hour.scaled or not hour.whole or not 0 <= hour.value <= 24:
        return None
    end = hour.end
    named = end < len(tokens) and tokens[end].word in _HOURS
    end += named
    minute = _minutes(tokens, end, lex, hour)
    if minute:
        end = minute.end + (minute.end < len(tokens) and tokens[minute.end].word == "минут")
    elif end < len(tokens) and tokens[end].word == "ровно":
        end += 1
    when = _when(tokens, start, end, prep, (hour.value, minute.value if minute else 0))
    firm = bool(prep) and (named or minute is not None or bool(when.part)) and prep != "на"
    firm = firm or (bool(when.part) and when.part != "day")
    if not prep and not firm:
        return None
    return When(start=start, end=when.end, hour=when.hour, minute=when.minute, part=when.part, prep=prep, firm=firm)


def _minutes(tokens: Sequence[Token], at: int, lex: Lexicon, hour: Number) -> Number | None:
    """«Пятнадцать тридцать», «пятнадцать ноль ноль»; two small numbers are something else."""
    number = number_at(tokens, at, lex.numerals) if at < len(tokens) and not tokens[at].parted else None
    if number is None or number.ordinal or number.scaled or not 0 <= number.value <= 59 or hour.value > 23:
        return None
    if number.value == 0 and number.end < len(tokens):
        second = number_at(tokens, number.end, lex.numerals)
        return Number(tenths=second.tenths, start=at, end=second.end) if second and second.value <= 9 else None
    return number if number.value >= 10 and number.value % 5 == 0 else None


def _when(tokens: Sequence[Token], start: int, end: int, prep: str, time: tuple[int, int]) -> When:
    """``time`` is hour and minute; a part of the day right after it belongs to it."""
    part = _PARTS.get(tokens[end].word, "") if end < len(tokens) and time[0] <= 12 else ""
    return When(start=start, end=end + bool(part), hour=time[0], minute=time[1], part=part, prep=prep)
