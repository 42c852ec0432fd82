"""The words of a call: facts, recording, transcript, summary."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.events import CallOutcome, Direction

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What the telephony vendor says of a call, fetched with our own token. Times are aware UTC, lengths seconds.

    ``recording_ref`` is the vendor's id of the recording (Bitrix24: Disk object id), ``recording_url`` its fallback address,
    both empty while there is none. ``crm_entity`` is ("contact", "17") or None.
    """

    call_id: str
    vendor_row_id: str
    direction: Direction
    outcome: CallOutcome
    failed_code: str
    client_phone: str
    line: str
    employee_id: str
    started_at: datetime
    duration_s: int
    recording_ref: str = ""
    recording_url: str = ""
    activity_id: str = ""
    crm_entity: tuple[str, str] | None = None

    @property
    def has_recording(self) -> bool:
        return bool(self.recording_ref or self.recording_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who took part, by name, as the CRM knows them; empty strings where it does not."""

    employee_name: str = ""
    client_name: str = ""
    crm_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording on our disk. ``path`` is relative to DATA_DIR; ``sha256`` of the bytes; ``mime`` by magic bytes."""

    path: str
    size: int
    sha256: str
    mime: str
    name: str


class VoiceVerdict(StrEnum):
    SPEECH = "speech"
    NO_SPEECH = "no_speech"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceCheck:
    """What the voice gate heard before anything was paid. ``speech_s`` is a lower bound: the scan stops when it is enough.

    ``stereo`` is true only for two really different channels.
    """

    verdict: VoiceVerdict
    duration_s: float
    speech_s: float
    stereo: bool = False


class Speaker(StrEnum):
    OPERATOR = "operator"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A turn or a phrase; seconds from the start of the recording. ``label`` is a diariser's own letter, if any."""

    start: float
    end: float
    text: str
    speaker: Speaker = Speaker.UNKNOWN
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How far a transcript can be trusted. ``words_per_minute`` over speech; ``removed`` phrases dropped as invented."""

    speech_share: float = 0.0
    words_per_minute: float = 0.0
    language: str = ""
    removed: int = 0
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money for one paid call: micro-dollars by our price table, with what was measured."""

    model: str
    micro_usd: int
    units: float
    unit: str  # "s" of audio, "tok"
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """``segments`` in time order; ``timed`` is false when the model gave no times (then one segment holds all)."""

    segments: tuple[Segment, ...]
    language: str
    model: str
    timed: bool
    duration_s: float
    quality: Quality
    costs: tuple[Cost, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(s.text for s in self.segments)

    @property
    def empty(self) -> bool:
        return not any(s.text.strip() for s in self.segments)


class Tone(StrEnum):
    """The client's attitude to the service."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class CallKind(StrEnum):
    COMPLAINT = "complaint"
    REQUEST = "request"
    SALE = "sale"
    INFO = "info"
    WRONG_NUMBER = "wrong_number"
    VOICEMAIL = "voicemail"
    NO_SPEECH = "no_speech"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a statement comes from. ``at`` seconds from the start, None when the transcript has no times.

    ``confirmed`` is true only when the quote was found in the transcript and every number of the statement was said.
    """

    quote: str
    at: float | None
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    text: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A promise of the staff. ``when_text`` in the speaker's words; ``due`` only where it follows from them (local time)."""

    what: str
    who: str = ""
    when_text: str = ""
    due_date: date | None = None
    due_time: str = ""  # "HH:MM" or empty
    evidence: Evidence | None = None


def promise_keys(tasks: Sequence[Task]) -> tuple[str, ...]:
    """What each is known by. The words that were said outlive a summary that is made anew; two of one quote differ."""
    keys: list[str] = []
    for task in tasks:
        said = task.evidence.quote if task.evidence is not None and task.evidence.quote else task.what
        words = " ".join(_WORD.findall(said.casefold().replace("ё", "е")))
        key = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:24]
        keys.append(key if key not in keys else f"{key}-{len(keys)}")
    return tuple(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    value_rub: int
    text: str = ""
    evidence: Evidence | None = None


class SummarySource(StrEnum):
    MODEL = "model"
    DRAFT = "draft"  # extractive, no model


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was said, promised and asked. ``source`` DRAFT is printed as «черновик без модели»."""

    source: SummarySource
    meaningful: bool
    kind: CallKind
    text: str
    points: tuple[Point, ...] = ()
    client_request: Point | None = None
    questions: tuple[Point, ...] = ()
    tasks: tuple[Task, ...] = ()
    next_steps: str = ""
    tone: Tone = Tone.NEUTRAL
    tone_reason: str = ""
    client_name: str = ""
    address: Point | None = None
    amounts: tuple[Amount, ...] = ()
    dates: tuple[Point, ...] = ()
    unclear: tuple[str, ...] = ()
    unconfirmed_numbers: tuple[str, ...] = ()
    model: str = ""
    prompt_version: str = ""
    costs: tuple[Cost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """What a summariser is told beside the transcript. ``held_at`` is aware, in the account's own time zone."""

    held_at: datetime
    direction: Direction
    employee_name: str = ""
    client_name: str = ""
    company: str = ""
