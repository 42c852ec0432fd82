"""Our hooks in the vendors' own lists: looked at by the clock, told of once when one is off and once when it is back."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select

from bot.alerts import Alerts
from bot.commands.urls import addresses
from bot.keys import Keys
from bot.settings import Settings
from domain.errors import BadInput, VendorError
from domain.messages import Texts
from domain.ports import Clock
from domain.webhooks import HookStanding, HookState
from handlers.alerts.messages import hook_back, hook_off
from integrations.kit.vendor import Ports, Vendor
from storage.engine import Database
from storage.models import notices
from storage.upsert import upsert

log = logging.getLogger(__name__)

_HOOK = "hook:"  # before a vendor's name, in the keys of notices


class Part(Protocol):
    """What is needed of a connected vendor; bot.services.Connected is the real one."""

    @property
    def vendor(self) -> Vendor[Any]: ...
    @property
    def ports(self) -> Ports: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HookWatch:
    """What a vendor does not let us see is no fault of its hook: `svodka check` tells of that."""

    settings: Settings
    keys: Keys
    database: Database
    connected: Mapping[str, Part]
    alerts: Alerts
    texts: Texts
    clock: Clock

    async def look(self) -> None:
        """All of them. What is known already is not told again, whoever restarts meanwhile."""
        for name, part in self.connected.items():
            if part.ports.hooks is None or not self.settings.public_url:
                continue
            try:
                await self._tell(part, await part.ports.hooks.look(self._ours(name)))
            except VendorError as error:
                log.info("hooks of %s cannot be looked at: %s", name, error)

    async def subscribe(self, vendor: str) -> HookStanding:
        """BadInput where it cannot be done at all. VendorUnavailable, VendorRefused."""
        part = self.connected.get(vendor)
        if part is None or part.ports.hooks is None:
            raise BadInput("vendor", self.texts.get("alert.hook_not_set"))
        if not self.settings.public_url:
            raise BadInput("PUBLIC_URL", self.texts.get("alert.hook_no_address"))
        standing = await part.ports.hooks.subscribe(self._ours(vendor))
        await self._tell(part, standing)
        return standing

    def _ours(self, vendor: str) -> list[str]:
        return [entry["url"] for entry in addresses(self.settings, self.keys)[vendor]]

    async def _tell(self, part: Part, standing: HookStanding) -> None:
        name, title, now = part.vendor.name, part.vendor.title, self.clock.now()
        mine = notices.c.key == f"{_HOOK}{name}"
        async with self.database.read() as connection:
            told = (await connection.execute(select(notices).where(mine, notices.c.active))).one_or_none()
        known = HookState(told.detail) if told is not None else HookState.ON
        if standing.state is known:
            return
        good = standing.state is HookState.ON
        values = {"active": not good, "since": now, "detail": standing.state.value}
        row = upsert(self.database, notices).values(key=f"{_HOOK}{name}", **values)
        if told is not None and good:
            message = hook_back(name, title, since=told.since, now=now, texts=self.texts)
        else:
            message = hook_off(name, title, standing, since=now, texts=self.texts)
        await self.alerts.say(message, row.on_conflict_do_update(index_elements=["key"], set_=values))
