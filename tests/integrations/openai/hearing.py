"""An ear for the fake server: finds where in the stereo recording a piece was cut, and says what its script has there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

from integrations.kit.audio.decode import Reader, Samples
from integrations.kit.audio.loudness import FRAME, FRAME_S
from integrations.openai.script import by_sound

_NEAR = 0.9
_CHANNELS = ("operator", "client")


@dataclass
class Ear:
    """Compares loudness over time with both channels; a piece that is no cut of one of them is heard as ``?``."""

    recording: Path
    sha256: str
    heard: list[tuple[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        call = by_sound(self.sha256)
        assert call is not None
        self.script = call.turns
        self.channels = [_loudness(self.recording, channel) for channel in (0, 1)]

    def __call__(self, sound: bytes) -> str:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "piece"
            file.write_bytes(sound)
            piece = _loudness(file, None)
        near, channel, first = max(
            (_alike(piece, whole[at : at + len(piece)]), channel, at)
            for channel, whole in enumerate(self.channels)
            for at in range(max(len(whole) - len(piece), 0) + 1)
        )
        if near < _NEAR:
            return "?"
        start, end = first * FRAME_S, (first + len(piece)) * FRAME_S
        self.heard.append((_CHANNELS[channel], start))
        inside = [turn for turn in self.script if turn["speaker"] == _CHANNELS[channel]]
        return " ".join(turn["text"] for turn in inside if start <= (turn["start"] + turn["end"]) / 2 <= end)


def _loudness(file: Path, channel: int | None) -> list[float]:
    samples: Samples | None = None
    with Reader(file) as reader:
        for block in reader.blocks(channels=1 if channel is None else 2):
            part = block if channel is None else block[channel::2]
            samples = part if samples is None else samples + part
    assert samples is not None
    frames = [samples[at : at + FRAME : 4] for at in range(0, len(samples) - FRAME + 1, FRAME)]
    return [sqrt(sum(s * s for s in frame) / len(frame)) for frame in frames]


def _alike(one: Sequence[float], other: Sequence[float]) -> float:
    together = sum(a * b for a, b in zip(one, other, strict=False))
    weight = sqrt(sum(a * a for a in one) * sum(b * b for b in other))
    return together / weight if weight else 0.0
