"""Decoding of PHP bracket forms (``data[CALL_ID]=1``), the way Bitrix24, amoCRM and Tilda write nested values."""

import re
from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from domain.errors import MalformedBody, TooLarge

T = TypeVar("T")
Form: TypeAlias = "dict[str, str | Form]"
Path: TypeAlias = tuple[str, ...]
Field: TypeAlias = tuple[str, str, str]  # as written: the key, "=" where there is one, the value

MAX_FIELDS = 50_000
MAX_DEPTH = 8

_SHORT_KEY = 64
_MOST_KEYS = 2048
_ASCII_ESCAPES = {spelled: chr(n) for n in range(128) for spelled in (f"{n:02X}", f"{n:02x}")}
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


class PerKey(dict[str, T]):
    """What ``read`` says about a raw key. A vendor sends the same few dozen keys again and again: they are read once.

    Long keys are not kept and too many are forgotten, so a stranger cannot fill the memory.
    """

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, raw_key: str) -> T:
        value = self._read(raw_key)
        if len(raw_key) <= _SHORT_KEY:
            if len(self) >= _MOST_KEYS:
                self.clear()
            self[raw_key] = value
        return value


def decode_form(body: bytes, *, max_fields: int = MAX_FIELDS, max_depth: int = MAX_DEPTH) -> Form:
    """The form as nested dicts, every leaf a string.

    ``a[]`` takes the next free number as its key, as in PHP; where two keys contradict each other the later one wins;
    bytes that are not UTF-8 become replacement characters. Raises TooLarge (too many fields) and MalformedBody (nested
    deeper than ``max_depth``), nothing else.
    """
    if body.count(b"&") >= max_fields:
        raise TooLarge("too many fields in the form")
    return decode_fields(split_form(body), max_depth=max_depth)


def split_form(body: bytes) -> list[Field]:
    """The fields as they are written, in their order."""
    return [field.partition("=") for field in body.decode("utf-8", "replace").split("&")]


def join_form(fields: Iterable[Field]) -> bytes:
    """Fields of ``split_form`` as a body again."""
    return "&".join(["".join(field) for field in fields]).encode()


def decode_fields(fields: Iterable[Field], paths: PerKey[Path] | None = None, *, max_depth: int = MAX_DEPTH) -> Form:
    """The second half of ``decode_form``. A vendor's own ``paths`` give () for the keys it never asks about."""
    form: Form = {}
    counters: dict[int, int] = {}
    known = _paths if paths is None else paths
    for key, _, raw in fields:
        path = known[key]
        if not path:
            continue
        value = _unquoted(raw) if "%" in raw or "+" in raw else raw
        if len(path) == 1:
            form[path[0]] = value
        elif len(path) == 2 and path[1] and isinstance(here := form.get(path[0]), dict):
            here[path[1]] = value  # by far the most common: a second value of a known group
        else:
            _place(form, path, value, max_depth, counters)
    return form


def key_path(raw_key: str) -> Path:
    """``data%5BCALL_ID%5D`` as ("data", "CALL_ID"); an empty part stands for ``[]``, an empty key has no path."""
    return _paths[raw_key]


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


def _place(form: Form, path: Path, value: str, max_depth: int, counters: dict[int, int]) -> None:
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
    pieces = spaced.split("%")
    try:
        for number, piece in enumerate(pieces[1:], 1):
            pieces[number] = _ASCII_ESCAPES[piece[:2]] + piece[2:]
    except KeyError:  # part of a longer UTF-8 sequence, or no escape at all
        return _ESCAPES.sub(_bytes_of, spaced.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    return "".join(pieces)


def _bytes_of(escapes: re.Match[bytes]) -> bytes:
    # by whole runs: the library's unquote holds the loop for half a second over a megabyte of «%»
    return bytes.fromhex(escapes[0].decode().replace("%", ""))


def _path(raw_key: str) -> Path:
    if not raw_key:
        return ()
    key = raw_key.replace("%5B", "[").replace("%5D", "]")  # all that most keys hold, at a tenth of the cost
    key = _unquoted(key) if "%" in key or "+" in key else key
    head, bracket, _ = key.partition("[")
    parts = _BRACKETS.findall(key, len(head)) if bracket and head else []
    return (head, *parts) if parts else (key,)


_paths = PerKey(_path)
