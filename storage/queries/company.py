"""What a company's days were like: calls, leads and money by stretches of time, counted straight from the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from storage.engine import Database
from storage.hidden import seen
from storage.models.types import driver_time
from storage.rollups import bounds_of, mark_key
from storage.sets import fetch, moment

INCOMING = "c.direction IN ('incoming', 'redirected')"
MISSED = f"({INCOMING} AND c.outcome <> 'answered')"
OUTGOING = "c.direction IN ('outgoing', 'callback')"
ANSWERED = "c.outcome = 'answered'"

_SPANS = {
    "sqlite": """(SELECT s.key AS n, s.value AS since, u.value AS until
                  FROM json_each(:since) AS s JOIN json_each(:until) AS u ON u.key = s.key)""",
    "postgresql": """(SELECT n - 1 AS n, since, until FROM unnest(CAST(:since AS timestamptz[]),
                      CAST(:until AS timestamptz[])) WITH ORDINALITY AS given(since, until, n))""",
}
_COUNTED = {  # of each span by the index of time: PostgreSQL has to be told to take one span after another
    "sqlite": "SELECT s.n, {what} FROM {spans} AS s CROSS JOIN {rows} WHERE {where} GROUP BY s.n",
    "postgresql": "SELECT s.n, t.* FROM {spans} AS s CROSS JOIN LATERAL (SELECT {what} FROM {rows} WHERE {where}) AS t",
}
_SHARED = {
    "sqlite": "SELECT s.n, {name}, count(*) FROM {spans} AS s CROSS JOIN {rows} WHERE {where} GROUP BY 1, 2",
    "postgresql": """SELECT s.n, t.* FROM {spans} AS s
                     CROSS JOIN LATERAL (SELECT {name}, count(*) FROM {rows} WHERE {where} GROUP BY 1) AS t""",
}
_CALLS = {
    "rows": "calls AS c",
    "where": "c.account_id = :account AND c.started_at >= s.since AND c.started_at < s.until AND c.rehearsal = FALSE",
    "what": f"""
count(*), count(*) FILTER (WHERE {INCOMING}), count(*) FILTER (WHERE {OUTGOING}), count(*) FILTER (WHERE {MISSED}),
coalesce(sum(c.duration_s) FILTER (WHERE {ANSWERED}), 0), count(*) FILTER (WHERE c.summary_source <> ''),
count(*) FILTER (WHERE c.tone = 'negative')""",
}
_LEADS = {
    "rows": "leads AS l",
    "where": f"""l.account_id = :account AND l.created_at >= s.since AND l.created_at < s.until
                 AND l.deleted_at IS NULL AND {seen("l")}""",
    "what": "count(*)",
}
_SHARES = {
    "line": "c.line",
    "employee": "coalesce(nullif(c.employee_name, ''), c.employee_id)",
    "source": "coalesce(nullif(l.first_utm_source, ''), l.source)",
    "direction": "coalesce((SELECT d.name FROM directions AS d WHERE d.id = l.direction_id), '')",
}
_FIRST_CALL = """
SELECT started_at FROM calls WHERE account_id = :account AND rehearsal = FALSE ORDER BY started_at LIMIT 1
"""
_FIRST_LEAD = f"""
SELECT created_at FROM leads AS l WHERE account_id = :account AND deleted_at IS NULL AND {seen("l")}
ORDER BY created_at LIMIT 1
"""  # noqa: S608 - our own text
_MODELS = """
SELECT coalesce(sum(micro_usd), 0) FROM charges WHERE account_id = :account AND at >= :since AND at < :until
"""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` up to ``until``, not included. Aware UTC."""

    since: datetime
    until: datetime

    def earlier(self, days: int, zone: ZoneInfo) -> "Span":
        """The same hours of the clock so many days before."""
        since, until = (_back(at, days, zone) for at in (self.since, self.until))
        return Span(since, until)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """Without rehearsals. ``missed``: the client called and nobody answered. ``talk_s``: of the answered ones."""

    calls: int = 0
    incoming: int = 0
    outgoing: int = 0
    missed: int = 0
    talk_s: int = 0
    summaries: int = 0
    negative: int = 0


class Subject(StrEnum):
    """Calls of which sort, leads, or who was at a webinar."""

    ATTENDED = "attended"
    CALLS = "calls"
    MISSED = "missed"
    NEGATIVE = "negative"
    LEADS = "leads"


class Share(StrEnum):
    """By what they can be told apart."""

    LINE = "line"
    EMPLOYEE = "employee"
    SOURCE = "source"
    DIRECTION = "direction"


_WHICH = {Subject.CALLS: INCOMING, Subject.MISSED: MISSED, Subject.NEGATIVE: "c.tone = 'negative'"}


def span_of(first: date, last: date, zone: ZoneInfo) -> Span:
    """The days of a zone, both included."""
    return Span(bounds_of(first, zone)[0], bounds_of(last, zone)[1])


def days_of(first: date, last: date, zone: ZoneInfo) -> tuple[Span, ...]:
    """Day by day."""
    return tuple(Span(*bounds_of(first + timedelta(days=n), zone)) for n in range((last - first).days + 1))


async def call_counts(database: Database, account_id: int, spans: Sequence[Span]) -> tuple[CallCounts, ...]:
    """Of each of the spans."""
    counts = [CallCounts()] * len(spans)
    rows = await _asked(database, account_id, _COUNTED, _CALLS, spans)
    for number, calls, incoming, outgoing, missed, talk, summaries, negative in rows:
        counts[number] = CallCounts(
            calls=calls, incoming=incoming, outgoing=outgoing, missed=missed, talk_s=int(talk), summaries=summaries,
            negative=negative,
        )  # fmt: skip
    return tuple(counts)


async def lead_counts(database: Database, account_id: int, spans: Sequence[Span]) -> tuple[int, ...]:
    """New leads of each of the spans, by when their source says they were made."""
    counts = [0] * len(spans)
    for number, leads in await _asked(database, account_id, _COUNTED, _LEADS, spans):
        counts[number] = leads
    return tuple(counts)


async def counts_of(database: Database, account_id: int, subject: Subject, spans: Sequence[Span]) -> tuple[int, ...]:
    """How many of them there were in each span; of calls the incoming ones."""
    if subject is Subject.LEADS:
        return await lead_counts(database, account_id, spans)
    told = await call_counts(database, account_id, spans)
    name = "incoming" if subject is Subject.CALLS else subject.value
    return tuple(getattr(one, name) for one in told)


async def shares(
    database: Database, account_id: int, subject: Subject, by: Share, spans: Sequence[Span]
) -> tuple[dict[str, int], ...]:
    """What each span's count is made of; "" for those that do not tell."""
    words = _LEADS if subject is Subject.LEADS else _CALLS | {"where": f"{_CALLS['where']} AND {_WHICH[subject]}"}
    told: tuple[dict[str, int], ...] = tuple({} for _ in spans)
    rows = await _asked(database, account_id, _SHARED, words | {"name": _SHARES[by]}, spans)
    for number, name, count in rows:
        key = mark_key(name) if by is Share.SOURCE else name
        told[number][key] = told[number].get(key, 0) + count
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The days of the first call and of the first lead there are; None before there is any."""

    calls: date | None
    leads: date | None


async def first_days(database: Database, account_id: int, zone: ZoneInfo) -> Begun:
    """Telephony may be connected long after the leads of years were loaded, or before: each has a beginning of its own."""
    days: list[date | None] = []
    async with database.read() as connection:
        for sql in (_FIRST_CALL, _FIRST_LEAD):
            rows = await fetch(connection, sql, {"account": account_id})
            at = moment(rows[0][0]) if rows else None
            days.append(at.astimezone(zone).date() if at is not None else None)
    return Begun(calls=days[0], leads=days[1])


async def models_cost(database: Database, account_id: int, span: Span) -> int:
    """What speech recognition and summaries cost, in micro-dollars."""
    async with database.read() as connection:
        rows = await fetch(connection, _MODELS, {"account": account_id, **bounds(database, span)})
    return int(rows[0][0])


def bounds(database: Database, span: Span) -> dict[str, Any]:
    return {name: driver_time(at, database.dialect_name) for name, at in (("since", span.since), ("until", span.until))}


async def _asked(
    database: Database, account_id: int, sql: Mapping[str, str], words: Mapping[str, str], spans: Sequence[Span]
) -> Sequence[tuple[Any, ...]]:
    """The rows of a question about spans; nothing of its text comes from outside."""
    if not spans:
        return ()
    dialect = database.dialect_name
    values = {
        "account": account_id,
        "since": [driver_time(span.since, dialect) for span in spans],
        "until": [driver_time(span.until, dialect) for span in spans],
    }
    async with database.read() as connection:
        return await fetch(connection, sql[dialect].format(spans=_SPANS[dialect], **words), values)


def _back(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    return (local - timedelta(days=days)).astimezone(at.tzinfo)
