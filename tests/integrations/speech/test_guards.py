"""What recognisers invent is dropped, and what people say stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls import Speaker
from integrations.kit.speech.guards import Heard, clean, measure


def heard(text: str, start: float = 0.0, end: float = 5.0, **more: float) -> Heard:
    return Heard(start=start, end=end, text=text, **more)  # type: ignore[arg-type]


def texts(*items: Heard) -> tuple[list[str], int]:
    segments, removed = clean(items)
    return [s.text for s in segments], removed


@pytest.mark.parametrize(
    "text",
    [
        "Редактор субтитров А.Синецкая Корректор А.Егорова",
        "Субтитры сделал DimaTorzok",
        "Субтитры создавал DimaTorzok",
        "Субтитры подготовил DimaTorzok.",
        "Продолжение следует...",
        "Спасибо за просмотр!",
        "Подписывайтесь на канал",
        "ТЕЛЕФОННЫЙ ЗВОНОК",
    ],
)
def test_invented_over_silence(text: str) -> None:
    assert texts(heard(text)) == ([], texts(heard(text))[1])
    assert texts(heard(text))[1] >= 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Хорошо, до свидания. Субтитры сделал DimaTorzok", "Хорошо, до свидания."),
        ("Редактор субтитров А.Синецкая Корректор А.Егорова Алло, слушаю вас", "Алло, слушаю вас"),
    ],
)
def test_credits_are_cut_out_of_real_speech(text: str, left: str) -> None:
    assert texts(heard(text))[0] == [left]


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо за просмотр квартиры, мы подумаем.",
        "Телефонный звонок был вчера.",
        "Подписывайтесь на канал поставок, так быстрее.",
        "Мне нужен редактор и корректор.",
        "Сделайте субтитры к ролику, пожалуйста.",
    ],
)
def test_ordinary_speech_stays(text: str) -> None:
    assert texts(heard(text)) == ([text], 0)


def test_a_loop_keeps_one() -> None:
    assert texts(*(heard("Угу.", i, i + 1) for i in range(5)), heard("Да.", 6, 7)) == (["Угу.", "Да."], 4)
    assert texts(heard("Да.", 0, 1), heard("Да.", 1, 2)) == (["Да.", "Да."], 0)
    assert texts(heard("Алло. Спасибо. Спасибо. Спасибо. Пока.", 0, 9)) == (["Алло. Спасибо. Пока."], 2)


def test_faster_than_speech() -> None:
    assert texts(heard("Это никто не мог бы сказать за одну секунду, даже диктор", 0, 1)) == ([], 1)
    assert texts(heard("Да.", 0, 0.05)) == (["Да."], 0)


@pytest.mark.parametrize(
    ("no_speech", "logprob", "kept"), [(0.9, -1.5, False), (0.9, -0.3, True), (0.1, -1.5, True), (0.6, -1.5, True)]
)
def test_the_models_own_doubt(no_speech: float, logprob: float, kept: bool) -> None:
    assert bool(texts(heard("Алло, кто это", no_speech=no_speech, logprob=logprob))[0]) is kept


def test_empty_segments_vanish() -> None:
    assert texts(heard("  "), heard("...")) == ([], 1)


def test_speaker_and_label_stay() -> None:
    (segment,), _ = clean([Heard(start=1, end=2, text="Да", speaker=Speaker.CLIENT, label="B")])
    assert (segment.start, segment.end, segment.speaker, segment.label) == (1, 2, Speaker.CLIENT, "B")


@given(st.lists(st.text(max_size=60), max_size=8))
def test_total(lines: list[str]) -> None:
    segments, removed = clean([heard(line, i, i + 1) for i, line in enumerate(lines)])
    assert all(segment.text.strip() for segment in segments)
    assert removed >= 0


def test_measures() -> None:
    segments, _ = clean([heard("один два три четыре пять " * 4, 0, 10), heard("шесть", 15, 20)])
    quality = measure(segments, duration_s=30, timed=True, language="ru", removed=0)
    assert quality.speech_share == pytest.approx(0.5)
    assert quality.words_per_minute == pytest.approx(84.0)
    assert not quality.doubtful


@pytest.mark.parametrize(
    ("words", "seconds", "removed", "doubtful"), [(40, 60, 0, False), (40, 5, 0, True), (16, 60, 0, True), (40, 60, 5, True)]
)
def test_doubt(words: int, seconds: float, removed: int, doubtful: bool) -> None:
    segments, _ = clean([heard(" ".join(f"слово{i}" for i in range(words)), 0, 60)])
    quality = measure(
        [type(s)(start=0, end=seconds, text=s.text) for s in segments],
        duration_s=60,
        timed=True,
        language="ru",
        removed=removed,
    )
    assert quality.doubtful is doubtful


def test_without_times_and_without_length() -> None:
    segments, _ = clean([heard("раз два", 0, 60)])
    assert measure(segments, duration_s=60, timed=False, language="", removed=0).words_per_minute == 2.0
    assert measure([], duration_s=0, timed=True, language="", removed=0).words_per_minute == 0.0
