"""Spoken numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.extractive.lexicon import load_lexicon
from integrations.extractive.numerals import Number, number_at
from integrations.extractive.words import tokenise

UNIT_TEXT = """
ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать
пятнадцать шестнадцать семнадцать восемнадцать девятнадцать
"""
UNITS = UNIT_TEXT.split()
TENS = ["", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"]
HUNDREDS = ["", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот"]


def spelt(value: int) -> str:
    """A number below a million as a person says it; genders and cases do not matter here."""
    if value >= 1000:
        tail = f" {spelt(value % 1000)}" if value % 1000 else ""
        return f"{spelt(value // 1000)} тысяч{tail}"
    words = [HUNDREDS[value // 100]]
    rest = value % 100
    words += [TENS[rest // 10], UNITS[rest % 10] if rest % 10 else ""] if rest >= 20 else [UNITS[rest] if rest else ""]
    return " ".join(word for word in words if word) or UNITS[0]


def read(text: str) -> Number | None:
    return number_at(tokenise(text), 0, load_lexicon().numerals)


@given(st.integers(0, 999_999))
def test_what_is_spelt_is_read(value: int) -> None:
    number = read(spelt(value) + " рублей")
    assert number is not None
    assert (number.value, number.whole, number.ordinal) == (value, True, False)


@given(st.integers(0, 999_999))
def test_digits_are_read_with_and_without_spaces(value: int) -> None:
    plain, grouped = read(str(value)), read(f"{value:,}".replace(",", " "))
    assert plain is not None
    assert grouped is not None
    assert plain.value == grouped.value == value


@pytest.mark.parametrize(
    ("text", "tenths", "words"),
    [
        ("две с половиной тысячи", 25_000, 4),
        ("полтора миллиона", 15_000_000, 2),
        ("полторы тысячи", 15_000, 2),
        ("полмиллиона рублей", 5_000_000, 1),
        ("тысяча двести", 12_000, 2),
        ("тысяч пять", 50_000, 2),
        ("тысячи полторы", 15_000, 2),
        ("18,5 тысяч", 185_000, 2),
        ("18.000", 180_000, 1),
        ("18 000 руб", 180_000, 1),
        ("пятнадцать тридцать", 150, 1),
        ("двадцать, пять", 200, 1),
        ("тысяча, двести", 10_000, 1),
        ("сто двадцать", 1200, 2),
        ("пять двадцать", 50, 1),
        ("шести", 60, 1),
        ("два миллиона триста тысяч", 23_000_000, 4),
        ("тысяча миллион", 10_000, 1),
        ("пять с половиной", 55, 3),
        ("пять с сыром", 50, 1),
    ],
)
def test_compound_numbers(text: str, tenths: int, words: int) -> None:
    number = read(text)
    assert number is not None
    assert (number.tenths, number.end) == (tenths, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [("двадцать первого ноября", 21), ("третий подъезд", 3), ("21-го", 21), ("2-й", 2), ("сотый", 100), ("пятидесятая", 50)],
)
def test_ordinals(text: str, value: int) -> None:
    number = read(text)
    assert number is not None
    assert (number.value, number.ordinal) == (value, True)


@pytest.mark.parametrize("text", ["рублей", "семью", "15:30", "1.2.3.4", "1234567890123", "12345.1234567", "²"])
def test_no_number(text: str) -> None:
    assert read(text) is None


def test_a_half_is_not_whole() -> None:
    number = read("полтора")
    assert number is not None
    assert not number.whole
    assert number.value == 1
