"""Books of Excel, written row by row: what was written is on the disk and no longer in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from handlers.sheets import Cell, Write, is_formula, shown, whole

MOST_ROWS = 1_048_575  # of a sheet, below its heading
LONGEST_CELL = 32_767  # units of UTF-16: an emoji is two
_CUT = "… (обрезано)"
_SHEET = "Лист {number}"
_DAY_ZERO = date(1899, 12, 30).toordinal()
_FIRST_DAY = date(1900, 3, 1)  # before it Excel counts a day that never was
_SECONDS = 86_400
_MOMENT, _DAY, _UNITS = "dd.mm.yyyy hh:mm:ss", "dd.mm.yyyy", "#,##0.00"
_DEAREST = 10**15  # Excel keeps fifteen digits of a number: what is longer is a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A column: its heading and how many characters wide it is."""

    title: str
    width: int = 16


@dataclass(slots=True, kw_only=True)
class Told:
    """What became of the rows: on how many sheets they are, and how many texts were too long for a cell."""

    sheets: int = 0
    cut: int = 0


@contextmanager
def open_book(path: Path, looks: Sequence[Look], zone: tzinfo, told: Told, room: Path) -> Iterator[Write]:
    """Gives what writes rows, and blocks while it does. The file is there whole once the block ends well, or not at all.

    Up to then the rows are in a folder of their own in ``room``, about ten times as large as the book will be.
    """
    with whole(path) as part, TemporaryDirectory(prefix="book-", dir=room) as folder:
        book = Workbook(part, {"constant_memory": True, "tmpdir": folder, "use_zip64": True})
        try:
            pages = _Pages(book, looks, zone, told)
            yield pages.write
            pages.close()
            book.close()
        finally:  # of a book that is left unfinished the library lets nothing go
            for sheet in book.worksheets():
                sheet.row_data_fh.close()


class _Pages:
    """The sheets of a book, each begun when the one before is full."""

    def __init__(self, book: Workbook, looks: Sequence[Look], zone: tzinfo, told: Told) -> None:
        self._book, self._looks, self._told = book, looks, told
        self._heading = book.add_format({"bold": True, "bottom": 1})
        self._writers = _Writers(book, zone, told)
        self._sheet = self._begin()
        self._row = 0

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            if self._row == MOST_ROWS:
                self._end()
                self._sheet, self._row = self._begin(), 0
            self._row += 1
            sheet, number = self._sheet, self._row
            for place, value in enumerate(row):
                if value is not None and value != "":
                    self._writers.by_type[type(value)](sheet, number, place, value)

    def close(self) -> None:
        self._end()

    def _begin(self) -> Worksheet:
        self._told.sheets += 1
        sheet = self._book.add_worksheet(_SHEET.format(number=self._told.sheets))
        for place, look in enumerate(self._looks):
            sheet.set_column(place, place, look.width)
        sheet.freeze_panes(1, 0)
        for place, look in enumerate(self._looks):
            sheet.write_string(0, place, look.title, self._heading)
        return sheet

    def _end(self) -> None:
        if self._row and self._looks:
            self._sheet.autofilter(0, 0, self._row, len(self._looks) - 1)


class _Writers:
    """How a value of each type is written: never what a text looks like, always what it is."""

    def __init__(self, book: Workbook, zone: tzinfo, told: Told) -> None:
        self._zone, self._told = zone, told
        self._moment: Format = book.add_format({"num_format": _MOMENT})
        self._day: Format = book.add_format({"num_format": _DAY})
        self._units: Format = book.add_format({"num_format": _UNITS})
        self._quoted: Format = book.add_format({"quote_prefix": True})
        self.by_type: dict[type, Callable[[Worksheet, int, int, Cell], object]] = {
            str: self._text, bool: self._number, int: self._number, Decimal: self._decimal, datetime: self._time,
            date: self._date,
        }  # fmt: skip

    def _text(self, sheet: Worksheet, row: int, place: int, value: Cell) -> None:
        text = _fitting(value) if isinstance(value, str) else str(value)
        if len(text) > LONGEST_CELL // 2:
            text = self._whole_or_cut(text)
        # a quoted text stays one also when somebody opens the cell and presses Enter
        sheet.write_string(row, place, text, self._quoted if is_formula(text) else None)

    def _whole_or_cut(self, text: str) -> str:
        units = text.encode("utf-16-le")
        if len(units) <= 2 * LONGEST_CELL:
            return text
        self._told.cut += 1
        return units[: 2 * (LONGEST_CELL - len(_CUT))].decode("utf-16-le", "ignore") + _CUT  # half an emoji is left out

    def _number(self, sheet: Worksheet, row: int, place: int, value: Cell) -> None:
        number = int(value) if isinstance(value, int) else 0
        if abs(number) < _DEAREST:
            sheet.write_number(row, place, number)
        else:
            sheet.write_string(row, place, str(number))

    def _decimal(self, sheet: Worksheet, row: int, place: int, value: Cell) -> None:
        if isinstance(value, Decimal):
            sheet.write_number(row, place, float(value), self._units)

    def _time(self, sheet: Worksheet, row: int, place: int, value: Cell) -> None:
        if isinstance(value, datetime):
            local = value.astimezone(self._zone)
            seconds = local.hour * 3600 + local.minute * 60 + local.second
            self._dated(sheet, (row, place), local.date(), seconds, self._moment)

    def _date(self, sheet: Worksheet, row: int, place: int, value: Cell) -> None:
        if isinstance(value, date):
            self._dated(sheet, (row, place), value, 0, self._day)

    def _dated(self, sheet: Worksheet, spot: tuple[int, int], day: date, seconds: int, format_: Format) -> None:
        if day < _FIRST_DAY:
            sheet.write_string(*spot, f"{day:%d.%m.%Y}")
        else:
            sheet.write_number(*spot, day.toordinal() - _DAY_ZERO + seconds / _SECONDS, format_)


def _fitting(text: str) -> str:
    """Without what XML forbids; what the library would take for markup of its own begins with a space."""
    if not text.isprintable():
        text = shown(text.replace("\r\n", "\n").replace("\r", "\n"))
    return f" {text}" if text.startswith("<r>") and text.endswith("</r>") else text
