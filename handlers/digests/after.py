"""What the digest of one webinar tells: who was there, against the webinars before it in its room, and what brought them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from handlers.analytics.company import REHEARSAL
from handlers.digests.facts import Ads, Deviation, HeldWebinar
from handlers.digests.usual import LEAST_WEEKS, unusual
from storage.engine import Database
from storage.queries.audience import hot_waiting
from storage.queries.company import Span, Subject, span_of
from storage.queries.spend import spending
from storage.queries.webinars import WebinarLine, came_from, list_webinars, turnout
from storage.rollups import Dimension

MOST_BEFORE = 8
MOST_AD_DAYS = 30  # of a room's first webinar, or one after a long pause


async def held(database: Database, account_id: int, line: WebinarLine) -> HeldWebinar:
    return HeldWebinar(
        line=line,
        turnout=await turnout(database, line.id),
        waiting=await hot_waiting(database, account_id, line.id),
    )


async def told_whole(
    database: Database, account_id: int, line: WebinarLine, zone: ZoneInfo
) -> tuple[HeldWebinar, tuple[Deviation, ...], bool]:  # fmt: skip
    """The webinar, what is unusual about it, and whether there were enough before it to say so."""
    before = await _before(database, account_id, line)
    whole = replace(
        await held(database, account_id, line),
        sources=tuple((await came_from(database, account_id, line.id)).items()),
        ads=await _ads(database, account_id, line, before[0] if before else None, zone),
    )
    if len(before) < LEAST_WEEKS:
        return whole, (), False
    usual = [(await turnout(database, one.id)).attended for one in before]
    far = unusual(whole.turnout.attended, usual)
    return whole, (Deviation(subject=Subject.ATTENDED, found=far),) if far else (), True


async def _before(database: Database, account_id: int, line: WebinarLine) -> list[WebinarLine]:
    """The newest first."""
    if line.started_at is None:
        return []
    lines = await list_webinars(
        database, account_id, limit=MOST_BEFORE, room_id=line.room_id, until=line.started_at
    )  # fmt: skip
    return [one for one in lines if one.source != REHEARSAL and one.id != line.id]


async def _ads(
    database: Database, account_id: int, line: WebinarLine, before: WebinarLine | None, zone: ZoneInfo
) -> Ads | None:  # fmt: skip
    """What ads cost since the webinar before it; None where it was spent on another room's people as well."""
    if line.started_at is None:
        return None
    last = _day(line.started_at, zone)
    since = last - timedelta(days=MOST_AD_DAYS - 1)
    if before is not None and before.started_at is not None:
        since = max(since, min(_day(before.started_at, zone) + timedelta(days=1), last))
    if await _others(database, account_id, line, span_of(since, last, zone)):
        return None
    spent = await spending(database, account_id, Dimension.SOURCE, first=since, last=last)
    return Ads(since=since, costs=spent.total) if spent.total else None


async def _others(database: Database, account_id: int, line: WebinarLine, days: Span) -> bool:
    """Whether another room had a webinar on these days: whose people the money brought cannot be told then."""
    held = await list_webinars(database, account_id, limit=MOST_AD_DAYS, since=days.since, until=days.until)
    return any(one.room_id != line.room_id and one.source != REHEARSAL for one in held)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
