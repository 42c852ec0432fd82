"""What a CRM calls its stages and its people: asked for once a day, and when a number is met that nobody knows."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from domain.crm import CrmLead, CrmPerson, CrmStage
from domain.ports import Clock, CrmPlatform
from storage.stages import Stage

log = logging.getLogger(__name__)

N = TypeVar("N", Stage, str)
FRESH = timedelta(days=1)
ASK_AGAIN = timedelta(minutes=10)  # for a number that the CRM itself did not know


class StageBook(Protocol):
    """What stages are called; storage.stages.StageStore is the real one."""

    async def heard_at(self, account_id: int) -> datetime | None: ...
    async def nameless(self, account_id: int, stages: Iterable[Stage]) -> set[Stage]: ...
    async def learn(self, account_id: int, listed: Sequence[CrmStage], *, now: datetime) -> bool: ...


class StaffBook(Protocol):
    """What people are called; storage.staff.StaffStore is the real one."""

    async def heard_at(self, account_id: int) -> datetime | None: ...
    async def unknown(self, account_id: int, numbers: Iterable[str]) -> set[str]: ...
    async def learn(self, account_id: int, people: Sequence[CrmPerson], *, now: datetime) -> None: ...


class Directory:
    """The names of one CRM, which outlive its silence. ``follow`` is called when leads have to follow new names.

    Every method: VendorUnavailable, VendorRefused; what was known is kept.
    """

    def __init__(
        self, platform: CrmPlatform, stages: StageBook, staff: StaffBook, clock: Clock, follow: Callable[[], None]
    ) -> None:
        self._platform = platform
        self._stages = stages
        self._staff = staff
        self._clock = clock
        self._follow = follow
        self._asked: dict[Stage | str, datetime] = {}
        self._lock = asyncio.Lock()
        self._hidden_until: datetime | None = None

    async def meet(self, account_id: int, leads: Sequence[CrmLead]) -> None:
        """Ask for names that these leads need and nobody knows yet. Whoever needs the same meanwhile waits for it."""
        stages = {(one.pipeline_id, one.status_id) for one in leads if one.status_id}
        people = {one.manager_id for one in leads if one.manager_id}
        async with self._lock:
            if nameless := self._not_asked(await self._stages.nameless(account_id, stages)):
                await self.learn_stages(account_id)
                self._asked |= dict.fromkeys(nameless, self._clock.now())
            if strangers := self._not_asked(await self._staff.unknown(account_id, people)):
                await self.learn_people(account_id)
                self._asked |= dict.fromkeys(strangers, self._clock.now())

    async def keep_fresh(self, account_id: int) -> None:
        """What was told longer than a day ago is asked for again."""
        stale = self._clock.now() - FRESH
        if (await self._stages.heard_at(account_id) or stale) <= stale:
            await self.learn_stages(account_id)
        if (await self._staff.heard_at(account_id) or stale) <= stale:
            await self.learn_people(account_id)

    async def learn_stages(self, account_id: int) -> None:
        if await self._stages.learn(account_id, await self._platform.stages(), now=self._clock.now()):
            self._follow()

    async def learn_people(self, account_id: int) -> None:
        """Where we may not see them nobody is asked again for a while."""
        now = self._clock.now()
        if self._hidden_until is not None and now < self._hidden_until:
            return
        people = await self._platform.people()
        self._hidden_until = now + FRESH if people is None else None
        if people is None:
            log.warning("the CRM does not show who works in it: its token is no administrator's")
            return
        await self._staff.learn(account_id, people, now=now)

    def _not_asked(self, numbers: Collection[N]) -> list[N]:
        """Those that were not asked about lately."""
        long_ago = self._clock.now() - ASK_AGAIN
        self._asked = {one: at for one, at in self._asked.items() if at > long_ago}
        return [one for one in numbers if one not in self._asked]
