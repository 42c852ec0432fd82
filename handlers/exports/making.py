"""An export from its rows to its files: slices are fetched here and written elsewhere, and whoever waits is told."""

import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from handlers.exports.catalogue import Export
from handlers.exports.columns import Row
from handlers.exports.files import Format, Written
from handlers.exports.ground import Ground, period_of
from storage.queries.listings import Days

FOLDER = "exports"  # below DATA_DIR
SPARE_BYTES = 500 * 1024**2  # of the disk: events are stored whatever happens
_CELL_BYTES = {Format.CSV: 30, Format.XLSX: 80}  # of the disk, while a book is written

Told = Callable[[int, int | None], Awaitable[None]]  # how many rows are done, of how many


class Writer(Protocol):
    """handlers.exports.apart.Apart, or a stream."""

    async def write(self, rows: Sequence[Row]) -> None: ...
    async def end(self) -> Written: ...
    async def drop(self) -> None: ...


async def days_of(export: Export, ground: Ground, days: Days) -> Days:
    """Those it will be of, which is what people are told."""
    if not export.counted:
        return days
    period = await period_of(ground, days)
    return replace(days, first=period.first, last=period.last)


async def count(export: Export, ground: Ground, days: Days) -> int | None:
    """How many rows there will be; None where only making it tells."""
    return await export.count(ground, days) if export.count is not None else None


async def pour(export: Export, ground: Ground, days: Days, writer: Writer, *, total: int | None, told: Told) -> Written:
    """Every row of it; whatever goes wrong, or stops it from ``told``, leaves no file."""
    done = 0
    try:
        async with aclosing(export.slices(ground, days)) as slices:
            async for rows in slices:
                await writer.write(rows)
                done += len(rows)
                await told(done, total)
        return await writer.end()
    except BaseException:
        await writer.drop()
        raise


def room_needed(export: Export, format_: Format, rows: int) -> int:
    """Bytes of the disk while it is made."""
    return rows * len(export.columns) * _CELL_BYTES[format_]


def has_room(folder: Path, needed: int) -> bool:
    """Blocks."""
    return shutil.disk_usage(folder).free > needed + SPARE_BYTES
