"""Keeping no longer than promised: bodies, recordings, texts."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, select, update

from bot.services import Services
from domain.messages import Message
from storage.ad_runs import AdRunStore
from storage.call_tasks import CallTaskStore
from storage.codec import dumps
from storage.directory import KIND as DIRECTORY
from storage.imports import UNDO_WITHIN, ImportStore
from storage.models import accounts, calls, inbox, posts, work, work_steps
from storage.sealed import PERSONAL

log = logging.getLogger(__name__)

CHUNK = 2000  # rows of a kind in an hour
BITE = 200  # rows a transaction, so that the writer is never held for long
JOURNAL_DAYS = 365
READINGS_DAYS = 1  # of houses and people: a step a page, every hour
TABLE_DAYS = 7
SPARE = timedelta(hours=1)  # who asked in the last minute is served
FORGOTTEN = "данные этого события стёрты через INBOX_DAYS: повторить его нельзя"
EXPORT_DAYS = 1  # a table that was asked for has been sent long before


class Retention:
    """Works in small bites; what is left over is taken next hour. What is old is looked for without holding the writer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._posts_seen = 0

    async def tidy(self) -> None:
        settings, now = self._services.settings, self._services.clock.now()
        bodies = await self._empty_bodies(now - timedelta(days=settings.inbox_days))
        bodies += await self._empty_events(now - timedelta(days=settings.inbox_days))
        recordings = await self._drop_recordings(now - timedelta(days=settings.audio_days))
        texts = await self._drop_texts(now - timedelta(days=settings.text_days))
        texts += await self._drop_cards(now - timedelta(days=settings.text_days))
        await self._drop_tables(now - timedelta(days=TABLE_DAYS))
        journals = await self._services.work.forget_finished(now - timedelta(days=JOURNAL_DAYS))
        journals += await self._services.work.forget_pages(DIRECTORY, now - timedelta(days=READINGS_DAYS))
        await asyncio.to_thread(_drop_files, settings.data_dir / "exports", now - timedelta(days=EXPORT_DAYS))
        await self._settle_inbox(now - timedelta(days=settings.inbox_days), now - timedelta(hours=1))
        if bodies or recordings or texts or journals:
            log.info("tidied: %d bodies, %d recordings, %d texts, %d journals", bodies, recordings, texts, journals)

    async def _empty_bodies(self, before: datetime) -> int:
        old = select(inbox.c.id).where(inbox.c.received_at < before, inbox.c.request.is_not(None)).limit(CHUNK)
        return await self._change(inbox, await self._found(old), request=None)

    async def _empty_events(self, before: datetime) -> int:
        """Who registered is told by the finished work as by the body of its delivery. Found by the index of the kind."""
        mine = (work.c.account_id.in_(select(accounts.c.id)), work.c.kind.in_(PERSONAL), work.c.payload != "")
        old = select(work.c.id).where(*mine, work.c.state.in_(("done", "dead")), work.c.finished_at < before)
        given_up = await self._found(old.where(work.c.state == "dead").limit(CHUNK))
        await self._change(work, given_up, error=FORGOTTEN)
        await self._change(work_steps, given_up, work_steps.c.work_id, result=None)
        return await self._change(work, await self._found(old.limit(CHUNK)), payload="")

    async def _drop_recordings(self, before: datetime) -> int:
        """By the rows, and by the folders: a recording that another one took the place of is in no row any more."""
        old = select(calls.c.id).where(*_older(before), calls.c.recording_path != "").limit(CHUNK)
        dropped = await self._change(calls, await self._found(old), recording_path="")
        await asyncio.to_thread(_drop_files, self._services.settings.data_dir / "recordings", before)
        return dropped

    async def _drop_texts(self, before: datetime) -> int:
        old = select(calls.c.id).where(*_older(before), calls.c.transcript.is_not(None)).limit(CHUNK)
        emptied = {"transcript": None, "transcript_search": "", "summary": None, "summary_key": ""}
        ids = await self._found(old)
        dropped = await self._change(calls, ids, **emptied)
        await CallTaskStore(self._services.database).forget(ids)
        for folder in ("transcripts", "pictures"):
            await asyncio.to_thread(_drop_files, self._services.settings.data_dir / folder, before)
        return dropped

    async def _drop_tables(self, before: datetime) -> None:
        """Tables people sent: what they hold is in our rows, or was not wanted."""
        store = ImportStore(self._services.database)
        await store.forget_files(before)
        too_late = self._services.clock.now() - UNDO_WITHIN - SPARE
        await store.forget_changes(too_late)
        await AdRunStore(self._services.database).forget_changes(too_late)
        await asyncio.to_thread(_drop_files, self._services.settings.data_dir, before, "imports")

    async def _drop_cards(self, before: datetime) -> int:
        """A card says what was said: our copy of it goes with the transcript. What is in the chat is the chat's."""
        following = select(posts.c.id, posts.c.created_at, posts.c.state).where(posts.c.id > self._posts_seen)
        async with self._services.database.read() as connection:
            rows = (await connection.execute(following.order_by(posts.c.id).limit(CHUNK))).all()
        old = [row for row in rows if row.created_at < before]
        ids = [row.id for row in old if row.state not in {"wanted", "sending"}]
        dropped = await self._change(posts, ids, content=dumps(Message, Message(key="", sections=())), content_sha256="")
        self._posts_seen = old[-1].id if old else self._posts_seen
        return dropped

    async def _settle_inbox(self, since: datetime, before: datetime) -> None:
        """A delivery whose call a poll had found before is done with that work, not with one of its own."""
        own = select(work.c.id).where(work.c.created_at == inbox.c.received_at, work.c.delivery_id == inbox.c.id).exists()
        heard = (inbox.c.received_at >= since) & (inbox.c.received_at < before)
        stale = await self._found(select(inbox.c.id).where(heard, inbox.c.state == "received", ~own).limit(CHUNK))
        await self._change(inbox, stale, state="done")

    async def _found(self, statement: Select[Any]) -> list[Any]:
        async with self._services.database.read() as connection:
            return list(await connection.scalars(statement))

    async def _change(self, table: Table, ids: Sequence[Any], by: Column[Any] | None = None, /, **values: object) -> int:
        """The rows with these ids, or with these in the column ``by``."""
        for start in range(0, len(ids), BITE):
            mine = (table.c.id if by is None else by).in_(ids[start : start + BITE])
            changed = update(table).where(mine).values(**values)
            await self._services.database.write(lambda tx, changed=changed: tx.execute(changed))  # type: ignore[misc]
        return len(ids)


def _older(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Calls by their index of account and time."""
    return calls.c.account_id.in_(select(accounts.c.id)), calls.c.started_at < before


def _drop_files(folder: Path, before: datetime, days: str = "*") -> None:
    """Files that nobody wrote to since, and the folders of days they leave empty."""
    for day in folder.glob(days):
        for path in day.glob("*"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
        if not any(day.iterdir()) and day.stat().st_mtime < before.timestamp():
            day.rmdir()
