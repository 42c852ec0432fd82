"""Tables that open in Excel as they are meant: Russian separators, phones as text, and no cell that is a formula."""

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path

from domain.people import show_phone

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # how a cell begins that would be carried out

Cell = str | int | bool | Decimal | date | datetime | None
Write = Callable[[Iterable[Sequence[Cell]]], None]


def cell(value: Cell, zone: tzinfo) -> str | int:
    """As Excel set up for Russian reads it: numbers with a comma, times of ``zone``."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%d.%m.%Y %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, Decimal):
        return f"{value}".replace(".", ",")
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(FORMULA) else value
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
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8-sig", newline="", dir=path.parent, suffix=".part", delete=False
    ) as file:
        part = Path(file.name)
        table = csv.writer(file, delimiter=";", lineterminator="\r\n")
        table.writerow(header)
        try:
            yield lambda rows: table.writerows([cell(value, zone) for value in row] for row in rows)
        except BaseException:
            part.unlink()
            raise
    part.replace(path)
