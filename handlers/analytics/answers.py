"""From what is asked about figures to what answers it: the count, screen, table and picture, without a messenger."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from domain.attendance import Yardstick
from domain.messages import File, Message
from domain.roles import Person
from handlers.analytics.catalogue import Counted, Figure, count, name_of
from handlers.analytics.charts import Bars, draw_bars
from handlers.analytics.screens import bars, caption, figure_screen, how_screen
from handlers.analytics.visits import HEADER as VISITS_HEADER
from handlers.analytics.visits import MOST_VISITS, visit_cells, visits_screen
from handlers.calls.periods import Period
from handlers.desk import Desk
from handlers.drawing import draw_apart
from handlers.sheets import Cell, write_sheet
from handlers.wording import Reader
from storage.queries.attendees import last_attendances
from storage.queries.conversions import ConversionRow
from storage.queries.spend import Cost

HEADER = (
    "total_leads",
    "leads_came",
    "conversion_rate_percent",
    "webinar_attendees",
    "avg_watch_minutes",
    "watched_30min_plus",
)
COST_HEADER = (
    "registrations", "currency", "spend", "cost_per_lead", "cost_per_registration", "cost_per_came", "cost_per_30min_plus",
)  # fmt: skip
_FIRST = {"direction": "direction_name", "creative": "creative_name", "source": "utm_source", "partner": "url_marker"}


async def counted(desk: Desk, person: Person, figure: Figure, period: Period | None) -> Counted:
    zone, now = desk.timezone(person.account_id), desk.clock.now()
    return await count(desk.database, person.account_id, figure, period, zone=zone, now=now)


def screen(reader: Reader, person: Person, found: Counted, *, puzzled: str = "") -> Message:
    return figure_screen(reader, found, admin=person.role.runs_the_bot, puzzled=puzzled)


def how(desk: Desk, reader: Reader, found: Counted) -> Message:
    yardstick = desk.webinars.yardstick if desk.webinars else Yardstick()
    return how_screen(reader, found, attended_s=yardstick.attended_s)


async def sheet(desk: Desk, reader: Reader, found: Counted, *, key: str) -> Message:
    """All rows of a figure as a CSV, exact where the screen is short."""
    header = (_FIRST[found.figure.dimension.value], *HEADER, *(COST_HEADER if found.spending.total else ()))
    rows = [(name_of(reader, found.figure, row), *cells_of(row), *cost_cells(found, row)) for row in found.rows]
    return await _file(desk, reader, header, rows, key=key, told=caption(reader, found))


def cells_of(row: ConversionRow) -> tuple[Cell, ...]:
    """In the order of HEADER; the rate is exact here, however few the leads are."""
    return (row.leads, row.came, row.percent, row.visits, row.avg_watch_minutes, row.long_visits)


def cost_cells(found: Counted, row: ConversionRow) -> Iterator[Cell]:
    """In the order of COST_HEADER; a row paid for in several currencies says them one after another."""
    if not found.spending.total:
        return
    costs, counts = found.costs(row), found.paid_for(row)
    yield counts["registration"]
    yield ", ".join(cost.currency for cost in costs)
    yield _in_units(costs)
    for number in counts.values():
        yield _in_units([each for cost in costs if (each := cost.per(number)) is not None])


def _in_units(costs: Sequence[Cost]) -> Cell:
    units = [(Decimal(cost.amount) / 100).quantize(Decimal("0.01")) for cost in costs]
    return units[0] if len(units) == 1 else ", ".join(map(str, units))


async def visits_sheet(desk: Desk, person: Person, reader: Reader, *, key: str) -> Message:
    lines = await last_attendances(desk.database, person.account_id, limit=MOST_VISITS)
    rows = [visit_cells(line) for line in lines]
    return await _file(desk, reader, VISITS_HEADER, rows, key=key, told=reader.say("visits.title"))


async def visits(desk: Desk, person: Person, reader: Reader) -> Message:
    return visits_screen(reader, await last_attendances(desk.database, person.account_id, limit=MOST_VISITS))


async def _file(
    desk: Desk, reader: Reader, header: tuple[str, ...], rows: Iterable[tuple[Cell, ...]], *, key: str, told: str
) -> Message:
    relative = _path(desk, key, "csv")
    await asyncio.to_thread(write_sheet, desk.data_dir / relative, header, _iterate(rows), reader.zone)
    file = File(path=relative.as_posix(), name=f"{told}.csv", caption=told)
    return Message(key=key, sections=(), files=(file,), kind="answer")


def _iterate(rows: Iterable[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    yield from rows


async def picture(desk: Desk, reader: Reader, found: Counted, *, key: str) -> Message:
    """The rows of the screen as bars."""
    shown = Bars(
        title=caption(reader, found), rows=bars(reader, found), note=reader.say(f"figures.note.{found.figure.texts}")
    )
    png = await asyncio.to_thread(draw_apart, draw_bars, shown)
    relative = _path(desk, key, "png")
    await asyncio.to_thread(_write, desk.data_dir / relative, png)
    file = File(path=relative.as_posix(), name=f"{caption(reader, found)}.png", kind="photo", caption=caption(reader, found))
    return Message(key=key, sections=(), files=(file,), kind="answer")


def _path(desk: Desk, key: str, ending: str) -> Path:
    """A name nobody can guess from another."""
    name = hashlib.sha256(f"{key}:{desk.clock.now().isoformat()}".encode()).hexdigest()[:24]
    folder = "pictures" if ending == "png" else "exports"
    return Path(folder) / f"{desk.clock.now():%Y-%m-%d}" / f"{name}.{ending}"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
