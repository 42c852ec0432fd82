"""Money and percents that were named, in words or digits."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.calls import Amount
from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.numerals import Number, number_at
from integrations.extractive.words import Token, slice_text, squeeze

_PER = frozenset({"за", "в"})
_PER_UNIT = (
    "метр",
    "квадрат",
    "час",
    "месяц",
    "день",
    "год",
    "штук",
    "шт",
    "человек",
    "кв",
    "раз",
    "сутки",
    "кг",
    "литр",
    "урок",
    "кубометр",
)
_LINKS = frozenset({"в", "за", "с", "и", "или", "без", "плюс"})
_LIMITS = frozenset({"до", "от", "за", "около", "примерно", "пределах"})
_CUE_REACH = 4
_SMALLEST_BARE = 100  # «стоит 1500» is money, «стоит 2» is anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """An amount or a percent (``rub`` None) in tokens [start, end) of clause ``index``."""

    index: int
    rub: int | None
    start: int
    end: int


def find_sums(clauses: Sequence[Clause], lex: Lexicon) -> list[Sum]:
    """All sums and percents in the order they were said."""
    sums: list[Sum] = []
    for index, clause in enumerate(clauses):
        before = clauses[index - 1] if index else None
        primed = before is not None and before.has("price")
        sums += _in_clause(clause, index, lex, primed=primed)
    return sums


def amounts_of(sums: Sequence[Sum], clauses: Sequence[Clause]) -> tuple[Amount, ...]:
    """Roubles only; one that is named twice is listed once."""
    unique: dict[int, Sum] = {}
    for found in sums:
        if found.rub is not None:
            unique.setdefault(found.rub, found)
    return tuple(
        Amount(value_rub=rub, text=_text(clauses[found.index], found), evidence=clauses[found.index].evidence())
        for rub, found in unique.items()
    )


def _text(clause: Clause, found: Sum) -> str:
    return squeeze(slice_text(clause.text, clause.tokens, found.start, found.end))


def _in_clause(clause: Clause, index: int, lex: Lexicon, *, primed: bool) -> list[Sum]:
    tokens = clause.tokens
    prices = [hit.end for hit in clause.hits if hit.tag == "price"]
    counted = {hit.start for hit in clause.hits if hit.tag == "counted"}
    found: list[Sum] = []
    at = 0
    while at < len(tokens):
        number = number_at(tokens, at, lex.numerals)
        if number is None:
            at += 1
            continue
        at = number.end
        if number.ordinal or number.tenths == 0:
            continue
        if spoken := _shortened(tokens, number, lex, priced=bool(prices) or primed):
            number, at = spoken, spoken.end
        if at < len(tokens) and tokens[at].word in lex.money.percent:
            found.append(Sum(index=index, rub=None, start=_from(tokens, number, lex), end=at + 1))
        elif (money := _money(tokens, number, lex)) or _is_price(tokens, number, prices, counted, primed=primed):
            rub, end = money or (number.value, number.end)
            found.append(Sum(index=index, rub=rub, start=_from(tokens, number, lex), end=_per(tokens, end)))
            at = max(at, end)
    return found


def _shortened(tokens: Sequence[Token], number: Number, lex: Lexicon, *, priced: bool) -> Number | None:
    """«Две девятьсот», «пять пятьсот»: how people say thousands of roubles."""
    if number.scaled or number.value > 99 or not number.whole or number.end >= len(tokens) or tokens[number.end].parted:
        return None
    rest = number_at(tokens, number.end, lex.numerals)
    if rest is None or rest.ordinal or rest.scaled or not 100 <= rest.value <= 999 or tokens[number.end].is_number:
        return None
    paid = rest.end < len(tokens) and tokens[rest.end].word in lex.money.currency
    for_it = number.start > 0 and tokens[number.start - 1].word == "за"
    if not (priced or paid or for_it):
        return None
    return Number(tenths=(number.value * 1000 + rest.value) * 10, start=number.start, end=rest.end, scaled=True)


def _money(tokens: Sequence[Token], number: Number, lex: Lexicon) -> tuple[int, int] | None:
    """(roubles, end) where a currency follows; «18 т.р.» are thousands."""
    end = number.end
    if end + 1 < len(tokens) and tokens[end].word == "т" and tokens[end + 1].word in {"р", "руб"}:
        return number.tenths * 100, end + 2
    if end < len(tokens) and tokens[end].word in lex.money.currency:
        return (number.tenths * 100 if tokens[end].word == "тыр" else number.value), end + 1
    return None


def _is_price(tokens: Sequence[Token], number: Number, prices: Sequence[int], counted: set[int], *, primed: bool) -> bool:
    """«Предложила пятнадцать тысяч», «стоит 1500»: no currency, but a word of price and nothing counted."""
    apart = number.start == 0 or tokens[number.start].parted or tokens[number.start - 1].parted
    if counted & ({number.end} if apart else {number.end, number.start - 1, number.start - 2}):
        return False
    last = number.end == len(tokens) or tokens[number.end].parted
    after = "" if last else tokens[number.end].word
    before = tokens[number.start - 1].word if number.start else ""
    if number.scaled and (after in _LINKS or before in _LIMITS):
        return True
    if number.scaled:
        return primed or last or any(abs(number.start - end) <= 2 * _CUE_REACH for end in prices)
    near = any(0 <= number.start - end <= _CUE_REACH for end in prices)
    return near and last and number.value >= _SMALLEST_BARE


def _from(tokens: Sequence[Token], number: Number, lex: Lexicon) -> int:
    """«От двух до пяти тысяч», «две-три тысячи», «до десяти процентов»: the smaller end belongs to the words."""
    start = number.start
    bound = start > 0 and tokens[start - 1].word in {"до", "по", "или"} and not tokens[start].parted
    for at in range(max(0, start - 4), start):
        before = number_at(tokens, at, lex.numerals)
        if before and not before.ordinal and before.tenths and before.end == (start - 1 if bound else start):
            return at - 1 if bound and at and tokens[at - 1].word in {"от", "с"} else at
    return start


def _per(tokens: Sequence[Token], end: int) -> int:
    """«… за метр», «… в месяц» stays with the sum."""
    if end + 1 < len(tokens) and tokens[end].word in _PER and tokens[end + 1].word.startswith(_PER_UNIT):
        return end + 2
    return end
