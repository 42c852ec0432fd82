"""The money limits: what was spent, what is being spent, and when a limit frees."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from domain.calls import Cost
from domain.ports import Clock
from storage.engine import Database
from storage.models import charges

Reached = Callable[[str, datetime], Awaitable[None]]


class LimitPurse:
    """COST_LIMIT_DAY and COST_LIMIT_MONTH of one account, in micro-dollars; days and months in the account's zone.

    ``reached`` hears of each refusal: the period ("day" or "month") and when it ends, in the account's zone.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        timezone: ZoneInfo,
        account_id: int,
        *,
        day: int | None,
        month: int | None,
        reached: Reached,
    ) -> None:
        self._reached = reached
        self._database = database
        self._clock = clock
        self._timezone = timezone
        self._account_id = account_id
        self._limits = (day, month)
        self._reserved = 0
        self._deciding = asyncio.Lock()

    @asynccontextmanager
    async def reserve(self, cost: Cost) -> AsyncIterator[datetime | None]:
        """See Purse: looked up and set aside in one step, or a hundred calls would pass the limit between the two."""
        async with self._deciding:
            over = await self._over_limit(cost)
            held = 0 if over else cost.micro_usd
            self._reserved += held
        try:
            if over is not None:
                await self._reached(*over)
            yield over[1] if over else None
        finally:
            self._reserved -= held

    async def _over_limit(self, cost: Cost) -> tuple[str, datetime] | None:
        """The period whose limit ``cost`` would break, and when that period ends."""
        now = self._clock.now()
        day, month = self._limits
        if month is not None and await self._over(_month_start(now, self._timezone), cost, month):
            return "month", _next_month(now, self._timezone)
        if day is not None and await self._over(_day_start(now, self._timezone), cost, day):
            return "day", _next_day(now, self._timezone)
        return None

    async def _over(self, since: datetime, cost: Cost, limit: int) -> bool:
        return await self.spent(since) + self._reserved + cost.micro_usd > limit

    async def spent(self, since: datetime) -> int:
        """Micro-dollars spent since then."""
        statement = select(func.coalesce(func.sum(charges.c.micro_usd), 0)).where(
            charges.c.account_id == self._account_id, charges.c.at >= since
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(statement) or 0)


def _day_start(moment: datetime, timezone: ZoneInfo) -> datetime:
    return datetime.combine(moment.astimezone(timezone).date(), time(), timezone)


def _next_day(moment: datetime, timezone: ZoneInfo) -> datetime:
    """By the calendar: a day on which clocks go back has 25 hours."""
    return datetime.combine(moment.astimezone(timezone).date() + timedelta(days=1), time(), timezone)


def _month_start(moment: datetime, timezone: ZoneInfo) -> datetime:
    return datetime.combine(moment.astimezone(timezone).date().replace(day=1), time(), timezone)


def _next_month(moment: datetime, timezone: ZoneInfo) -> datetime:
    return _month_start(_month_start(moment, timezone) + timedelta(days=32), timezone)
