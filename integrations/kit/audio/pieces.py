"""Makes a recording fit a recogniser: sends it as it is, or as small mono files cut at pauses."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from integrations.kit.audio.decode import RATE, Reader, Samples
from integrations.kit.audio.loudness import power
from integrations.kit.audio.sniff import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

BIT_RATE = 24_000
"""Bits a second of what we encode: 10.8 MB an hour."""

PIECE_MAX_S = 1200.0

_ENCODER = {"application": "voip", "compression_level": "5"}  # half the time of the default, same size
_STEP_S = 0.25
_SEARCH_S = 60.0
_TAIL_S = 1.5  # a last piece of a moment would be refused as too short
_OVERHEAD = 1.15  # container and the encoder's freedom


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a recogniser takes: bytes of one file, seconds of one file (None: any), mime types."""

    max_bytes: int
    max_seconds: float | None
    mimes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a recording, in seconds; ``end`` None means to the end. ``channel`` 0 or 1: of that side alone."""

    start: float
    end: float | None
    channel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``as_is``: the file goes out unchanged (``mime`` says what it is); else every span is encoded on its own."""

    as_is: bool
    mime: str
    duration_s: float
    spans: tuple[Span, ...]


def plan(audio: Path, limits: Limits) -> Plan:
    """Decides how a recording is sent; decodes it only when it has to be cut. Unreadable."""
    with audio.open("rb") as file:
        mime = sniff(file.read(HEAD_BYTES))
    with Reader(audio) as reader:
        duration = reader.facts.duration_s
    short = limits.max_seconds is None or duration <= limits.max_seconds
    if mime in limits.mimes and short and audio.stat().st_size <= limits.max_bytes:
        return Plan(as_is=True, mime=mime, duration_s=duration, spans=(Span(start=0.0, end=None),))
    if short and duration and duration * BIT_RATE / 8 * _OVERHEAD <= limits.max_bytes:
        return Plan(as_is=False, mime=mime, duration_s=duration, spans=(Span(start=0.0, end=None),))
    longest = min(PIECE_MAX_S, limits.max_seconds or PIECE_MAX_S)
    return Plan(as_is=False, mime=mime, duration_s=duration, spans=cut_at_pauses(audio, longest))


def cut_at_pauses(audio: Path, longest_s: float) -> tuple[Span, ...]:
    """Spans of at most ``longest_s`` that meet in the quietest half second before the limit. Decodes once. Unreadable."""
    levels = _levels(audio)
    cuts = [0.0]
    while len(levels) * _STEP_S - cuts[-1] > longest_s:
        cuts.append(_quietest(levels, cuts[-1], longest_s))
    ends = [*cuts[1:], None]
    return tuple(Span(start=start, end=end) for start, end in zip(cuts, ends, strict=True))


def _levels(audio: Path) -> list[float]:
    step = int(RATE * _STEP_S)
    levels: list[float] = []
    rest: Samples = array("h")
    with Reader(audio) as reader:
        for block in reader.blocks():
            rest.extend(block)
            while len(rest) >= step:
                levels.append(power(rest[:step]))
                rest = rest[step:]
    return levels


def _quietest(levels: list[float], start: float, longest_s: float) -> float:
    """The middle of the quietest half second in the last minute (at most half) of what may still be one piece."""
    last = min(int((start + longest_s) / _STEP_S), len(levels) - int(_TAIL_S / _STEP_S)) - 2
    first = max(last - int(min(_SEARCH_S, longest_s / 2) / _STEP_S), int(start / _STEP_S) + 1)
    best = min(range(first, last + 1), key=lambda at: levels[at] + levels[at + 1])
    return (best + 1) * _STEP_S


def encode(audio: Path, span: Span, into: Path) -> float:
    """Writes the span as 16 kHz mono Opus in Ogg and returns its length in seconds. Unreadable."""
    import av

    with Reader(audio) as reader, av.open(str(into), "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=RATE, layout="mono", options=_ENCODER)
        stream.bit_rate = BIT_RATE
        written = 0
        for frame in _mixed(reader, span) if span.channel is None else _alone(reader, span, span.channel):
            written += _put(out, stream, frame, written)
        out.mux(stream.encode(None))
    return written / RATE


def _mixed(reader: Reader, span: Span) -> Iterator["AudioFrame"]:
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in reader.frames(start=span.start, end=span.end):
        frame.pts = None
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _alone(reader: Reader, span: Span, channel: int) -> Iterator["AudioFrame"]:
    from av import AudioFrame

    for block in reader.blocks(channels=2, start=span.start, end=span.end):
        side = block[channel::2]
        frame = AudioFrame(format="s16", layout="mono", samples=len(side))
        frame.planes[0].update(side.tobytes())
        frame.sample_rate = RATE
        yield frame


def _put(out: "OutputContainer", stream: "AudioStream", frame: "AudioFrame", at: int) -> int:
    """Our own time stamps: those of a damaged source may run backwards, which a muxer refuses."""
    frame.pts = at
    out.mux(stream.encode(frame))
    return frame.samples
