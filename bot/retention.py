"""Keeping no longer than promised: bodies, recordings, texts; and the counters that outlive a restart."""

import logging
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.services import Services
from storage.models import calls, counters, inbox, work

log = logging.getLogger(__name__)

CHUNK = 2000  # rows a transaction, so that the writer is never held for long
JOURNAL_DAYS = 365
ORPHAN = timedelta(hours=6)


class Retention:
    """Works in small bites; what is left over is taken next hour."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: Counter[str] = Counter()

    async def tidy(self) -> None:
        settings, now = self._services.settings, self._services.clock.now()
        bodies = await self._empty_bodies(now - timedelta(days=settings.inbox_days))
        recordings = await self._drop_recordings(now - timedelta(days=settings.audio_days))
        texts = await self._drop_texts(now - timedelta(days=settings.text_days))
        journals = await self._services.work.forget_finished(now - timedelta(days=JOURNAL_DAYS))
        await self._settle_inbox(now - timedelta(hours=1))
        if bodies or recordings or texts or journals:
            log.info("tidied: %d bodies, %d recordings, %d texts, %d journals", bodies, recordings, texts, journals)

    async def _empty_bodies(self, before: datetime) -> int:
        old = select(inbox.c.id).where(inbox.c.received_at < before, inbox.c.request.is_not(None)).limit(CHUNK)

        async def job(connection: AsyncConnection) -> int:
            emptied = update(inbox).where(inbox.c.id.in_(old.scalar_subquery())).values(request=None)
            return (await connection.execute(emptied)).rowcount

        return await self._services.database.write(job)

    async def _drop_recordings(self, before: datetime) -> int:
        old = select(calls.c.id, calls.c.recording_path).where(calls.c.started_at < before, calls.c.recording_path != "")
        async with self._services.database.read() as connection:
            rows = (await connection.execute(old.limit(CHUNK))).all()
        for row in rows:
            (self._services.settings.data_dir / row.recording_path).unlink(missing_ok=True)
        ids = [row.id for row in rows]

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(calls).where(calls.c.id.in_(ids)).values(recording_path=""))

        if ids:
            await self._services.database.write(job)
        return len(ids)

    async def _drop_texts(self, before: datetime) -> int:
        old = select(calls.c.id).where(calls.c.started_at < before, calls.c.transcript.is_not(None)).limit(CHUNK)

        async def job(connection: AsyncConnection) -> int:
            emptied = {"transcript": None, "transcript_search": "", "summary": None, "summary_key": ""}
            changed = update(calls).where(calls.c.id.in_(old.scalar_subquery())).values(**emptied)
            return (await connection.execute(changed)).rowcount

        dropped = await self._services.database.write(job)
        self._drop_files(self._services.settings.data_dir / "transcripts", before)
        return dropped

    @staticmethod
    def _drop_files(folder: Path, before: datetime) -> None:
        for path in folder.glob("*/*.txt"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

    async def _settle_inbox(self, before: datetime) -> None:
        """A delivery whose call a poll had found before is done with that work, not with one of its own."""
        own = select(work.c.delivery_id).where(work.c.delivery_id == inbox.c.id).exists()
        stale = (inbox.c.state == "received") & (inbox.c.received_at < before) & ~own

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(update(inbox).where(stale).values(state="done"))

        await self._services.database.write(job)

    async def keep_counters(self) -> None:
        """Add what was refused or not understood since the last minute to the table of counters."""
        hooks = self._services.hooks
        totals = Counter({f"rejected:{name}": count for name, count in hooks.rejected.items()})
        totals.update({f"unknown:{name}": count for name, count in hooks.unknown_kinds.items()})
        fresh = totals - self._kept
        if not fresh:
            return
        day = self._services.clock.now().date().isoformat()

        async def job(connection: AsyncConnection) -> None:
            for name, count in sorted(fresh.items()):
                mine = (counters.c.day == day) & (counters.c.name == name[:128])
                changed = await connection.execute(update(counters).where(mine).values(value=counters.c.value + count))
                if changed.rowcount == 0:
                    await connection.execute(insert(counters).values(day=day, name=name[:128], value=count))

        await self._services.database.write(job)
        self._kept = totals
