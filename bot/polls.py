"""Asking a vendor for what its events did not bring: every few minutes by cursor, once a day by period."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select

from bot.finds import CLOCKS_DIFFER, Finds
from domain.errors import VendorError
from domain.events import CallEnded
from domain.ports import CallJournal, Clock, RecordingSource
from storage.engine import Database
from storage.models import calls, work
from storage.queries.reckoning import Reckoning, keep_reckoning, reckon
from storage.work import WorkStore

log = logging.getLogger(__name__)

PAGES_A_POLL = 40  # 2,000 calls; the rest is fetched by the next poll
RECONCILED = timedelta(hours=48)
RECKONED = timedelta(hours=24)


class Poll(Protocol):
    """One connection that is asked by the clock."""

    async def poll(self) -> int:
        """New work from what no event told; 0 and a log line when the vendor is away."""
        ...

    async def reconcile(self) -> object | None:
        """The last days against our rows; None while the vendor is away."""
        ...


class CallPoll:
    """The calls of one connection. ``stored`` is called when there is new work."""

    def __init__(
        self,
        database: Database,
        store: WorkStore,
        clock: Clock,
        journal: CallJournal,
        recordings: RecordingSource,
        *,
        account_id: int,
        connection_id: int,
        vendor: str,
    ) -> None:
        self._vendor = vendor
        self._recordings = recordings
        self._database = database
        self._store = store
        self._clock = clock
        self._journal = journal
        self._account_id = account_id
        self._finds = Finds(database, clock, account_id=account_id, connection_id=connection_id)

    async def poll(self) -> int:
        """New work from calls whose event never came; 0 and a log line when the vendor is away."""
        try:
            return await self._poll()
        except VendorError as error:
            log.warning("calls cannot be polled: %s", error)
            return 0

    async def _poll(self) -> int:
        cursor = await self._finds.cursor()
        if cursor == "":  # the first start is quiet: history is loaded only on request
            await self._finds.keep(await self._journal.newest_cursor(), ())
            return 0
        found = 0
        for _ in range(PAGES_A_POLL):
            events, following = await self._journal.calls_after(cursor)
            if not events:
                break
            found += await self._finds.keep(following, events)
            if following == cursor:
                break
            cursor = following
        if found:
            log.info("%d calls found whose event never came", found)
        return found

    async def reconcile(self) -> Reckoning | None:
        """The last 48 hours against our rows: lost calls get work, calls whose recording came late are opened again.

        What ended before there was a connection is history, which is loaded only on request.
        The reckoning is of the last 24 hours and is kept for /status. None while the vendor is away.
        """
        now = self._clock.now()
        try:
            events = await self._since_connected(await self._journal.calls_between(now - RECONCILED, now))
            found = await self._finds.keep(None, events)
            reopened = await self._reopen([event.external_id for event in events])
        except VendorError as error:
            log.warning("calls cannot be reconciled: %s", error)
            return None
        recent = [event.external_id for event in events if event.occurred_at and event.occurred_at >= now - RECKONED]
        reckoning = await reckon(self._database, self._account_id, self._vendor, recent, now=now, found=found)
        await keep_reckoning(self._database, self._account_id, reckoning)
        log.info("reconciled: %d listed, %d found, %d opened again", reckoning.listed, found, reopened)
        return reckoning

    async def _since_connected(self, events: Sequence[CallEnded]) -> list[CallEnded]:
        connected_at = await self._finds.connected_at()
        return [event for event in events if _ended_at(event, connected_at) >= connected_at - CLOCKS_DIFFER]

    async def _reopen(self, call_ids: Sequence[str]) -> int:
        """Calls that ended without a recording and have one now."""
        waiting = (
            select(calls.c.call_id, work.c.id)
            .join(
                work, (work.c.account_id == calls.c.account_id) & (work.c.object == calls.c.vendor + ":" + calls.c.call_id)
            )
            .where(calls.c.account_id == self._account_id, calls.c.state == "no_recording", calls.c.call_id.in_(call_ids))
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(waiting.order_by(work.c.generation))).all()
        newest = {row.call_id: row.id for row in rows}
        reopened = 0
        for call_id, work_id in newest.items():
            facts = await self._recordings.find_call(call_id)
            if facts and facts.has_recording and await self._store.replay(work_id, self._clock.now()):
                reopened += 1
        return reopened


def _ended_at(event: CallEnded, unknown: datetime) -> datetime:
    return unknown if event.occurred_at is None else event.occurred_at + timedelta(seconds=event.duration_s)
