"""A promise or a request told as a deed: «перезвоню вам завтра» → «перезвонить клиенту»."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.moments import When
from integrations.extractive.verbs import Mood
from integrations.extractive.words import shorten

_CLIENT = {"вам": "клиенту", "вами": "клиентом", "вас": "клиента"}
_ME = {"мне": "клиенту", "нам": "клиенту", "меня": "клиента", "нас": "клиента", "мной": "клиентом", "нами": "клиентом"}
_NOBODY = range(0)
_MAX_WORDS = 11
_MAX_LEFT = 4
_LONG_BARE = 10  # words without a comma: what stands far before the verb is another thought


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """``text`` starts with an infinitive; ``bare``: nothing but the infinitive and «клиенту» was said."""

    text: str
    bare: bool


def deed(clause: Clause, verb: int, infinitive: str, taken: Iterable[When], lex: Lexicon, *, doer: range = _NOBODY) -> Deed:
    """What is done, in the words of the clause around its verb; times and the doer are left out.

    Before an infinitive stands «хочу», «можно ли»: only what follows it is told.
    """
    timed = {at for when in taken for at in range(when.start, when.end)} | set(doer)
    form = lex.verbs.get(clause.tokens[verb].word)
    left = _left(clause, verb, timed, lex) if form is not None and form.mood is not Mood.INFINITIVE else []
    right = _right(clause, verb, timed, lex)
    pronouns = _ME if clause.by_client else _CLIENT
    words = [*_render(clause, left, pronouns, lex), *_render(clause, right, pronouns, lex)]
    solid = [at for at in (*left, *right) if clause.tokens[at].word not in {*pronouns, "с", "к", "у", "о"}]
    return Deed(text=shorten(" ".join([infinitive, *words]).replace(" ,", ","), 140), bare=not solid)


def _render(clause: Clause, places: Sequence[int], pronouns: dict[str, str], lex: Lexicon) -> list[str]:
    words: list[str] = []
    for order, at in enumerate(places):
        token = clause.tokens[at]
        said = pronouns.get(token.word, clause.text[token.start : token.end])
        if at == 0 and token.word not in lex.people.names:
            said = said.lower()
        if order and places[order - 1] == at - 1 and token.parted:
            words.append(",")
        words.append(said)
    return words


def _right(clause: Clause, verb: int, timed: set[int], lex: Lexicon) -> list[int]:
    places: list[int] = []
    for at in range(verb + 1, len(clause.tokens)):
        token = clause.tokens[at]
        if at in timed:
            continue
        if _ends(clause, at, lex) or len(places) >= _MAX_WORDS:
            joint = [order for order, place in enumerate(places) if clause.tokens[place].word == "и"]
            if lex.verbs.get(token.word) and joint and len(places) - joint[-1] <= 3:
                del places[joint[-1] :]
            break
        if token.word not in lex.small["skip"]:
            places.append(at)
    while places and clause.tokens[places[-1]].word in lex.small["loose_ends"]:
        places.pop()
    return places


def _ends(clause: Clause, at: int, lex: Lexicon) -> bool:
    """Does something else begin here?"""
    token = clause.tokens[at]
    if token.word in lex.small["stop"] or (token.parted and token.word in lex.small["stop_after_comma"]):
        return True
    if token.parted and token.word in lex.places.street:
        return True  # the address stands by itself
    if at + 1 < len(clause.tokens) and clause.tokens[at + 1].word in lex.small["farewell"]:
        return True
    form = lex.verbs.get(token.word)
    return form is not None and form.mood is not Mood.INFINITIVE


def _left(clause: Clause, verb: int, timed: set[int], lex: Lexicon) -> list[int]:
    """«Счёт отправлю сегодня», «я вам договор пришлю»: what stands before its verb."""
    places: list[int] = []
    bare = not any(token.parted for token in clause.tokens) and len(clause.tokens) > _LONG_BARE
    for at in range(verb - 1, -1, -1):
        token = clause.tokens[at]
        if clause.tokens[at + 1].parted:
            break
        if at in timed and any(clause.tokens[place].word not in _CLIENT for place in places):
            break
        if at in timed or token.word in lex.small["skip"]:
            continue
        if token.word in lex.small["stop"] or token.word in lex.small["stop_before"]:
            break
        if (
            lex.verbs.get(token.word)
            or token.word in lex.verbs.accepted
            or len(places) >= (_MAX_LEFT // 2 if bare else _MAX_LEFT)
        ):
            break
        places.insert(0, at)
    return places
