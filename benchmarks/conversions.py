"""Conversions by direction of a big account, for a month and for a year, against the query of the field's own guide."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.durable_postgres import durable_postgres
from benchmarks.figures import Figure, Plan, Section
from domain.plural import spaced
from storage.dirty import mark_days
from storage.engine import Database
from storage.migrate import migrate
from storage.queries.conversions import conversions
from storage.rollups import Dimension, refresh
from tests.postgres import NoPostgres

TITLE = "Конверсии за месяц и за год"
ZONE = ZoneInfo("Europe/Moscow")
TODAY = date(2026, 11, 20)
_UNTIL = datetime(2026, 11, 20, 20, tzinfo=UTC)
_SESSIONS = 200

SERIES = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {0}) SELECT n FROM s)",
    "postgresql": "(SELECT n FROM generate_series(0, {0} - 1) AS g(n))",
}
_AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', {0} - n * 31536000 / {1}, 'unixepoch') || '000'",
    "postgresql": "to_timestamp({0} - CAST(n AS bigint) * 31536000 / {1})",
}
_FILL = (
    """INSERT INTO directions (account_id, name, created_at)
       SELECT 1, 'Направление ' || n, {now} FROM {directions} AS s""",
    """INSERT INTO people (id, account_id, created_at) SELECT n + 1, 1, {now} FROM {leads} AS s""",
    """INSERT INTO leads (id, account_id, person_id, source, external_id, direction_id, creative_id, first_utm_source,
           created_at, updated_at)
       SELECT n + 1, 1, n + 1, 'import', CAST(n AS text), n % 20 + 1, n % 2000 + 1, 's' || (n % 7), {made}, {made}
       FROM {leads} AS s""",
    """INSERT INTO webinars (id, account_id, vendor, external_id, started_at, minutes, ended_at, state, source, heard_at)
       SELECT n + 1, 1, 'bizon365', CAST(n AS text), {now}, 60, {now}, 'complete', 'poll', {now} FROM {sessions} AS s""",
    """INSERT INTO webinar_attendees (account_id, session_id, person_key, webinar_id, webinar_title, person_id, lead_id,
           watch_duration_sec, attended, presence, warmth, finished, messages, clicked, ordered)
       SELECT 1, n % {held} + 1, 'row:' || n, 'w', 'Вебинар', lead, lead, n % 4000, {attended}, 'attended', 'warm', {no}, 0,
           {no}, {no}
       FROM (SELECT n, (CAST(n AS bigint) * 7919) % {people} + 1 AS lead FROM {visits} AS s) AS v""",
)
_SEED = """
SELECT d.name, COUNT(DISTINCT l.id), COUNT(DISTINCT wa.id), AVG(wa.watch_duration_sec) / 60
FROM leads l LEFT JOIN directions d ON l.direction_id = d.id
LEFT JOIN webinar_attendees wa ON wa.person_id = l.person_id AND wa.lead_id = l.id AND wa.attended = true
WHERE l.account_id = 1 AND l.created_at >= :since GROUP BY d.id, d.name ORDER BY 2 DESC
"""


async def run(plan: Plan) -> Section:
    leads, visits = (200_000, 400_000) if plan.quick else (1_000_000, 2_000_000)
    notes = [
        f"Лидов {spaced(leads)}, посещений {spaced(visits)}; 20 направлений, 2000 креативов.",
        "Запрос из руководства — COUNT(DISTINCT …) по всем строкам; ответы сверены. Индекс для него есть.",
    ]
    figures = await _measured(plan, f"sqlite:///{plan.folder}/svodka.db", "SQLite", leads, visits)
    try:
        with durable_postgres() as postgres:
            figures += await _measured(plan, postgres.url("postgres"), "PostgreSQL", leads, visits)
    except NoPostgres as reason:
        notes.append(f"PostgreSQL не измерен: {reason}")
    return Section(name="conversions", title=TITLE, figures=tuple(figures), notes=tuple(notes))


async def _measured(plan: Plan, url: str, base: str, leads: int, visits: int) -> list[Figure]:
    await migrate(url)
    database = Database(url)
    database.open()
    await _fill(database, leads, visits)
    started = time.perf_counter()
    days = await refresh(database, 1, ZONE)
    rebuilt = time.perf_counter() - started
    figures = [Figure(title=f"{base}: суммы за год заново, дней {days}", values=(rebuilt,), unit="с", digits=1)]
    for length in (30, 365):
        figures += await _period(plan, database, base, length)
    await database.close()
    return figures


async def _period(plan: Plan, database: Database, base: str, length: int) -> list[Figure]:
    first = TODAY - timedelta(days=length - 1)
    ask = partial(conversions, database, 1, first=first, last=TODAY, zone=ZONE)
    since = datetime.combine(first, datetime.min.time(), tzinfo=ZONE).astimezone(UTC)
    ours, creatives, fresh, seed = [], [], [], []
    for _ in range(plan.repeats):
        found, took = await _timed(lambda: ask(Dimension.DIRECTION))
        ours.append(took)
        creatives.append((await _timed(lambda: ask(Dimension.CREATIVE)))[1])
        await database.write(partial(mark_days, account_id=1, days=[TODAY.isoformat()]))
        fresh.append((await _timed(lambda: ask(Dimension.DIRECTION)))[1])
        rows, took = await _timed(partial(_seed, database, since))
        seed.append(took)
        if {(row[0], row[1], row[2]) for row in rows} != {(row.name, row.leads, row.visits) for row in found.rows}:
            raise RuntimeError("the sums differ from the rows")
    name = f"{base}, {length} дней"
    return [
        Figure(title=f"{name}: по направлениям", values=tuple(ours), unit="мс", digits=1, at_most=150),
        Figure(title=f"{name}: по креативам", values=tuple(creatives), unit="мс", digits=1, at_most=150),
        Figure(title=f"{name}: после нового лида сегодня", values=tuple(fresh), unit="мс", digits=1, at_most=150),
        Figure(title=f"{name}: запрос из руководства", values=tuple(seed), unit="мс", digits=0),
    ]


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = await work()
    return found, (time.perf_counter() - started) * 1000


async def _seed(database: Database, since: datetime) -> list[Any]:
    given = since if not database.is_sqlite else since.strftime("%Y-%m-%d %H:%M:%S.%f")
    async with database.read() as connection:
        return list(await connection.execute(text(_SEED), {"since": given}))


async def _fill(database: Database, leads: int, visits: int) -> None:
    """All by the database itself, one statement a table."""
    sqlite, dialect = database.is_sqlite, database.dialect_name
    until = int(_UNTIL.timestamp())
    series = {"directions": 20, "leads": leads, "sessions": _SESSIONS, "visits": visits}
    words = {name: SERIES[dialect].format(count) for name, count in series.items()}
    words |= {"made": _AT[dialect].format(until, leads), "held": str(_SESSIONS), "people": str(leads)}
    words |= {"now": "'2026-11-20 16:00:00.000000'" if sqlite else "TIMESTAMPTZ '2026-11-20 16:00:00+00'"}
    words |= {"attended": "n % 4000 >= 120", "no": "0" if sqlite else "false"}
    for statement in _FILL:
        await database.write(partial(_execute, sql=statement.format(**words)))
    every = [(_UNTIL.date() - timedelta(days=day)).isoformat() for day in range(367)]
    await database.write(partial(mark_days, account_id=1, days=every))
    if not sqlite:
        await database.write(partial(_execute, sql="ANALYZE"))  # autovacuum would, a little later


async def _execute(connection: AsyncConnection, *, sql: str) -> None:
    await connection.exec_driver_sql(sql.replace("%", "%%") if connection.dialect.name != "sqlite" else sql)
