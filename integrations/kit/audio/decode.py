"""Reads a recording of any usual kind as small blocks of samples, so that an hour costs no more memory than a second."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.resampler import AudioResampler

Samples: TypeAlias = "array[int]"

RATE = 16_000
"""Samples a second of everything that ``blocks`` gives: what voice detectors and recognisers want."""

BLOCK_S = 0.96

# A recording comes from outside: playlists and scripts that the decoder also knows could name other files.
FORMATS = "mp3,wav,w64,aiff,ogg,mov,mp4,m4a,3gp,flac,matroska,webm,amr,aac,asf,au,gsm"

# A header may claim one sample a second: a small file would then be days of sound, and hold a thread for hours.
_RATES = (4_000, 384_000)


class Unreadable(Exception):
    """The file holds no audio that can be decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """What the container says. ``duration_s`` is 0 where the header does not tell."""

    duration_s: float
    rate: int
    channels: int


class Reader:
    """An open recording, for a ``with`` block. Opening raises Unreadable; afterwards damage only costs its own packets."""

    def __init__(self, path: Path) -> None:
        import av

        self._broken = av.FFmpegError
        try:
            self._container = av.open(str(path), options={"format_whitelist": FORMATS, "protocol_whitelist": "file"})
        except (av.FFmpegError, OSError) as error:
            raise Unreadable(type(error).__name__) from error
        streams = self._container.streams.audio
        if not streams or not _RATES[0] <= (streams[0].rate or 0) <= _RATES[1]:
            self._container.close()
            raise Unreadable("no audio stream")
        self._stream = streams[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def facts(self) -> AudioFacts:
        """From the header; nothing is decoded."""
        stream = self._stream
        if stream.duration and stream.time_base:
            duration = float(stream.duration * stream.time_base)
        else:
            duration = (self._container.duration or 0) / 1_000_000
        return AudioFacts(duration_s=max(duration, 0.0), rate=stream.rate or RATE, channels=stream.codec_context.channels)

    def frames(self, *, start: float = 0.0, end: float | None = None) -> Iterator["AudioFrame"]:
        """Frames as coded, from ``start`` to ``end`` seconds; the cut is exact to one frame (20-100 ms)."""
        if start > 0:
            self._container.seek(int(start * 1_000_000), backward=True)
        for frame in self._decoded():
            at = frame.time or 0.0
            if at + frame.samples / frame.sample_rate <= start:
                continue
            if end is not None and at >= end:
                return
            yield frame

    def blocks(self, *, channels: int = 1, start: float = 0.0, end: float | None = None) -> Iterator[Samples]:
        """Signed 16-bit samples at ``RATE`` in blocks of ``BLOCK_S``; two channels come interleaved."""
        from av.audio.resampler import AudioResampler

        resampler = AudioResampler(format="s16", layout="stereo" if channels == 2 else "mono", rate=RATE)
        size = int(BLOCK_S * RATE) * channels
        held: Samples = array("h")
        for frame in self.frames(start=start, end=end):
            frame.pts = None  # gaps in the time stamps must not become errors: only the order counts here
            held.extend(_resampled(resampler, frame, channels))
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
        held.extend(_resampled(resampler, None, channels))
        if held:
            yield held

    def _decoded(self) -> Iterator["AudioFrame"]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, self._broken):
                return
            try:
                yield from packet.decode()
            except self._broken:
                continue


def _resampled(resampler: "AudioResampler", frame: "AudioFrame | None", channels: int) -> Samples:
    samples: Samples = array("h")
    for out in resampler.resample(frame):
        samples.frombytes(bytes(out.planes[0])[: out.samples * 2 * channels])
    return samples
