"""Requests that the staff took without promising in so many words: «договорились», «окна добавила»."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.orders import Order, near
from integrations.extractive.verbs import Mood
from integrations.extractive.wording import deed

_NOTED = 3  # clauses from the request to «добавила»
_AGREED = 2  # clauses from the request to «договорились»
_SHORT = 4
_CERTAIN = 0.9


def find_agreements(
    clauses: Sequence[Clause], orders: Mapping[int, Sequence[Order]], promised: set[int], lex: Lexicon
) -> list[tuple[int, Order]]:
    """(place of the clause that agrees, request); a request is taken once, one refused or promised aloud is left out."""
    found: list[tuple[int, Order]] = []
    taken: set[int] = set()
    for index, clause in enumerate(clauses):
        if not clause.by_staff or clause.question or clause.has("refusal") or index in promised:
            continue
        order = _noted(clause, index, orders, lex) or _consented(clauses, index, orders, promised)
        if order and order.index not in taken:
            taken.add(order.index)
            found.append((index, order))
    return found


def find_proposals(clauses: Sequence[Clause], lex: Lexicon) -> list[tuple[int, Order]]:
    """«Записать вас на четверг?» — «Да, запишите»: a deed the staff offered and the client took."""
    found: list[tuple[int, Order]] = []
    for index, (clause, after) in enumerate(pairwise(clauses)):
        if not (clause.by_staff and clause.question) or after.by_staff or after.has("refusal"):
            continue
        form = lex.verbs.get(clause.words[0])
        agreed = after.words[0] in {"да", "давайте", "конечно", "запишите"} or after.weight("consent") >= 1
        if form is not None and form.mood is Mood.INFINITIVE and agreed:
            times = clause.times
            told = deed(clause, 0, form.infinitive, times, lex)
            found.append((index, Order(index=index, form=form, deed=told, times=times, strict=False)))
    return found


def _noted(clause: Clause, index: int, orders: Mapping[int, Sequence[Order]], lex: Lexicon) -> Order | None:
    if not lex.verbs.accepted & set(clause.words):
        return None
    return _latest(orders, index, _NOTED)


def _consented(
    clauses: Sequence[Clause], index: int, orders: Mapping[int, Sequence[Order]], promised: set[int]
) -> Order | None:
    """A firm yes, a yes with a time, or a short yes right after the order, and no promise aloud next to it."""
    clause = clauses[index]
    aloud = {index - 1, index + 1} & promised
    order = _latest(orders, index, _AGREED)
    if order is None or aloud or clause.weight("consent") < 1:
        return None
    timed = bool(clause.times)
    if order.form.group == "check" and not timed:
        return None
    firm = clause.weight("consent") >= 2 or timed
    brief = len(clause.tokens) <= _SHORT and clause.weight("consent") >= 1.5
    plain = len(clause.tokens) <= 2 and clause.staff > _CERTAIN and order.index == index - 1 and order.strict
    return order if firm or brief or plain else None


def _latest(orders: Mapping[int, Sequence[Order]], index: int, reach: int) -> Order | None:
    strict = [order for order in near(orders, index - reach, index) if order.strict]
    return strict[-1] if strict else None
