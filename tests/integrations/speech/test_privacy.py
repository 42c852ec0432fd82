"""Private numbers do not leave; other numbers do. All numbers here are made up or published test numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls import Quality, Segment, Transcript
from integrations.kit.speech.privacy import HIDDEN, mask, mask_transcript

CARD = "4111 1111 1111 1111"  # a published test number
CARD_IN_WORDS = "четыре один один один " + "один один один один " * 3


@pytest.mark.parametrize(
    "text",
    [
        f"карта {CARD}, запишите",
        f"карта {CARD.replace(' ', '')}",
        f"карта {CARD.replace(' ', '-')}",
        f"карта {CARD.replace(' ', ', ')}",
        f"номер {CARD_IN_WORDS}всё",
        f"телефон 8 912 345-67-89, карта: {CARD}",
        f"8 912 345-67-89 {CARD}",
        "паспорт 4509 123456 выдан",
        "паспорт 45 09 123456",
        "серия 4509 номер 123456",
        "паспорт четыре пять ноль девять один два три четыре пять шесть",
        "СНИЛС 112-233-445 95",
        "снилс 11223344595",
    ],
)
def test_hidden(text: str) -> None:
    masked = mask(text)
    assert HIDDEN in masked
    assert "1111" not in masked
    assert "123456" not in masked
    assert "один" not in masked
    assert "445" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "8 912 345-67-89, 8 913 345-67-80, 8 914 345-67-81",
        "перезвоните на 8 912 345-67-89 или +7 (495) 123-45-67",
        "договор 2024 от 15 000 до 18 000 рублей",
        "номер заказа 4111111111111112",
        "дом сто пятьдесят девять, квартира двенадцать",
        "паспорт готов, телефон 8 912 345 67 89",
        "0000 0000 0000 0000",
        "",
    ],
)
def test_not_hidden(text: str) -> None:
    assert mask(text) == text


@given(st.text(alphabet="0123456789 -.,\nадин", max_size=80))
def test_lines_stay(text: str) -> None:
    assert mask(text).count("\n") == text.count("\n")


@given(st.integers(2 * 10**14, 7 * 10**14 - 1))
def test_every_card_is_found(body: int) -> None:
    digits = str(body)
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(reversed(digits))]
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
    card = f"{digits}{check}"
    assert card not in mask(f"вот она: {card}.")


def transcript(*texts: str) -> Transcript:
    segments = tuple(Segment(start=float(i), end=i + 1.0, text=text) for i, text in enumerate(texts))
    return Transcript(segments=segments, language="ru", model="m", timed=True, duration_s=9.0, quality=Quality())


def test_a_number_over_several_segments() -> None:
    masked = mask_transcript(transcript("Диктую: 4111 1111", "1111 1111", "записали?"))
    assert [s.text for s in masked.segments] == [f"Диктую: {HIDDEN}", "", "записали?"]
    assert [s.start for s in masked.segments] == [0.0, 1.0, 2.0]


def test_a_transcript_without_such_numbers_is_the_same() -> None:
    made = transcript("Добрый  день", "до свидания")
    assert mask_transcript(made) is not None
    assert [s.text for s in mask_transcript(made).segments] == ["Добрый  день", "до свидания"]
