"""What a field of a card says, in the words that people read in the card itself."""

from collections.abc import Callable, Iterable
from datetime import datetime

from domain.directory import CardField
from integrations.bitrix24.models import plain, several
from integrations.kit.values import number_of

_YES, _NO = frozenset({"1", "y", "true"}), frozenset({"0", "n", "false"})
_SIGNS = {"RUB": "₽", "RUR": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "BYN": "Br"}
_NO_BREAK = "\u00a0"
# Their values are numbers of other things: shown as they are they would only mislead (those with names: see names.py).
_ELSEWHERE = frozenset({"file", "employee", "user", "iblock_element", "iblock_section", "resourcebooking", "location"})


def worded(field: CardField, raw: object) -> str:
    """The value as people read it, several joined by «, »; "" for none and for what only the portal itself can name."""
    if field.type in _ELSEWHERE or field.type.startswith("crm"):
        return ""
    if field.type in {"boolean", "char"}:
        return _yes_no(raw)
    if field.type == "enumeration":
        # A list's value that nobody describes any more has no words.
        return _joined(field.options.get(plain(one), "") for one in several(raw))
    read = _READ.get(field.type, plain)
    return _joined(read(one) for one in several(raw))


def _joined(words: Iterable[str]) -> str:
    return ", ".join(word for word in words if word)


def _yes_no(raw: object) -> str:
    """«false» is a no here, where for other types it means nothing."""
    said = str(raw).lower() if isinstance(raw, (bool, int, str)) else ""
    return "да" if said in _YES else "нет" if said in _NO else ""


def _address(raw: object) -> str:
    """``text|latitude;longitude|id`` → the text."""
    return plain(raw).partition("|")[0].strip()


def _money(raw: object) -> str:
    """``1500.00|RUB`` → «1 500 ₽»."""
    amount, _, currency = plain(raw).partition("|")
    number = number_of(amount)
    if number is None:
        return ""
    shown = f"{number:,.0f}" if number.is_integer() else f"{number:,.2f}".replace(".", ";")
    shown = shown.replace(",", _NO_BREAK).replace(";", ",")
    return f"{shown}{_NO_BREAK}{_SIGNS.get(currency, currency)}" if currency else shown


def _number(raw: object) -> str:
    number = number_of(raw)
    if number is None:
        return plain(raw)
    return str(int(number)) if number.is_integer() else f"{number:.10g}".replace(".", ",")


def _day(raw: object) -> str:
    moment = _moment(raw)
    return f"{moment:%d.%m.%Y}" if moment else plain(raw)


def _minute(raw: object) -> str:
    moment = _moment(raw)
    return f"{moment:%d.%m.%Y %H:%M}" if moment else plain(raw)


def _moment(raw: object) -> datetime | None:
    """The portal's own wall time: a card says the same."""
    try:
        return datetime.fromisoformat(plain(raw))
    except ValueError:
        return None


_READ: dict[str, Callable[[object], str]] = {
    "address": _address,
    "money": _money,
    "double": _number,
    "integer": _number,
    "date": _day,
    "datetime": _minute,
}
