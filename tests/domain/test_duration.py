"""Lengths of calls and visits."""

from datetime import timedelta

import pytest

from domain.duration import show_duration, show_roughly


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0с"),
        (1, "1с"),
        (59, "59с"),
        (59.9, "59с"),
        (60, "1м"),
        (135, "2м 15с"),
        (3599, "59м 59с"),
        (3600, "1ч"),
        (3659, "1ч"),
        (3720, "1ч 2м"),
        (3779, "1ч 2м"),
        (90_000, "25ч"),
        (-5, "0с"),
    ],
)
def test_shows_the_two_largest_units(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "1 мин"), (10, "10 мин"), (59, "59 мин"), (181, "3 ч"), (47 * 60, "47 ч"), (72 * 60, "3 дн")]
)
def test_shows_roughly_how_long(minutes: int, text: str) -> None:
    assert show_roughly(timedelta(minutes=minutes)) == text
