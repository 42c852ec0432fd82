"""Sounds made for tests: waves map seconds to 16-bit samples."""

import math
import random
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

Wave = Callable[[float], float]


def write_wav(path: Path, *sides: Wave, seconds: float = 4.0) -> Path:
    """8 kHz PCM with a channel for each side."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sides))
        file.setsampwidth(2)
        file.setframerate(8000)
        times = [i / 8000 for i in range(int(seconds * 8000))]
        file.writeframes(array("h", [_clip(side(t)) for t in times for side in sides]).tobytes())
    return path


def _clip(value: float) -> int:
    return max(-32768, min(32767, int(value)))


def sine(hertz: float, level: float = 8000.0) -> Wave:
    return lambda t: level * math.sin(2 * math.pi * hertz * t)


def noise(level: float, seed: int = 7) -> Wave:
    source = random.Random(seed)
    return lambda _t: source.gauss(0, level)


def mixed(*waves: Wave) -> Wave:
    return lambda t: sum(wave(t) for wave in waves)


def gated(wave: Wave, *, on: float, every: float) -> Wave:
    """Sounds for ``on`` seconds out of ``every``."""
    return lambda t: wave(t) if t % every < on else 0.0


def dtmf(t: float) -> float:
    low, high = (697, 770, 852, 941)[int(t * 4) % 4], (1209, 1336, 1477)[int(t * 4) % 3]
    return sine(low, 4000)(t) + sine(high, 4000)(t) if t * 4 % 1 < 0.5 else 0.0
