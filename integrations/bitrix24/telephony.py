"""Calls of a portal: facts by call id, recordings, and the list of ended calls that makes up for events never sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.calls import CallFacts, Recording
from domain.events import CallEnded
from domain.ports import Clock
from integrations.bitrix24.client import PAGE, Client, iso
from integrations.bitrix24.codes import direction_of, outcome_of
from integrations.bitrix24.models import CallRow, present, read_rows
from integrations.bitrix24.recording import Recordings
from integrations.bitrix24.webhook import MAX_ID, call_ended, client_phone

STATISTICS = "voximplant.statistic.get"
COALESCE_S = 0.004
COALESCE_UP_TO = 40
MAX_PAGES = 400


class Telephony:
    """Implements RecordingSource and CallJournal of domain.ports."""

    def __init__(self, client: Client, recordings: Recordings, clock: Clock) -> None:
        self._client = client
        self._recordings = recordings
        self._clock = clock
        self._waiting: dict[str, list[asyncio.Future[CallFacts | None]]] = {}
        self._looking = asyncio.Semaphore(2)
        self._flushes: set[asyncio.Task[None]] = set()

    async def find_call(self, call_id: str) -> CallFacts | None:
        """One look-up; calls asked for within the same few milliseconds share a request."""
        future: asyncio.Future[CallFacts | None] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            flush = asyncio.create_task(self._flush_soon())
            self._flushes.add(flush)
            flush.add_done_callback(self._flushes.discard)
        self._waiting.setdefault(call_id, []).append(future)
        return await future

    async def download(self, facts: CallFacts, into: Path, *, max_bytes: int) -> Recording:
        """See RecordingSource. A fresh address is asked for at every attempt and never kept."""
        return await self._recordings.fetch(facts, into, max_bytes=max_bytes)

    async def newest_cursor(self) -> str:
        """The largest row id; "0" when there have been no calls yet."""
        reply = await self._client.call(STATISTICS, {"FILTER": {}, "SORT": "ID", "ORDER": "DESC", "start": -1})
        return str(max((_row_id(row) for row in read_rows(CallRow, reply.result)), default=0))

    async def calls_after(self, cursor: str) -> tuple[Sequence[CallEnded], str]:
        """Rows appear when a call ends, so the order of ids is the order of ending."""
        rows = await self._page({}, int(cursor or 0))
        if not rows:
            return (), cursor
        return tuple(call_ended(row) for row in rows if _usable(row)), str(_row_id(rows[-1]))

    async def calls_between(self, since: datetime, until: datetime) -> Sequence[CallEnded]:
        window: dict[str, object] = {">=CALL_START_DATE": iso(since), "<CALL_START_DATE": iso(until + timedelta(seconds=1))}
        events = [call_ended(row) async for row in self._rows(window) if _usable(row)]
        # An operator the server does not know widens its filter silently, and filters hold whole seconds: checked here.
        return [event for event in events if event.occurred_at is None or since <= event.occurred_at < until]

    async def _rows(self, conditions: dict[str, object]) -> AsyncIterator[CallRow]:
        last = 0
        for _ in range(MAX_PAGES):
            rows = await self._page(conditions, last)
            for row in rows:
                yield row
            if not rows or _row_id(rows[-1]) <= last or len(rows) < PAGE:
                return
            last = _row_id(rows[-1])

    async def _page(self, conditions: dict[str, object], after: int) -> list[CallRow]:
        """At most one page of rows with an id above ``after``, in order of id. SORT and ORDER are plain strings here."""
        asked = {"FILTER": {**conditions, ">ID": after}, "SORT": "ID", "ORDER": "ASC", "start": -1}
        reply = await self._client.call(STATISTICS, asked)
        rows = [row for row in read_rows(CallRow, reply.result) if _row_id(row) > after]
        return sorted(rows, key=_row_id)

    async def _flush_soon(self) -> None:
        await asyncio.sleep(COALESCE_S)
        # Two at a time: whoever asks while they wait for their turn shares the next one. Otherwise a flood of made-up
        # calls, each with a request of its own, would eat the portal's two requests a second.
        async with self._looking:
            waiting, self._waiting = self._waiting, {}
            ids = list(waiting)
            for begin in range(0, len(ids), COALESCE_UP_TO):
                await self._answer({call_id: waiting[call_id] for call_id in ids[begin : begin + COALESCE_UP_TO]})

    async def _answer(self, waiting: dict[str, list[asyncio.Future[CallFacts | None]]]) -> None:
        failure: Exception | None = None
        found: dict[str, CallFacts] = {}
        try:
            found = await self._look_up(list(waiting))
        except Exception as exc:
            failure = exc  # whoever waits gets it, whatever it is
        for call_id, futures in waiting.items():
            for future in futures:
                if future.done():
                    continue
                if failure is None:
                    future.set_result(found.get(call_id))
                else:
                    future.set_exception(failure)

    async def _look_up(self, call_ids: list[str]) -> dict[str, CallFacts]:
        """Facts by call id. Of several rows of a call the newest counts, one with a recording before one without."""
        wanted: object = call_ids[0] if len(call_ids) == 1 else call_ids
        asked = {"FILTER": {"CALL_ID": wanted}, "SORT": "ID", "ORDER": "ASC"}
        best: dict[str, CallRow] = {}
        async for result in self._client.iterate(STATISTICS, asked, pages=4):
            for row in read_rows(CallRow, result):
                known = best.get(row.call_id)
                if known is None or _rank(row) > _rank(known):
                    best[row.call_id] = row
        return {call_id: self._facts(row) for call_id, row in best.items()}

    def _facts(self, row: CallRow) -> CallFacts:
        entity = (row.entity_type.lower(), present(row.entity_id))
        return CallFacts(
            call_id=row.call_id,
            vendor_row_id=row.row_id,
            direction=direction_of(row.call_type),
            outcome=outcome_of(row.failed_code, row.duration_s),
            failed_code=row.failed_code,
            client_phone=client_phone(row),
            line=row.line,
            employee_id=present(row.user_id),
            started_at=row.started_at or self._clock.now().astimezone(UTC),  # a call of unknown time is a fresh one
            duration_s=row.duration_s,
            recording_ref=present(row.record_file_id),
            recording_url=row.record_url,
            activity_id=present(row.activity_id),
            crm_entity=entity if all(entity) else None,
        )


def _row_id(row: CallRow) -> int:
    return int(row.row_id) if row.row_id.isascii() and row.row_id.isdecimal() else 0


def _rank(row: CallRow) -> tuple[bool, int]:
    return bool(present(row.record_file_id) or row.record_url), _row_id(row)


def _usable(row: CallRow) -> bool:
    return 0 < len(row.call_id) <= MAX_ID
