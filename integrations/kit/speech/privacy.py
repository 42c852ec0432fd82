"""Hides private numbers before a text leaves: bank cards, passports, СНИЛС, in digits or spoken digit by digit."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, pairwise

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
_LONG = re.compile(rf"{_ONE}(?:{_GAP}{_ONE}){{12,}}", re.IGNORECASE)
_SNILS = re.compile(r"(?<!\d)\d{3}[\s-]\d{3}[\s-]\d{3}[\s-]{1,3}\d{2}(?!\d)")
_PASSPORT = re.compile(r"(?<!\d)(?:\d{2}\s\d{2}|\d{4})[\s,.]{1,2}(?:№\s?|номер\s)?\d{6}(?!\d)", re.IGNORECASE)
_NAMED = re.compile(
    r"(?P<name>паспорт\w*|сери[яиюей]+|снилс\w*)(?P<between>(?:(?!телефон)[^\d\n]){0,40}?)"
    rf"(?P<number>{_ONE}(?:{_GAP}{_ONE}){{7,18}})",
    re.IGNORECASE,
)
_CARD_STARTS = "23456"
_CARD_MIN, _CARD_MAX = 13, 19
_WORD = re.compile(_ONE, re.IGNORECASE)


def mask(text: str) -> str:
    """The text with private numbers replaced by ``HIDDEN``; the number of lines stays. Phone numbers are not touched."""
    text = _LONG.sub(_without_cards, text)
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


def _without_cards(match: re.Match[str]) -> str:
    """Digits said in a row may be a telephone and then a card: every stretch that is grouped like a card is tried."""
    text = match[0]
    tokens = list(_WORD.finditer(text))
    digits = "".join(_DIGIT_WORDS.get(token[0].lower(), token[0]) for token in tokens)
    starts = [at for at in range(len(tokens)) if not at or tokens[at].start() > tokens[at - 1].end()]
    secret = [False] * len(tokens)
    for first, last in _stretches([*starts, len(tokens)]):
        if digits[first] in _CARD_STARTS and _luhn(digits[first:last]):
            secret[first:last] = [True] * (last - first)
    kept, done = [], 0
    for hidden, group in groupby(range(len(tokens)), key=lambda at: secret[at]):
        places = list(group)
        if hidden:
            begin, end = tokens[places[0]].start(), tokens[places[-1]].end()
            kept += [text[done:begin], _hidden(text[begin:end])]
            done = end
    return "".join(kept) + text[done:]


def _stretches(borders: list[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of groups in a row, all of one size as on a card, or of the whole run."""
    sizes = [b - a for a, b in pairwise(borders)]
    for i, first in enumerate(borders[:-1]):
        for j in range(i + 1, len(borders)):
            length = borders[j] - first
            if length > _CARD_MAX:
                break
            whole = i == 0 and j == len(borders) - 1
            if length >= _CARD_MIN and (whole or len(set(sizes[i:j])) == 1):
                yield first, borders[j]


def _luhn(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False
    doubled = [int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
