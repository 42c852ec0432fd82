"""Tables that open in Excel as they are meant: Russian separators, phones as text, and no cell that is a formula."""

import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path

from domain.people import show_phone

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # how a cell begins that would be carried out

Cell = str | int | bool | Decimal | date | datetime | None


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
    """Rows go to the disk as they come; the file is there whole or not at all. Blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8-sig", newline="", dir=path.parent, suffix=".part", delete=False
    ) as file:
        table = csv.writer(file, delimiter=";", lineterminator="\r\n")
        table.writerow(header)
        table.writerows([cell(value, zone) for value in row] for row in rows)
    os.replace(file.name, path)  # noqa: PTH105 - atomic, and over what is there
