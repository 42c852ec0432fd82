"""A table in whatever form it came: the encoding, the separator, and its rows one after another."""

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import BadInput
from handlers.leads.workbook import LONGEST_CELL, MOST_ROWS, convert

MOST_BYTES = 100 * 1024**2  # it is read piece by piece; what Telegram gives to bots is less
MOST_COLUMNS = 200
_BLOCK = 1024**2
_SEPARATORS = ";\t,|"
_BOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_TABLES = frozenset({".csv", ".tsv", ".txt"})
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEP_LINE = re.compile(r"sep=(.)\s*\Z", re.IGNORECASE)

Row = tuple[int, list[str]]


def is_table(name: str) -> bool:
    """By its name a table that can be read."""
    return Path(name).suffix.lower() in _BOOKS | _TABLES


def as_text(path: Path) -> Path:
    """``path`` itself when it is a text, else the CSV made of its first sheet. Blocks. BadInput: it is neither."""
    if path.stat().st_size > MOST_BYTES:
        raise BadInput("file", f"файл больше {MOST_BYTES // 1024**2} МБ: разделите его на части")
    if path.stat().st_size == 0:
        raise BadInput("file", "файл пуст")
    if path.suffix.lower() in _TABLES:
        return path
    if path.suffix.lower() not in _BOOKS:
        raise BadInput("file", "подходят таблицы .csv и .xlsx")
    made, part = path.with_suffix(".made.csv"), path.with_suffix(".part")
    if not made.exists():
        try:
            convert(path, part)
            part.rename(made)
        finally:
            part.unlink(missing_ok=True)
    return made


@contextmanager
def open_table(path: Path) -> Iterator[Iterator[Row]]:
    """Rows that are not empty with their number in the file, from 1. BadInput for what is no table, or too long a one."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        first = file.readline(_BLOCK)
        told = _SEP_LINE.match(first)
        if told is None:
            file.seek(0)
        reader = csv.reader(file, delimiter=told[1] if told else _separator(first))
        yield _rows(reader, 2 if told else 1)


def _rows(reader: "Iterator[list[str]]", first: int) -> Iterator[Row]:
    count = 0
    try:
        for number, cells in enumerate(reader, first):
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_ROWS + 1:
                raise BadInput("file", f"в файле больше {MOST_ROWS} строк: разделите его на части")
            yield number, [cell[:LONGEST_CELL].replace("\0", "").strip() for cell in cells[:MOST_COLUMNS]]
    except csv.Error:
        raise BadInput("file", "таблица не читается: похоже, не закрыта кавычка") from None


def _encoding(path: Path) -> str:
    """UTF-8 where every byte allows it, else the Windows one: no other is met in Russian tables."""
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        while block := file.read(_BLOCK):
            if b"\0" in block:
                raise BadInput("file", "это не таблица: подходят .csv и .xlsx")
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                return "cp1251"
    return "utf-8"


def _separator(line: str) -> str:
    """What stands most often outside quotes in the first line."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)
