"""The telling sentences: the client's request, questions, dates and key points, in the words that were said."""

from collections.abc import Iterable, Sequence

from domain.calls import Point
from integrations.extractive.amounts import Sum
from integrations.extractive.clauses import Clause
from integrations.extractive.moments import Ahead, Calendar, InMonths, Weekday
from integrations.extractive.words import capital, shorten, slice_text, squeeze

_POINTS = 5
_QUESTIONS = 5
_DATES = 8
_TELLING = 1.5
_LENGTH = 200
_ALIKE = 0.6


def told(clause: Clause) -> str:
    """The clause without its opening courtesies («Да, здравствуйте. …»), from a capital, at most 200 characters."""
    covered = {at for hit in clause.hits if hit.tag == "courtesy" for at in range(hit.start, hit.end)}
    first = next((at for at in range(len(clause.tokens)) if at not in covered), 0)
    text = clause.text[clause.tokens[first].start :]
    return capital(shorten(text, _LENGTH))


def request_of(clauses: Sequence[Clause], *, complaint: bool) -> int | None:
    """Place of the clause that says best what the client wants or what is wrong; None where none does."""
    rows = [(_wish(clause, index, complaint=complaint), index) for index, clause in enumerate(clauses)]
    best = max(rows, default=(0.0, 0))
    return best[1] if best[0] >= _TELLING else None


def _wish(clause: Clause, index: int, *, complaint: bool) -> float:
    """Earlier is better: people say at the start why they call."""
    if clause.by_staff or clause.has("hollow") or clause.has("voicemail"):
        return 0.0
    wish = clause.weight("request") + (2.0 * min(3.0, clause.weight("complaint")) if complaint else 0.0)
    if not wish:
        return 0.0
    return (wish + 0.1 * min(len(clause.tokens), 12)) / (1 + 0.06 * index) * min(1.0, 2 * (1.0 - clause.staff))


def questions_of(clauses: Sequence[Clause]) -> tuple[Point, ...]:
    """What the client asked; «вы меня слышите?» and the like are no questions."""
    found = [clause for clause in clauses if clause.by_client and _asks(clause)]
    return tuple(Point(text=_as_question(told(clause)), evidence=clause.evidence()) for clause in found[:_QUESTIONS])


def _asks(clause: Clause) -> bool:
    if clause.has("hollow") or len(clause.tokens) < 3:
        return False
    opens = any(hit.tag == "question" and hit.start <= 1 for hit in clause.hits)
    wonders = any(one == "кто" and two == "нибудь" for one, two in zip(clause.words, clause.words[1:], strict=False))
    return clause.question or wonders or (opens and not clause.text.endswith((".", "!")))


def _as_question(text: str) -> str:
    return text if text.endswith(("?", "…")) else text.rstrip(".") + "?"


def dates_of(clauses: Sequence[Clause]) -> tuple[Point, ...]:
    """Days that were named, verbatim and once each; a bare «сегодня» names none."""
    found: dict[str, Point] = {}
    for clause in clauses:
        for when in clause.times:
            if isinstance(when.day, Ahead | Weekday | Calendar | InMonths) and (when.day != Ahead(0) or when.hour):
                text = squeeze(slice_text(clause.text, clause.tokens, when.start, when.end))
                found.setdefault(text.lower(), Point(text=text, evidence=clause.evidence()))
    return tuple(found.values())[:_DATES]


def key_points(
    clauses: Sequence[Clause], sums: Sequence[Sum], kept: Iterable[int], *, without: int | None
) -> tuple[Point, ...]:
    """Up to five, in the order they were said. ``kept``: clauses with promises; ``without`` is shown elsewhere."""
    money = {found.index: 2.0 if found.rub is not None else 4.0 for found in sums}
    promises = set(kept)
    rows = sorted(
        (
            (_telling(clause) + money.get(index, 0.0) + 2.5 * (index in promises), -index)
            for index, clause in enumerate(clauses)
        ),
        reverse=True,
    )
    chosen: list[int] = []
    for score, negative in rows:
        index = -negative
        if score < _TELLING or len(chosen) == _POINTS:
            break
        if index != without and not any(_alike(clauses[index], clauses[other]) for other in chosen):
            chosen.append(index)
    return tuple(Point(text=told(clauses[index]), evidence=clauses[index].evidence()) for index in sorted(chosen))


def _telling(clause: Clause) -> float:
    if clause.has("hollow") or len(clause.tokens) < 3:
        return -5.0
    score = min(4.0, 1.2 * clause.weight("complaint")) if not clause.by_staff else 0.0
    score += min(3.0, clause.weight("request")) if not clause.by_staff else 0.0
    score += 1.5 * clause.has("objection") + 1.0 * clause.has("refusal")
    score += 1.0 * bool(clause.times)
    score -= 2.0 * (clause.question and clause.by_staff) + 1.0 * clause.question
    return score - 0.1 * max(0, len(clause.tokens) - 25)


def _alike(one: Clause, other: Clause) -> bool:
    a, b = set(one.words), set(other.words)
    return len(a & b) / len(a | b) > _ALIKE
