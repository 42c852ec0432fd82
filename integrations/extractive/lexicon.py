"""The Russian word lists of the draft, read once from the TOML files beside this module."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from integrations.extractive.verbs import Verbs, read_verbs
from integrations.extractive.words import plain, tokenise, words_of

Pattern = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A cue found in words [start, end)."""

    tag: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PhraseIndex:
    """Phrases by the first three letters of their first word: one pass over the speech finds all cues of all kinds."""

    by_key: Mapping[str, tuple[tuple[Pattern, str, float], ...]]

    def find(self, words: Sequence[str]) -> list[Hit]:
        """Cues in order; of overlapping cues of one tag the longest that starts first stays."""
        free: dict[str, int] = {}
        hits: list[Hit] = []
        for at, word in enumerate(words):
            for pattern, tag, weight in self.by_key.get(word[:3], ()):
                end = at + len(pattern)
                if at >= free.get(tag, 0) and _matches(pattern, words, at):
                    free[tag] = end
                    hits.append(Hit(tag=tag, weight=weight, start=at, end=end))
        return hits


def _matches(pattern: Pattern, words: Sequence[str], at: int) -> bool:
    if at + len(pattern) > len(words):
        return False
    for offset, (text, stem) in enumerate(pattern):
        word = words[at + offset]
        if not (word.startswith(text) if stem else word == text):
            return False
    return True


def build_index(groups: Mapping[str, Mapping[str, float]]) -> PhraseIndex:
    """Longer phrases are tried first, so that «до сих пор не» wins over «до сих пор»."""
    by_key: dict[str, list[tuple[Pattern, str, float]]] = {}
    for tag, phrases in groups.items():
        for phrase, weight in phrases.items():
            pattern = _pattern(phrase)
            by_key.setdefault(pattern[0][0][:3], []).append((pattern, tag, float(weight)))
    return PhraseIndex({key: tuple(sorted(rows, key=lambda row: -len(row[0]))) for key, rows in by_key.items()})


def _pattern(phrase: str) -> Pattern:
    parts = plain(phrase).replace("-", " ").split()
    return tuple((part.rstrip("*"), part.endswith("*")) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """Spoken numbers: word → value; a tenth is a whole here, so that «полтора» stays exact."""

    cardinal: Mapping[str, int]
    multiplier: Mapping[str, int]
    tenths: Mapping[str, int]
    ordinal: Mapping[str, int]
    words: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    offset: Mapping[str, int]
    weekday: Mapping[str, int]
    month: Mapping[str, int]
    unit: Mapping[str, str]
    part: Mapping[str, str]
    phrases: PhraseIndex
    joiners: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    names: frozenset[str]
    surname_endings: tuple[str, ...]
    patronymic_endings: tuple[str, ...]
    staff: frozenset[str]
    staff_plural: frozenset[str]
    pronouns: frozenset[str]
    client_roles: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    street: Mapping[str, str]
    part: Mapping[str, str]
    stop: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    currency: frozenset[str]
    kopeck: frozenset[str]
    percent: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All lists. ``starters``: words that a time may begin with."""

    small: Mapping[str, frozenset[str]]
    starters: frozenset[str]
    texts: Mapping[str, Mapping[str, str]]
    cues: PhraseIndex
    openers: PhraseIndex
    verbs: Verbs
    numerals: Numerals
    times: Times
    people: People
    places: Places
    money: Money


@cache
def load_lexicon() -> Lexicon:
    """Some 30 ms the first time, nothing after."""
    phrases, money, places = _read("phrases"), _read("money"), _read("places")
    phrases["price"] = dict.fromkeys(money["price_cue"], 1.0)
    phrases["counted"] = dict.fromkeys(money["counted"].split(), 1.0)
    phrases["own"] = dict.fromkeys(places["stop"]["own"], 1.0)
    openers = {"opener": phrases.pop("opener")}
    small = {name: _set(text) for name, text in _read("small")["words"].items()}
    numerals, times = _numerals(_read("numerals")), _times(_read("times"))
    days = {*times.offset, *times.weekday, *times.unit, *times.part}
    return Lexicon(
        small=small,
        starters=frozenset(days | numerals.words | small["time_preps"] | small["time_marks"]),
        texts=_read("texts"),
        cues=build_index(phrases),
        openers=build_index(openers),
        verbs=read_verbs(_read("verbs")),
        numerals=numerals,
        times=times,
        people=_people(_read("names"), _read("people")),
        places=_places(places),
        money=_money(money),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("integrations.extractive").joinpath("ru", f"{name}.toml").read_text("utf-8"))


def _forms(table: Mapping[str, str]) -> dict[str, str]:
    """``{key: "form form"}`` turned round: form → key."""
    return {plain(form): key for key, forms in table.items() for form in forms.split()}


def _whole(table: Mapping[str, str]) -> dict[str, int]:
    return {form: int(key) for form, key in _forms(table).items()}


def _set(text: str) -> frozenset[str]:
    return frozenset(word for part in plain(text).split() for word in words_of(tokenise(part)))


def _numerals(data: Mapping[str, Any]) -> Numerals:
    endings = data["ordinal_endings"]
    ordinal = {plain(stem + end): int(key) for key, stem in data["ordinal"].items() for end in endings["all"].split()}
    ordinal |= dict.fromkeys(endings["third"].split(), 3)
    cardinal, multiplier, tenths = _whole(data["cardinal"]), _whole(data["multiplier"]), _whole(data["tenths"])
    words = frozenset({*cardinal, *multiplier, *tenths, *ordinal})
    return Numerals(cardinal=cardinal, multiplier=multiplier, tenths=tenths, ordinal=ordinal, words=words)


def _times(data: Mapping[str, Any]) -> Times:
    return Times(
        offset=_whole(data["offset"]),
        weekday=_whole(data["weekday"]),
        month=_whole(data["month"]),
        unit=_forms(data["span_unit"]),
        part=_forms(data["part"]),
        phrases=build_index({tag: dict.fromkeys(rows, 1.0) for tag, rows in data["vague"].items()}),
        joiners=_set(data["joiner"]["words"]),
    )


def _people(names: Mapping[str, str], people: Mapping[str, Any]) -> People:
    return People(
        names=_set(names["female"] + names["male"]),
        surname_endings=tuple(names["surname_endings"].split()),
        patronymic_endings=tuple(names["patronymic_endings"].split()),
        staff=_set(people["staff"]["roles"]),
        staff_plural=_set(people["staff"]["plural"]),
        pronouns=_set(people["staff"]["pronouns"]),
        client_roles=_set(people["client"]["roles"]),
    )


def _places(data: Mapping[str, Any]) -> Places:
    return Places(
        street=_forms(data["street"]),
        part=_forms(data["part"]),
        stop=_set(data["stop"]["words"]),
    )


def _money(data: Mapping[str, Any]) -> Money:
    return Money(
        currency=_set(data["currency"]),
        kopeck=_set(data["kopeck"]),
        percent=_set(data["percent"]),
    )
