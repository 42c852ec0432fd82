"""A table read piece by piece, off the event loop: its columns first, then its rows as what they mean."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path

from domain.imports import ImportKind
from handlers.leads.cells import Numbered, read_row
from handlers.leads.columns import HEADER_WITHIN, Columns, find_columns, nothing_found
from handlers.leads.tables import Row, as_text, open_table

PIECE = 100  # rows: read before others get their turn, and written at once: the writer is held for some 10 ms


class Reading:
    """One table on its way through. ``pieces`` may be gone through once."""

    def __init__(self, columns: Columns, rows: Iterator[Row], zone: tzinfo, now: datetime) -> None:
        self.columns = columns
        self._rows = rows
        self._zone = zone
        self._now = now

    async def pieces(self) -> AsyncIterator[list[Numbered]]:
        while piece := await asyncio.to_thread(self._next):
            yield piece

    def _next(self) -> list[Numbered]:
        columns = self.columns
        return [
            read_row(columns.kind, number, columns.of(cells), zone=self._zone, now=self._now)
            for number, cells in islice(self._rows, PIECE)
        ]


@asynccontextmanager
async def opened(path: Path, kind: ImportKind | None, *, zone: tzinfo, now: datetime) -> AsyncIterator[Reading]:
    """The table in ``path``; its dates are of ``zone``, and none is later than a day after ``now``. BadInput: no table."""
    text = await asyncio.to_thread(as_text, path)
    with closing(_rows(text)) as rows:
        columns = await asyncio.to_thread(_header, rows, kind)
        yield Reading(columns, rows, zone, now)


def _rows(path: Path) -> Generator[Row, None, None]:
    with open_table(path) as rows:
        yield from rows


def _header(rows: Iterator[Row], kind: ImportKind | None) -> Columns:
    for _, cells in islice(rows, HEADER_WITHIN):
        columns = find_columns(cells, kind)
        if columns is not None:
            return columns
    raise nothing_found()
