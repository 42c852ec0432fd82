"""A report of viewers matched with leads and stored, against sqlite3 alone with one join, and the hooks meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks import crowd, one_join
from benchmarks.figures import Figure, Plan, Section, ratios
from benchmarks.spread import percentile
from bot.loading import collect_rarely
from domain.plural import spaced
from domain.webinars import Viewer
from storage.engine import Database
from storage.inbox import Arrival, Inbox, new_delivery_id
from storage.migrate import migrate
from storage.sets import fetch
from storage.webinars import WebinarStore

TITLE = "Вебинар: зрители сопоставлены с лидами и записаны"
FLOOR = "те же таблицы, индексы и записи целиком, одна транзакция, одно соединение таблиц"
PAGE = 1000
HOOK_EVERY_SECONDS = 0.01
_FLOOR_SESSION = 1_000_000


class TimedDatabase(Database):
    """Remembers how long each write transaction took, waiting for the interpreter included."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.held_ms: list[float] = []

    async def _together(self, batch: Any) -> Any:
        started = time.perf_counter()
        done = await super()._together(batch)
        self.held_ms.append((time.perf_counter() - started) * 1000)
        return done


@dataclass(slots=True)
class Took:
    """Seconds of each repeat: by the clock, and of processor over all threads."""

    clock: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    async def time(self, work: Callable[[], Awaitable[object]]) -> None:
        clock, cpu = time.perf_counter(), time.process_time()
        await work()
        self.clock.append(time.perf_counter() - clock)
        self.cpu.append(time.process_time() - cpu)


async def run(plan: Plan) -> Section:
    collect_rarely()  # as the process itself has it
    leads, count = (200_000, 40_000) if plan.quick else (1_000_000, 200_000)
    path = plan.folder / "svodka.db"
    await migrate(f"sqlite:///{path}")
    crowd.fill(path, leads)
    viewers = crowd.viewers(count, leads)
    database = TimedDatabase(f"sqlite:///{path}")
    database.open()
    ours, floor, again, waits = Took(), Took(), Took(), []
    for number in range(plan.repeats):
        session = await _register(database, number)
        await ours.time(lambda session=session: _load(database, session, viewers))  # type: ignore[misc]
        place = _FLOOR_SESSION + number
        await floor.time(lambda place=place: asyncio.to_thread(one_join.load, path, place, viewers))  # type: ignore[misc]
        before = await _print_of(database, session)
        await again.time(lambda session=session: _load(database, session, viewers))  # type: ignore[misc]
        if await _print_of(database, session) != before:
            raise RuntimeError("a second run of the same report changed rows")
    database.held_ms.clear()
    waits = await _hooks_while(database, _load(database, await _register(database, plan.repeats), viewers))
    held = list(database.held_ms)
    await database.close()
    size = f"Зрителей {spaced(count)}, лидов {spaced(leads)}"
    notes = (
        f"{size}; SQLite, синхронная запись.",
        f"Пол — sqlite3 без всего: {FLOOR}.",
        "У нас сверх того: записи сложены в людей, почта и личная ссылка, слова о посещении, короткие записи.",
    )
    figures = (*_speed(ours, floor, again, count), *_others(waits, held))
    return Section(name="matching", title=TITLE, figures=figures, notes=notes)


def _speed(ours: Took, floor: Took, again: Took, count: int) -> tuple[Figure, ...]:
    return (
        Figure(title="загрузка и сопоставление", values=tuple(ours.clock), unit="с", digits=1),
        Figure(title="процессор на зрителя", values=tuple(s / count * 1e6 for s in ours.cpu), unit="мкс", digits=0),
        Figure(title="пол: процессор на зрителя", values=tuple(s / count * 1e6 for s in floor.cpu), unit="мкс", digits=0),
        Figure(title="к полу, по процессору", values=ratios(ours.cpu, floor.cpu), unit="×", at_most=2.5),
        Figure(title="к полу, по часам", values=ratios(ours.clock, floor.clock), unit="×"),
        Figure(title="тот же отчёт ещё раз, ничего не меняет", values=tuple(again.clock), unit="с", digits=1),
    )


def _others(waits: Sequence[float], held: Sequence[float]) -> tuple[Figure, ...]:
    return (
        Figure(
            title="приём события во время загрузки, p99", values=(percentile(waits, 99),), unit="мс", digits=0, at_most=100
        ),
        Figure(title="приём события во время загрузки, дольше всех", values=(max(waits),), unit="мс", digits=0),
        Figure(
            title="запись занята одной транзакцией, p99", values=(percentile(held, 99),), unit="мс", digits=0, at_most=50
        ),
        Figure(title="запись занята одной транзакцией, дольше всех", values=(max(held),), unit="мс", digits=0),
    )


async def _register(database: Database, number: int) -> int:
    async def job(connection: AsyncConnection) -> int:
        report = crowd.report(number)
        return await WebinarStore(database).register(
            connection, 1, "bizon365", report, source="hook", heard_at=datetime.now(UTC)
        )

    return await database.write(job)


async def _load(database: Database, session: int, viewers: Sequence[Viewer]) -> None:
    store = WebinarStore(database)
    await store.begin_load(session)
    for first in range(0, len(viewers), PAGE):
        await store.add_viewers(session, viewers[first : first + PAGE], first=first)
    await store.finish_load(session, records=len(viewers), skipped=0)
    await store.match(session)


async def _print_of(database: Database, session: int) -> str:
    sql = "SELECT * FROM webinar_attendees WHERE session_id = :session ORDER BY id"
    async with database.read() as connection:
        return sha256(repr(await fetch(connection, sql, {"session": session})).encode()).hexdigest()


async def _hooks_while(database: Database, work: Awaitable[object]) -> list[float]:
    """How long each delivery waited for its commit while ``work`` went on, in ms, from when it was due."""
    inbox, waits = Inbox(database), []

    async def accept(number: int, due: float) -> None:
        await inbox.add(_arrival(number))
        waits.append((time.perf_counter() - due) * 1000)

    busy = asyncio.ensure_future(work)
    started, tasks = time.perf_counter(), []
    while not busy.done():
        due = started + len(tasks) * HOOK_EVERY_SECONDS
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(accept(len(tasks), due)))
    await asyncio.gather(busy, *tasks)
    return waits


def _arrival(number: int) -> Arrival:
    return Arrival(
        id=new_delivery_id(), account_id=1, connection_id=1, vendor="bitrix24", kind="call", dedup_key=f"bench-{number}",
        body_sha256="0" * 64, request=b"x" * 600, received_at=datetime.now(UTC), seeds=(),
    )  # fmt: skip
