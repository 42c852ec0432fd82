"""A million leads into Excel and CSV: against the writing library alone, in how much memory, and what others feel of it."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from xlsxwriter import Workbook

from benchmarks.conversions import SERIES
from benchmarks.durable_postgres import durable_postgres
from benchmarks.figures import Figure, Plan, Section
from benchmarks.processes import forget_peak, memory_mib
from benchmarks.spread import percentile
from domain.plural import spaced
from handlers.exports.apart import Apart
from handlers.exports.catalogue import Export, columns_of, find_export
from handlers.exports.columns import cells_of
from handlers.exports.files import Format, Written
from handlers.exports.files import Plan as FilePlan
from handlers.exports.ground import Ground
from handlers.exports.making import count, pour
from handlers.exports.pipeline import PART_WEIGHT
from handlers.sheets import Cell
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.migrate import migrate
from storage.queries.listings import Days
from tests.postgres import NoPostgres

TITLE = "Выгрузка миллиона строк"
ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime.fromisoformat("2026-11-28T12:00:00+00:00")
SAMPLE = 2000  # rows that the library writes over and over
BESIDE_SECONDS = 0.02
_FILL = """
INSERT INTO leads (account_id, source, external_id, name, phone, phone_key, email, email_key, status, manager, value,
                   currency, form, url, first_utm_source, first_utm_medium, first_utm_campaign, first_utm_content,
                   created_at, updated_at)
SELECT 1, 'tilda', CAST(n AS text), 'Иванова Анна ' || n, '+7' || (9000000000 + CAST(n AS bigint) * 977 % 999999999),
       '7' || (9000000000 + CAST(n AS bigint) * 977 % 999999999), 'anna.' || n || '@example.ru',
       'anna.' || n || '@example.ru', 'new', 'Пётр Сергеев', n * 100, 'RUB', 'Заявка на расчёт',
       'https://example.ru/remont/?page=' || n, 'vk', 'cpc', 'autumn_' || (n % 40), 'banner_' || (n % 900), {at}, {at}
FROM {series} AS s
"""
_AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 1764000000 + n * 20, 'unixepoch') || '000'",
    "postgresql": "to_timestamp(1764000000 + CAST(n AS bigint) * 20)",
}


@dataclass(slots=True)
class _Beside:
    """What others feel meanwhile: a small write, and how late the loop comes back; milliseconds."""

    writes: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    async def watch(self, database: Database) -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(BESIDE_SECONDS)
            slept = time.perf_counter()
            self.late.append((slept - started - BESIDE_SECONDS) * 1000)
            await database.write(partial(_small, at=slept), urgent=True)
            self.writes.append((time.perf_counter() - slept) * 1000)


async def run(plan: Plan) -> Section:
    rows = 100_000 if plan.quick else 1_000_000
    notes = [
        f"Лиды, строк {spaced(rows)}, колонок {len(_leads().columns)}; из базы до готовых файлов, частями для Telegram.",
        "Память — наибольшая сверх покоя у процесса и вся у пишущего процесса, вместе.",
        "Библиотека одна — XlsxWriter пишет такие же готовые значения; сравнивается процессор, наш — вместе с чтением базы.",
        "Пишущий процесс уступает всем (nice 10): на занятой машине он ждёт, и часы говорят меньше, чем процессор.",
    ]
    figures = await _measured(plan, f"sqlite:///{plan.folder}/svodka.db", "SQLite", rows)
    try:
        with durable_postgres() as postgres:
            figures += await _measured(plan, postgres.url("postgres"), "PostgreSQL", rows)
    except NoPostgres as reason:
        notes.append(f"PostgreSQL не измерен: {reason}")
    return Section(name="exports", title=TITLE, figures=tuple(figures), notes=tuple(notes))


async def _measured(plan: Plan, url: str, base: str, rows: int) -> list[Figure]:
    await migrate(url)
    database = Database(url)
    database.open()
    words = {"at": _AT[database.dialect_name], "series": SERIES[database.dialect_name].format(rows)}
    await database.write(partial(_execute, sql=_FILL.format(**words)))
    await database.write(partial(_execute, sql="CREATE TABLE beside (at FLOAT)"))
    figures = []
    for format_ in Format:
        figures += await _one(plan, database, base, format_, rows)
    if base == "SQLite":
        ours = next(figure.values[0] for figure in figures if figure.title == "SQLite, XLSX: процессора")
        alone = await asyncio.to_thread(_alone, plan.folder / "alone.xlsx", await _sample(database), rows)
        figures += [
            Figure(title="XLSX, библиотека одна: процессора", values=(alone,), unit="с", digits=1),
            Figure(title="SQLite, XLSX: во сколько раз дороже библиотеки", values=(ours / alone,), at_most=3),
        ]
    await database.close()
    return figures


async def _one(plan: Plan, database: Database, base: str, format_: Format, rows: int) -> list[Figure]:
    beside = _Beside()
    watching = asyncio.create_task(beside.watch(database))
    try:
        started, spent = time.perf_counter(), _cpu()
        memory, written = await _exported(plan, database, format_)
        took, spent = time.perf_counter() - started, _cpu() - spent
    finally:
        watching.cancel()
    if written.rows != rows:
        raise RuntimeError(f"{written.rows} rows of {rows}")
    name, sizes = f"{base}, {format_.upper()}", [path.stat().st_size / 1e6 for path in written.paths]
    for path in written.paths:
        path.unlink()
    return [
        Figure(title=f"{name}: готово за", values=(took,), unit="с", digits=1),
        Figure(title=f"{name}: процессора", values=(spent,), unit="с", digits=1),
        Figure(title=f"{name}: памяти", values=(memory,), unit="МиБ", digits=0, at_most=60),
        Figure(title=f"{name}: файлы, каждый", values=tuple(sizes), unit="МБ", digits=0, at_most=50),
        Figure(
            title=f"{name}: цикл опаздывает, p99", values=(percentile(beside.late, 99),), unit="мс", digits=1, at_most=20
        ),
        Figure(title=f"{name}: запись рядом, p99", values=(percentile(beside.writes, 99),), unit="мс", digits=1, at_most=50),
    ]


async def _exported(plan: Plan, database: Database, format_: Format) -> tuple[float, Written]:
    """The most memory that it took, and what was written."""
    export, ground = _leads(), Ground(database=database, account_id=1, reader=_reader())
    days = Days(zone=ZONE)
    total = await count(export, ground, days)
    quiet = memory_mib(os.getpid())
    forget_peak(os.getpid())
    columns = columns_of(export, ground.reader.texts)
    files = FilePlan(
        path=plan.folder / f"leads.{format_}", room=plan.folder, format=format_, columns=columns, zone=ZONE,
        weight=PART_WEIGHT,
    )  # fmt: skip
    writer, most = await Apart.begin(files), 0.0

    async def tell(done: int, _: int | None) -> None:
        nonlocal most
        if done % 50_000 == 0:
            most = max(most, memory_mib(writer.pid, "VmHWM"))

    written = await pour(export, ground, days, writer, total=total, told=tell)
    return memory_mib(os.getpid(), "VmHWM") - quiet + most, written


def _alone(path: Path, sample: Sequence[Sequence[Cell]], rows: int) -> float:
    """Seconds of the processor that the library takes for such rows by itself."""
    started = _cpu()
    with Workbook(path, {"constant_memory": True}) as book:
        moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"})
        sheet = book.add_worksheet()
        for number, row in enumerate(islice(cycle(sample), rows)):
            for place, value in enumerate(row):
                if isinstance(value, str) and value:
                    sheet.write_string(number, place, value)
                elif isinstance(value, datetime):
                    sheet.write_datetime(number, place, value, moment)
                elif isinstance(value, int | Decimal):
                    sheet.write_number(number, place, value)
    path.unlink()
    return _cpu() - started


async def _sample(database: Database) -> list[list[Cell]]:
    export, ground = _leads(), Ground(database=database, account_id=1, reader=_reader())
    turn, found = cells_of(columns_of(export, ground.reader.texts)), list[list[Cell]]()
    slices = export.slices(ground, Days(zone=ZONE))
    async for rows in slices:
        found += [[_plain(value, ZONE) for value in turn(row)] for row in rows]
        if len(found) >= SAMPLE:
            break
    await slices.aclose()
    return found


def _plain(value: Cell, zone: tzinfo) -> Cell:
    """As the library takes it: times without a zone."""
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None)
    return str(value) if isinstance(value, date) else value


def _leads() -> Export:
    export = find_export("leads")
    if export is None:
        raise RuntimeError("there are no leads in the catalogue")
    return export


def _reader() -> Reader:
    return Reader(texts=load_texts(), now=NOW, zone=ZONE)


def _cpu() -> float:
    """Seconds of the processor: ours, and those of processes that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


async def _small(connection: AsyncConnection, *, at: float) -> None:
    await connection.execute(text("INSERT INTO beside (at) VALUES (:at)"), {"at": at})


async def _execute(connection: AsyncConnection, *, sql: str) -> None:
    await connection.exec_driver_sql(sql.replace("%", "%%") if connection.dialect.name != "sqlite" else sql)
