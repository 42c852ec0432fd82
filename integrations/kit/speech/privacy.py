"""Hides private numbers before a text leaves: bank cards, passports, СНИЛС, in digits or spoken digit by digit."""

import re
from dataclasses import replace

from domain.calls import Segment, Transcript

HIDDEN = "[номер скрыт]"

_DIGIT_WORDS = {
    "ноль": "0",
    "нуль": "0",
    "один": "1",
    "одна": "1",
    "два": "2",
    "две": "2",
    "три": "3",
    "четыре": "4",
    "пять": "5",
    "шесть": "6",
    "семь": "7",
    "восемь": "8",
    "девять": "9",
}
_ONE = rf"(?:\d|\b(?:{'|'.join(_DIGIT_WORDS)})\b)"
_GAP = r"[\s .,–—-]{0,3}"
_LONG = re.compile(rf"{_ONE}(?:{_GAP}{_ONE}){{12,18}}", re.IGNORECASE)
_SNILS = re.compile(r"(?<!\d)\d{3}[\s-]\d{3}[\s-]\d{3}[\s-]{1,3}\d{2}(?!\d)")
_PASSPORT = re.compile(r"(?<!\d)(?:\d{2}\s\d{2}|\d{4})[\s,.]{1,2}(?:№\s?|номер\s)?\d{6}(?!\d)", re.IGNORECASE)
_NAMED = re.compile(
    r"(?P<name>паспорт\w*|сери[яиюей]+|снилс\w*)(?P<between>(?:(?!телефон)[^\d\n]){0,40}?)"
    rf"(?P<number>{_ONE}(?:{_GAP}{_ONE}){{7,18}})",
    re.IGNORECASE,
)
_WORD = re.compile(r"\d|[а-яё]+", re.IGNORECASE)


def mask(text: str) -> str:
    """The text with private numbers replaced by ``HIDDEN``; the number of lines stays. Phone numbers are not touched."""
    text = _LONG.sub(_card, text)
    text = _NAMED.sub(lambda m: f"{m['name']}{m['between']}{_hidden(m['number'])}", text)
    for pattern in (_SNILS, _PASSPORT):
        text = pattern.sub(lambda m: _hidden(m[0]), text)
    return text


def mask_transcript(transcript: Transcript) -> Transcript:
    """A number dictated over several segments is found too."""
    joined = "\n".join(" ".join(s.text.split()) for s in transcript.segments)
    masked = mask(joined)
    if masked == joined:
        return transcript
    lines = masked.split("\n")
    return replace(transcript, segments=tuple(_with(s, line) for s, line in zip(transcript.segments, lines, strict=True)))


def _with(segment: Segment, text: str) -> Segment:
    return replace(segment, text=text)


def _hidden(found: str) -> str:
    return HIDDEN + "\n" * found.count("\n")


def _digits(text: str) -> str:
    return "".join(_DIGIT_WORDS.get(part.lower(), part) for part in _WORD.findall(text))


def _card(match: re.Match[str]) -> str:
    return _hidden(match[0]) if _luhn(_digits(match[0])) else match[0]


def _luhn(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
