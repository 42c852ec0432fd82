"""What the fake model server knows by heart: the synthetic calls, their transcripts and good summaries of them."""

import json
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from rapidfuzz import fuzz

_NEAR_ENOUGH = 78.0
_WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCall:
    """A synthetic call. ``turns``: speaker, start and end in seconds, text. ``phrases`` give it away in a transcript."""

    name: str
    sha256: str
    duration: float
    turns: tuple[dict[str, Any], ...] = ()
    phrases: tuple[str, ...] = ()
    summary: dict[str, Any] | None = field(default=None)

    @property
    def text(self) -> str:
        return " ".join(turn["text"] for turn in self.turns)


@cache
def known_calls() -> tuple[KnownCall, ...]:
    """Read from the JSON files beside."""
    found = sorted((f for f in files(__package__).joinpath("calls").iterdir() if f.name.endswith(".json")), key=str)
    return tuple(_call(json.loads(file.read_text(encoding="utf-8"))) for file in found)


def _call(found: dict[str, Any]) -> KnownCall:
    return KnownCall(**{**found, "turns": tuple(found["turns"]), "phrases": tuple(found["phrases"])})


def by_sound(sha256: str) -> KnownCall | None:
    return next((call for call in known_calls() if call.sha256 == sha256), None)


def summary_for(conversation: str) -> dict[str, Any]:
    """The prepared summary of the call that this prompt is about, with its days counted from the prompt's first date."""
    best = _nearest(conversation)
    if best is None:
        return dict(_NOTHING)
    text = json.dumps(best.summary, ensure_ascii=False)
    return dict(json.loads(_dated(text, _first_date(conversation))))


def is_known(conversation: str) -> bool:
    """Whether this prompt is about one of the calls with a prepared summary."""
    return _nearest(conversation) is not None


def _nearest(conversation: str) -> KnownCall | None:
    plain = _plain(conversation)
    scored = [(_score(call, plain), call) for call in known_calls() if call.summary]
    score, best = max(scored, key=lambda pair: pair[0])
    return best if score >= _NEAR_ENOUGH else None


def _score(call: KnownCall, plain: str) -> float:
    return max((fuzz.partial_ratio(_plain(phrase), plain) for phrase in call.phrases), default=0.0)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower().replace("ё", "е")))


def _first_date(text: str) -> date | None:
    match = re.search(r"\d{4}-\d{2}-\d{2}", text)
    return date.fromisoformat(match[0]) if match else None


def _dated(text: str, said_on: date | None) -> str:
    """«@пятница» as the next Friday, «@сегодня» as the day of the call; null where the prompt has no date."""

    def day(match: re.Match[str]) -> str:
        if said_on is None:
            return "null"
        if match[1] == "сегодня":
            return f'"{said_on.isoformat()}"'
        ahead = (_WEEKDAYS.index(match[1]) - said_on.weekday() - 1) % 7 + 1
        return f'"{(said_on + timedelta(days=ahead)).isoformat()}"'

    return re.sub(r'"@([а-я]+)"', day, text)


_NOTHING: dict[str, Any] = {
    "meaningful": True,
    "kind": "other",
    "summary": "Разговор не из числа известных тестовому серверу.",
    "key_points": [],
    "client_request": None,
    "questions": [],
    "tasks": [],
    "next_steps": None,
    "tone": "neutral",
    "tone_reason": None,
    "client_name": None,
    "address": None,
    "amounts": [],
    "dates": [],
    "unclear": [],
}
