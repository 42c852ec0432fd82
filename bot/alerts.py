"""From what the runner and the health board notice to what people are told, without a flood."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.health import PartState
from bot.work import THIRD_FAILURE
from domain.errors import VendorError, VendorRefused, VendorUnavailable
from domain.messages import Message, Texts
from domain.ports import Chat, Clock, Tx
from handlers.alerts.messages import disk_full, limit_reached, part_back, part_gone, work_dead, work_failing
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import notices, work
from storage.upsert import upsert
from storage.work import WorkRow

log = logging.getLogger(__name__)

_PART = "part:"  # before a part's name, in the keys of notices


class Alerts:
    """Speaks to the destinations that take notices. Also the runner's Watch."""

    def __init__(
        self,
        database: Database,
        chat: Chat,
        clock: Clock,
        *,
        texts: Texts,
        timezone: ZoneInfo,
        account_id: int,
        posted: Callable[[], None],
    ) -> None:
        self._database = database
        self._chat = chat
        self._clock = clock
        self._texts = texts
        self._timezone = timezone
        self._account_id = account_id
        self.posted = posted

    async def part(self, part: PartState, back: bool) -> None:
        """A part went or came back: HealthBoard's Tell."""
        now = self._clock.now()
        since = part.since or now
        if back:
            message = part_back(part.name, part.title, since=since, now=now, texts=self._texts)
        else:
            message = part_gone(part.name, part.title, since=since, detail=part.detail, hint=part.hint, texts=self._texts)
        values = {"active": not back, "since": since, "detail": dumps(PartState, part)}
        row = upsert(self._database, notices).values(key=f"{_PART}{part.name}", **values)
        await self.say(message, row.on_conflict_do_update(index_elements=["key"], set_=values))

    async def told_parts(self) -> list[PartState]:
        """The outages that people know of and whose end they do not: HealthBoard.recall's."""
        statement = select(notices.c.detail).where(notices.c.key.startswith(_PART), notices.c.active)
        async with self._database.read() as connection:
            return [loads(PartState, detail) for detail in await connection.scalars(statement)]

    async def failed(self, row: WorkRow, error: Exception, *, failures: int, error_id: str) -> None:
        """At the third failure in a row people hear of it; an outage is already told of by its part."""
        if failures != THIRD_FAILURE or isinstance(error, VendorUnavailable):
            return
        count = await self._count(row.kind, "ready", "defect")
        message = work_failing(
            row.kind, "defect", count=max(count, 1), error=_told(error, error_id), day=self._day(), texts=self._texts
        )
        await self.say(message)

    async def died(self, row: WorkRow, error: Exception | None, *, error_id: str) -> None:
        code = getattr(error, "code", "") or "defect"
        count = await self._count(row.kind, "dead", code)
        message = work_dead(
            row.kind, code, count=max(count, 1), error=_told(error, error_id), day=self._day(), texts=self._texts,
            hint=error.hint if isinstance(error, VendorRefused) else "",
        )  # fmt: skip
        await self.say(message)

    async def succeeded(self, row: WorkRow) -> None:
        """Nothing to say: the card is the message."""

    async def poisoned(self, count: int) -> None:
        """Works that were running at the third crash in a row were given up."""
        message = work_dead("call", "poison", count=count, error="poison", day=self._day(), texts=self._texts)
        await self.say(message)

    async def limit(self, period: str, until: datetime) -> None:
        """Money for models ran out. The same period says the same, so it is said once."""
        await self.say(limit_reached(period, until, texts=self._texts))

    async def disk_full(self, free_mb: int) -> None:
        await self.say(disk_full(free_mb, day=self._day(), texts=self._texts))

    async def say(self, message: Message, also: Executable | None = None) -> None:
        """Post to where notices go; ``also`` is executed in the same commit."""

        async def job(connection: AsyncConnection) -> None:
            if also is not None:
                await connection.execute(also)
            await self._chat.post(cast("Tx", connection), self._account_id, message)

        try:
            await self._database.write(job)
        except Exception:
            log.exception("a notice could not be stored")
        else:
            self.posted()

    async def _count(self, kind: str, state: str, code: str) -> int:
        midnight = self._clock.now().astimezone(self._timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        found = select(func.count()).where(
            work.c.account_id == self._account_id,
            work.c.kind == kind,
            work.c.state == state,
            work.c.error_code == code,
            work.c.started_at >= midnight,
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(found) or 0)

    def _day(self) -> str:
        moment: datetime = self._clock.now().astimezone(self._timezone)
        return moment.date().isoformat()


def _told(error: Exception | None, error_id: str) -> str:
    """What a person may read: our own errors in their words, of a defect only its name and the id for the log."""
    if isinstance(error, VendorError):
        return f"{error.message} [{error_id}]"
    return f"{type(error).__name__ if error else 'poison'} [{error_id}]"
