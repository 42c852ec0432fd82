"""Proves statements by the transcript: a quote must have been said, and so must every number."""

import re
from bisect import bisect_right
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from rapidfuzz import fuzz

from domain.calls import Amount, Evidence, Point, Summary, Task, Transcript
from integrations.kit.speech.dates import MONTHS, mentioned_dates
from integrations.kit.speech.numerals import Number, numbers

QUOTE_SCORE = 80.0
"""How like the transcript a quote must be (rapidfuzz partial ratio, 0-100): recognition errors and endings may differ."""

_SHORT = 12  # characters: shorter quotes are like anything, so they must occur word for word
_SMALL = 3  # «один», «два» in words are rarely figures
_DAY = re.compile(
    r"\b(?P<year>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})\b"
    r"|\b(?P<d2>\d{1,2})\.(?P<m2>\d{2})(?:\.(?P<year2>\d{4}|\d{2}))?\b"
    rf"|\b(?P<d3>\d{{1,2}})(?:-?го)?\s+(?P<month>{'|'.join(MONTHS)})[а-я]*(?:\s+(?P<year3>\d{{4}}))?",
    re.IGNORECASE,
)
_TIME = re.compile(r"\b(?P<h>[01]?\d|2[0-4])[:.](?P<min>[0-5]\d)\b")
_LIST_MARK = re.compile(r"(?m)^\s*\d{1,2}[.)]\s")
_BREAK = " ; "  # what is taken out of a text must not let its neighbours grow together
_NEGATIONS = frozenset(("не", "нет", "ни", "нельзя", "никогда"))


class Ground:
    """A transcript to prove statements by. ``held_at`` is aware local time: relative days are counted from it."""

    def __init__(self, transcript: Transcript, held_at: datetime) -> None:
        self._transcript = transcript
        self._held = held_at.date()
        self._starts: list[int] = []
        parts: list[str] = []
        length = 0
        for segment in transcript.segments:
            plain = _plain(segment.text)
            self._starts.append(length)
            parts.append(plain)
            length += len(plain) + 1
        self._text = " ".join(parts)

    def find(self, quote: str) -> Evidence:
        """Where the quote was said. Not found: ``confirmed`` False and no time."""
        plain = _plain(quote)
        at = self._position(plain) if plain else None
        if at is None:
            return Evidence(quote=quote, at=None, confirmed=False)
        return Evidence(quote=quote, at=self._time(at), confirmed=not self.unsaid(quote))

    def prove(self, statement: str, quote: str) -> Evidence:
        """Evidence for a statement; every number in it must have been said too."""
        evidence = self.find(quote)
        return replace(evidence, confirmed=evidence.confirmed and not self.unsaid(statement))

    def unsaid(self, statement: str) -> tuple[str, ...]:
        """The numbers of a statement that were not said, as written. Dates and times that follow from it count as said."""
        rest = _LIST_MARK.sub(_BREAK, statement)
        missing = [m[0] for m in _DAY.finditer(rest) if not self._day_said(m)]
        rest = _DAY.sub(_BREAK, rest)
        missing += [m[0] for m in _TIME.finditer(rest) if not self._time_said(int(m["h"]), int(m["min"]))]
        rest = _TIME.sub(_BREAK, rest)
        missing += [rest[n.start : n.end] for n in numbers(rest) if not self._number_said(n, rest)]
        return tuple(dict.fromkeys(missing))

    def due(self, day: date) -> bool:
        """Whether a date was named, or follows from a weekday or «завтра» counted from the call."""
        return day in self._dates or self._calendar_said(day.day, day.month)

    @cached_property
    def _said(self) -> frozenset[float]:
        return frozenset(n.value for s in self._transcript.segments for n in numbers(s.text))

    @cached_property
    def _digits(self) -> str:
        """All digits in order, so that a telephone number dictated in groups can be found."""
        return "".join(f"{n.value:.0f}" for s in self._transcript.segments for n in numbers(s.text))

    @cached_property
    def _dates(self) -> frozenset[date]:
        return mentioned_dates(self._transcript.text, self._held)

    def _position(self, plain: str) -> int | None:
        if len(plain) < _SHORT or len(plain) > len(self._text):
            at = f" {self._text} ".find(f" {plain} ")
            return at if at >= 0 else None
        found = fuzz.partial_ratio_alignment(plain, self._text, score_cutoff=QUOTE_SCORE)
        if found is None or found.score < QUOTE_SCORE:
            return None
        return found.dest_start if self._same_sense(plain, found.dest_start, found.dest_end) else None

    def _same_sense(self, plain: str, start: int, end: int) -> bool:
        """«не приедем» is very like «приедем»: the negations must be the same."""
        start = self._text.rfind(" ", 0, start + 1) + 1
        end = self._text.find(" ", end) if self._text.find(" ", end) >= 0 else len(self._text)
        return _negations(plain) == _negations(self._text[start:end])

    def _time(self, position: int) -> float | None:
        if not self._transcript.timed:
            return None
        return self._transcript.segments[max(bisect_right(self._starts, position) - 1, 0)].start

    def _number_said(self, number: Number, text: str) -> bool:
        if number.spoken and not number.ordinal and number.value < _SMALL:
            return True
        if number.value in self._said:
            return True
        digits = re.sub(r"\D", "", text[number.start : number.end])
        return len(digits) >= 5 and digits.lstrip("78") in self._digits

    def _time_said(self, hour: int, minute: int) -> bool:
        """«в три часа» is 3:00 or 15:00; «полтретьего» is 2:30."""
        hours = {hour, hour - 12} if hour >= 12 else {hour}
        if (
            minute == 30
            and f"{hour}{minute}" not in self._digits
            and re.search(r"\bпол(?:овин|[а-я]+его\b|[а-я]+ого\b)", self._text)
        ):
            hours |= {(hour % 12) + 1}
        return bool(hours & self._said) and (minute in {0, 30} or minute in self._said)

    def _day_said(self, match: re.Match[str]) -> bool:
        day = int(match["d"] or match["d2"] or match["d3"])
        month = int(match["m"] or match["m2"] or MONTHS[match["month"].lower()])
        year = match["year"] or match["year2"] or match["year3"]
        if year and int(year) % 100 not in {self._held.year % 100, (self._held.year + 1) % 100}:
            return float(year) in self._said
        return self._calendar_said(day, month) or any((d.day, d.month) == (day, month) for d in self._dates)

    def _calendar_said(self, day: int, month: int) -> bool:
        return day in self._said and any(stem in self._text for stem, number in MONTHS.items() if number == month)


def ground(summary: Summary, transcript: Transcript, held_at: datetime) -> Summary:
    """The summary with every piece of evidence checked against the transcript and ``unconfirmed_numbers`` filled in."""
    proof = Ground(transcript, held_at)
    free_text = f"{summary.text}\n{summary.next_steps}\n{summary.tone_reason}"
    return replace(
        summary,
        points=tuple(_point(p, proof) for p in summary.points),
        questions=tuple(_point(p, proof) for p in summary.questions),
        dates=tuple(_point(p, proof) for p in summary.dates),
        client_request=_point(summary.client_request, proof) if summary.client_request else None,
        address=_point(summary.address, proof) if summary.address else None,
        tasks=tuple(_task(t, proof) for t in summary.tasks),
        amounts=tuple(_amount(a, proof) for a in summary.amounts),
        unconfirmed_numbers=proof.unsaid(free_text),
    )


def _point(point: Point, proof: Ground) -> Point:
    quote = point.evidence.quote if point.evidence else ""
    return replace(point, evidence=proof.prove(point.text, quote or point.text))


def _task(task: Task, proof: Ground) -> Task:
    quote = task.evidence.quote if task.evidence else ""
    evidence = proof.prove(f"{task.what}\n{task.when_text}\n{task.due_time}", quote)
    known_day = task.due_date is None or proof.due(task.due_date)
    return replace(task, evidence=replace(evidence, confirmed=evidence.confirmed and known_day))


def _amount(amount: Amount, proof: Ground) -> Amount:
    quote = amount.evidence.quote if amount.evidence else ""
    return replace(amount, evidence=proof.prove(f"{amount.value_rub} {amount.text}", quote))


def _plain(text: str) -> str:
    """Lower case words with numbers in digits: a model may write «5 октября» where another wrote «пятого октября»."""
    parts, at = [], 0
    for number in numbers(text):
        parts += [text[at : number.start], f"{number.value:g}"]
        at = number.end
    parts.append(text[at:])
    return " ".join(re.findall(r"\w+", "".join(parts).lower().replace("ё", "е")))


def _negations(plain: str) -> int:
    return sum(word in _NEGATIONS for word in plain.split())
