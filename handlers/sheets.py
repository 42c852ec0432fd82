"""Tables that open in Excel as they are meant: Russian separators, phones as text, and no cell that is a formula."""

import csv
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from domain.people import show_phone

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # how a cell begins that would be carried out

Cell = str | int | bool | Decimal | date | datetime | None
Write = Callable[[Iterable[Sequence[Cell]]], None]
# What no XML may hold and no Excel shows, and a mark of the order of bytes behind which a formula would begin.
_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")


def shown(text: str) -> str:
    """Without what cannot be shown."""
    return text if text.isprintable() else _UNSHOWN.sub("", text)


def is_formula(text: str) -> bool:
    """Whether Excel would carry it out, or take it for a number, had somebody typed it."""
    return text.startswith(FORMULA) or text.lstrip().startswith(FORMULA)


def cell(value: Cell, zone: tzinfo) -> str | int:
    """As Excel set up for Russian reads it: numbers with a comma, times of ``zone``."""
    if isinstance(value, str):
        text = shown(value)
        return f"'{text}" if is_formula(text) else text
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%d.%m.%Y %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",")
    return "" if value is None else value


def phone_cell(key: str) -> str:
    """«7 999 123-45-67»: with spaces it is a text, without the plus no formula."""
    return show_phone(key).removeprefix("+") if key else ""


def write_sheet(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]], zone: tzinfo) -> None:
    """All of it at once. Blocks."""
    with open_sheet(path, header, zone) as write:
        write(rows)


@contextmanager
def open_sheet(path: Path, header: Sequence[str], zone: tzinfo) -> Iterator[Write]:
    """Gives what writes rows, and blocks while it does. The file is there whole once the block ends well, or not at all."""
    with whole(path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        yield sheet_into(file, header, zone)


def sheet_into(file: TextIO, header: Sequence[str], zone: tzinfo) -> Write:
    """What writes rows behind the header."""
    table = csv.writer(file, delimiter=";", lineterminator="\r\n")
    table.writerow([cell(title, zone) for title in header])
    return lambda rows: table.writerows([cell(value, zone) for value in row] for row in rows)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write into: it takes that name once the block ends well, or is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        part = Path(file.name)
    try:
        yield part
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)
