"""What a digest says: gathered from our tables, compared with the team's own usual, and put on a card and a picture."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.digests import DigestKind, DigestPart
from handlers.analytics.company import count_company, webinars_of
from handlers.calls.periods import Period
from handlers.digests.after import held, told_whole
from handlers.digests.card import digest_card
from handlers.digests.causes import Comparison, deviations_of
from handlers.digests.days import LOOKED_BACK, Told, compared_with, told_of
from handlers.digests.facts import Day, Debts, Deviation, DigestFacts, DigestSources, HeldWebinar
from handlers.digests.picture import digest_picture
from storage.engine import Database
from storage.queries.company import Span, Subject, call_counts, days_of, first_days, lead_counts, span_of
from storage.queries.crm_reckoning import last_crm_reckonings
from storage.queries.reckoning import last_reckonings
from storage.queries.settings import min_duration_s
from storage.queries.waiting import not_called_back, not_contacted
from storage.queries.webinar_reckoning import last_webinar_reckonings
from storage.queries.webinars import WebinarLine, webinar_line

__all__ = ["DigestFacts", "DigestSources", "digest_card", "digest_picture", "gather"]

DEBT_DAYS = 7  # what waits longer nobody will call any more
MOST_DEBTS = 10  # named in the full digest
SHOWN_DAYS = 14  # in the picture


async def gather(
    sources: DigestSources, account_id: int, *, kind: DigestKind, parts: frozenset[DigestPart], now: datetime,
    zone: ZoneInfo, webinar_id: int = 0, so_far: bool = False,
) -> DigestFacts:  # fmt: skip
    """Everything the parts need. ``now``: of when it tells; what waits for somebody is counted as it is at present.

    ``so_far``: of today until now, whatever the hour.
    """
    database = sources.database
    line = await webinar_line(database, account_id, webinar_id) if webinar_id else None
    if line is not None:
        return await _after(sources, account_id, line, parts=parts, now=now, zone=zone)
    days = await _days(database, account_id, now, zone)
    told = told_of(kind, now, zone, [day.incoming + day.leads for day in days[:-1]], so_far=so_far)
    short_s = await _short_s(sources, account_id)
    figures = await count_company(
        database, account_id, told.period, zone=zone, now=now, short_s=short_s, until=told.span.until
    )  # fmt: skip
    compared, deviations, usual = await _compared(database, account_id, kind, told, parts=parts, zone=zone)
    return DigestFacts(
        kind=kind, parts=parts, figures=figures, so_far=told.so_far, compared=compared,
        deviations=deviations, usual=usual,
        webinars=await _held(database, account_id, await webinars_of(database, account_id, told.span)),
        debts=await _debts(database, account_id, debt_span(now, zone), short_s) if DigestPart.DEBTS in parts else Debts(),
        calls_reckoned=await last_reckonings(database, account_id),
        webinars_reckoned=await last_webinar_reckonings(database, account_id),
        crm_reckoned=await last_crm_reckonings(database, account_id),
        days=tuple(day for day in days if day.day <= told.period.last)[-SHOWN_DAYS:],
    )  # fmt: skip


async def _compared(
    database: Database, account_id: int, kind: DigestKind, told: Told, *, parts: frozenset[DigestPart], zone: ZoneInfo
) -> tuple[bool, tuple[Deviation, ...], dict[Subject, int]]:
    """Calls and leads each against days on which there were any; whether either had days enough to be compared with."""
    begun = await first_days(database, account_id, zone)
    compared, found, usual = False, list[Deviation](), dict[Subject, int]()
    for part, since in ((DigestPart.CALLS, begun.calls), (DigestPart.LEADS, begun.leads)):
        before = compared_with(kind, told, zone, since) if part in parts else ()
        comparison = Comparison(
            database=database, account_id=account_id, told=told, before=before, begun=since, zone=zone
        )  # fmt: skip
        deviations, numbers = await deviations_of(comparison, frozenset({part}))
        compared, usual = compared or bool(before), usual | numbers
        found += deviations
    return compared, tuple(sorted(found, key=lambda one: (not one.worse, -abs(one.found.far)))), usual


async def _after(
    sources: DigestSources, account_id: int, line: WebinarLine, *, parts: frozenset[DigestPart], now: datetime,
    zone: ZoneInfo,
) -> DigestFacts:  # fmt: skip
    """Of one webinar, whatever else happened on its day."""
    database = sources.database
    day = (line.started_at or line.report_at or now).astimezone(zone).date()
    short_s = await _short_s(sources, account_id)
    period = Period(first=day, last=day)
    whole, deviations, compared = await told_whole(database, account_id, line, zone)
    return DigestFacts(
        kind=DigestKind.WEBINAR, parts=parts, compared=compared, deviations=deviations, webinars=(whole,),
        figures=await count_company(database, account_id, period, zone=zone, now=now, short_s=short_s),
    )  # fmt: skip


async def _short_s(sources: DigestSources, account_id: int) -> int:
    return await min_duration_s(sources.database, account_id, sources.default_short_s, fixed=sources.short_fixed)


async def _days(database: Database, account_id: int, now: datetime, zone: ZoneInfo) -> tuple[Day, ...]:
    """Each of the last days, today the last of them."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=LOOKED_BACK)
    spans = days_of(first, today, zone)
    calls, leads = await call_counts(database, account_id, spans), await lead_counts(database, account_id, spans)
    return tuple(
        Day(day=first + timedelta(days=n), incoming=one.incoming, missed=one.missed, leads=number)
        for n, (one, number) in enumerate(zip(calls, leads, strict=True))
    )


async def _held(database: Database, account_id: int, lines: Sequence[WebinarLine]) -> tuple[HeldWebinar, ...]:
    return tuple([await held(database, account_id, line) for line in lines])


async def _debts(database: Database, account_id: int, span: Span, short_s: int) -> Debts:
    held = await _held(database, account_id, await webinars_of(database, account_id, span))
    return Debts(
        calls=await not_called_back(database, account_id, span, most=MOST_DEBTS),
        leads=await not_contacted(database, account_id, span, short_s=short_s, most=MOST_DEBTS),
        hot=tuple(one for one in held if one.waiting),
    )


def debt_span(now: datetime, zone: ZoneInfo) -> Span:
    """Of the days that debts are looked for in."""
    today = now.astimezone(zone).date()
    return span_of(today - timedelta(days=DEBT_DAYS), today, zone)
