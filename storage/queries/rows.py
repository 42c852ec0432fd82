"""From a row of a query to the dataclass of its answer, by name."""

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def fill(kind: type[T], row: object, **rest: object) -> T:
    """``kind`` with each field taken from the column of its name, but for those given in ``rest``."""
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind) if field.name not in rest}, **rest)
