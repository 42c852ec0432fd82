"""Which field of a deal says what of a house: found by its label, unless people have said it. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.directory import CardField, HouseField, HouseMapping
from storage.finding import words_of
from storage.house_mapping import KeptMapping

# What words of a label begin with, the surest first: «этажей» is said of a house, «этаж» of a flat. A code written by hand
# in Latin letters is as good.
_SIGNS: Mapping[HouseField, tuple[str, ...]] = {
    HouseField.ADDRESS: ("адрес", "address", "adres"),
    HouseField.FLATS: ("квартир", "flats", "apartments", "kvartir"),
    HouseField.ENTRANCES: ("подъездов", "подъезд", "парадн", "entrance", "podezd", "podyezd"),
    HouseField.FLOORS: ("этажност", "этажей", "этаж", "floors", "etazh"),
    HouseField.COMPANY: ("управляющ", "ук", "тсж", "uk", "management"),
    HouseField.SCHEDULE: ("график", "расписани", "периодичност", "schedule", "grafik"),
    HouseField.BRIGADE: ("бригад", "brigade", "brigada"),
}
_WHOLE = 3  # letters: a shorter sign is a word of its own, for «ук» begins «указания» too


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What says ``house_field``; ``card_field`` None: nothing does.

    ``by_hand``: people said so. ``lost``: the code that they chose and the CRM has no more. ``rivals``: other fields
    that fit, the surest first, so that somebody should look.
    """

    house_field: HouseField
    card_field: CardField | None
    by_hand: bool = False
    lost: str = ""
    rivals: tuple[CardField, ...] = ()


def choices_of(kept: KeptMapping) -> tuple[Choice, ...]:
    """For each of a house's fields, in their order. A field that was given to one by hand is not found for another."""
    known = {one.code: one for one in kept.fields}
    taken = {code for code in kept.chosen.values() if code}
    found: list[Choice] = []
    for house_field in HouseField:
        code = kept.chosen.get(house_field)
        if code is not None and (not code or code in known):
            found.append(Choice(house_field=house_field, card_field=known.get(code), by_hand=True))
            continue
        fitting = fitting_fields(house_field, [one for one in kept.fields if one.code not in taken])
        first = fitting[0] if fitting else None
        taken |= {first.code} if first is not None else set()
        found.append(Choice(house_field=house_field, card_field=first, lost=code or "", rivals=tuple(fitting[1:])))
    return tuple(found)


def mapping_of(kept: KeptMapping) -> HouseMapping:
    """As the CRM is asked."""
    codes = {one.house_field: one.card_field.code for one in choices_of(kept) if one.card_field is not None}
    return HouseMapping(codes=codes, pipeline_id=kept.pipeline_id)


def fitting_fields(house_field: HouseField, fields: Sequence[CardField]) -> list[CardField]:
    """Those whose label or code says it, the surest first, else in the CRM's order."""
    scored = [(score, place, one) for place, one in enumerate(fields) if (score := _score(house_field, one)) is not None]
    return [one for _, _, one in sorted(scored, key=lambda each: each[:2])]


def _score(house_field: HouseField, one: CardField) -> tuple[int, bool, int] | None:
    """(which sign, whether it is but the beginning of a word, how many words the label has), None where nothing says so."""
    label, code = words_of(one.label), words_of(one.code)
    for place, sign in enumerate(_SIGNS[house_field]):
        if any(_begins(word, sign) for word in (*label, *code)):
            return place, sign not in (*label, *code), len(label)
    return None


def _begins(word: str, sign: str) -> bool:
    return word.startswith(sign) if len(sign) >= _WHOLE else word == sign
