"""Searching lists: what counts as a word, and the nearest spelling of what nobody knows."""

import pytest

from storage.finding import asked, nearest, searchable

STREETS = (searchable("г. Москва, ул. Кибальчича, д. 3, корп. 1"), searchable("Ёлочная улица, 12А"), searchable("Мира 30"))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("ул. Кибальчича, д.3", ("кибальчича", "3")),
        ("КИБАЛЬЧИЧА 3к1", ("кибальчича", "3", "1")),
        ("Ёлочная 12а", ("елочная", "12", "а")),
        ("дом", ("дом",)),
        ("  ,.!% _ ", ()),
        ("3 3 3", ("3",)),
    ],
)
def test_what_addresses_are_full_of_is_not_asked_for(question: str, words: tuple[str, ...]) -> None:
    assert asked(question) == words


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("кибольчича 3", "кибальчича 3"),
        ("кибальчича 99", "кибальчича"),
        ("илочная 12", "елочная 12"),
        ("мира кибальчича", "кибальчича"),
        ("зелинского 4", ""),
        ("777", ""),
    ],
)
def test_the_nearest_spelling_finds_something_or_is_not_offered(question: str, near: str) -> None:
    assert nearest(asked(question), STREETS) == near
