"""Decoding of PHP bracket forms (``data[CALL_ID]=1``), the way Bitrix24, amoCRM and Tilda write nested values."""

import re
from functools import lru_cache
from typing import TypeAlias

from domain.errors import MalformedBody, TooLarge

Form: TypeAlias = "dict[str, str | Form]"

MAX_FIELDS = 50_000
MAX_DEPTH = 8

_CACHED_KEY_LENGTH = 64
_ASCII_ESCAPES = {spelled: chr(n) for n in range(128) for spelled in (f"{n:02X}", f"{n:02x}")}
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def decode_form(body: bytes, *, max_fields: int = MAX_FIELDS, max_depth: int = MAX_DEPTH) -> Form:
    """The form as nested dicts, every leaf a string.

    ``a[]`` takes the next free number as its key, as in PHP; where two keys contradict each other the later one wins;
    bytes that are not UTF-8 become replacement characters. Raises TooLarge (too many fields) and MalformedBody (nested
    deeper than ``max_depth``), nothing else.
    """
    fields = body.decode("utf-8", "replace").split("&")
    if len(fields) > max_fields:
        raise TooLarge("too many fields in the form")
    form: Form = {}
    counters: dict[int, int] = {}
    for field in fields:
        key, _, value = field.partition("=")
        if not key:
            continue
        path = _short_path(key) if len(key) <= _CACHED_KEY_LENGTH else _path(key)
        if "%" in value or "+" in value:
            value = _unquoted(value)
        here: str | Form | None = form.get(path[0]) if len(path) == 2 else None
        if isinstance(here, dict) and path[1]:  # by far the most common: a second value of a known group
            here[path[1]] = value
        else:
            _place(form, path, value, max_depth, counters)
    return form


def key_path(raw_key: str) -> tuple[str, ...]:
    """``data%5BCALL_ID%5D`` as ("data", "CALL_ID"); an empty part stands for ``[]``."""
    return _short_path(raw_key) if len(raw_key) <= _CACHED_KEY_LENGTH else _path(raw_key)


def as_list(value: "str | Form | None") -> "list[str | Form]":
    """A PHP array as a list: its values in order; a lone string is a list of one, an absent or empty value is empty."""
    if isinstance(value, dict):
        return list(value.values())
    return [value] if value else []


def text_at(form: Form, *path: str) -> str:
    """The string at ``path``, empty when it is not there or is an array."""
    here: str | Form = form
    for part in path:
        if not isinstance(here, dict) or part not in here:
            return ""
        here = here[part]
    return here if isinstance(here, str) else ""


def _place(form: Form, path: tuple[str, ...], value: str, max_depth: int, counters: dict[int, int]) -> None:
    if len(path) > max_depth:
        raise MalformedBody("the form is nested too deeply", field=path[0][:64])
    here = form
    for part in path[:-1]:
        name = part or _next_number(here, counters)
        below = here.get(name)
        if not isinstance(below, dict):
            below = {}
            counters.pop(id(below), None)  # the id may have belonged to an array that was overwritten
            here[name] = below
        here = below
    here[path[-1] or _next_number(here, counters)] = value


def _next_number(array: Form, counters: dict[int, int]) -> str:
    """The key ``[]`` stands for. The counter only grows, so a hostile form cannot make this slow."""
    number = counters.get(id(array), len(array))
    while str(number) in array:
        number += 1
    counters[id(array)] = number + 1
    return str(number)


def _unquoted(raw: str) -> str:
    spaced = raw.replace("+", " ")
    head, *rest = spaced.split("%")
    parts = [head]
    for piece in rest:
        char = _ASCII_ESCAPES.get(piece[:2])
        if char is None:  # part of a longer UTF-8 sequence, or no escape at all
            return _ESCAPES.sub(_bytes_of, spaced.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        parts.append(char)
        parts.append(piece[2:])
    return "".join(parts)


def _bytes_of(escapes: re.Match[bytes]) -> bytes:
    # by whole runs: the library's unquote holds the loop for half a second over a megabyte of «%»
    return bytes.fromhex(escapes[0].decode().replace("%", ""))


def _path(raw_key: str) -> tuple[str, ...]:
    key = _unquoted(raw_key)
    head, bracket, _ = key.partition("[")
    parts = _BRACKETS.findall(key, len(head)) if bracket and head else []
    return (head, *parts) if parts else (key,)


# The same few dozen keys come again and again; long ones are not kept, so a stranger cannot fill the memory.
_short_path = lru_cache(maxsize=2048)(_path)
