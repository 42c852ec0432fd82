"""A transcript cut into clauses: one thought of one speaker each, also where a machine left no punctuation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.calls import Evidence, Segment, Speaker, Transcript
from integrations.extractive.lexicon import Hit, Lexicon
from integrations.extractive.moments import When
from integrations.extractive.verbs import Mood
from integrations.extractive.when import find_times
from integrations.extractive.words import Token, sentences, squeeze, tokenise, words_of

_LONG_SEGMENT_S = 15.0
_LEAD_IN_S = 1.0
_BREATH = 20  # words: a longer sentence without a comma is no sentence
_DENSE = 1 / 25  # sentence marks a word: fewer than this is a transcript without punctuation


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """``text`` is verbatim; ``at`` seconds or None. ``sentence`` and ``turn`` number what it was cut from.

    ``speaker`` is as the transcript says, ``staff`` the probability (0..1) that the company speaks: set by ``roles``.
    """

    text: str
    tokens: tuple[Token, ...]
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
    def words(self) -> list[str]:
        return words_of(self.tokens)

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
            for a, b in _pieces(turn, start, end, lex):
                clauses.append(_clause(turn, (a, b), (number, index), timed=transcript.timed, lex=lex))
    return [clause for clause in clauses if clause.tokens]


def _clause(turn: _Turn, span: tuple[int, int], ids: tuple[int, int], *, timed: bool, lex: Lexicon) -> Clause:
    start, end = span
    raw = turn.text[start:end]
    start += len(raw) - len(raw.lstrip(" \n\t,;:–—-"))
    text = turn.text[start:end].rstrip(" \n\t,;:–—-")
    tokens = tokenise(text)
    return Clause(
        text=text,
        tokens=tokens,
        hits=tuple(lex.cues.find(words_of(tokens))),
        times=tuple(find_times(tokens, lex)),
        at=_second(turn, start) if timed else None,
        sentence=ids[0],
        turn=ids[1],
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
    text = ""
    for segment in segments:
        text += " " if text else ""
        starts.append((len(text), segment))
        text += segment.text.strip()
    return _Turn(text=text, starts=tuple(starts), speaker=segments[0].speaker, label=segments[0].label)


def _second(turn: _Turn, place: int) -> float:
    """The start of the segment; inside a long one, in proportion and a little before: early is better than late."""
    origin, segment = next(row for row in reversed(turn.starts) if row[0] <= place)
    length = segment.end - segment.start
    if not length > _LONG_SEGMENT_S:
        return segment.start
    share = (place - origin) / max(len(segment.text), 1)
    return round(max(segment.start, segment.start + length * share - _LEAD_IN_S), 1)


def _pieces(turn: _Turn, start: int, end: int, lex: Lexicon) -> list[tuple[int, int]]:
    """Cut a sentence before words that open a new thought; one written by a person and attributed is left whole."""
    sentence = turn.text[start:end]
    if turn.speaker is not Speaker.UNKNOWN and ("," in sentence or len(sentence.split()) <= _BREATH):
        return [(start, end)]
    tokens = tokenise(sentence)
    bare = not any(token.parted for token in tokens)
    cuts = [start, *(start + tokens[at].start for at in _cut_words(tokens, lex, bare=bare))]
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _cut_words(tokens: Sequence[Token], lex: Lexicon, *, bare: bool) -> list[int]:
    """Places of words that open a clause. A piece of openers only («да здравствуйте») is not cut off."""
    words = words_of(tokens)
    openers = lex.openers.find(words)
    opens = {hit.start: hit for hit in openers if hit.weight >= (0 if bare else 1)}
    covered = {at for hit in openers for at in range(hit.start, hit.end)}
    cuts: list[int] = []
    last = 0
    for at in range(1, len(words)):
        solid = sum(1 for place in range(last, at) if place not in covered)
        least = 3 if bare and words[at] in {"я", "мы", "вам"} else 1  # «талон я отправлю» is one thought
        opened = at in opens and (bare or tokens[at].parted) and (solid >= least or at - last >= 3 >= least)
        if opened or (bare and _turns_bare(words, last, at, lex)):
            cuts.append(at)
            last = at
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
