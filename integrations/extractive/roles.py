"""Who speaks, where the transcript does not say: cues weighed along the talk, never firmer than they allow."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from domain.calls import CallContext, Speaker
from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.verbs import Mood

_CAP = 5.0
_STRONG = 1.2
_PARTING = frozenset({"спасибо", "свидания", "доброго", "до", "всего"})


def attribute(clauses: Sequence[Clause], context: CallContext, lex: Lexicon) -> list[Clause]:
    """The same clauses with ``staff`` set: 1 or 0 where the transcript names the speaker, a probability elsewhere."""
    if not clauses:
        return []
    evidence = [_log_odds(clause, context, lex) for clause in clauses]
    evidence = _shared_by_label(clauses, evidence)
    changes = [_change(before, after, lex) for before, after in pairwise(clauses)]
    chances = _smooth(evidence, changes, first=0.75 if context.direction.from_client else 0.5)
    return [replace(clause, staff=_given(clause, chance)) for clause, chance in zip(clauses, chances, strict=True)]


def _given(clause: Clause, chance: float) -> float:
    if clause.speaker is Speaker.UNKNOWN:
        return chance
    return 1.0 if clause.speaker is Speaker.OPERATOR else 0.0


def _log_odds(clause: Clause, context: CallContext, lex: Lexicon) -> float:
    """Above zero: the company speaks. The speaker that the transcript names outweighs every cue."""
    if clause.speaker is not Speaker.UNKNOWN:
        return 2 * _CAP if clause.speaker is Speaker.OPERATOR else -2 * _CAP
    felt = sum(hit.weight for hit in clause.hits if hit.tag in {"complaint", "pleased"} and hit.weight >= _STRONG)
    score = clause.weight("staff") - clause.weight("client") - 0.6 * felt
    score += _company_greeting(clause) + _vocative(clause, lex) + _promise(clause, lex)
    if context.employee_name and _introduces(clause, context.employee_name):
        score += 4.0
    if context.client_name and _introduces(clause, context.client_name):
        score -= 4.0
    return max(-_CAP, min(_CAP, score))


def _company_greeting(clause: Clause) -> float:
    """«Компания Ясный Двор, слушаю»: a company's word near a greeting or an introduction."""
    greets = clause.has("courtesy") or any(word in {"это", "зовут", "беспокоит", "из"} for word in clause.words)
    weight = clause.weight("company")
    return min(weight, 3.0) if greets or len(clause.tokens) <= 5 else weight * 0.2


def _vocative(clause: Clause, lex: Lexicon) -> float:
    """«Елена Сергеевна, …» calls the client by name; «меня зовут Елена Сергеевна» does not."""
    words = clause.words
    for at in range(1, len(words)):
        polite = words[at].endswith(lex.people.patronymic_endings) and words[at - 1] in lex.people.names
        if polite and not {"зовут", "это", "я"} & set(words[max(0, at - 3) : at - 1]):
            return 2.0
    return 0.0


def _promise(clause: Clause, lex: Lexicon) -> float:
    """A promise leans to the company, an order to the client."""
    score = 0.0
    words = clause.words
    to_client = bool({"вам", "вас", "вами"} & set(words))
    for word in words:
        form = lex.verbs.get(word)
        if form is None:
            continue
        if form.mood is Mood.IMPERATIVE:
            score -= 1.0
        elif form.mood is Mood.THIRD and not clause.question and lex.people.staff & set(words):
            score += 1.5
        elif form.mood in {Mood.FIRST, Mood.PRESENT, Mood.THIRD}:
            score += 1.0 if to_client else 0.5
    return max(-1.5, min(1.5, score))


def _introduces(clause: Clause, name: str) -> bool:
    first = name.lower().replace("ё", "е").split()[:1]
    words = list(clause.words)
    return any(words[at] in {"зовут", "это"} and words[at + 1 : at + 2] == first for at in range(len(words)))


def _change(before: Clause, after: Clause, lex: Lexicon) -> float:
    """The chance that the speaker changed between two clauses."""
    if before.turn != after.turn and before.label and after.label:
        return 0.02 if before.label == after.label else 0.95
    chance = 0.4 if before.turn != after.turn else 0.2 if before.sentence != after.sentence else 0.15
    greetings = lex.small["greetings"]
    greeted_back = after.tokens[0].word in greetings and bool(greetings & set(before.words))
    parted = bool(_PARTING & set(before.words)) and after.tokens[0].word in _PARTING
    prompted = before.question or bool(lex.small["prompts"] & set(before.words))
    if prompted or greeted_back or parted:
        chance = 0.8
    elif after.tokens[0].word in lex.small["answers"]:
        chance = max(chance, 0.65)
    return chance


def _shared_by_label(clauses: Sequence[Clause], evidence: Sequence[float]) -> list[float]:
    """A diariser's letter is one person all along: clauses of one letter share what is known of it."""
    totals: dict[str, float] = {}
    for clause, score in zip(clauses, evidence, strict=True):
        if clause.label:
            totals[clause.label] = totals.get(clause.label, 0.0) + score
    if not totals:
        return list(evidence)
    middle = (max(totals.values()) + min(totals.values())) / 2 if len(totals) > 1 else 0.0
    return [
        max(-_CAP, min(_CAP, totals[clause.label] - middle)) if clause.label else score
        for clause, score in zip(clauses, evidence, strict=True)
    ]


def _smooth(evidence: Sequence[float], changes: Sequence[float], *, first: float) -> list[float]:
    """Forward-backward over two speakers; the result is the chance that the company speaks."""
    likely = [_sigmoid(score) for score in evidence]
    ahead = [_normal(first * likely[0], (1 - first) * (1 - likely[0]))]
    for chance, change in zip(likely[1:], changes, strict=True):
        staff = ahead[-1] * (1 - change) + (1 - ahead[-1]) * change
        ahead.append(_normal(staff * chance, (1 - staff) * (1 - chance)))
    back = [0.5] * len(likely)
    for at in range(len(likely) - 2, -1, -1):
        staff, client = back[at + 1] * likely[at + 1], (1 - back[at + 1]) * (1 - likely[at + 1])
        change = changes[at]
        back[at] = _normal(staff * (1 - change) + client * change, staff * change + client * (1 - change))
    return [_normal(a * b, (1 - a) * (1 - b)) for a, b in zip(ahead, back, strict=True)]


def _sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def _normal(yes: float, no: float) -> float:
    return yes / (yes + no)
