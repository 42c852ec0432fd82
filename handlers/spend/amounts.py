"""Sums of money as people write them: «40 000,50 ₽», «40к», «1,5 млн руб», «сорок тысяч пятьсот», «12500 р. 50 коп»."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

_NUMBER = r"\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_TIMES = (
    (r"тыс(?:яч\w*)?\.?|тыр|[кk]", 1000),
    (r"млн\.?|миллион\w*", 10**6),
)
_CURRENCIES = (
    (r"₽|руб(?:л[а-я]+)?\.?|р\.?|rub|rur", "RUB"),
    (r"\$|usd|доллар[а-я]*|бакс[а-я]*", "USD"),
    (r"€|eur|евро", "EUR"),
    (r"₸|kzt|тенге", "KZT"),
    (r"byn|бел\.?\s?руб(?:л[а-я]+)?\.?", "BYN"),
)
_SIGNS = {"₽": "RUB", "$": "USD", "€": "EUR", "₸": "KZT"}
_THOUSAND_ROUBLES = r"т\.?\s?р\.?"
_COIN = r"\s*(?P<coins>\d{1,2})\s*(?:коп(?:\.|е\w*)?|цент\w*)"
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?P<sign>[₽$€₸])?\s*(?P<number>-?(?:{_NUMBER}))(?:"
    rf"\s*(?P<thousand>{_THOUSAND_ROUBLES})(?!\w)"
    rf"|(?:\s*(?P<times>{'|'.join(one for one, _ in _TIMES)})(?!\w))?"
    rf"(?:\s*(?P<currency>{'|'.join(one for one, _ in reversed(_CURRENCIES))})(?!\w)(?:{_COIN})?)?)(?![\w%])"
)
MOST_MINOR = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """``minor`` units, None where kopecks have more than two digits, of ``currency``, "" where none is named.

    It stands from ``start`` to ``end``. ``signed``: something beside the number says that it is money.
    """

    minor: int | None
    currency: str
    start: int
    end: int
    signed: bool
    given: str
    factor: int = 1


def find_amounts(text: str, *, signed: bool) -> list[Amount]:
    """Those that say they are money, or every number. ``text`` in lower case, its spaces plain."""
    found: list[Amount] = []
    for one in map(_amount, _AMOUNT.finditer(text)):
        if found and _goes_on(found[-1], one, text):
            found[-1] = _together(found[-1], one)
        else:
            found.append(one)
    return [one for one in found if one.signed or not signed]


def _goes_on(first: Amount, second: Amount, text: str) -> bool:
    """«40 тысяч 500 рублей» is one sum: what follows the thousands is less than one of them, and says that it is money."""
    if first.minor is None or second.minor is None or first.currency or not second.signed:
        return False
    return 0 <= second.minor < first.factor * 100 and first.factor > 1 and not text[first.end : second.start].strip()


def _together(first: Amount, second: Amount) -> Amount:
    return replace(
        second, minor=(first.minor or 0) + (second.minor or 0), start=first.start, signed=True,
        given=f"{first.given} {second.given}",
    )  # fmt: skip


def _amount(found: re.Match[str]) -> Amount:
    thousand, times, currency, sign = (found[name] for name in ("thousand", "times", "currency", "sign"))
    factor = 1000 if thousand else next((by for pattern, by in _TIMES if re.fullmatch(pattern, times or "")), 1)
    code = _SIGNS.get(sign or "", "RUB" if thousand else "")
    code = next((name for pattern, name in _CURRENCIES if re.fullmatch(pattern, currency or "")), code)
    end = found.end() - (len(found[0]) - len(found[0].rstrip()))
    return Amount(
        minor=_minor(found["number"], factor, int(found["coins"] or 0)), currency=code, start=found.start(), end=end,
        signed=any((thousand, times, currency, sign)), given=found[0].strip(), factor=factor,
    )  # fmt: skip


def _minor(number: str, factor: int, coins: int) -> int | None:
    """The last of «.» and «,» parts the kopecks, unless three digits follow each and no noughts stand before."""
    plain = re.sub(r"[ ']", "", number)
    if re.fullmatch(r"-?[1-9]\d{0,2}(?:(?:\.\d{3})+|(?:,\d{3})+)", plain) and factor == 1:
        plain = re.sub(r"[.,]", "", plain)
    last = max(plain.rfind("."), plain.rfind(","))
    if last >= 0:
        plain = f"{re.sub('[.,]', '', plain[:last])}.{plain[last + 1 :]}"
    minor = Decimal(plain) * factor * 100 + coins
    return int(minor) if minor == int(minor) else None


_UNITS = (
    "ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять", "одиннадцать",
    "двенадцать", "тринадцать", "четырнадцать", "пятнадцать", "шестнадцать", "семнадцать", "восемнадцать", "девятнадцать",
)  # fmt: skip
_TENS = ("двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто")
_HUNDREDS = ("сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот")
_WORDS = {word: number for number, word in enumerate(_UNITS)} | {"одна": 1, "одну": 1, "две": 2}
_WORDS |= {word: 10 * number for number, word in enumerate(_TENS, 2)} | {
    word: 100 * n for n, word in enumerate(_HUNDREDS, 1)
}
_MANY = {
    **dict.fromkeys(("тысяча", "тысячу", "тысячи", "тысяч", "тыс"), 1000),
    **dict.fromkeys(("миллион", "миллиона", "миллионов", "млн"), 10**6),
}
_WHOLE = {"полторы": 3, "полтора": 3}  # halves, said before «тысячи» and «миллиона»
_HALVES = {"полтысячи": 500, "полмиллиона": 500_000}
_HALF = re.compile(r"(?<!\w)(пол)\s+(тысячи|миллиона)", re.IGNORECASE)
_NUMBER_WORDS = frozenset({*_WORDS, *_MANY, *_WHOLE, *_HALVES})


def says_thousands(text: str) -> bool:
    """«Сорок тысяч» is money, «два кота» may be a name. ``text`` in lower case."""
    return any(word in _MANY or word in _HALVES for word in re.findall(r"(?<!\d )[а-я]+", text))


def words_as_digits(text: str) -> str:
    """«Сорок тысяч пятьсот руб» as «40500 руб»; what is no number word stays as it is."""
    told: list[str] = []
    run: list[str] = []
    text = _HALF.sub(r"\1\2", text)
    for word in re.findall(r"[а-яё]+|[^а-яё]+", text, re.IGNORECASE):
        said = word.casefold()
        if said in _NUMBER_WORDS or (run and word.isspace()):
            run.append(said)
        else:
            told += [*_number(run), word]
            run = []
    return "".join([*told, *_number(run)])


def _number(run: list[str]) -> list[str]:
    """A run of number words as digits, its spaces at the end kept."""
    words = [word for word in run if not word.isspace()]
    if not words:
        return run
    total, part = 0, Decimal(0)
    for word in words:
        if word in _MANY:
            total += int((part or 1) * _MANY[word])
            part = Decimal(0)
        else:
            part += Decimal(_WHOLE[word]) / 2 if word in _WHOLE else _HALVES.get(word, _WORDS.get(word, 0))
    return [str(total + part), " " if run[-1].isspace() else ""]
