"""Nouns beside numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plural import Number, counted, plural

CALLS = ("звонок", "звонка", "звонков")


@pytest.mark.parametrize(
    ("number", "form"),
    [
        (0, "звонков"),
        (1, "звонок"),
        (2, "звонка"),
        (4, "звонка"),
        (5, "звонков"),
        (10, "звонков"),
        (11, "звонков"),
        (12, "звонков"),
        (14, "звонков"),
        (15, "звонков"),
        (21, "звонок"),
        (22, "звонка"),
        (25, "звонков"),
        (101, "звонок"),
        (111, "звонков"),
        (1012, "звонков"),
        (-1, "звонок"),
        (-13, "звонков"),
        (1.5, "звонка"),
        (5.5, "звонка"),
        (2.0, "звонка"),
        (Decimal("0.3"), "звонка"),
        (Decimal("5.00"), "звонков"),
    ],
)
def test_chooses_the_form(number: Number, form: str) -> None:
    assert plural(number, *CALLS) == form


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1 звонок"),
        (12_345, "12\u00a0345 звонков"),
        (1_000_002, "1\u00a0000\u00a0002 звонка"),
        (1.5, "1,5 звонка"),
        (Decimal("1234.50"), "1\u00a0234,50 звонка"),
        (2.0, "2 звонка"),
        (-3, "\u22123 звонка"),
    ],
)
def test_writes_number_and_noun(number: Number, text: str) -> None:
    assert counted(number, *CALLS) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_only_the_last_two_digits_decide(number: int) -> None:
    assert plural(number, *CALLS) == plural(number % 100, *CALLS) == plural(-number, *CALLS)
