"""Where the work is: «улица Билибина, дом шесть, второй подъезд»."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.calls import Point
from integrations.extractive.clauses import Clause
from integrations.extractive.lexicon import Lexicon
from integrations.extractive.numerals import number_at
from integrations.extractive.words import capital

_NAME_WORDS = 3
_PARTS_MAX = 6
_LETTERS = frozenset("бвгдеж")
_FILLERS = frozenset({"в", "это", "номер", "там", "и", "на", "а", "наш"})
_ADJECTIVE = {"ой": "ая", "ей": "яя", "ском": "ский", "цком": "цкий", "ом": "ый", "ем": "ий", "ого": "ый", "ую": "ая"}
_STANDING = ("ый", "ий", "ая", "яя", "ое")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    index: int
    text: str
    weight: float


def find_address(clauses: Sequence[Clause], lex: Lexicon) -> Point | None:
    """The fullest address, rather the client's; the company's own («наш офис») is left out."""
    found = [address for index in range(len(clauses)) if (address := _in_clause(clauses, index, lex))]
    if not found:
        return None
    best = max(found, key=lambda address: (address.weight, -address.index))
    return Point(text=best.text, evidence=clauses[best.index].evidence())


def _in_clause(clauses: Sequence[Clause], index: int, lex: Lexicon) -> _Address | None:
    clause = clauses[index]
    if clause.has("own"):
        return None
    street, end = _street(clause, lex)
    if street:
        parts, end = _parts(clause, end, lex, house=True)
        if end == len(clause.tokens):
            parts += _continued(clauses, index, lex)
    else:
        parts = _house_alone(clause, lex)
        if len(parts) < 2:
            return None
    weight = 2.0 * bool(street) + len(parts) + 2.0 * (1.0 - clause.staff)
    return _Address(index=index, text=", ".join([*([street] if street else []), *parts]), weight=weight)


def _street(clause: Clause, lex: Lexicon) -> tuple[str, int]:
    """(street with its kind, end), empty where none is named."""
    for at, token in enumerate(clause.tokens):
        kind = lex.places.street.get(token.word)
        if kind is None:
            continue
        end = _name_end(clause, at + 1, lex)
        if end > at + 1:
            name = _spelt(clause, at + 1, end)
            bent = name.endswith(("ой", "ей")) and token.word != kind
            return f"{token.word if bent else kind} {name}", end
        if at and (named := _adjective(clause, at - 1, lex)):
            return f"{named} {kind}", at + 1
    return "", 0


def _name_end(clause: Clause, start: int, lex: Lexicon) -> int:
    """A street's name: up to three words, among them a number only in «8 Марта», «50 лет Октября»."""
    tokens = clause.tokens
    at = start
    while at < len(tokens) and at - start < _NAME_WORDS and not (at > start and tokens[at].parted):
        word = tokens[at].word
        number = number_at(tokens, at, lex.numerals) if at == start else None
        if number and number.end < len(tokens) and tokens[number.end].word in {"лет", "марта", "мая", "октября"}:
            at = number.end + 1
            continue
        if _no_name(word, lex) or number_at(tokens, at, lex.numerals):
            break
        at += 1
    return at


def _no_name(word: str, lex: Lexicon) -> bool:
    known = word in lex.places.stop or word in lex.places.part or word in lex.places.street
    return known or word in lex.verbs.forms or word in lex.small["stop"] or word in lex.times.offset


def _adjective(clause: Clause, at: int, lex: Lexicon) -> str:
    """«На Садовой улице», «Ленинский проспект»: the name before its kind, in the nominative."""
    word = clause.tokens[at].word
    if clause.tokens[at + 1].parted or _no_name(word, lex):
        return ""
    said = _spelt(clause, at, at + 1)
    if word.endswith(_STANDING):
        return said
    ending = next((ending for ending in sorted(_ADJECTIVE, key=len, reverse=True) if word.endswith(ending)), "")
    return said[: -len(ending)] + _ADJECTIVE[ending] if ending and len(word) > len(ending) + 2 else ""


def _spelt(clause: Clause, start: int, end: int) -> str:
    said = [clause.text[token.start : token.end] for token in clause.tokens[start:end]]
    return " ".join(word if word == "лет" else capital(word) for word in said)


def _parts(clause: Clause, start: int, lex: Lexicon, *, house: bool) -> tuple[list[str], int]:
    """House, entrance, floor, flat from this token on. ``house``: a bare number first is the house."""
    parts: list[str] = []
    at = start
    while at < len(clause.tokens) and len(parts) < _PARTS_MAX:
        part, end = _part(clause, at, lex, bare="дом" if house and not parts else "")
        if not part:
            if clause.tokens[at].word in _FILLERS and at + 1 < len(clause.tokens):
                part, end = _part(clause, at + 1, lex, bare="")
            if not part:
                break
        parts.append(part)
        at = end
    return parts, at


def _part(clause: Clause, at: int, lex: Lexicon, *, bare: str) -> tuple[str, int]:
    """One part: «дом шесть», «второй подъезд», «подъезд номер два»."""
    tokens = clause.tokens
    kind = lex.places.part.get(tokens[at].word)
    if kind:
        at += 1 + (at + 1 < len(tokens) and tokens[at + 1].word == "номер")
    number = number_at(tokens, at, lex.numerals) if at < len(tokens) else None
    if number is None or not number.whole or number.scaled or number.value == 0:
        return "", at
    if not kind and number.end < len(tokens) and not tokens[number.end].parted:
        kind = lex.places.part.get(tokens[number.end].word)
        if kind and (number.ordinal or not _numbered(clause, number.end + 1, lex)):
            return f"{kind} {number.value}", number.end + 1
        kind = None
    kind = kind or ("" if number.ordinal else bare)
    suffix, end = _suffix(clause, number.end, lex)
    return (f"{kind} {number.value}{suffix}", end) if kind else ("", at)


def _numbered(clause: Clause, at: int, lex: Lexicon) -> bool:
    """«Двадцать один квартира шесть»: the kind belongs to the number after it."""
    return at < len(clause.tokens) and number_at(clause.tokens, at, lex.numerals) is not None


def _suffix(clause: Clause, at: int, lex: Lexicon) -> tuple[str, int]:
    """«12 Б», «двенадцать дробь один», «150-9»."""
    tokens = clause.tokens
    if at >= len(tokens):
        return "", at
    word = tokens[at].word
    if word == "дробь" and at + 1 < len(tokens) and (number := number_at(tokens, at + 1, lex.numerals)):
        return f"/{number.value}", number.end
    if clause.text[tokens[at - 1].end : tokens[at].start] == "-" and tokens[at].is_number:
        return f"-{word}", at + 1
    last = at + 1 == len(tokens) or tokens[at + 1].parted
    if len(word) == 1 and (clause.text[tokens[at].start].isupper() or (word in _LETTERS and last)):
        return word.upper(), at + 1
    return "", at


def _continued(clauses: Sequence[Clause], index: int, lex: Lexicon) -> list[str]:
    """«Улица Билибина.» — «Дом шесть.»: the next words of the same speaker."""
    after = clauses[index + 1] if index + 1 < len(clauses) else None
    if after is None or after.turn != clauses[index].turn:
        return []
    return _parts(after, 0, lex, house=False)[0]


def _house_alone(clause: Clause, lex: Lexicon) -> list[str]:
    """Without a street: two parts together («четвёртый этаж, квартира семь») make an address."""
    if not any(word in lex.places.part for word in clause.words):
        return []
    tries = (_parts(clause, at, lex, house=False)[0] for at in range(len(clause.tokens)))
    return next((parts for parts in tries if len(parts) > 1), [])
