"""How lists are searched: texts folded to words, words of a question in any order, and the nearest spelling of others."""

import asyncio
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import ColumnElement, Integer, Row, Select, Table, case, false, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.calls import folded

MOST_WORDS = 8
LONGEST_QUESTION = 200
DIGITS = 8  # of a number in a place
LEAST_ALIKE = 60.0  # of a hundred: «кибольчича» is Кибальчича, «пушкина» nobody

_WORD = re.compile(r"\d+|[^\W\d_]+")
# People write these or leave them out; «3 к 1», «3/1» and «3, корп. 1» are one house.
_OF_ADDRESSES = frozenset(
    {
        *("ул", "улица", "улице", "улицы", "пр", "просп", "проспект", "т", "пер", "переулок", "проезд", "ш", "шоссе"),
        *("б", "р", "бул", "бульвар", "наб", "набережная", "пл", "площадь", "г", "город", "мкр", "кв"),
        *("д", "дом", "дома", "доме", "к", "корп", "корпус", "стр", "строение"),
    }
)


def words_of(text: str) -> list[str]:
    """Numbers and runs of letters, folded: «ул. Ёлочная, 3А» → ул, елочная, 3, а."""
    return _WORD.findall(folded(unicodedata.normalize("NFC", text)))


def searchable(*texts: str) -> str:
    """What is kept beside a row: its words, with a space on either side of each."""
    return f" {' '.join(words_of(' '.join(texts)))} "


def place_of(text: str) -> str:
    """What sorts addresses by street and house, whatever stands before them: «ул. Мира, 3» before «Мира, 12»."""
    words = [word for word in words_of(text) if word not in _OF_ADDRESSES]
    return " ".join(word.zfill(DIGITS) if word.isdecimal() else word for word in words)


def asked(question: str) -> tuple[str, ...]:
    """The words that count in a question; those that addresses are full of only where there are no others."""
    words = list(dict.fromkeys(words_of(question[:LONGEST_QUESTION])))
    return tuple(([word for word in words if word not in _OF_ADDRESSES] or words)[:MOST_WORDS])


async def find(
    connection: AsyncConnection,
    table: Table,
    mine: ColumnElement[bool],
    question: str,
    *,
    order: Sequence[ColumnElement[Any]],
    limit: int,
    offset: int,
    respell: bool,
    also: Mapping[str, ColumnElement[bool]] = MappingProxyType({}),
) -> tuple[Sequence[Row[Any]], str]:
    """Rows of ``table`` (it has ``search``) with ``total``, the closest first; where none, a spelling that finds some.

    ``also``: what else a word may be true of, beside ``search``.
    """
    words, text = asked(question), table.c.search
    if not words:
        return (), ""
    holding = (or_(_holding(text, word), also.get(word, false())) for word in words)
    wanted = select(table, func.count().over().label("total")).where(mine, *holding)
    wanted = wanted.order_by(_closeness(text, words).desc(), *order).limit(limit).offset(offset)
    rows = (await connection.execute(wanted)).all()
    return rows, "" if rows or offset or not respell else await _near(connection, select(text).where(mine), words)


def _holding(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """A part of a word is enough; of a number, or where one letter is asked for, its beginning."""
    return column.like(f"%{' ' if _from_start(word) else ''}{word}%")


def _closeness(column: ColumnElement[str], words: Iterable[str]) -> ColumnElement[int]:
    """Grows with the words that are there whole, and less with those that begin one."""
    scores = [case((column.like(f"% {word} %"), 2), (column.like(f"% {word}%"), 1), else_=0) for word in words]
    return sum(scores, start=literal(0, Integer))


async def _near(connection: AsyncConnection, texts: Select[Any], words: tuple[str, ...]) -> str:
    """The question as it would find something: spelt right, then without its numbers, then by its longest word."""
    kept = tuple(await connection.scalars(texts))
    return await asyncio.to_thread(nearest, words, kept)


def nearest(words: tuple[str, ...], texts: Sequence[str]) -> str:
    """What to ask for instead of ``words``, of which no text of ``searchable`` holds all; "" where nothing is near."""
    spelt = respelt(words, texts)
    names = tuple(word for word in spelt if not word.isdecimal())
    longest = tuple(sorted(names, key=len)[-1:])
    for tried in (spelt, names, longest):
        if tried and any(all(is_in(text, word) for word in tried) for text in texts):
            return " ".join(tried)
    return ""


def respelt(words: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    """``words`` as ``texts`` spell them: one that is in none of them by the nearest that is; () where none is near."""
    known = {word for text in texts for word in text.split()}
    letters = sorted(word for word in known if word.isalpha() and len(word) > 1)
    spelt = [_spelt(word, known, letters) for word in words]
    return tuple(dict.fromkeys(word for word in spelt if word))


def _spelt(word: str, known: set[str], letters: list[str]) -> str:
    if any(is_in(f" {one}", word) for one in known):
        return word
    if word.isdecimal():
        return ""
    found = process.extractOne(word, letters, scorer=fuzz.ratio, score_cutoff=LEAST_ALIKE)
    return found[0] if found is not None else ""


def is_in(text: str, word: str) -> bool:
    """As ``_holding`` of a column."""
    return (f" {word}" if _from_start(word) else word) in text


def _from_start(word: str) -> bool:
    return word.isdecimal() or len(word) == 1
