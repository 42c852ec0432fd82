"""A digest of a bad day over 100,000 calls and the leads that go with them, against the plainest questions it answers."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.durable_postgres import durable_postgres
from benchmarks.figures import Figure, Plan, Section
from domain.digests import DigestKind, DigestPart
from domain.plural import spaced
from handlers.digests.content import DigestSources, digest_card, gather
from handlers.texts import load_texts
from handlers.wording import Reader
from storage.engine import Database
from storage.migrate import migrate
from storage.models.types import driver_time
from storage.queries.company import span_of
from storage.sets import fetch
from tests.postgres import NoPostgres

TITLE = "Дайджест плохого дня"
ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 20, 9, tzinfo=ZONE)
_UNTIL = datetime(2026, 11, 20, tzinfo=ZONE)
DAYS = 57

_SERIES = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {0}) SELECT n FROM s)",
    "postgresql": "(SELECT n FROM generate_series(0, {0} - 1) AS g(n))",
}
_AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', {0} - n * {1} / {2}, 'unixepoch') || '000'",
    "postgresql": "to_timestamp({0} - CAST(n AS bigint) * {1} / {2})",
}
# Every twelfth is missed, on the last day every third, all on one line; each third of the missed is never called back.
_LOST = "(n % 12 = 0 OR (n < {calls} / 57 AND n % 3 = 0))"
_FILL = (
    """INSERT INTO calls (account_id, vendor, call_id, state, direction, outcome, client_phone, line, employee_id,
           employee_name, started_at, duration_s, transcript, transcript_search, summary, summary_source, tone, rehearsal,
           heard_at)
       SELECT 1, 'bitrix24', CAST(n AS text), 'carded', CASE WHEN lost OR n % 3 > 0 THEN 'incoming' ELSE 'outgoing' END,
           CASE WHEN lost THEN 'missed' ELSE 'answered' END,
           '7900' || CAST(CASE WHEN n % 3 = 0 THEN (n / 12 * 12) % {clients} ELSE n % {clients} END AS text),
           '7495000000' || CAST(n % 4 AS text), CAST(n % 20 AS text), 'Сотрудник ' || CAST(n % 20 AS text), made,
           CASE WHEN lost THEN 0 ELSE n % 600 END, {talk}, {talk}, '{{"text": "…"}}', 'model',
           CASE WHEN n % 40 = 1 THEN 'negative' ELSE 'neutral' END, {no}, made
       FROM (SELECT n, {lost} AS lost, {made} AS made FROM {calls_} AS s) AS c""",
    """INSERT INTO people (id, account_id, created_at) SELECT n + 1, 1, {made_lead} FROM {leads_} AS s""",
    """INSERT INTO identities (account_id, kind, value, person_id, source, since)
       SELECT 1, 'phone', '7900' || CAST(n AS text), n + 1, 'tilda', {made_lead} FROM {leads_} AS s""",
    """INSERT INTO leads (account_id, person_id, source, external_id, phone_key, status, first_utm_source, created_at,
           updated_at)
       SELECT 1, n + 1, 'tilda', CAST(n AS text), '7900' || CAST(n AS text), 'new', 's' || CAST(n % 7 AS text), {made_lead},
           {made_lead} FROM {leads_} AS s""",
)
_PLAIN = {
    "по дням": """
SELECT substr(CAST(started_at AS text), 1, 10), count(*), count(*) FILTER (WHERE direction = 'incoming'),
       count(*) FILTER (WHERE direction = 'incoming' AND outcome <> 'answered'), sum(duration_s)
FROM calls WHERE account_id = :account AND started_at >= :long GROUP BY 1""",
    "кто ждёт": """
SELECT DISTINCT c.client_phone FROM calls AS c WHERE c.account_id = :account AND c.started_at >= :week
AND c.direction = 'incoming' AND c.outcome <> 'answered' AND NOT EXISTS (
    SELECT 1 FROM calls AS b WHERE b.account_id = :account AND b.client_phone = c.client_phone
    AND b.started_at > c.started_at AND (b.direction = 'outgoing' OR b.outcome = 'answered'))""",
    "лиды без звонка": """
SELECT count(*) FROM leads AS l WHERE l.account_id = :account AND l.created_at >= :week AND NOT EXISTS (
    SELECT 1 FROM calls AS b WHERE b.account_id = :account AND b.client_phone = l.phone_key AND b.outcome = 'answered'
    AND b.duration_s > 10 AND b.started_at >= l.created_at)""",
}


async def run(plan: Plan) -> Section:
    calls = 20_000 if plan.quick else 100_000
    notes = [
        f"Звонков {spaced(calls)} за {DAYS} дней, с расшифровками; новых лидов {spaced(calls // 5)}.",
        "Вчера пропущен каждый третий входящий: дайджест ищет и причину.",
        "Простые запросы — звонки по дням, кому не перезвонили, лиды без звонка; без обычного и без причин.",
    ]
    figures = await _measured(plan, f"sqlite:///{plan.folder}/svodka.db", "SQLite", calls)
    try:
        with durable_postgres() as postgres:
            figures += await _measured(plan, postgres.url("postgres"), "PostgreSQL", calls)
    except NoPostgres as reason:
        notes.append(f"PostgreSQL не измерен: {reason}")
    return Section(name="digest", title=TITLE, figures=tuple(figures), notes=tuple(notes))


async def _measured(plan: Plan, url: str, base: str, calls: int) -> list[Figure]:
    await migrate(url)
    database = Database(url)
    database.open()
    await _fill(database, calls)
    plain = [(await _timed(partial(_ask_plainly, database)))[1] for _ in range(plan.repeats)]
    figures = [Figure(title=f"{base}: простые запросы", values=tuple(plain), unit="мс", digits=0)]
    for kind in (DigestKind.DAILY, DigestKind.WEEKLY):
        told, took = await _timed(partial(_tell, database, kind))
        if "Пропущено" not in told:
            raise RuntimeError(f"the bad day is not named: {told}")
        several = [took, *[(await _timed(partial(_tell, database, kind)))[1] for _ in range(plan.repeats - 1)]]
        name = {DigestKind.DAILY: "за день", DigestKind.WEEKLY: "за неделю"}[kind]
        figures.append(Figure(title=f"{base}: дайджест {name}", values=tuple(several), unit="мс", digits=0, at_most=2000))
    await database.close()
    return figures


async def _tell(database: Database, kind: DigestKind) -> str:
    sources = DigestSources(database=database)
    facts = await gather(sources, 1, kind=kind, parts=frozenset(DigestPart), now=NOW.astimezone(UTC), zone=ZONE)
    reader = Reader(texts=load_texts(), now=NOW, zone=ZONE)
    return str(digest_card(facts, reader, full=False, key="digest"))


async def _ask_plainly(database: Database) -> None:
    today = NOW.date()
    long, week = (span_of(today - timedelta(days=days), today, ZONE).since for days in (DAYS, 7))
    times = {"long": driver_time(long, database.dialect_name), "week": driver_time(week, database.dialect_name)}
    async with database.read() as connection:
        for sql in _PLAIN.values():
            names = {name: value for name, value in times.items() if f":{name}" in sql}
            await fetch(connection, sql, {"account": 1, **names})


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = await work()
    return found, (time.perf_counter() - started) * 1000


async def _fill(database: Database, calls: int) -> None:
    sqlite, dialect = database.is_sqlite, database.dialect_name
    leads, until, seconds = calls // 5, int(_UNTIL.timestamp()), DAYS * 86_400
    words = {
        "calls": calls, "clients": calls // 2, "lost": _LOST.format(calls=calls), "no": "0" if sqlite else "false",
        "calls_": _SERIES[dialect].format(calls), "leads_": _SERIES[dialect].format(leads),
        "made": _AT[dialect].format(until, seconds, calls), "made_lead": _AT[dialect].format(until, seconds, leads),
        "talk": "hex(randomblob(1000))" if sqlite else "repeat(md5(CAST(n AS text)), 60)",
    }  # fmt: skip
    for statement in _FILL:
        await database.write(partial(_execute, sql=statement.format(**words)))
    if not sqlite:
        await database.write(partial(_execute, sql="ANALYZE"))  # autovacuum would, a little later


async def _execute(connection: AsyncConnection, *, sql: str) -> None:
    await connection.exec_driver_sql(sql.replace("%", "%%") if connection.dialect.name != "sqlite" else sql)
