"""Cuts a stereo recording into the turns of its two sides by loudness alone, for recognisers that give no times."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from integrations.kit.audio.loudness import FRAME_S
from integrations.kit.audio.pieces import Span
from integrations.kit.audio.stereo import SideTrack, side_track

MOST = 240
"""Half an hour of lively talk. More are noise rather than turns, and each would be a paid request."""

_HANG_OVER_S = 0.8  # a pause inside a turn
_SHORTEST_S = 0.2  # of sound in a turn: less is a click, and recognisers invent words for it
_LONGEST_S = 600.0  # nobody speaks so long without a breath: a channel of music or noise
_JOINED_S, _JOINED_GAP_S = 60.0, 5.0
_PAD_S = 0.2
_ECHO_FRAMES = int(0.3 / FRAME_S)
_LINE_PART, _LOUD_PART = 0.1, 0.95  # of a side's frames, by loudness
# In power: -64 dB; 6 dB over the line; 30 dB below the speaker is the room; 12 dB below the other side is its echo.
_QUIET, _ABOVE_LINE, _SOFT, _LEAK = 400.0, 4.0, 0.001, 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTurn:
    """One side speaks from ``start`` to ``end``; ``sound_s`` of it is loud."""

    left: bool
    start: float
    end: float
    sound_s: float

    @property
    def span(self) -> Span:
        """What to cut for a recogniser: the turn with a little of the silence around it, from its own channel."""
        return Span(start=max(self.start - _PAD_S, 0.0), end=self.end + _PAD_S, channel=0 if self.left else 1)


def side_turns(audio: Path) -> tuple[SideTurn, ...]:
    """In time order, neighbours of one side joined; empty where the channels do not tell. Decodes once. Unreadable."""
    return turns_of(side_track(audio, tones=False))


def turns_of(track: SideTrack) -> tuple[SideTurn, ...]:
    """See ``side_turns``."""
    found = [*_runs(track.left, track.right, left=True), *_runs(track.right, track.left, left=False)]
    turns = _joined(sorted(found, key=lambda turn: turn.start))
    both = len({turn.left for turn in turns}) == 2
    clear = both and len(turns) <= MOST and all(turn.end - turn.start <= _LONGEST_S for turn in turns)
    return tuple(turns) if clear else ()


def _runs(own: Sequence[float], other: Sequence[float], *, left: bool) -> Iterator[SideTurn]:
    """Stretches of one side that stands out of its own line and is no echo of the other."""
    threshold = _threshold(own)
    turn: SideTurn | None = None
    for at, (power, against) in enumerate(zip(own, _lasting(other), strict=True)):
        if power < threshold or power * _LEAK < against:
            continue
        start, end = at * FRAME_S, (at + 1) * FRAME_S
        if turn is not None and start - turn.end <= _HANG_OVER_S:
            turn = replace(turn, end=end, sound_s=turn.sound_s + FRAME_S)
            continue
        if turn is not None and turn.sound_s >= _SHORTEST_S:
            yield turn
        turn = SideTurn(left=left, start=start, end=end, sound_s=FRAME_S)
    if turn is not None and turn.sound_s >= _SHORTEST_S:
        yield turn


def _lasting(levels: Sequence[float]) -> Iterator[float]:
    """Each frame as loud as the loudest of the last ones: an echo comes late."""
    recent = deque[float](maxlen=_ECHO_FRAMES)
    for level in levels:
        recent.append(level)
        yield max(recent)


def _threshold(own: Sequence[float]) -> float:
    """Over the line, which is heard in the pauses, and not far under the speaker."""
    ranked = sorted(own)
    line, loud = (ranked[int(len(ranked) * part)] if ranked else 0.0 for part in (_LINE_PART, _LOUD_PART))
    return max(_QUIET, line * _ABOVE_LINE, loud * _SOFT)


def _joined(turns: Sequence[SideTurn]) -> list[SideTurn]:
    joined: list[SideTurn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        near = last is not None and turn.start - last.end <= _JOINED_GAP_S and turn.end - last.start <= _JOINED_S
        if last is not None and near and last.left == turn.left:
            joined[-1] = replace(last, end=turn.end, sound_s=last.sound_s + turn.sound_s)
        else:
            joined.append(turn)
    return joined
