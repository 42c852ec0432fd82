"""Rows into files of a format: as many files as it takes to send them, each of them whole."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path

from handlers.books import Look, Told, open_book
from handlers.exports.columns import Column, Kind, Row, cells_of
from handlers.sheets import Cell, Write, open_sheet

CELL_WEIGHT = 3  # what the markup of a cell comes to, in characters of text
MOST_SENT = 49_000_000  # bytes; Telegram takes 50 MB of a bot
_WIDTHS = {Kind.LONG: 60, Kind.TEXT: 24, Kind.MOMENT: 19, Kind.DAY: 12, Kind.PHONE: 18, Kind.MONEY: 14}


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where rows go. ``path`` is of the first file, ``room`` a folder for what is written on the way to it.

    ``weight``: characters after which another file is begun, 0 for never.
    """

    path: Path
    room: Path
    format: Format
    columns: tuple[Column, ...]
    zone: tzinfo
    weight: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What there is now. ``cut``: texts that were too long for a cell of a book."""

    paths: tuple[Path, ...]
    rows: int
    cut: int = 0


@dataclass(slots=True)
class _Count:
    rows: int = 0
    weight: int = 0


class _DroppedError(Exception):
    """Goes through what is open, so that it is closed as after a failure."""


class Writing:
    """Takes rows until ``end``; ``drop`` leaves nothing of them. Blocks."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._told = plan, Told()
        self._turn = cells_of(plan.columns)
        self._count, self._paths = _Count(), list[Path]()
        self._open = ExitStack()
        self._write = self._begin()

    def write(self, rows: Sequence[Row]) -> None:
        if self._plan.weight and self._count.weight > self._plan.weight:
            self._open.close()
            self._write, self._count.weight = self._begin(), 0
        self._write(self._weighed(rows))
        self._count.rows += len(rows)

    def end(self) -> Written:
        self._open.close()
        if self._plan.weight and self._plan.format is Format.CSV:
            self._paths = [_packed(path) for path in self._paths]
        return Written(paths=tuple(self._paths), rows=self._count.rows, cut=self._told.cut)

    def drop(self) -> None:
        with suppress(_DroppedError), self._open:
            raise _DroppedError
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _begin(self) -> Write:
        path, number = self._plan.path, len(self._paths) + 1
        path = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        self._paths.append(path)
        return self._open.enter_context(_opened(self._plan, path, self._told))

    def _weighed(self, rows: Sequence[Row]) -> Iterator[list[Cell]]:
        for row in rows:
            cells = self._turn(row)
            self._count.weight += sum([len(one) if isinstance(one, str) else 4 for one in cells]) + CELL_WEIGHT * len(cells)
            yield cells


@contextmanager
def _opened(plan: Plan, path: Path, told: Told) -> Iterator[Write]:
    titles = [column.title for column in plan.columns]
    if plan.format is Format.CSV:
        with open_sheet(path, titles, plan.zone) as write:
            yield write
        return
    looks = [Look(title=column.title, width=max(_WIDTHS.get(column.kind, 12), min(len(column.title) + 3, 30)))
             for column in plan.columns]  # fmt: skip
    with open_book(path, looks, plan.zone, told, plan.room) as write:
        yield write


def _packed(path: Path) -> Path:
    """A file too large to be sent as a .zip beside it, which it goes into."""
    if path.stat().st_size <= MOST_SENT:
        return path
    target = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    path.unlink()
    return target
