"""Columns of exported tables: what a value of a database becomes before it is written into a cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from handlers.sheets import Cell, phone_cell

Row = Sequence[object]


class Kind(StrEnum):
    """What the values of a column are. It says how they are turned, shown and how wide they are in a book."""

    TEXT = "text"
    LONG = "long"  # a text of sentences
    LABEL = "label"  # a word of ours that people read otherwise
    FLAG = "flag"
    NUMBER = "number"
    MONEY = "money"  # minor units: the currency stands in a column of its own
    MOMENT = "moment"  # UTC
    DAY = "day"  # a date of the account's zone
    PHONE = "phone"  # a key, or what was typed where it is no number


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``name`` is the same for ever, for programs; ``title`` is for people. ``labels``: what people read for a value."""

    name: str
    title: str
    kind: Kind = Kind.TEXT
    labels: Mapping[str, str] = field(default_factory=dict)


def cells_of(columns: Sequence[Column]) -> Callable[[Row], list[Cell]]:
    """What turns a row of a database, a value for each of ``columns``, into cells."""
    turns = [_turn(column) for column in columns]
    return lambda row: [turn(value) for turn, value in zip(turns, row, strict=True)]


def _turn(column: Column) -> Callable[[object], Cell]:
    labels = column.labels
    if column.kind is Kind.LABEL:
        return lambda value: labels.get(str(value), str(value)) if value is not None else None
    if column.kind is Kind.FLAG:
        return lambda value: labels.get(str(int(bool(value)))) if value is not None else None
    if column.kind is Kind.PHONE:
        return lambda value: _phone(str(value), labels) if value is not None else None
    return _TURNS[column.kind]


def _text(value: object) -> Cell:
    return None if value is None else str(value)


def _number(value: object) -> Cell:
    return value if isinstance(value, int | Decimal | str) else None if value is None else Decimal(str(value))


def _money(value: object) -> Cell:
    return Decimal(value).scaleb(-2) if isinstance(value, int) else _number(value)


def _moment(value: object) -> Cell:
    """SQLite gives times as text."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value if isinstance(value, datetime) else None


def _day(value: object) -> Cell:
    if isinstance(value, str):
        return date.fromisoformat(value) if value else None
    return value if isinstance(value, date) else None


def _phone(value: str, labels: Mapping[str, str]) -> Cell:
    return phone_cell(value) if value.isascii() and value.isdigit() else labels.get(value, value)


_TURNS: dict[Kind, Callable[[object], Cell]] = {
    Kind.TEXT: _text, Kind.LONG: _text, Kind.NUMBER: _number, Kind.MONEY: _money, Kind.MOMENT: _moment, Kind.DAY: _day,
}  # fmt: skip
