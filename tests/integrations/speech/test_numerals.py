"""Russian numbers: every value there and back, cases, ordinals, and how they stand in a sentence."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.kit.speech.numerals import numbers

UNITS = ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"]
TEENS = [
    "десять",
    "одиннадцать",
    "двенадцать",
    "тринадцать",
    "четырнадцать",
    "пятнадцать",
    "шестнадцать",
    "семнадцать",
    "восемнадцать",
    "девятнадцать",
]
TENS = ["двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"]
HUNDREDS = ["сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот"]
ORDINALS = {
    **dict(
        zip(
            UNITS,
            [
                "нулевого",
                "первого",
                "второго",
                "третьего",
                "четвёртого",
                "пятого",
                "шестого",
                "седьмого",
                "восьмого",
                "девятого",
            ],
            strict=True,
        )
    ),
    **{word: word.removesuffix("ь") + "ого" for word in (*TEENS, "двадцать", "тридцать")},
    "сорок": "сорокового",
    **{w: w.replace("ьдесят", "идесятого") for w in TENS[3:7]},
    "восемьдесят": "восьмидесятого",
    "девяносто": "девяностого",
    "сто": "сотого",
}


def below_thousand(n: int, *, feminine: bool = False) -> list[str]:
    words = [HUNDREDS[n // 100 - 1]] if n >= 100 else []
    n %= 100
    if 10 <= n < 20:
        return [*words, TEENS[n - 10]]
    if n >= 20:
        words.append(TENS[n // 10 - 2])
        n %= 10
    if n:
        words.append({1: "одна", 2: "две"}.get(n, UNITS[n]) if feminine else UNITS[n])
    return words


def spell(n: int) -> str:
    if n == 0:
        return "ноль"
    thousands, rest = divmod(n, 1000)
    words = [*below_thousand(thousands, feminine=True), "тысяч"] if thousands else []
    return " ".join(words + below_thousand(rest))


def values(text: str) -> list[float]:
    return [number.value for number in numbers(text)]


@given(st.integers(0, 999_999))
def test_every_number_comes_back(n: int) -> None:
    (found,) = numbers(f"итого {spell(n)} рублей")
    assert found.value == n
    assert found.spoken
    assert f"итого {spell(n)} рублей"[found.start : found.end] == spell(n)


@given(st.integers(0, 999_999))
def test_digits_come_back(n: int) -> None:
    assert values(f"итого {n} рублей") == values(f"{n:,}".replace(",", " ")) == [n]


@given(st.integers(1, 99_999))
def test_ordinals_come_back(n: int) -> None:
    words = spell(n).split()
    if words[-1] not in ORDINALS:
        return
    (found,) = numbers(" ".join([*words[:-1], ORDINALS[words[-1]]]))
    assert (found.value, found.ordinal) == (n, True)


@given(st.text(max_size=200))
def test_total(text: str) -> None:
    found = numbers(text)
    assert all(0 <= n.start < n.end <= len(text) for n in found)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("в понедельник, пятого октября", [5]),
        ("Восемнадцать тысяч рублей", [18000]),
        ("дом сто пятьдесят девять", [159]),
        ("договорились, в четверг в три часа", [3]),
        ("двадцать первого ноября две тысячи двадцать шестого", [21, 2026]),
        ("около двухсот пятидесяти", [250]),
        ("двумястами пятьюдесятью тысячами", [250000]),
        ("к трём часам, до семнадцати", [3, 17]),
        ("18 тысяч, 18 тыс., 1,5 тысячи, 2 тысячи 300", [18000, 18000, 1500, 2300]),
        ("полторы тысячи или полтора миллиона", [1500, 1_500_000]),
        ("тысяча двести", [1200]),
        ("2 миллиона 300 тысяч 15", [2_300_015]),
        ("десять тридцать", [10, 30]),
        ("пять двадцать", [5, 20]),
        ("двадцать, пять", [20, 5]),
        ("двадцать двенадцать", [20, 12]),
        ("первого второго", [1, 2]),
        ("восемь девятьсот двенадцать триста сорок пять", [8, 912, 345]),
        ("10:30, 5-го, №7", [10, 30, 5, 7]),
        ("3 000 000 руб.", [3_000_000]),
        ("двое из четверых", [2, 4]),
        ("третью неделю, третий этаж", [3, 3]),
        ("тысяча тысяч", [1000, 1000]),
        ("опять стать семью пол", []),
        ("ноль пять", [0, 5]),
        ("полтора пять", [1.5, 5]),
    ],
)
def test_in_a_sentence(text: str, expected: list[float]) -> None:
    assert values(text) == expected
