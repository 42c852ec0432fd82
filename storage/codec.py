"""JSON for what the database keeps: dataclasses in and out by their type."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


@lru_cache(maxsize=256)
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dumps(kind: type[T], value: T) -> str:
    """``value`` as compact JSON."""
    return _adapter(cast("Hashable", kind)).serializer.to_json(value).decode()


def loads(kind: type[T], text: str) -> T:
    """The value back; fields that did not exist when it was written get their defaults."""
    value: T = _adapter(cast("Hashable", kind)).validate_json(text)
    return value
