"""Takes out of a transcript what recognisers invent over silence and noise, and says how far the rest can be trusted."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.calls import Quality, Segment, Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A segment as a recogniser gave it; seconds. ``no_speech`` and ``logprob`` only where the model tells."""

    start: float
    end: float
    text: str
    speaker: Speaker = Speaker.UNKNOWN
    label: str = ""
    no_speech: float | None = None
    logprob: float | None = None


# Subtitle credits stand in the training data of whisper and come out glued to real speech: cut wherever they are.
_CREDITS = re.compile(
    r"(?:редактор\s+субтитров|корректор(?=\s+[А-ЯЁ]\.)|субтитры\s+(?:сделал|создавал|подготовил|делал|предоставил)\w*"
    r"|субтитр\w*\s+(?:и\s+)?(?:перевод|подогнал)\w*|перевод\s+и\s+субтитры"
    r"|(?:с\s+)?вами\s+был\s+(?=игорь\s+негода))"
    r"(?:\s+(?:(?:[А-ЯЁA-Z]\.\s?)+[А-ЯЁA-Z][\w-]*|DimaTorzok|Dima\s*Torzok|сообществ\w*\s+\S+|[А-ЯЁ]\w+\s+[А-ЯЁ]\w+))?[.…]?",
    re.IGNORECASE,
)
_STRAY = re.compile(r"\b(?:DimaTorzok|Amara\.org)\b[.…]?", re.IGNORECASE)

# Ordinary words: only a segment that is nothing else was invented.
_WHOLE = frozenset(
    (
        "продолжение следует",
        "спасибо за просмотр",
        "спасибо за внимание",
        "подписывайтесь на канал",
        "подписывайтесь на наш канал",
        "не забудьте подписаться на канал",
        "ставьте лайки",
        "до новых встреч",
        "смотрите продолжение в следующей серии",
        "телефонный звонок",
        "музыка",
        "играет музыка",
        "тревожная музыка",
        "аплодисменты",
        "смех",
        "thank you for watching",
        "thanks for watching",
        "to be continued",
    )
)
_REPEATS = 3
_MAX_CHARS_S = 25.0
_FAST_FROM = 30  # characters: times of shorter phrases are too rough to judge a speed
_SILENT, _UNSURE = 0.6, -1.0
_SLOWEST, _FASTEST = 40.0, 260.0  # words a minute of people on the telephone


def clean(heard: Sequence[Heard]) -> tuple[tuple[Segment, ...], int]:
    """The segments that were really said, and how many phrases were dropped."""
    kept, removed = [], 0
    for item in heard:
        text, cuts = _without_credits(item.text)
        removed += cuts
        if not text:
            removed += not cuts and bool(item.text.strip())
            continue
        if _invented(item, text):
            removed += 1
            continue
        kept.append(Segment(start=item.start, end=item.end, text=text, speaker=item.speaker, label=item.label))
    result = list(_without_loops(kept))
    inner = [_without_inner_loops(s.text) for s in result]
    removed += len(kept) - len(result) + sum(cut for _, cut in inner)
    return tuple(_retold(s, text) for s, (text, _) in zip(result, inner, strict=True)), removed


def measure(segments: Sequence[Segment], *, duration_s: float, timed: bool, language: str, removed: int) -> Quality:
    """Speech share and words a minute over speech; without times the whole recording counts as speech."""
    spoken = sum(max(s.end - s.start, 0.0) for s in segments) if timed else duration_s
    spoken = min(spoken, duration_s) if duration_s else spoken
    words = sum(len(s.text.split()) for s in segments)
    pace = words / spoken * 60 if spoken else 0.0
    odd_pace = words >= 15 and not (pace <= _FASTEST and (pace >= _SLOWEST or not timed))
    return Quality(
        speech_share=round(spoken / duration_s, 3) if duration_s and timed else 0.0,
        words_per_minute=round(pace, 1),
        language=language,
        removed=removed,
        doubtful=odd_pace or (removed > 0 and removed >= len(segments) / 2),
    )


def _retold(segment: Segment, text: str) -> Segment:
    return Segment(start=segment.start, end=segment.end, text=text, speaker=segment.speaker, label=segment.label)


def _without_credits(text: str) -> tuple[str, int]:
    cut, count = _CREDITS.subn(" ", text)
    cut, stray = _STRAY.subn(" ", cut)
    cut = " ".join(cut.split())
    return (cut if _plain(cut) else ""), count + stray


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _invented(item: Heard, text: str) -> bool:
    if _plain(text) in _WHOLE:
        return True
    if item.no_speech is not None and item.logprob is not None and item.no_speech > _SILENT and item.logprob < _UNSURE:
        return True
    length = item.end - item.start
    return len(text) >= _FAST_FROM and length > 0 and len(text) / length > _MAX_CHARS_S


def _without_loops(segments: list[Segment]) -> Iterator[Segment]:
    """The same sentence three times in a row is a recogniser's loop: one of them stays."""
    at = 0
    while at < len(segments):
        end = at + 1
        while end < len(segments) and _plain(segments[end].text) == _plain(segments[at].text):
            end += 1
        yield from segments[at : at + 1] if end - at >= _REPEATS else segments[at:end]
        at = end


def _without_inner_loops(text: str) -> tuple[str, int]:
    """The same inside one text: models without times give all in one piece."""
    sentences = re.findall(r"[^.!?…]+[.!?…]*", text)
    kept: list[str] = []
    at = 0
    while at < len(sentences):
        end = at + 1
        while end < len(sentences) and _plain(sentences[end]) == _plain(sentences[at]):
            end += 1
        kept += sentences[at : at + 1] if end - at >= _REPEATS else sentences[at:end]
        at = end
    return (" ".join(s.strip() for s in kept), len(sentences) - len(kept)) if len(kept) < len(sentences) else (text, 0)
