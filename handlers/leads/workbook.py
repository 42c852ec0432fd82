"""A spreadsheet turned into a plain table by a process of its own: a hostile file can spend no more than it is given."""

import csv
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from enum import IntEnum
from pathlib import Path

from domain.errors import BadInput

MOST_ROWS = 200_000
MOST_CELLS = 4_000_000
LONGEST_CELL = 2_000
MEMORY_BYTES = 1024**3
FILE_BYTES = 400 * 1024**2
CPU_SECONDS = 30
PATIENCE_SECONDS = 60.0


class Exit(IntEnum):
    """How the process ends; anything else is a crash, or a limit that it ran into."""

    DONE = 0
    UNREADABLE = 3
    TOO_MANY = 4
    EMPTY = 5


_HINTS = {
    Exit.UNREADABLE: "книга не открывается: сохраните её без пароля как .xlsx или .csv и пришлите ещё раз",
    Exit.TOO_MANY: f"в листе больше {MOST_ROWS} строк: разделите его на части",
    Exit.EMPTY: "в книге нет листа с данными",
}
_TOO_HEAVY = "книга слишком тяжёлая: сохраните её как .csv и пришлите ещё раз"


def convert(source: Path, target: Path, memory: int = MEMORY_BYTES) -> None:
    """The first visible sheet of ``source`` as CSV in ``target``; blocks. BadInput says what is wrong with the file."""
    command = [sys.executable, "-m", "handlers.leads.workbook", str(source), str(target), str(memory)]
    paths = {"PYTHONPATH": ":".join(path for path in sys.path if path)}  # and nothing else of ours: no secret
    try:
        # our own interpreter and our own module
        done = subprocess.run(command, env=paths, capture_output=True, timeout=PATIENCE_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BadInput("file", _TOO_HEAVY) from None
    if done.returncode != Exit.DONE:
        raise BadInput("file", _HINTS[Exit(done.returncode)] if done.returncode in _HINTS else _TOO_HEAVY)


def main(source: str, target: str, memory: str) -> Exit:
    """What runs in the process."""
    for limit, value in (
        (resource.RLIMIT_AS, int(memory)), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, FILE_BYTES),
    ):  # fmt: skip
        with suppress(ValueError, OSError):  # macOS refuses some of them; the time is limited by who started us
            resource.setrlimit(limit, (value, value))
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        with CalamineWorkbook.from_path(source) as book:
            shown = [sheet.name for sheet in book.sheets_metadata
                     if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet]  # fmt: skip
            for sheet in map(book.get_sheet_by_name, shown):
                if sheet.height > MOST_ROWS + 100 or sheet.height * sheet.width > MOST_CELLS:
                    return Exit.TOO_MANY
                if sheet.height and sheet.start is not None:
                    _write(Path(target), sheet.start[0], sheet.iter_rows())
                    return Exit.DONE
    except (CalamineError, OSError, ValueError):
        return Exit.UNREADABLE
    return Exit.EMPTY


def _write(target: Path, first: int, rows: Iterable[Sequence[object]]) -> None:
    """Empty rows above the data are kept, so that row numbers are those that a person sees."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([[""]] * first)
        writer.writerows([cell_text(cell)[:LONGEST_CELL] for cell in row] for row in rows)


def cell_text(cell: object) -> str:
    """A cell as it would be typed: a phone that became a number is digits again, a date is 2026-11-28.

    12.345 is 12.3450: a number of a book parts no thousands, and with three digits it would look as if it did.
    """
    if isinstance(cell, bool):
        return "да" if cell else "нет"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return f"{cell:.0f}"
        text = repr(round(cell, 9))  # without what counting in binary leaves: 0.30000000000000004
        return f"{text}0" if len(text.partition(".")[2]) == 3 else text
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return cell.isoformat("minutes") if isinstance(cell, time) else str(cell)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
