"""Turns of two channels by loudness: pauses, clicks, echoes, ringing, noise, and the sound that is cut out."""

from array import array
from math import pi, sin
from pathlib import Path

import pytest

from integrations.kit.audio.decode import RATE, Reader
from integrations.kit.audio.loudness import FRAME_S, power
from integrations.kit.audio.pieces import Span, encode
from integrations.kit.audio.sides import MOST, side_turns, turns_of
from integrations.kit.audio.stereo import SideTrack

LINE, VOICE = 20.0**2, 2000.0**2


def track(seconds: float, left: list[tuple[float, float]], right: list[tuple[float, float]]) -> SideTrack:
    """Channels of a quiet line with voices in the given seconds."""
    made = SideTrack([LINE] * round(seconds / FRAME_S), [LINE] * round(seconds / FRAME_S))
    for side, spoken in ((made.left, left), (made.right, right)):
        for start, end in spoken:
            for at in range(round(start / FRAME_S), round(end / FRAME_S)):
                side[at] = VOICE
    return made


def told(made: SideTrack) -> list[tuple[str, float, float]]:
    return [("left" if t.left else "right", round(t.start, 1), round(t.end, 1)) for t in turns_of(made)]


def test_a_pause_of_breath_is_no_new_turn() -> None:
    assert told(track(10, [(1, 2), (2.6, 3)], [(4, 5), (6, 7)])) == [("left", 1.0, 3.0), ("right", 4.0, 7.0)]


def test_an_interjection_stands_between_the_two_halves() -> None:
    made = track(10, [(1, 2), (3.5, 5)], [(2.2, 3)])
    assert told(made) == [("left", 1.0, 2.0), ("right", 2.2, 3.0), ("left", 3.5, 5.0)]


def test_both_at_once_are_two_turns() -> None:
    assert told(track(10, [(1, 5)], [(3, 4)])) == [("left", 1.0, 5.0), ("right", 3.0, 4.0)]


def test_neighbours_far_apart_or_long_stay_apart() -> None:
    assert len(told(track(30, [(1, 2), (9, 10)], [(20, 21)]))) == 3
    assert len(told(track(130, [(1, 50), (52, 100)], [(120, 121)]))) == 3


def test_a_click_and_an_echo_are_no_turns() -> None:
    made = track(10, [(1, 3), (8, 8.1)], [(5, 6)])
    for at in range(round(1.25 / FRAME_S), round(3.25 / FRAME_S)):
        made.right[at] = VOICE / 100
    assert told(made) == [("left", 1.0, 3.0), ("right", 5.0, 6.0)]


def test_one_side_alone_tells_nothing() -> None:
    assert told(track(10, [(1, 3), (4, 9)], [])) == []
    assert told(SideTrack()) == []


@pytest.mark.parametrize(("pairs", "kept"), [(MOST // 2, MOST), (MOST // 2 + 1, 0)])
def test_turns_without_number_tell_nothing(pairs: int, kept: int) -> None:
    made = track(
        pairs * 4 + 1, [(at * 4, at * 4 + 1) for at in range(pairs)], [(at * 4 + 2, at * 4 + 3) for at in range(pairs)]
    )
    assert len(told(made)) == kept


def test_a_channel_that_never_is_quiet_tells_nothing() -> None:
    made = track(800, [(at, at + 1.5) for at in range(1, 690, 2)], [(2, 3)])
    assert told(made) == []


def write(path: Path, left: list[int], right: list[int]) -> None:
    import wave

    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(array("h", [s for pair in zip(left, right, strict=True) for s in pair]).tobytes())


def tone(seconds: float, pitch: float) -> list[int]:
    return [int(8000 * sin(2 * pi * pitch * at / RATE)) for at in range(round(seconds * RATE))]


def voice(seconds: float) -> list[int]:
    """A buzz with many overtones, which no bare tone is."""
    return [(at * 7919 % 131 - 65) * 60 for at in range(round(seconds * RATE))]


def still(seconds: float) -> list[int]:
    return [0] * round(seconds * RATE)


def test_ringing_is_silence(tmp_path: Path) -> None:
    left = tone(2, 425) + still(1) + voice(1) + still(3)
    right = still(5) + voice(1) + still(1)
    write(tmp_path / "a.wav", left, right)
    turns = side_turns(tmp_path / "a.wav")
    assert [(turn.left, round(turn.start), round(turn.end)) for turn in turns] == [(True, 3, 4), (False, 5, 6)]


def test_a_turn_is_cut_from_its_own_channel(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", voice(3), still(3))
    spoken = [_loud(tmp_path, Span(start=1.0, end=2.0, channel=channel)) for channel in (0, 1)]
    assert spoken[0] > 100 * max(spoken[1], 1)


def _loud(folder: Path, span: Span) -> float:
    assert encode(folder / "a.wav", span, folder / "piece.ogg") == pytest.approx(span.end - span.start, abs=0.15)  # type: ignore[operator]
    with Reader(folder / "piece.ogg") as reader:
        return max(power(block) for block in reader.blocks())
