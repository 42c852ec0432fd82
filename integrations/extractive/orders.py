"""What the client asks to be done: «пришлите счёт на почту», «хочу перенести уборку»."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.moments import When
from integrations.extractive.verbs import Form, Mood
from integrations.extractive.wording import Deed, deed

_DEEDS = ("ть", "ти", "чь", "ться", "тись")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A wish in clause ``index``. ``strict``: said as an order, not as «хочу»."""

    index: int
    form: Form
    deed: Deed
    times: tuple[When, ...]
    strict: bool


def near(orders: Mapping[int, Sequence[Order]], start: int, stop: int) -> list[Order]:
    """Orders of clauses [start, stop), in the order they were said."""
    return [order for index in range(max(0, start), stop) for order in orders.get(index, ())]


def by_clause(orders: Sequence[Order]) -> dict[int, list[Order]]:
    """Orders by the place of their clause."""
    places: dict[int, list[Order]] = {}
    for order in orders:
        places.setdefault(order.index, []).append(order)
    return places


def find_orders(clauses: Sequence[Clause], lex: Lexicon) -> list[Order]:
    """The client's wishes in order; what the company orders is none."""
    orders: list[Order] = []
    for index, clause in enumerate(clauses):
        if clause.by_staff:
            continue
        times = clause.times
        for verb, form in wishes(clause, lex):
            orders.append(_order(clause, index, (verb, form), times, lex))
    return orders


def _order(clause: Clause, index: int, wish: tuple[int, Form], times: tuple[When, ...], lex: Lexicon) -> Order:
    verb, form = wish
    infinitive, at = form.infinitive, verb
    if form.group == "ask" and verb + 1 < len(clause.tokens) and clause.words[verb + 1].endswith(_DEEDS):
        infinitive, at = clause.words[verb + 1], verb + 1
    told = deed(clause, at, infinitive, times, lex)
    return Order(index=index, form=form, deed=told, times=times, strict=form.mood is Mood.IMPERATIVE)


def wishes(clause: Clause, lex: Lexicon) -> list[tuple[int, Form]]:
    """Places of «пришлите» and of «перенести» after a word of wanting."""
    found: list[tuple[int, Form]] = []
    wants = clause.has("request")
    for at, token in enumerate(clause.tokens):
        form = lex.verbs.get(token.word)
        if form is None or (at and clause.tokens[at - 1].word == "не"):
            continue
        if form.mood is Mood.IMPERATIVE or (wants and form.mood is Mood.INFINITIVE and not found):
            found.append((at, form))
    return found
