"""A transcript cut into clauses: one thought of one speaker each, also where a machine left no punctuation."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from domain.calls import Evidence, Segment, Speaker, Transcript
from integrations.extractive.lexicon import Hit, Lexicon
from integrations.extractive.moments import When
from integrations.extractive.verbs import Mood
from integrations.extractive.when import find_times
from integrations.extractive.words import Token, sentences, squeeze, tokenise, words_of

_LONG_SEGMENT_S = 15.0
_LEAD_IN_S = 1.0
_DAY_S = 86_400.0
_Span = tuple[int, int]
_Tokens = tuple[Token, ...]
_EDGES = " \n\t\r,;:–—-"
_LONGEST = 60  # words of one clause at most: the rules look around, and no thought is longer
_BREATH = 20  # words: a longer sentence without a comma is no sentence
_DENSE = 1 / 25  # sentence marks a word: fewer than this is a transcript without punctuation


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """``text`` is verbatim; ``at`` seconds or None. ``sentence`` and ``turn`` number what it was cut from.

    ``speaker`` is as the transcript says, ``staff`` the probability (0..1) that the company speaks: set by ``roles``.
    """

    text: str
    tokens: tuple[Token, ...]
    words: tuple[str, ...]
    hits: tuple[Hit, ...]
    times: tuple[When, ...]
    at: float | None
    sentence: int
    turn: int
    label: str
    speaker: Speaker
    question: bool
    staff: float = 0.5

    @property
    def by_staff(self) -> bool:
        return self.staff > 0.6

    @property
    def by_client(self) -> bool:
        return self.staff < 0.4

    def weight(self, tag: str) -> float:
        return sum(hit.weight for hit in self.hits if hit.tag == tag)

    def has(self, tag: str) -> bool:
        return any(hit.tag == tag for hit in self.hits)

    def evidence(self) -> Evidence:
        return Evidence(quote=squeeze(self.text), at=self.at, confirmed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Neighbouring segments that are one flow of speech; ``starts`` maps places in ``text`` to seconds."""

    text: str
    starts: tuple[tuple[int, Segment], ...]
    speaker: Speaker
    label: str


def cut(transcript: Transcript, lex: Lexicon) -> list[Clause]:
    """All clauses in order, with their cues."""
    clauses: list[Clause] = []
    number = 0
    for index, turn in enumerate(_turns(transcript.segments)):
        for start, end in sentences(turn.text):
            number += 1
            for place, tokens in _pieces(turn, *_trimmed(turn.text, start, end), lex):
                if tokens:
                    at = _second(turn, place[0]) if transcript.timed else None
                    clauses.append(_clause(turn, place, tokens, lex, sentence=number, turn_number=index, at=at))
    return clauses


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The same place without spaces, commas and dashes at its ends."""
    raw = text[start:end]
    return start + len(raw) - len(raw.lstrip(_EDGES)), start + len(raw.rstrip(_EDGES))


def _clause(
    turn: _Turn, span: _Span, tokens: _Tokens, lex: Lexicon, *, sentence: int, turn_number: int, at: float | None
) -> Clause:
    text = turn.text[span[0] : span[1]]
    words = tuple(words_of(tokens))
    return Clause(
        text=text,
        tokens=tokens,
        words=words,
        hits=tuple(lex.cues.find(words)),
        times=tuple(find_times(tokens, lex)),
        at=at,
        sentence=sentence,
        turn=turn_number,
        label=turn.label,
        speaker=turn.speaker,
        question=text.rstrip('"»)').endswith("?"),
    )


def _turns(segments: Sequence[Segment]) -> Iterator[_Turn]:
    """A machine cuts segments by time, in mid-sentence: those of one speaker are joined until a sentence ends."""
    joined: list[Segment] = []
    dense = _is_punctuated(segments)
    for segment in segments:
        if not segment.text.strip():
            continue
        if joined and not (dense and _continues(joined[-1], segment)):
            yield _turn(joined)
            joined = []
        joined.append(segment)
    if joined:
        yield _turn(joined)


def _is_punctuated(segments: Sequence[Segment]) -> bool:
    text = " ".join(segment.text for segment in segments)
    marks = sum(text.count(mark) for mark in ".?!…")
    return marks >= max(1, len(text.split()) * _DENSE)


def _continues(before: Segment, after: Segment) -> bool:
    same = before.speaker == after.speaker and before.label == after.label
    return same and before.text.rstrip()[-1] not in ".?!…" and after.start - before.end < 1.5


def _turn(segments: Sequence[Segment]) -> _Turn:
    starts: list[tuple[int, Segment]] = []
    place = 0
    for segment in segments:
        starts.append((place, segment))
        place += len(segment.text.strip()) + 1
    text = " ".join(segment.text.strip() for segment in segments)
    return _Turn(text=text, starts=tuple(starts), speaker=segments[0].speaker, label=segments[0].label)


def _second(turn: _Turn, place: int) -> float | None:
    """The start of the segment, None where it is no time; inside a long one, in proportion and rather early than late."""
    origin, segment = turn.starts[bisect_right(turn.starts, place, key=itemgetter(0)) - 1]
    if not 0 <= segment.start <= _DAY_S:
        return None
    length = min(segment.end, _DAY_S) - segment.start
    if not length > _LONG_SEGMENT_S:
        return segment.start
    share = (place - origin) / max(len(segment.text), 1)
    return round(max(segment.start, segment.start + length * share - _LEAD_IN_S), 1)


def _pieces(turn: _Turn, start: int, end: int, lex: Lexicon) -> list[tuple[_Span, _Tokens]]:
    """Cut a sentence before words that open a new thought; one written by a person and attributed is left whole."""
    sentence = turn.text[start:end]
    tokens = tokenise(sentence)
    bare = not any(token.parted for token in tokens)
    whole = turn.speaker is not Speaker.UNKNOWN and len(tokens) <= (_BREATH if bare else _LONGEST)
    cuts = [] if whole else [start + tokens[at].start for at in _cut_words(tokens, lex, bare=bare)]
    if not cuts:
        return [((start, end), tokens)]
    places = [_trimmed(turn.text, a, b) for a, b in pairwise([start, *cuts, end])]
    return [(place, tokenise(turn.text[place[0] : place[1]])) for place in places]


def _cut_words(tokens: Sequence[Token], lex: Lexicon, *, bare: bool) -> list[int]:
    """Places of words that open a clause. A piece of openers only («да здравствуйте») is not cut off."""
    words = words_of(tokens)
    openers = lex.openers.find(words)
    opens = {hit.start: hit for hit in openers if hit.weight >= (0 if bare else 1)}
    covered = {at for hit in openers for at in range(hit.start, hit.end)}
    cuts: list[int] = []
    last, solid = 0, 0
    for at in range(1, len(words)):
        solid += at - 1 not in covered
        least = 3 if bare and words[at] in {"я", "мы", "вам"} else 1  # «талон я отправлю» is one thought
        opened = at in opens and (bare or tokens[at].parted) and (solid >= least or at - last >= 3 >= least)
        if opened or at - last >= _LONGEST or (bare and _turns_bare(words, last, at, lex)):
            cuts.append(at)
            last, solid = at, 0
    return cuts


def _turns_bare(words: Sequence[str], last: int, at: int, lex: Lexicon) -> bool:
    """Signs of another speaker that need no comma."""
    return _greets_back(words, last, at, lex) or _answers_itself(words, last, at, lex) or _announces(words, last, at, lex)


def _announces(words: Sequence[str], last: int, at: int, lex: Lexicon) -> bool:
    """«… мастер Олег приедет завтра»: the company tells who will come."""
    if (
        words[at] not in lex.people.staff
        or at - last < 3
        or words[at - 1] in {"ваш", "ваша", "когда", "наш", "наша", "а", "и"}
    ):
        return False
    forms = [lex.verbs.get(word) for word in words[at + 1 : at + 4]]
    return any(form is not None and form.mood is Mood.THIRD for form in forms)


def _greets_back(words: Sequence[str], last: int, at: int, lex: Lexicon) -> bool:
    greetings = lex.small["greetings"]
    return words[at] in greetings and at > last + 1 and bool(greetings.intersection(words[last:at]))


def _answers_itself(words: Sequence[str], last: int, at: int, lex: Lexicon) -> bool:
    """«…счёт отправьте на почту отправлю сегодня»: after an order comes the promise, of the other speaker."""
    form = lex.verbs.get(words[at])
    if form is None or form.mood not in {Mood.FIRST, Mood.PRESENT}:
        return False
    said = [lex.verbs.get(word) for word in words[last:at]]
    return any(other is not None and other.mood is Mood.IMPERATIVE for other in said)
