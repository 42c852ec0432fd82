"""Sums as people type them into a CRM: «12 000,50» and 12000.5 are the same money."""

import re
from decimal import Decimal

MOST_MINOR = 10**15
_SUM = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_NOISE = re.compile(r"[\s\u00a0\u2007\u202f'₽$€]|руб\.?|р\.\Z", re.IGNORECASE)


def minor_units(text: str) -> int | None:
    """Hundredths of ``text``, rounded half up; None when it is no sum, or one below zero.

    Groups of three after a comma or a dot are thousands, as in «40.000»; anything else after the last sign is the fraction.
    """
    bare = _NOISE.sub("", text[:64])
    if not _SUM.fullmatch(bare):
        return None
    *whole, last = re.split("[.,]", bare)
    thousands = not whole or (len(last) == 3 and all(len(part) <= 3 for part in whole) and whole[0] != "0")
    number = Decimal("".join([*whole, last])) if thousands else Decimal(f"{''.join(whole)}.{last}")
    minor = int(number * 100 + Decimal("0.5"))
    return minor if minor <= MOST_MINOR else None
