"""Speech to text by an OpenAI-compatible server: one request for a usual call, pieces for a long one or for its turns."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from domain.calls import Cost, Speaker, Transcript, VoiceCheck
from integrations.kit.audio.decode import Unreadable
from integrations.kit.audio.off_loop import RunCpu, off_loop
from integrations.kit.audio.pieces import Limits, Plan, Span, encode, plan
from integrations.kit.audio.sides import SideTurn, side_turns
from integrations.kit.audio.sniff import extension_for
from integrations.kit.audio.stereo import SideTrack, side_track
from integrations.kit.speech.guards import Heard
from integrations.kit.speech.transcripts import Side, assemble
from integrations.openai.answers import Reply, read_reply
from integrations.openai.faults import BadRequest, bad_answer, refused
from integrations.openai.models import SpeechModel, Way, speech_model
from integrations.openai.settings import SpeechSettings
from integrations.openai.wire import Wire

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_ACTION = "transcribe"
_MIMES = frozenset(("audio/mpeg", "audio/wav", "audio/ogg", "audio/mp4", "audio/flac", "audio/webm"))
_SAME_TYPE = {"mp3": {"mpga", "mpeg"}, "ogg": {"oga", "opus"}, "m4a": {"mp4"}}
_OWN_FAULTS = {"bad_audio", "too_large", "too_long"}
_REMEMBERED_PIECES = 2048
_AT_ONCE = 4
"""Turns of one recording that are asked about at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What came back for a part of a recording that starts at ``offset`` seconds."""

    offset: float
    duration_s: float
    reply: Reply
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """How a file goes out: from which way on, and whether an answer without times is of no use."""

    file_name: str
    mime: str
    way: int
    need_times: bool


class _NoTimes(Exception):
    """The server refuses every way that gives times; ``way`` is the next one. Nothing was paid."""

    def __init__(self, way: int) -> None:
        super().__init__()
        self.way = way


class OpenAITranscriber:
    """Transcriber over /audio/transcriptions. The richest way of asking that the server accepts is remembered."""

    def __init__(self, settings: SpeechSettings, model: str, run_cpu: RunCpu, work_dir: Path) -> None:
        self._settings = settings
        self._row: SpeechModel = speech_model(model)
        self._name = model
        self._wire = Wire(settings.route)
        self._run_cpu = run_cpu
        self._work_dir = work_dir
        self._way = 0
        self._mute = False  # it took a way with times and gave none
        self._paid: dict[tuple[str, int, Span], _Piece] = {}

    @property
    def model(self) -> str:
        return self._name

    @property
    def paid(self) -> bool:
        return True

    def estimate(self, duration_s: float) -> Cost:
        micro = math.ceil(duration_s / 60 * self._row.per_minute)
        return Cost(model=self._name, micro_usd=micro, units=duration_s, unit="s", estimated=True)

    async def close(self) -> None:
        await self._wire.close()

    async def transcribe(self, audio: Path, check: VoiceCheck, *, name: str, operator_first: bool) -> Transcript:
        """One request, or one for each piece of a long recording; speakers where channels or the model tell them.

        Two channels and no times: one request for each turn, which tell the speakers as well.
        """
        made = await self._plan(audio)
        whole, way = await self._first(audio, made, check, name)
        side = None
        if check.stereo:
            left = self._left(operator_first)
            if whole is None or not _timed(whole):
                told = await self._by_turns(audio, check, name=name, way=way, left=left)
                if told is not None:
                    return told
            else:
                side = Side(await self._track(audio), left=left)
        return self._told(audio, check, whole or await self._whole(audio, made, name), side)

    async def _first(self, audio: Path, made: Plan, check: VoiceCheck, name: str) -> tuple[list[_Piece] | None, int]:
        """The whole recording, or None where it would tell no speakers; and the way from which on to ask for turns."""
        if check.stereo and not self._gives_times:
            return None, self._way
        try:
            return await self._whole(audio, made, name, need_times=check.stereo), self._way
        except _NoTimes as refusal:
            return None, refusal.way

    @property
    def _gives_times(self) -> bool:
        return self._row.ways[self._way].timed and not self._mute

    async def _whole(self, audio: Path, made: Plan, name: str, *, need_times: bool = False) -> list[_Piece]:
        return [await self._piece(audio, made, at, name, need_times=need_times) for at in range(len(made.spans))]

    def _told(self, audio: Path, check: VoiceCheck, pieces: Sequence[_Piece], side: Side | None) -> Transcript:
        timed = _timed(pieces)
        return assemble(
            _heard(pieces, timed),
            words=[w.shifted(p.offset) for p in pieces for w in p.reply.words] if timed else [],
            side=side,
            timed=timed,
            duration_s=check.duration_s or sum(piece.duration_s for piece in pieces),
            language=self._language(pieces),
            model=self._name,
            costs=tuple(self._settle(audio, pieces)),
        )

    async def _by_turns(self, audio: Path, check: VoiceCheck, *, name: str, way: int, left: Speaker) -> Transcript | None:
        """Each turn is a piece of its own channel. None where the channels do not tell or a turn cannot be read."""
        turns = await self._turns(audio)
        if not turns:
            return None
        cut = Plan(as_is=False, mime="", duration_s=turns[-1].end, spans=tuple(turn.span for turn in turns))
        try:
            pieces = await self._pieces(audio, cut, name, way)
        except BadRequest as refusal:
            if refusal.code in _OWN_FAULTS:
                return None
            raise
        return assemble(
            [_said(turn, piece, left) for turn, piece in zip(turns, pieces, strict=True)],
            timed=True,
            duration_s=check.duration_s or cut.duration_s,
            language=self._language(pieces),
            model=self._name,
            costs=_summed(self._settle(audio, pieces)),
        )

    async def _pieces(self, audio: Path, made: Plan, name: str, way: int) -> list[_Piece]:
        """The first alone, which finds the way, then a few at a time. After a failure none is begun, all are awaited."""
        found = {0: await self._piece(audio, made, 0, name, way=way)}
        rest, failed = iter(range(1, len(made.spans))), False

        async def buy() -> None:
            nonlocal failed
            for at in rest:
                if failed:
                    return
                try:
                    found[at] = await self._piece(audio, made, at, name)
                except Exception:
                    failed = True
                    raise

        ends = await asyncio.gather(*(buy() for _ in range(_AT_ONCE)), return_exceptions=True)
        failure = next((end for end in ends if end is not None), None)
        if failure is not None:
            raise failure
        return [found[at] for at in range(len(made.spans))]

    def _language(self, pieces: Sequence[_Piece]) -> str:
        return next((p.reply.language for p in pieces if p.reply.language), self._settings.language)

    def _settle(self, audio: Path, pieces: Sequence[_Piece]) -> list[Cost]:
        """What the recording cost, with what was paid for it in vain. Once it is told, none of it is remembered."""
        mine = self._key(audio, Span(start=0.0, end=None))[:2]
        kept = [self._paid.pop(key) for key in list(self._paid) if key[:2] == mine]
        in_vain = [one for one in kept if not any(one is piece for piece in pieces)]
        return [piece.cost for piece in (*pieces, *in_vain)]

    async def _plan(self, audio: Path) -> Plan:
        limits = Limits(max_bytes=self._settings.max_bytes, max_seconds=self._row.max_seconds, mimes=_MIMES)
        try:
            return await off_loop(self._run_cpu, lambda: plan(audio, limits))
        except (Unreadable, OSError) as error:
            hint = "Запись не читается: файл повреждён или это не звук. Послушайте её в карточке звонка."
            raise refused(_ACTION, "bad_audio", hint) from error

    async def _turns(self, audio: Path) -> tuple[SideTurn, ...]:
        return await off_loop(self._run_cpu, lambda: side_turns(audio))

    async def _track(self, audio: Path) -> SideTrack:
        return await off_loop(self._run_cpu, lambda: side_track(audio))

    def _left(self, operator_first: bool) -> Speaker:
        operator_left = {"left": True, "right": False}.get(self._settings.stereo_operator, operator_first)
        return Speaker.OPERATOR if operator_left else Speaker.CLIENT

    async def _piece(self, audio: Path, made: Plan, at: int, name: str, *, way: int = 0, need_times: bool = False) -> _Piece:
        """A piece that was paid for before a later one failed is not bought again."""
        span = made.spans[at]
        key = self._key(audio, span)
        if key in self._paid:
            return self._paid[key]
        stem = Path(name).stem or "call"
        if made.as_is:
            request = _Request(file_name=_file_name(name, made.mime), mime=made.mime, way=way, need_times=need_times)
            piece = await self._send(audio, span, request, made.duration_s)
        else:
            with TemporaryDirectory(dir=self._work_dir, prefix="stt-") as folder:
                part = Path(folder) / "part.ogg"
                seconds = await off_loop(self._run_cpu, lambda: encode(audio, span, part))
                request = _Request(file_name=f"{stem}-{at + 1}.ogg", mime="audio/ogg", way=way, need_times=need_times)
                piece = await self._send(part, span, request, seconds)
        if len(self._paid) >= _REMEMBERED_PIECES:
            del self._paid[next(iter(self._paid))]
        self._paid[key] = piece
        return piece

    def _key(self, audio: Path, span: Span) -> tuple[str, int, Span]:
        return str(audio), audio.stat().st_size, span

    async def _send(self, audio: Path, span: Span, request: _Request, seconds: float) -> _Piece:
        at = max(self._way, request.way)
        while True:
            way = self._row.ways[at]
            try:
                reply = await self._ask(audio, request.file_name, request.mime, way)
            except BadRequest as refusal:
                if refusal.code in _OWN_FAULTS or at + 1 >= len(self._row.ways):
                    raise
                at += 1
                if request.need_times and way.timed and not self._row.ways[at].timed:
                    raise _NoTimes(at) from refusal
                continue
            self._way = at
            if way.timed and reply.text.strip():
                self._mute = not reply.segments
            duration = seconds or reply.duration_s
            return _Piece(offset=span.start, duration_s=duration, reply=reply, cost=self._cost(reply, duration))

    async def _ask(self, audio: Path, file_name: str, mime: str, way: Way) -> Reply:
        # An open handle is streamed in small reads (60 us each from the page cache); a Path would be read whole.
        file = await off_loop(self._run_cpu, lambda: audio.open("rb"))
        with file:

            async def ask(client: "AsyncOpenAI") -> Any:
                transcriptions = client.audio.transcriptions.with_raw_response
                return await transcriptions.create(file=(file_name, file, mime), model=self._name, **self._options(way))

            body = await self._wire.ask(_ACTION, ask)
        reply = read_reply(body, plain=way.response_format == "text")
        if reply is None:
            raise bad_answer(self._settings.route, _ACTION)
        return reply

    def _options(self, way: Way) -> dict[str, Any]:
        options: dict[str, Any] = {"response_format": way.response_format}
        if way.words:
            options["timestamp_granularities"] = ["word", "segment"]
        if way.chunked:
            options["chunking_strategy"] = "auto"
        if way.hints:
            options["languages"] = [self._settings.language]
            options |= {"keywords": list(self._settings.keywords)} if self._settings.keywords else {}
        else:
            options["language"] = self._settings.language
        return options

    def _cost(self, reply: Reply, seconds: float) -> Cost:
        """By what the server measured, else by our own length of the recording."""
        known = self._row.price_known
        if reply.tokens and self._row.per_input_token:
            into, out = reply.tokens
            micro = math.ceil(into * self._row.per_input_token + out * self._row.per_output_token)
            return Cost(model=self._name, micro_usd=micro, units=into + out, unit="tok", estimated=not known)
        billed = reply.billed_s if reply.billed_s is not None else math.ceil(seconds)
        micro = math.ceil(billed / 60 * self._row.per_minute)
        return Cost(model=self._name, micro_usd=micro, units=billed, unit="s", estimated=not known or reply.billed_s is None)


def _timed(pieces: Sequence[_Piece]) -> bool:
    return all(piece.reply.segments for piece in pieces if piece.reply.text.strip())


def _said(turn: SideTurn, piece: _Piece, left: Speaker) -> Heard:
    right = Speaker.CLIENT if left is Speaker.OPERATOR else Speaker.OPERATOR
    return Heard(start=turn.start, end=turn.end, text=piece.reply.text.strip(), speaker=left if turn.left else right)


def _summed(costs: Sequence[Cost]) -> tuple[Cost, ...]:
    """One sum for each unit: a conversation has dozens of turns."""
    sums: dict[str, Cost] = {}
    for cost in costs:
        last = sums.get(cost.unit)
        sums[cost.unit] = (
            cost
            if last is None
            else replace(
                cost,
                micro_usd=last.micro_usd + cost.micro_usd,
                units=last.units + cost.units,
                estimated=last.estimated or cost.estimated,
            )
        )
    return tuple(sums.values())


def _heard(pieces: Sequence[_Piece], timed: bool) -> list[Heard]:
    if timed:
        return [
            replace(s, start=s.start + piece.offset, end=s.end + piece.offset)
            for piece in pieces
            for s in piece.reply.segments
        ]
    text = " ".join(piece.reply.text.strip() for piece in pieces if piece.reply.text.strip())
    return [Heard(start=0.0, end=sum(piece.duration_s for piece in pieces), text=text)]


def _file_name(name: str, mime: str) -> str:
    """The name with the extension of what the file really is: servers choose their decoder by it."""
    path, extension = Path(name), extension_for(mime)
    given = path.suffix.lstrip(".").lower()
    if given == extension or given in _SAME_TYPE.get(extension, set()):
        return path.name
    return f"{path.stem or 'call'}.{extension}"
