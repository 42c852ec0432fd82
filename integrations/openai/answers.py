"""What a model server answers, read with suspicion: compatible servers leave fields out or fill them oddly."""

import json
import math
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from integrations.kit.speech.guards import Heard
from integrations.kit.speech.turns import Word

_LANGUAGES = {"russian": "ru", "english": "en", "ukrainian": "uk", "kazakh": "kk", "belarusian": "be", "tatar": "tt"}


def _seconds(value: object) -> float:
    """A time as a finite number, 0 for anything else."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and number >= 0 else 0.0


def _objects(value: object) -> object:
    """All or none: a list with a hole in it would lose words that ``text`` has."""
    return value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else []


def _object(value: object) -> object:
    return value if isinstance(value, dict) else None


def _optional(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:  # a whole number of hundreds of digits
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


Seconds = Annotated[float, BeforeValidator(_seconds)]
Optional = Annotated[float | None, BeforeValidator(_optional)]
Text = Annotated[str, BeforeValidator(_text)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Word(_Lenient):
    start: Seconds = 0.0
    end: Seconds = 0.0
    word: Text = ""


class _Segment(_Lenient):
    start: Seconds = 0.0
    end: Seconds = 0.0
    text: Text = ""
    speaker: Text = ""
    no_speech_prob: Optional = None
    avg_logprob: Optional = None


class _Usage(_Lenient):
    seconds: Optional = None
    input_tokens: Optional = None
    output_tokens: Optional = None


class _Transcription(_Lenient):
    text: str
    language: Text = ""
    duration: Seconds = 0.0
    segments: Annotated[list[_Segment], BeforeValidator(_objects)] = []
    words: Annotated[list[_Word], BeforeValidator(_objects)] = []
    usage: Annotated[_Usage | None, BeforeValidator(_object)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A transcription as it came. ``tokens``: (input, output); ``billed_s``: seconds the server counts."""

    text: str
    language: str = ""
    duration_s: float = 0.0
    segments: tuple[Heard, ...] = ()
    words: tuple[Word, ...] = field(default=())
    tokens: tuple[float, float] | None = None
    billed_s: float | None = None


def read_reply(body: str, *, plain: bool) -> Reply | None:
    """None when this is no transcription. ``plain``: text was asked for. A page of HTML is none in any case."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = body if plain and not body.lstrip().startswith("<") else None
    if isinstance(found, str):
        return Reply(text=found.strip())
    try:
        answer = _Transcription.model_validate(found)
    except ValidationError:
        return None
    return _reply(answer)


def _reply(answer: _Transcription) -> Reply:
    usage = answer.usage or _Usage()
    tokens = None
    if usage.input_tokens is not None:
        tokens = usage.input_tokens, usage.output_tokens or 0.0
    return Reply(
        text=answer.text,
        language=_LANGUAGES.get(answer.language.lower(), answer.language.lower()[:2]),
        duration_s=answer.duration,
        segments=tuple(sorted((_heard(s) for s in answer.segments if s.text.strip()), key=lambda s: s.start)),
        words=tuple(Word(w.start, max(w.end, w.start), w.word) for w in answer.words if w.word.strip()),
        tokens=tokens,
        billed_s=usage.seconds,
    )


def _heard(segment: _Segment) -> Heard:
    return Heard(
        start=segment.start,
        end=max(segment.end, segment.start),
        text=segment.text.strip(),
        label=segment.speaker[:20],
        no_speech=segment.no_speech_prob,
        logprob=segment.avg_logprob,
    )


def content_of(found: dict[str, Any]) -> "Choice | None":
    """The first choice of a chat completion; None when there is none."""
    try:
        answer = _Completion.model_validate(found)
    except ValidationError:
        return None
    if not answer.choices:
        return None
    first = answer.choices[0]
    usage = answer.usage or _ChatUsage()
    return Choice(
        content=first.message.content,
        refusal=first.message.refusal,
        finish=first.finish_reason,
        tokens=(usage.prompt_tokens or 0.0, usage.completion_tokens or 0.0) if answer.usage else None,
    )


class _Message(_Lenient):
    content: Text = ""
    refusal: Text = ""


class _Choice(_Lenient):
    message: _Message = _Message()
    finish_reason: Text = ""


class _ChatUsage(_Lenient):
    prompt_tokens: Optional = None
    completion_tokens: Optional = None


class _Completion(_Lenient):
    choices: list[_Choice] = []
    usage: Annotated[_ChatUsage | None, BeforeValidator(_object)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the model wrote, or why it did not. ``tokens``: (prompt, completion), None when the server does not count."""

    content: str
    refusal: str
    finish: str
    tokens: tuple[float, float] | None
