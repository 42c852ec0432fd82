"""Asking a webinar platform for reports that nobody told us of, and for those that were made anew since."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from bot.finds import CLOCKS_DIFFER, Finds
from domain.errors import VendorError
from domain.events import WebinarEnded
from domain.ports import Clock, WebinarPlatform
from domain.webinars import WebinarReport
from storage.engine import Database
from storage.models import webinars, work
from storage.queries.webinar_reckoning import WebinarReckoning, keep_webinar_reckoning, reckon_webinars
from storage.work import WorkStore

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)  # a report is listed a while after the time it carries
RECONCILED = timedelta(hours=48)
RECKONED = timedelta(hours=24)
MOST_REPORTS = 1000  # of one poll; a platform makes some dozens a day
CHUNK = 500  # SQLite takes a thousand variables in a statement
KIND, COMPLETE, REMADE = "webinar", "complete", "remade"


class WebinarPoll:
    """The reports of one connection; the sibling of CallPoll."""

    def __init__(
        self,
        database: Database,
        store: WorkStore,
        clock: Clock,
        platform: WebinarPlatform,
        *,
        account_id: int,
        connection_id: int,
        vendor: str,
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._platform = platform
        self._account_id = account_id
        self._vendor = vendor
        self._finds = Finds(database, clock, account_id=account_id, connection_id=connection_id)

    async def poll(self) -> int:
        """New work from reports whose event never came or whose report was made anew; 0 and a log line without an answer."""
        try:
            return await self._poll()
        except VendorError as error:
            log.warning("webinars cannot be polled: %s", error)
            return 0

    async def _poll(self) -> int:
        cursor = _moment(await self._finds.cursor())
        if cursor is None:  # the first start is quiet: history is loaded only on request
            await self._finds.keep(self._clock.now().isoformat(), ())
            return 0
        reports = await self._made_since(cursor - OVERLAP)
        newest = max((report.created_at for report in reports if report.created_at), default=cursor)
        return await self._take(max(newest, cursor).isoformat(), reports)

    async def reconcile(self) -> WebinarReckoning | None:
        """The last 48 hours against our rows: lost reports get work.

        The reckoning is of the last 24 hours and is kept for /status. None while the vendor is away.
        """
        now = self._clock.now()
        try:
            reports = await self._made_since(now - RECONCILED)
            found = await self._take(None, reports)
        except VendorError as error:
            log.warning("webinars cannot be reconciled: %s", error)
            return None
        recent = [one for one in reports if (known := _known_at(one)) is not None and known >= now - RECKONED]
        reckoning = await reckon_webinars(self._database, self._account_id, self._vendor, recent, now=now, found=found)
        await keep_webinar_reckoning(self._database, self._account_id, reckoning)
        log.info("reconciled: %d reports listed, %d found, %d not read", reckoning.listed, found, reckoning.failed)
        return reckoning

    async def _made_since(self, since: datetime) -> list[WebinarReport]:
        """Reports made then or later, and not before there was a connection."""
        since = max(since, await self._finds.connected_at() - CLOCKS_DIFFER)
        listed = await self._platform.reports(since=since, limit=MOST_REPORTS)
        return [report for report in listed if (known := _known_at(report)) is not None and known >= since]

    async def _take(self, cursor: str | None, reports: Sequence[WebinarReport]) -> int:
        found = await self._finds.keep(cursor, [self._event(report) for report in reports])
        again = 0
        for begin in range(0, len(reports), CHUNK):
            again += await self._reopen(reports[begin : begin + CHUNK])
        if found or again:
            log.info("%d reports of webinars found whose event never came, %d made anew", found, again)
        return found + again

    def _event(self, report: WebinarReport) -> WebinarEnded:
        return WebinarEnded(
            vendor=self._vendor, external_id=report.external_id, occurred_at=report.started_at, title=report.title
        )

    async def _reopen(self, reports: Sequence[WebinarReport]) -> int:
        """Work that ended with an older report than is listed now, or without one, begins again."""
        made = {f"{self._vendor}:{one.external_id}": one.created_at for one in reports if one.created_at}
        finished = (
            select(work.c.object, work.c.id, work.c.state, work.c.finished_at)
            .where(work.c.account_id == self._account_id, work.c.kind == KIND, work.c.object.in_(made))
            .order_by(work.c.generation)
        )
        loaded = select(webinars.c.external_id, webinars.c.report_at).where(
            webinars.c.account_id == self._account_id,
            webinars.c.vendor == self._vendor,
            webinars.c.state == COMPLETE,
            webinars.c.external_id.in_([name.removeprefix(f"{self._vendor}:") for name in made]),
        )
        async with self._database.read() as connection:
            newest = {row.object: row for row in await connection.execute(finished)}
            seen = {f"{self._vendor}:{row.external_id}": row.report_at for row in await connection.execute(loaded)}
        stale = [
            row.id
            for name, row in newest.items()
            if row.state == "done" and made[name] > (seen.get(name) or row.finished_at)
        ]
        return len([one for one in stale if await self._store.replay(one, self._clock.now(), source=REMADE)])


def _known_at(report: WebinarReport) -> datetime | None:
    """When the report was made, or at least when the webinar was over."""
    if report.created_at is not None or report.started_at is None:
        return report.created_at
    return report.started_at + timedelta(minutes=report.minutes)


def _moment(cursor: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(cursor)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
