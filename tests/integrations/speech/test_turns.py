"""Words and segments become turns of the right people."""

from domain.calls import Speaker
from integrations.kit.audio.loudness import FRAME_S
from integrations.kit.audio.stereo import SideTrack
from integrations.kit.speech.guards import Heard
from integrations.kit.speech.transcripts import Side, assemble
from integrations.kit.speech.turns import Word, group, label

FRAMES = int(4 / FRAME_S)
TRACK = SideTrack(left=[9.0] * FRAMES + [0.1] * FRAMES, right=[0.1] * FRAMES + [9.0] * FRAMES)
OPERATOR_LEFT = Side(TRACK, Speaker.OPERATOR)


def test_words_are_grouped_by_pause_and_speaker() -> None:
    words = [Word(0, 0.5, " Добрый"), Word(0.6, 1, " день."), Word(2.5, 3, " Слушаю."), Word(4.5, 5, " Алло")]
    turns = group(words, OPERATOR_LEFT.who)
    assert [(t.text, t.speaker) for t in turns] == [
        ("Добрый день.", Speaker.OPERATOR),
        ("Слушаю.", Speaker.OPERATOR),
        ("Алло", Speaker.CLIENT),
    ]


def test_an_unclear_word_stays_with_its_turn() -> None:
    turns = group([Word(0, 1, "раз"), Word(60, 60.1, "два")], OPERATOR_LEFT.who)
    assert [t.speaker for t in turns] == [Speaker.OPERATOR, Speaker.UNKNOWN]
    assert len(group([Word(7.5, 8, "раз"), Word(8.2, 8.3, "два")], OPERATOR_LEFT.who)) == 1


def test_a_shared_segment_is_divided_with_its_punctuation() -> None:
    segment = Heard(start=3, end=5, text="Слушаю вас. Алло, здравствуйте.")
    words = [Word(3, 3.4, "Слушаю"), Word(3.4, 3.8, "вас"), Word(4.1, 4.4, "Алло"), Word(4.4, 4.9, "здравствуйте")]
    assert [(t.text, t.speaker) for t in label([segment], words, OPERATOR_LEFT.who)] == [
        ("Слушаю вас.", Speaker.OPERATOR),
        ("Алло, здравствуйте.", Speaker.CLIENT),
    ]
    shorter = label([segment], words[1:], OPERATOR_LEFT.who)
    assert [t.text for t in shorter] == ["вас", "Алло здравствуйте"]


def test_a_segment_of_one_side_keeps_its_text() -> None:
    segment = Heard(start=5, end=7, text="Алло, да.", label="B")
    (only,) = label([segment], [], Side(TRACK, Speaker.CLIENT).who)
    assert (only.text, only.speaker, only.label) == ("Алло, да.", Speaker.OPERATOR, "B")


def test_a_transcript_of_inventions_is_empty() -> None:
    made = assemble(
        [Heard(start=0, end=4, text="Субтитры сделал DimaTorzok")], timed=True, duration_s=4, language="ru", model="m"
    )
    assert made.empty
    assert not made.timed
    assert made.quality.removed == 1
