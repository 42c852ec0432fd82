"""`svodka export`: a list or a figure as a file for Excel, or as CSV for a program, read past the running process."""

import argparse
import asyncio
import io
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bot.clock import SystemClock
from bot.commands.console import complain, say
from bot.commands.ground import load_settings, open_current_database
from bot.entrance import ACCOUNT
from bot.settings import Settings
from domain.messages import Texts
from domain.plural import spaced
from handlers.exports.apart import Apart, NotWrittenError, reason_of
from handlers.exports.asking import Asked, understand
from handlers.exports.catalogue import EXPORTS, Export, columns_of, find_export, title_of
from handlers.exports.columns import Column, Row, cells_of
from handlers.exports.files import Format, Plan, Written
from handlers.exports.ground import Ground
from handlers.exports.making import FOLDER, SPARE_BYTES, Writer, count, days_of, has_room, pour, room_needed
from handlers.sheets import sheet_into
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.queries.listings import Days

log = logging.getLogger(__name__)

NOT_DONE, WRONG = 1, 2
TOLD_EVERY = 0.5  # seconds
_STDOUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is to be made. ``into`` None: the standard output. ``columns`` with titles for people, or for programs."""

    export: Export
    days: Days
    format: Format
    into: Path | None
    columns: tuple[Column, ...]


def execute(arguments: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Without words: what there is. 1: it could not be made, 2: it was asked for wrongly."""
    texts = load_texts()
    if not arguments.what:
        _list(texts)
        return 0
    settings = load_settings()
    try:
        order = _order(settings, texts, arguments)
    except ValueError as error:
        complain(str(error))
        return WRONG
    if order.into is not None and order.into.exists():
        complain(f"{order.into} уже есть: укажите другое имя")
        return NOT_DONE
    return asyncio.run(_export(settings, texts, order))


def _order(settings: Settings, texts: Texts, arguments: argparse.Namespace) -> _Order:
    """ValueError says in Russian what is wrong with the asking."""
    now = datetime.now(settings.timezone)
    asked = understand(" ".join(arguments.what), now.date(), tuple(export.name for export in EXPORTS))
    export = find_export(asked.what)
    if export is None or asked.left:
        raise ValueError(_not_understood(asked))
    format_ = _format(arguments, asked)
    into = Path(arguments.out or f"{export.name}-{now:%Y%m%d-%H%M%S}.{format_}").absolute()
    return _Order(
        export=export, days=_days(settings, arguments, asked), format=format_,
        into=None if arguments.out == _STDOUT else into,
        columns=columns_of(export, texts, named=arguments.names),
    )  # fmt: skip


def _list(texts: Texts) -> None:
    say("Что можно выгрузить:")
    for export in EXPORTS:
        say(f"  {export.name:<16}{title_of(export, texts)}")
    say("Например: svodka export звонки за ноябрь --format xlsx")


def _not_understood(asked: Asked) -> str:
    if not asked.what:
        return "нет такого списка: что есть, покажет svodka export"
    return f"непонятно: «{asked.left}». Период: «за ноябрь», «с 1 по 15 ноября», --from 2026-11-01 --to 2026-11-15"


def _days(settings: Settings, arguments: argparse.Namespace, asked: Asked) -> Days:
    """Of the options, else of the words, else all there are. ValueError says what is wrong."""
    period = asked.period
    first = _day("--from", arguments.first) if arguments.first else period.first if period else None
    last = _day("--to", arguments.last) if arguments.last else period.last if period else None
    if period is not None and period.turned and not (arguments.first or arguments.last):
        first, last = period.last, period.first
    if first is not None and last is not None and first > last:
        raise ValueError(f"период наоборот: {first:%d.%m.%Y} позже {last:%d.%m.%Y}")
    return Days(zone=settings.timezone, first=first, last=last)


def _day(option: str, text: str) -> date:
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day of the account's zone
        except ValueError:
            continue
    raise ValueError(f"{option}: «{text}» не дата; нужно 2026-11-01 или 01.11.2026")


def _format(arguments: argparse.Namespace, asked: Asked) -> Format:
    """As it is said, else as the file is called, else for Excel."""
    named = Path(arguments.out or "").suffix.lower().removeprefix(".")
    given = arguments.format or asked.format or (named if named in set(Format) else None)
    if given is not None and given not in set(Format):
        raise ValueError(f"--format: «{given}» не бывает; есть csv и xlsx")
    if arguments.out == _STDOUT:
        if given == Format.XLSX:
            raise ValueError("в стандартный вывод пишется только csv; для Excel укажите файл: --out файл.xlsx")
        return Format.CSV
    return Format(given or Format.XLSX)


async def _export(settings: Settings, texts: Texts, order: _Order) -> int:
    room = settings.data_dir / FOLDER
    room.mkdir(parents=True, exist_ok=True)
    async with open_current_database(settings) as database:
        reader = Reader(texts=texts, now=SystemClock().now(), zone=settings.timezone)
        ground = Ground(
            database=database, account_id=ACCOUNT, reader=reader, short_s=settings.call_min_duration_s,
            short_fixed=settings.min_duration_fixed, attended_s=settings.attended_min_s,
        )  # fmt: skip
        days = await days_of(order.export, ground, order.days)
        total = await count(order.export, ground, days)
        needed = room_needed(order.export, order.format, total or 0)
        if order.into is not None and not has_room(room, needed):
            complain(f"на диске мало места: нужно {(needed + SPARE_BYTES) // 1024**2} МБ")
            return NOT_DONE
        try:
            writer = await _writer(order, settings, room)
            written = await pour(order.export, ground, days, writer, total=total, told=Progress().tell)
        except (NotWrittenError, OSError) as error:
            log.warning("export %s: %s", order.export.name, error)
            complain(f"файл не записан: {texts.get(f'export.reason.{reason_of(error)}')}")
            return NOT_DONE
    _tell(written, days, to_stdout=order.into is None)
    return 0


async def _writer(order: _Order, settings: Settings, room: Path) -> Writer:
    if order.into is None:
        return _Stream(order.columns, settings)
    plan = Plan(path=order.into, room=room, format=order.format, columns=order.columns, zone=settings.timezone)
    return await Apart.begin(plan)


def _tell(written: Written, days: Days, *, to_stdout: bool) -> None:
    """On the error output where the table itself goes to the standard one."""
    tell = complain if to_stdout else say
    since = f" с {days.first:%d.%m.%Y}" if days.first else ""
    until = f" по {days.last:%d.%m.%Y}" if days.last else ""
    where = "" if to_stdout else f": {', '.join(map(str, written.paths))}"
    tell(f"Строк{since}{until}: {spaced(written.rows)}{where}")
    if written.cut:
        tell(f"Слишком длинных для ячейки текстов: {written.cut}, они обрезаны; целиком они в csv")


class Progress:
    """How far it is, on a terminal only, in one line that is written over."""

    def __init__(self) -> None:
        self._since = self._told_at = time.monotonic()

    async def tell(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or (now - self._told_at < TOLD_EVERY and done != total):
            return
        self._told_at = now
        share = f" из {spaced(total)} ({done * 100 // total} %)" if total else ""
        speed = int(done / max(now - self._since, 0.001))
        sys.stderr.write(
            f"\r{spaced(done)}{share}, {spaced(speed)} строк в секунду\033[K{os.linesep if done == total else ''}"
        )
        sys.stderr.flush()


class _Stream:
    """CSV on the standard output, as it comes."""

    def __init__(self, columns: Sequence[Column], settings: Settings) -> None:
        self._turn, self._rows = cells_of(columns), 0
        text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8-sig", newline="", write_through=True)
        self._write = sheet_into(text, [column.title for column in columns], settings.timezone)
        self._text = text

    async def write(self, rows: Sequence[Row]) -> None:
        self._write(map(self._turn, rows))
        self._rows += len(rows)

    async def end(self) -> Written:
        self._text.flush()
        self._text.detach()
        return Written(paths=(), rows=self._rows)

    async def drop(self) -> None:
        """What is out is out."""
        self._text.detach()
