"""Cheap measures of short stretches of sound: how loud, is it one bare tone, which side speaks."""

from dataclasses import dataclass, field
from operator import mul

from integrations.kit.audio.decode import RATE, Samples

FRAME = 512
"""Samples of one frame (32 ms): what the voice detector takes."""

FRAME_S = FRAME / RATE

_THIN = 8  # every eighth sample is enough to weigh a frame: 64 of them
_QUIET = 20.0  # RMS of 16-bit samples (-64 dB): below it nobody speaks
_ABOVE_FLOOR = 2.0
_FORGET = 1.004  # a floor that was once very low rises by 13 % a second towards what is heard now
_TONE_REST = 0.02


def power(samples: Samples) -> float:
    """Mean square of a frame without its constant part."""
    thin = samples[::_THIN]
    count = len(thin)
    if not count:
        return 0.0
    mean = sum(thin) / count
    squares: int = sum(map(mul, thin, thin))
    return max(squares / count - mean * mean, 0.0)


def is_tone(samples: Samples) -> bool:
    """True for one bare sine, whatever its pitch: ring-back and busy (425 Hz), beeps, hum.

    For a sine x[n-1] + x[n+1] is a fixed multiple of x[n]; what that leaves unexplained is the answer.
    """
    thin = samples[::_THIN]
    before, here, after = thin[:-2], thin[1:-1], thin[2:]
    both = [a + b for a, b in zip(before, after, strict=True)]
    here_here: int = sum(map(mul, here, here))
    both_here: int = sum(map(mul, both, here))
    both_both: int = sum(map(mul, both, both))
    if not here_here or both_both < here_here * 0.01:
        return False
    return both_both - both_here * both_here / here_here < _TONE_REST * both_both


@dataclass(slots=True)
class Floor:
    """The loudness of the line itself, followed from frame to frame; a frame is active when it stands out of it."""

    rms: float = field(default=float("inf"))

    def hear(self, rms: float) -> None:
        self.rms = min(rms, self.rms * _FORGET)

    def stands_out(self, rms: float) -> bool:
        return rms > _QUIET and rms > self.rms * _ABOVE_FLOOR
