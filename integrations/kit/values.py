"""Reading values of foreign JSON: each may be missing, empty, of another type, and none of that raises."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

TEXT_LIMIT = 4096
FIRST_YEAR, LAST_YEAR = 1971, 2200  # sums of days with anything outside could leave the calendar
_SECONDS_BELOW = 1e10  # as seconds the year 2286, as milliseconds April 1970

# C0 and C1, line and paragraph separators, and the marks that turn the direction of what follows in a log or a card
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A)))
_NO = frozenset({"", "0", "0.0", "false", "no", "null", "none", "undefined"})


def clean(text: str) -> str:
    """Text that a database, a log line and JSON can hold: no control characters or lone surrogates, bounded, stripped."""
    text = text[:TEXT_LIMIT]
    if not text.isprintable():
        text = text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")
    return text.strip()


def text_of(value: object) -> str:
    """A string or a number as clean text; "" for anything else. PHP and JavaScript write one field now so, now so."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value) if abs(value) < 10**30 else ""  # Python refuses to write out an integer of thousands of digits


def number_of(value: object) -> float | None:
    """A finite number, also one written as text; None for anything else, a boolean included."""
    if isinstance(value, str):
        try:
            value = float(value) if len(value) <= 32 else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e30:
        return None
    return float(value) if math.isfinite(value) else None


def count_of(value: object) -> int:
    """A whole number not below 0; 0 for anything else."""
    number = number_of(value)
    return int(number) if number is not None and number > 0 else 0


def flag_of(value: object) -> bool:
    """Whether it says yes: true, a number but 0, a text but «0», «false» and the like, a list with something in it."""
    if isinstance(value, str):
        return value.strip().casefold() not in _NO
    return bool(value)


def mapping_of(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def moment_of(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Aware UTC from ISO-8601 (in ``zone`` where it names none) or a number of seconds or milliseconds; else None."""
    number = number_of(value)
    try:
        if number is not None:
            moment = datetime.fromtimestamp(number if abs(number) < _SECONDS_BELOW else number / 1000, UTC)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        else:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return moment.astimezone(UTC) if FIRST_YEAR <= moment.year <= LAST_YEAR else None
    except (ValueError, OverflowError, OSError):
        return None
