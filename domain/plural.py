"""The form of a Russian noun beside a number: 1 звонок, 2 звонка, 5 звонков, 1,5 звонка."""

from decimal import Decimal

Number = int | float | Decimal


def plural(number: Number, one: str, few: str, many: str) -> str:
    """The form that stands beside ``number``; a fraction takes ``few`` («полтора звонка»), the sign does not matter."""
    if number != int(number):
        return few
    last_two = abs(int(number)) % 100
    last = last_two % 10
    if 11 <= last_two <= 14:
        return many
    if last == 1:
        return one
    return few if 2 <= last <= 4 else many


def spaced(number: Number) -> str:
    """«12 345», «1,5», «−3»: thousands are parted by a no-break space."""
    shown = f"{int(number):,}" if number == int(number) else f"{number:,}"
    return shown.translate({ord(","): "\u00a0", ord("."): ",", ord("-"): "\u2212"})


def counted(number: Number, one: str, few: str, many: str) -> str:
    """The number with its noun: «12 345 звонков», «1,5 звонка»."""
    return f"{spaced(number)} {plural(number, one, few, many)}"
