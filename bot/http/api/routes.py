"""GET /api/cleaning/houses and /api/dashboard/…: a key first, then what answers is loaded once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.http.api.access import Access
from bot.http.limits import Networks
from bot.loading import load
from domain.access import Scope
from domain.ports import Clock
from storage.api_keys import ApiKeys
from storage.engine import Database

if TYPE_CHECKING:  # what searches and counts loads longer than the whole way in for hooks
    from bot.http.api.answers import Answers
    from bot.http.api.figures import Figures

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """By what figures are counted: the zone of days, how long a talk is at least, and a visit. Seconds."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Moscow"))
    short_s: int = 10
    attended_s: int = 120


class Api:
    """``connected``: there is a CRM that the company is read from."""

    def __init__(
        self, database: Database, clock: Clock, *, trusted: Networks = (), connected: bool = False,
        counting: Counting | None = None,
    ) -> None:  # fmt: skip
        self.access = Access(ApiKeys(database), clock, trusted)
        self._database = database
        self._clock = clock
        self._connected = connected
        self._counting = counting or Counting()
        self._answers: Answers | None = None
        self._counted: Figures | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/cleaning/houses", self._opened_by(Scope.DIRECTORY, "houses")),
            web.get("/api/dashboard/employees", self._opened_by(Scope.DIRECTORY, "employees")),
            web.get("/api/dashboard/departments", self._opened_by(Scope.DIRECTORY, "departments")),
            web.get("/api/dashboard/statistics", self._opened_by(Scope.STATISTICS, "statistics")),
            web.get("/api/dashboard/figures", self._figures),
            web.get("/api/dashboard/conversions", self._conversions),
        ]

    async def _figures(self, request: web.Request) -> web.Response:
        key = await self.access.admit(request, Scope.STATISTICS)
        return await (await self._counts()).figures(request, key.account_id)

    async def _conversions(self, request: web.Request) -> web.Response:
        key = await self.access.admit(request, Scope.STATISTICS)
        return await (await self._counts()).conversions(request, key.account_id)

    async def _counts(self) -> "Figures":
        if self._counted is None:
            part = await load("bot.http.api.figures")
            self._counted = part.Figures(self._database, self._clock, self._counting)
        return self._counted

    def _opened_by(self, scope: Scope, name: str) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            key = await self.access.admit(request, scope)
            if self._answers is None:
                part = await load("bot.http.api.answers")
                self._answers = part.Answers(self._database, self._clock, connected=self._connected)
            return await self._answers.answer(request, key.account_id, name)

        return handler
