"""Verbs of promises and requests: every form a list gives or that follows from it, with its infinitive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrations.extractive.words import plain

_FUZZY_LENGTH = 8
_HISSING = "жчшщ"


class Mood(StrEnum):
    FIRST = "first"  # перезвоню, перезвоним
    THIRD = "third"  # перезвонит, перезвонят
    PRESENT = "present"  # переношу: the word is the deed
    IMPERATIVE = "imperative"
    INFINITIVE = "infinitive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    infinitive: str
    group: str
    mood: Mood


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbs:
    """``forms``: word → what it is. The sets hold infinitives; ``accepted`` holds past forms («добавила»)."""

    forms: Mapping[str, Form]
    accepted: frozenset[str]
    in_call: frozenset[str]
    needs_object: frozenset[str]
    attached: frozenset[str]
    scheduling: frozenset[str]
    near: Mapping[str, tuple[str, ...]]

    def get(self, word: str) -> Form | None:
        """The form of a word; one misheard letter inside a long word is forgiven («перегвонит»)."""
        form = self.forms.get(word)
        if form is not None or len(word) < _FUZZY_LENGTH:
            return form
        if word.endswith(("юсь", "усь")) and (form := self.forms.get(word[:-2])):
            return form if form.mood is Mood.FIRST else None
        return self._misheard(word)

    def _misheard(self, word: str) -> Form | None:
        for known in self.near.get(_shape(word), ()):
            if sum(a != b for a, b in zip(word, known, strict=True)) == 1:
                return self.forms[known]
        return None


def _shape(word: str) -> str:
    """Words that may be one another misheard: the same length, beginning and, above all, ending."""
    return f"{len(word)}{word[:2]}{word[-3:]}"


def read_verbs(data: Mapping[str, Any]) -> Verbs:
    """verbs.toml with its forms worked out."""
    forms: dict[str, Form] = {}
    groups: dict[str, str] = {}
    for group, table in data["verbs"].items():
        for infinitive, listed in table.items():
            groups[infinitive] = group
            for word, mood in _paradigm(infinitive, *listed.split()):
                forms.setdefault(plain(word), Form(infinitive=infinitive, group=group, mood=mood))
    for word, infinitive in data["performative"].items():
        forms[plain(word)] = Form(infinitive=infinitive, group=groups[infinitive], mood=Mood.PRESENT)
    for word, value in data["irregular"].items():
        infinitive, mood = value.split()
        forms[plain(word)] = Form(infinitive=infinitive, group=groups[infinitive], mood=Mood(mood))
    sets = {name: frozenset(value.split()) for name, value in data["sets"].items()}
    return Verbs(forms=forms, accepted=frozenset(data["accepted"]["words"].split()), near=_near(forms), **sets)


def _near(forms: Iterable[str]) -> dict[str, tuple[str, ...]]:
    shapes: dict[str, tuple[str, ...]] = {}
    for word in forms:
        if len(word) >= _FUZZY_LENGTH:
            shapes[_shape(word)] = (*shapes.get(_shape(word), ()), word)
    return shapes


def _paradigm(infinitive: str, first: str, third: str, imperative: str) -> list[tuple[str, Mood]]:
    rows = [(infinitive, Mood.INFINITIVE), (imperative, Mood.IMPERATIVE), (first, Mood.FIRST), (third, Mood.THIRD)]
    rows += [(_we(third), Mood.FIRST), (_they(first, third), Mood.THIRD)]
    return [(word, mood) for word, mood in rows if word not in {"", "-"}]


def _we(third: str) -> str:
    """перезвонит → перезвоним, свяжется → свяжемся; «даст» is irregular and listed."""
    if third.endswith("тся"):
        return third[:-3] + "мся"
    return third[:-1] + "м" if third.endswith(("ит", "ет")) else ""


def _they(first: str, third: str) -> str:
    """перезвонит → перезвонят, пришлю → пришлют, свяжусь → свяжутся."""
    tail = "ся" if third.endswith("ся") else ""
    third = third.removesuffix("ся")
    if third.endswith("ит"):
        stem = third[:-2]
        return stem + ("ат" if stem[-1:] in _HISSING else "ят") + tail
    first = first.removesuffix("сь")
    return first + "т" + tail if third.endswith("ет") and first not in {"", "-"} else ""
