"""What is known of models by name: abilities, prices, last days. Other names are allowed and found out by trying."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeVar

Role = Literal["stt", "llm"]

LAST_DAYS = timedelta(days=90)
"""A model with less time left is never a default, and `check` warns of it."""

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to ask for a transcript, richest first in a model's list; the next is tried when a server refuses it."""

    response_format: str
    words: bool = False
    hints: bool = False  # `languages` and `keywords` instead of `language`
    chunked: bool = False

    @property
    def timed(self) -> bool:
        return self.response_format in {"verbose_json", "diarized_json"}

    @property
    def name(self) -> str:
        return self.response_format + ("+words" if self.words else "") + ("+hints" if self.hints else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechModel:
    """A transcription model. Prices in micro-dollars: per minute of audio, and per token where usage comes in tokens.

    ``price_known`` False: a careful guess, so that a limit of spending holds. ``ends``: announced last day.
    ``max_seconds``: longest recording in one request.
    """

    name: str
    ways: tuple[Way, ...]
    per_minute: float
    per_input_token: float = 0.0
    per_output_token: float = 0.0
    price_known: bool = True
    ends: date | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModel:
    """A language model. Prices in micro-dollars a token (the same figure as dollars a million tokens)."""

    name: str
    per_input: float
    per_output: float
    price_known: bool = True
    ends: date | None = None


M = TypeVar("M", SpeechModel, ChatModel)

_VERBOSE = (Way(response_format="verbose_json", words=True), Way(response_format="verbose_json"))
_JSON = Way(response_format="json")
# Its documents name no times and no format but json. A refusal costs nothing, times tell who speaks: so it is asked.
_NEW = (
    Way(response_format="verbose_json", words=True, hints=True),
    _VERBOSE[1],
    Way(response_format="json", hints=True),
    _JSON,
)
_STT_END = date(2027, 2, 26)
_4O_END = date(2027, 1, 14)
_5_END = date(2026, 12, 11)
_51_END = date(2027, 4, 1)
_4O_MAX_S = 1400.0

# Prices and last days: developers.openai.com model and deprecation pages as of November 2026, and openai 3.52's types.
# In the order of preference as a default.
SPEECH = (
    SpeechModel(name="whisper-1", ways=(*_VERBOSE, _JSON), per_minute=6000, ends=_STT_END),
    SpeechModel(name="gpt-transcribe", ways=_NEW, per_minute=4500),
    SpeechModel(
        name="gpt-4o-transcribe-diarize",
        ways=(Way(response_format="diarized_json", chunked=True), Way(response_format="json", chunked=True)),
        per_minute=6000,
        per_input_token=2.5,
        per_output_token=10,
        ends=_STT_END,
        max_seconds=_4O_MAX_S,
    ),
    SpeechModel(
        name="gpt-4o-transcribe",
        ways=(_JSON,),
        per_minute=6000,
        per_input_token=2.5,
        per_output_token=10,
        ends=_STT_END,
        max_seconds=_4O_MAX_S,
    ),
    SpeechModel(
        name="gpt-4o-mini-transcribe",
        ways=(_JSON,),
        per_minute=3000,
        per_input_token=1.25,
        per_output_token=5,
        ends=_STT_END,
        max_seconds=_4O_MAX_S,
    ),
)

CHAT = (
    ChatModel(name="gpt-4o", per_input=2.5, per_output=10, ends=_4O_END),
    ChatModel(name="gpt-5.4-mini", per_input=0.75, per_output=4.5),
    ChatModel(name="gpt-6-sol", per_input=2, per_output=10),
    ChatModel(name="gpt-6-luna", per_input=0.1, per_output=0.5),
    ChatModel(name="gpt-6.1-sol", per_input=2, per_output=10),
    ChatModel(name="gpt-5.6-sol", per_input=5, per_output=30),
    ChatModel(name="gpt-5.6-terra", per_input=2, per_output=12),
    ChatModel(name="gpt-5.6-luna", per_input=0.2, per_output=1.2),
    ChatModel(name="gpt-5.5", per_input=5, per_output=30, price_known=False),
    ChatModel(name="gpt-5.4", per_input=5, per_output=20, price_known=False),
    ChatModel(name="gpt-5.2", per_input=2.5, per_output=20, price_known=False),
    ChatModel(name="gpt-6-astra", per_input=20, per_output=100, price_known=False),
    ChatModel(name="gpt-6.1-terra", per_input=5, per_output=30, price_known=False),
    ChatModel(name="gpt-5.4-nano", per_input=0.2, per_output=1.25, ends=_51_END),
    ChatModel(name="gpt-5.1", per_input=1.25, per_output=10, ends=_51_END),
    ChatModel(name="gpt-4o-mini", per_input=0.15, per_output=0.6, ends=_4O_END),
    ChatModel(name="gpt-4.1", per_input=2, per_output=8, ends=_4O_END),
    ChatModel(name="gpt-4.1-mini", per_input=0.4, per_output=1.6, ends=_4O_END),
    ChatModel(name="gpt-5", per_input=1.25, per_output=10, ends=_5_END),
    ChatModel(name="gpt-5-mini", per_input=0.25, per_output=2, ends=_5_END),
    ChatModel(name="gpt-5-nano", per_input=0.05, per_output=0.4, ends=_5_END),
    ChatModel(name="o3", per_input=2, per_output=8, ends=_5_END),
)


def default_model(role: Role, today: date) -> str:
    """The first of the table that is not shut down within ``LAST_DAYS``."""
    rows: tuple[SpeechModel | ChatModel, ...] = SPEECH if role == "stt" else CHAT
    return next(row.name for row in rows if row.ends is None or row.ends - today >= LAST_DAYS)


def speech_model(name: str) -> SpeechModel:
    """The row of a model or of its dated snapshot; an unknown model is asked for everything and steps down."""
    known = _row(SPEECH, name)
    if known is not None:
        return known
    ways = (*_VERBOSE, _JSON, Way(response_format="text"))
    return SpeechModel(name=name, ways=ways, per_minute=6000, price_known=False)


def chat_model(name: str) -> ChatModel:
    """The row of a model or of its dated snapshot; an unknown one gets a careful price."""
    return _row(CHAT, name) or ChatModel(name=name, per_input=5, per_output=30, price_known=False)


def last_day(role: Role, name: str) -> date | None:
    """The announced shutdown of a model, None when there is none that we know of."""
    row = _row(SPEECH, name) if role == "stt" else _row(CHAT, name)
    return row.ends if row else None


def _row(rows: tuple[M, ...], name: str) -> M | None:
    plain = _SNAPSHOT.sub("", name)
    return next((row for row in rows if row.name in {name, plain}), None)
