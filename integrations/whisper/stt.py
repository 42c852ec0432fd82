"""Speech to text on our own processor by faster-whisper: one recording at a time, in pieces, off the event loop."""

import asyncio
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from domain.calls import Cost, Speaker, Transcript, VoiceCheck
from domain.errors import VendorRefused
from integrations.kit.audio.decode import RATE, Reader, Samples, Unreadable
from integrations.kit.audio.pieces import Span, cut_at_pauses
from integrations.kit.speech.guards import Heard
from integrations.kit.speech.transcripts import assemble
from integrations.kit.speech.turns import Word, group
from integrations.whisper.settings import MODEL_HINT, VENDOR_NAME, Settings

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from numpy import float32
    from numpy.typing import NDArray

T = TypeVar("T")

PIECE_S = 600.0
"""faster-whisper keeps a whole input as floats: ten minutes are 38 MB."""

_ACTION = "transcribe"
_BEAM = 5  # beam 1 takes half the time for 3-4 points more of wrong words


class WhisperTranscriber:
    """Transcriber. The model is loaded at the first recording and stays (350-600 MB); nothing is paid."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._one = asyncio.Semaphore(1)
        self._loaded: WhisperModel | None = None

    @property
    def model(self) -> str:
        return f"local:{Path(self._settings.model).name}"

    @property
    def paid(self) -> bool:
        return False

    def estimate(self, duration_s: float) -> Cost:
        return Cost(model=self.model, micro_usd=0, units=duration_s, unit="s", estimated=True)

    async def load(self) -> None:
        """Fetches the model into memory. VendorRefused "no_extra" or "no_model", each with its cure."""
        async with self._one:
            await asyncio.to_thread(self._ready)

    async def transcribe(self, audio: Path, check: VoiceCheck, *, name: str, operator_first: bool) -> Transcript:  # noqa: ARG002  (the port's word)
        """VendorRefused "bad_audio", "no_extra", "no_model". A cancelled wait does not stop the piece in work."""
        async with self._one:
            await asyncio.to_thread(self._ready)
            spans = await self._cut(audio, check.duration_s)
            if check.stereo:
                heard = await self._both_sides(audio, spans, operator_first)
            else:
                heard = [h for span in spans for h in await self._piece(audio, span, None)]
        return assemble(
            heard,
            timed=True,
            duration_s=check.duration_s,
            language=self._settings.language,
            model=self.model,
        )

    async def _cut(self, audio: Path, duration_s: float) -> tuple[Span, ...]:
        if 0 < duration_s <= PIECE_S:
            return (Span(start=0.0, end=None),)
        return await self._reading(lambda: cut_at_pauses(audio, PIECE_S))

    async def _both_sides(self, audio: Path, spans: tuple[Span, ...], operator_first: bool) -> list[Heard]:
        """Each channel by itself: a segment would swallow the other side's turns, so words are regrouped at pauses."""
        operator_left = {"left": True, "right": False}.get(self._settings.stereo_operator, operator_first)
        turns: list[Heard] = []
        for side in (0, 1):
            speaker = Speaker.OPERATOR if (side == 0) == operator_left else Speaker.CLIENT
            for span in spans:
                turns += await self._piece(audio, span, side, speaker)
        return sorted(turns, key=lambda turn: turn.start)

    async def _piece(self, audio: Path, span: Span, side: int | None, speaker: Speaker = Speaker.UNKNOWN) -> list[Heard]:
        return await self._reading(lambda: self._recognise(audio, span, side, speaker))

    async def _reading(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except (Unreadable, OSError) as error:
            hint = "Запись не читается: файл повреждён или это не звук. Послушайте её в карточке звонка."
            raise VendorRefused(VENDOR_NAME, _ACTION, "bad_audio", hint=hint) from error

    def _recognise(self, audio: Path, span: Span, side: int | None, speaker: Speaker) -> list[Heard]:
        samples = _samples(audio, span, side)
        segments, _ = self._ready().transcribe(
            _floats(samples),
            language=self._settings.language,
            beam_size=_BEAM,
            vad_filter=True,
            word_timestamps=side is not None,
            condition_on_previous_text=False,  # one loop would feed the next
        )
        heard = list(_heard(segments, side is not None, speaker))
        return [replace(h, start=h.start + span.start, end=h.end + span.start) for h in heard]

    def _ready(self) -> "WhisperModel":
        if self._loaded is None:
            self._loaded = _load(self._settings.model)
        return self._loaded


def _heard(segments: Any, by_words: bool, speaker: Speaker) -> Iterator[Heard]:
    if by_words:
        words = _whole_words(w for segment in segments for w in segment.words or ())
        yield from group(words, lambda _start, _end: speaker)
        return
    for s in segments:
        yield Heard(
            start=float(s.start),
            end=float(s.end),
            text=s.text.strip(),
            no_speech=float(s.no_speech_prob),
            logprob=float(s.avg_logprob),
        )


def _whole_words(parts: Iterable[Any]) -> list[Word]:
    """«что» and «-нибудь» come apart: a part without a space before it belongs to the word before."""
    words: list[Word] = []
    for part in parts:
        if words and not part.word.startswith(" "):
            last = words[-1]
            words[-1] = Word(last.start, float(part.end), last.text + part.word)
        else:
            words.append(Word(float(part.start), float(part.end), part.word.strip()))
    return words


def _samples(audio: Path, span: Span, side: int | None) -> Samples:
    """The piece at 16 kHz, at least a tenth of a second of it; ``side`` 0 or 1 takes one channel."""
    samples: Samples = array("h")
    with Reader(audio) as reader:
        for block in reader.blocks(channels=1 if side is None else 2, start=span.start, end=span.end):
            samples.extend(block if side is None else block[side::2])
    if len(samples) < RATE // 10:
        samples.extend([0] * (RATE // 10))
    return samples


def _floats(samples: Samples) -> "NDArray[float32]":
    """The piece as the engine works on it.

    Given a file, the engine decodes it and then collects the garbage of the whole process, in which time nothing else runs:
    a third of a second a call.
    """
    import numpy as np

    return np.frombuffer(samples, dtype=np.int16).astype(np.float32) / np.float32(32768)


def _load(model: str) -> "WhisperModel":
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        hint = "Распознавание на своём сервере не установлено: pip install 'svodka[local]'."
        raise VendorRefused(VENDOR_NAME, "load", "no_extra", hint=hint) from error
    try:
        return WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)
    except Exception as error:  # the library raises whatever its parts raise: hub, runtime, file errors
        raise VendorRefused(
            VENDOR_NAME, "load", "no_model", hint=f"Модель не открылась; в STT_MODEL {MODEL_HINT}."
        ) from error
