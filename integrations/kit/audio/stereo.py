"""Two channels: are they really two, and which of them speaks when."""

from dataclasses import dataclass, field
from math import sqrt
from operator import mul
from pathlib import Path

from integrations.kit.audio.decode import Reader, Samples
from integrations.kit.audio.loudness import FRAME, FRAME_S, is_tone, power

_DIFFERENT = 0.1  # RMS(L-R) / RMS(L+R); equal channels give 0, independent speakers about 1
_LOUDER = 4.0  # in power: 6 dB
_SIDE_S = 0.3
_THIN = 8


@dataclass(slots=True)
class SideMeter:
    """Weighs both sides of active frames until it is clear whether two people are on two channels."""

    apart: float = 0.0
    together: float = 0.0
    left_s: float = 0.0
    right_s: float = 0.0

    def hear(self, left: Samples, right: Samples) -> None:
        """One active frame of each side."""
        thin_left, thin_right = left[::_THIN], right[::_THIN]
        cross = sum(map(mul, thin_left, thin_right)) * 2 / max(len(thin_left), 1)
        left_power, right_power = power(left), power(right)
        self.apart += max(left_power + right_power - cross, 0.0)
        self.together += max(left_power + right_power + cross, 0.0)
        self.left_s += FRAME_S * (left_power > right_power * _LOUDER)
        self.right_s += FRAME_S * (right_power > left_power * _LOUDER)

    @property
    def different(self) -> bool:
        return sqrt(self.apart) > _DIFFERENT * sqrt(self.together)

    @property
    def two_people(self) -> bool:
        return self.different and self.left_s >= _SIDE_S and self.right_s >= _SIDE_S


@dataclass(frozen=True, slots=True)
class SideTrack:
    """The loudness of both channels over time: ``left`` and ``right`` hold power per frame of ``FRAME_S`` seconds."""

    left: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)

    def is_left(self, start: float, end: float) -> bool | None:
        """Which side is louder between two seconds; None when neither clearly is."""
        first = max(int(start / FRAME_S), 0)
        last = max(int(end / FRAME_S), first + 1)
        left, right = sum(self.left[first:last]), sum(self.right[first:last])
        if max(left, right) <= 0 or (left < right * 1.5 and right < left * 1.5):
            return None
        return left > right


def side_track(path: Path, *, tones: bool = True) -> SideTrack:
    """Decodes the whole recording once (about 0.7 ms a second) and weighs both channels. Unreadable.

    ``tones`` False: a frame of one bare tone, the ringing before a conversation, counts as silence.
    """
    weigh = power if tones else _speech_power
    track = SideTrack()
    with Reader(path) as reader:
        for block in reader.blocks(channels=2):
            for at in range(0, len(block) - 2 * FRAME + 1, 2 * FRAME):
                track.left.append(weigh(block[at : at + 2 * FRAME : 2]))
                track.right.append(weigh(block[at + 1 : at + 2 * FRAME : 2]))
    return track


def _speech_power(samples: Samples) -> float:
    return 0.0 if is_tone(samples) else power(samples)
