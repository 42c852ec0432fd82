"""What kind of call it was, whether anything was said in it, and how the client took the service."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.calls import CallKind, Tone
from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Hit

_COMPLAINT = 2.5
_PLEASED = 1.5
_WRONG = 2.5
_VOICEMAIL = 3.0
_SHORT_WORDS = 60
_EARLY_WORDS = 40
_CONTENT = 8
_SALE = 4.0
_SOME_SALE = 2.5
_REQUEST = 1.5
_NEGATIONS = frozenset({"не", "без", "никаких", "нет", "ни"})
_PICKED_UP = frozenset({"да", "нет", "алло", "але", "слушаю"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """``complaint`` and ``pleased`` are sums of cue weights; the clauses are those that weigh most, None for none."""

    tone: Tone
    complaint: float
    reason: Clause | None


def hear_mood(clauses: Sequence[Clause]) -> Mood:
    """Negative outweighs a polite ending; an objection to the price is neutral."""
    complaints = [(_grievance(clause), clause) for clause in clauses]
    complaint = sum(weight for weight, _ in complaints)
    if complaint > 0:
        complaint += sum(clause.weight("regret") for clause in clauses if clause.by_staff)
    worst = max(complaints, key=lambda row: row[0], default=(0.0, None))
    if complaint >= _COMPLAINT:
        return Mood(tone=Tone.NEGATIVE, complaint=complaint, reason=worst[1])
    pleased = _praise(clauses)
    objects = any(clause.has("objection") for clause in clauses if not clause.by_staff)
    if sum(weight for weight, _ in pleased) >= _PLEASED and complaint < 1 and not objects:
        best = max(pleased, key=lambda row: row[0])
        return Mood(tone=Tone.POSITIVE, complaint=complaint, reason=best[1])
    return Mood(tone=Tone.NEUTRAL, complaint=complaint, reason=None)


def _grievance(clause: Clause) -> float:
    """Unhappiness in one clause, less where it may be the company that speaks."""
    if clause.by_staff:
        return 0.0
    weight = sum(hit.weight for hit in clause.hits if hit.tag == "complaint" and not _negated(clause, hit))
    weight += sum(1.5 for hit in clause.hits if hit.tag == "pleased" and hit.weight >= 1.5 and _negated(clause, hit))
    return weight * min(1.0, 2 * (1.0 - clause.staff))


def _negated(clause: Clause, hit: Hit) -> bool:
    """«Никаких претензий нет», «не доволен»."""
    words = clause.words
    before = words[max(0, hit.start - 2) : hit.start]
    return bool(_NEGATIONS & set(before)) or words[hit.end : hit.end + 1] == ("нет",)


def _praise(clauses: Sequence[Clause]) -> list[tuple[float, Clause]]:
    """Kind words of the client, each counted once however often it is said."""
    seen: set[tuple[str, ...]] = set()
    rows: list[tuple[float, Clause]] = []
    for clause in clauses:
        if clause.staff >= 0.5:
            continue
        for hit in clause.hits:
            phrase = tuple(clause.words[hit.start : hit.end])
            if hit.tag == "pleased" and phrase not in seen and not _negated(clause, hit):
                seen.add(phrase)
                rows.append((hit.weight, clause))
    return rows


def kind_of(clauses: Sequence[Clause], mood: Mood, *, promised: bool, from_client: bool) -> CallKind:
    """``promised``: there are tasks, ``from_client``: the client called us."""
    if not clauses:
        return CallKind.NO_SPEECH
    if is_voicemail(clauses):
        return CallKind.VOICEMAIL
    if _is_wrong_number(clauses, promised=promised):
        return CallKind.WRONG_NUMBER
    if mood.complaint >= _COMPLAINT:
        return CallKind.COMPLAINT
    return _business(clauses, promised=promised, from_client=from_client)


def _business(clauses: Sequence[Clause], *, promised: bool, from_client: bool) -> CallKind:
    sale = sum(clause.weight("sale") for clause in clauses)
    wish = sum(max(0.0, clause.weight("request") - clause.weight("inquiry")) for clause in clauses if not clause.by_staff)
    if sale >= _SALE or (sale >= _SOME_SALE and sale > wish):
        return CallKind.SALE
    if wish >= _REQUEST or (promised and from_client):
        return CallKind.REQUEST
    asks = any(
        clause.has("inquiry") or (clause.question and not clause.has("hollow")) for clause in clauses if not clause.by_staff
    )
    return CallKind.INFO if asks else CallKind.OTHER


def is_voicemail(clauses: Sequence[Clause]) -> bool:
    """A machine's phrase near the start, and nobody who picks up after it."""
    weight, words, last = 0.0, 0, -1
    for index, clause in enumerate(clauses):
        if words < _EARLY_WORDS and clause.has("voicemail"):
            weight, last = weight + clause.weight("voicemail"), index
        words += len(clause.tokens)
    answered = any(clause.words[0] in _PICKED_UP for clause in clauses[last + 1 :])
    return weight >= _VOICEMAIL and not answered


def _is_wrong_number(clauses: Sequence[Clause], *, promised: bool) -> bool:
    words = sum(len(clause.tokens) for clause in clauses)
    weight = sum(clause.weight("wrong_number") for clause in clauses)
    return weight >= _WRONG and words <= _SHORT_WORDS and not promised


def is_meaningful(clauses: Sequence[Clause], kind: CallKind, *, substance: bool) -> bool:
    """``substance``: a task, a request, a sum or an address was found; else it takes words beyond courtesies."""
    if kind in {CallKind.WRONG_NUMBER, CallKind.VOICEMAIL, CallKind.NO_SPEECH}:
        return False
    content = sum(_content(clause) for clause in clauses)
    return content >= _CONTENT or (substance and content >= 2)


def _content(clause: Clause) -> int:
    """Words beyond greetings, thanks and the company's introduction."""
    if clause.has("company") and clause.has("courtesy"):
        return 0
    covered = {at for hit in clause.hits if hit.tag in {"courtesy", "company"} for at in range(hit.start, hit.end)}
    return len(clause.tokens) - len(covered)
