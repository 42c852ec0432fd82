"""Turns words and segments with times into turns of two people."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from domain.calls import Speaker
from integrations.kit.speech.guards import Heard

GAP_S = 1.2
"""A pause between words after which a new turn begins."""

Who = Callable[[float, float], Speaker]


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its time in seconds."""

    start: float
    end: float
    text: str

    def shifted(self, by: float) -> "Word":
        return Word(self.start + by, self.end + by, self.text)


def group(words: Iterable[Word], who: Who) -> list[Heard]:
    """Words of one or both sides in time order as turns: a new one after a pause or when the other side speaks."""
    turns: list[Heard] = []
    for word in words:
        speaker = who(word.start, word.end)
        last = turns[-1] if turns else None
        if last is None or word.start - last.end > GAP_S or (speaker is not last.speaker and speaker is not Speaker.UNKNOWN):
            turns.append(Heard(start=word.start, end=word.end, text=word.text.strip(), speaker=speaker))
        else:
            turns[-1] = replace(last, end=word.end, text=f"{last.text} {word.text.strip()}")
    return turns


def label(segments: Sequence[Heard], words: Sequence[Word], who: Who) -> list[Heard]:
    """Segments with their speaker. One that both sides share is divided by its words, where there are any.

    The text of an undivided segment stays: words of some models come without punctuation.
    """
    result: list[Heard] = []
    for segment in segments:
        inside = [w for w in words if segment.start - 0.01 <= (w.start + w.end) / 2 < segment.end + 0.01]
        turns = group(_punctuated(inside, segment.text), who)
        if len(turns) > 1:
            result += [replace(t, no_speech=segment.no_speech, logprob=segment.logprob) for t in turns]
        else:
            speaker = turns[0].speaker if turns else who(segment.start, segment.end)
            result.append(replace(segment, speaker=speaker))
    return result


def _punctuated(words: list[Word], text: str) -> list[Word]:
    """The words as they stand in the text, when both count the same."""
    tokens = text.split()
    if len(tokens) != len(words):
        return words
    return [replace(word, text=token) for word, token in zip(words, tokens, strict=True)]
