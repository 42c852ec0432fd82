"""Times found in speech: «в пятницу до двенадцати часов», «через два дня», «на четверг, на девять утра»."""

from collections.abc import Sequence
from dataclasses import replace

from integrations.extractive.clock import time_at
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.moments import Ahead, Calendar, Day, InMinutes, InMonths, Loose, MonthEnd, Weekday, When
from integrations.extractive.numerals import number_at
from integrations.extractive.words import Token, words_of

_THIS = ("эту", "этот", "этой", "это", "ближайш")
_NEXT = ("следующ", "будущ")
_ENDS = frozenset({"или", "либо"})


def find_times(tokens: Sequence[Token], lex: Lexicon) -> list[When]:
    """All times in order; halves that stand together («завтра, в три часа») are one."""
    phrases = {hit.start: (hit.end, hit.tag) for hit in lex.times.phrases.find(words_of(tokens))}
    found: list[When] = []
    at = 0
    while at < len(tokens):
        when = _atom(tokens, at, lex, phrases)
        if when is None:
            at += 1
            continue
        when = _grow(when, tokens, lex, phrases)
        at = when.end
        if when.firm or _stands_alone(when, tokens, lex):
            found.append(when)
    return found


def _grow(when: When, tokens: Sequence[Token], lex: Lexicon, phrases: dict[int, tuple[int, str]]) -> When:
    while True:
        at = when.end
        doubt = at < len(tokens) and tokens[at].word in _ENDS
        while at < len(tokens) and (tokens[at].word in lex.times.joiners or tokens[at].word in _ENDS) and at < when.end + 3:
            at += 1
        after = _atom(tokens, at, lex, phrases) if at < len(tokens) else None
        joined = after and (_either(when, after) if doubt else _join(when, after))
        if not joined:
            return when
        when = joined


def _either(one: When, other: When) -> When:
    """«Сегодня или завтра»: both are said, no date follows."""
    return replace(one, end=other.end, day=Loose(), hour=None, part="", firm=one.firm or other.firm)


def _join(one: When, other: When) -> When | None:
    """Two neighbouring times as one, None when they are two different ones."""
    if one.hour is not None and other.hour is None and other.day is None and one.prep != "с":
        return None  # «на десять тридцать. Вечером пришлю»: a part of the day stands before its hour, or in «десять вечера»
    day = _joined_day(one, other)
    hours = one.hour is not None and other.hour is not None
    span = hours and one.prep in {"с", "со"} and other.prep in {"до", "по"}
    if (one.day and other.day and day is None) or (hours and not span):
        return None
    source = other if other.hour is not None else one
    return When(
        start=one.start, end=other.end, day=day, hour=source.hour, minute=source.minute,
        part=other.part or one.part, prep=other.prep,
        firm=one.firm or other.firm or span,
    )  # fmt: skip


def _joined_day(one: When, other: When) -> Day | None:
    """A weekday and a date are one day; «со среды на четверг» is Thursday; two other days do not join."""
    if one.day is None or other.day is None:
        return one.day or other.day
    if isinstance(one.day, Weekday) and not isinstance(other.day, Weekday):
        return other.day
    if isinstance(other.day, Weekday) and not isinstance(one.day, Weekday):
        return one.day
    if one.prep in {"с", "со"} and other.prep in {"на", "до", "по"}:
        return other.day
    return None


def _stands_alone(when: When, tokens: Sequence[Token], lex: Lexicon) -> bool:
    """«Перезвоню в три»: a bare number is a time where no counted thing can follow it."""
    if when.prep not in {"в", "к", "до", "после"}:
        return False
    return _is_over(tokens, when.end, lex)


def _atom(tokens: Sequence[Token], at: int, lex: Lexicon, phrases: dict[int, tuple[int, str]]) -> When | None:
    if at in phrases:
        return _phrase(at, *phrases[at])
    word = tokens[at].word
    if not (word in lex.starters or tokens[at].is_number or word.startswith((*_NEXT, "ближайш", "пол"))):
        return None
    return _span(tokens, at, lex) or _day(tokens, at, lex) or time_at(tokens, at, lex) or _part(tokens, at, lex)


def _phrase(start: int, end: int, tag: str) -> When:
    days: dict[str, Day] = {"phrases": Loose(), "today": Ahead(0), "month_end": MonthEnd()}
    if tag in days:
        return When(start=start, end=end, day=days[tag])
    if tag in {"noon", "midnight"}:
        return When(start=start, end=end, hour=12 if tag == "noon" else 24)
    return When(start=start, end=end, part=tag)


def _part(tokens: Sequence[Token], at: int, lex: Lexicon) -> When | None:
    """«Вечером», «к вечеру», «с утра»."""
    start = at
    if tokens[at].word in {"к", "до"} and at + 1 < len(tokens):
        at += 1
    word = tokens[at].word
    part = lex.times.part.get(word)
    if part is None or (word == "дня") or (at == start and word in {"утра", "вечера", "ночи"}):
        return None
    return When(start=start, end=at + 1, part=part, prep=tokens[start].word)


def _day(tokens: Sequence[Token], at: int, lex: Lexicon) -> When | None:
    start = at
    prep = tokens[at].word if tokens[at].word in lex.small["time_preps"] else ""
    at += bool(prep)
    following = False
    if at < len(tokens) and tokens[at].word.startswith((*_THIS, *_NEXT)):
        following = tokens[at].word.startswith(_NEXT)
        at += 1
    if at >= len(tokens):
        return None
    word = tokens[at].word
    if word in lex.times.offset:
        end = at + 2 if word[-2:] in {"го", "ий", "му"} and _word(tokens, at + 1) in {"дня", "день", "дню"} else at + 1
        return When(start=start, end=end, day=Ahead(lex.times.offset[word]), prep=prep)
    if word in lex.times.weekday:
        return When(start=start, end=at + 1, day=Weekday(lex.times.weekday[word], following), prep=prep)
    found = _calendar(tokens, at, lex)
    return When(start=start, end=found[1], day=found[0], prep=prep) if found else None


def _calendar(tokens: Sequence[Token], at: int, lex: Lexicon) -> tuple[Calendar, int] | None:
    """«Двадцать первого ноября», «21 ноября 2026 года», «двадцать первого числа», «21.11»."""
    parts = tokens[at].word.split(".")
    if len(parts) in {2, 3} and all(part.isdecimal() and len(part) in {2, 4} for part in parts):
        day, month, year = (*map(int, parts), 0)[:3]
        return (Calendar(day, month, year), at + 1) if 1 <= day <= 31 and 1 <= month <= 12 and len(parts[0]) == 2 else None
    number = number_at(tokens, at, lex.numerals)
    if number is None or not number.whole or not 1 <= number.value <= 31 or number.scaled:
        return None
    word = _word(tokens, number.end)
    if word in lex.times.month:
        year, end = _year(tokens, number.end + 1, lex)
        return Calendar(number.value, lex.times.month[word], year), end
    if number.ordinal and word in {"числа", "число"}:
        return Calendar(number.value), number.end + 1
    bare = at > 0 and tokens[at - 1].word in {"до", "к", "на"} and tokens[number.end - 1].word.endswith(("го", "му", "ое"))
    return (Calendar(number.value), number.end) if number.ordinal and bare and _is_over(tokens, number.end, lex) else None


def _is_over(tokens: Sequence[Token], at: int, lex: Lexicon) -> bool:
    """«До двадцать третьего» is a date where no noun follows it."""
    if at == len(tokens) or tokens[at].parted:
        return True
    return tokens[at].word in lex.small["after_time"] or tokens[at].word in lex.verbs.forms


def _year(tokens: Sequence[Token], at: int, lex: Lexicon) -> tuple[int, int]:
    number = number_at(tokens, at, lex.numerals) if at < len(tokens) else None
    if number and 2000 <= number.value <= 2100 and _word(tokens, number.end) in {"года", "год"}:
        return number.value, number.end + 1
    return 0, at


def _span(tokens: Sequence[Token], at: int, lex: Lexicon) -> When | None:
    """«Через два дня», «через час», «через полчаса», «в течение часа», «минут через десять»."""
    start, word = at, tokens[at].word
    if word == "через":
        at += 1
    elif word in {"в", "на"} and _word(tokens, at + 1) in {"течение", "течении", "протяжении"}:
        at += 2
    elif word in lex.times.unit and _word(tokens, at + 1) == "через":
        number = number_at(tokens, at + 2, lex.numerals) if at + 2 < len(tokens) else None
        return When(start=start, end=number.end, day=_distance(number.tenths, lex.times.unit[word])) if number else None
    else:
        return None
    return _span_body(tokens, start, at, lex)


def _span_body(tokens: Sequence[Token], start: int, at: int, lex: Lexicon) -> When | None:
    if _word(tokens, at) in {"полчаса", "получаса"}:
        return When(start=start, end=at + 1, day=InMinutes(30))
    number = number_at(tokens, at, lex.numerals) if at < len(tokens) else None
    end = number.end if number else at
    loose = _word(tokens, end) in lex.small["vague_count"]
    end += loose
    unit = lex.times.unit.get(_word(tokens, end))
    if unit is None:
        return None
    return When(start=start, end=end + 1, day=Loose() if loose else _distance(number.tenths if number else 10, unit))


def _distance(tenths: int, unit: str) -> Day:
    minutes = {"minute": 1, "hour": 60}.get(unit)
    if minutes is not None:
        return InMinutes(tenths * minutes // 10)
    if tenths % 10:
        return Loose()
    count = tenths // 10
    return InMonths(count) if unit == "month" else Ahead(count * (7 if unit == "week" else 1))


def _word(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].word if 0 <= at < len(tokens) else ""
