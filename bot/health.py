"""How each part of the world is doing, told once when it goes and once when it is back."""

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from domain.errors import NOT_CONNECTED, UNHEARABLE, VendorError, VendorRefused, VendorUnavailable
from domain.ports import Clock

P = TypeVar("P")
log = logging.getLogger(__name__)

GRACE = timedelta(seconds=20)  # a shorter failure is not worth a message
FAILURES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """One part: unknown until first used, then ok, down (it may come back) or refused (a person has to act)."""

    name: str
    title: str
    state: str = "unknown"  # unknown | ok | down | refused | off
    since: datetime | None = None
    failures: int = 0
    detail: str = ""
    hint: str = ""
    told: bool = False


Tell = Callable[[PartState, bool], Awaitable[None]]
Back = Callable[[str], Awaitable[None]]


class HealthBoard:
    """Listens to every call of every port. ``tell(part, back)`` speaks to people, ``back(vendor)`` hastens what waited."""

    def __init__(self, clock: Clock, tell: Tell, back: Back) -> None:
        self._clock = clock
        self._tell = tell
        self._back = back
        self._parts: dict[str, PartState] = {}

    def add(self, name: str, title: str, *, state: str = "unknown", told: bool = False) -> None:
        self._parts.setdefault(name, PartState(name=name, title=title, state=state, told=told))

    def recall(self, told: Iterable[PartState]) -> None:
        """Outages that people were told of before the start: told no more, and told when they are over."""
        for part in told:
            known = self._parts.get(part.name)
            if known is not None and known.state == "unknown":
                self._parts[part.name] = replace(part, title=known.title, told=True)

    def parts(self) -> list[PartState]:
        return list(self._parts.values())

    def state(self, name: str) -> str:
        part = self._parts.get(name)
        return part.state if part else "off"

    async def good(self, name: str, vendor: str) -> None:
        """A call of this part went through."""
        part = self._parts[name]
        if part.state == "ok":
            return
        came_back = part.state in {"down", "refused"} or part.told
        self._parts[name] = replace(part, state="ok", since=self._clock.now(), failures=0, detail="", hint="", told=False)
        if came_back:
            await self._back(vendor)
        if part.told:
            log.info("%s is back", name)
            await self._tell(part, True)

    async def bad(self, name: str, error: VendorError) -> None:
        """A call of this part failed. A refusal is told at once, an outage when it has lasted."""
        part, now = self._parts[name], self._clock.now()
        refused = isinstance(error, VendorRefused)
        state = "refused" if refused else "down"
        since = part.since if part.state == state and part.since else now
        hint = error.hint if isinstance(error, VendorRefused) else ""
        told = part.told and not (refused and part.state != "refused")  # an outage was told of; this has a cure
        part = replace(part, state=state, since=since, failures=part.failures + 1, detail=error.message, hint=hint)
        worth_telling = refused or (part.failures >= FAILURES and now - since >= GRACE)
        tell_now = worth_telling and not told
        self._parts[name] = replace(part, told=told or tell_now)
        if tell_now:
            await self._tell(part, False)


# Refusals that concern one object and say nothing of the connection.
_OBJECT_CODES = {
    "not_found",
    "not_audio",
    "gone",
    "foreign_host",
    "bad_summary",
    "refused",
    "bad_request",
    NOT_CONNECTED,
    *UNHEARABLE,
}

# A recording at somebody's own exchange: were it an outage of the vendor, the next good answer would hasten it at once,
# again and again.
_OBJECT_ACTIONS = {"CALL_RECORD_URL"}


def observed(port: P, part: str, vendor: str, board: HealthBoard) -> P:
    """``port`` with every awaited call, and every page that it gives, reported to the board."""
    return cast("P", _Observed(port, part, vendor, board))


_END = object()  # of what a port gives piece by piece


class _Observed:
    def __init__(self, port: object, part: str, vendor: str, board: HealthBoard) -> None:
        self._port = port
        self._report = (part, vendor, board)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not (inspect.iscoroutinefunction(attribute) or inspect.isasyncgenfunction(attribute)):
            return attribute

        async def call(*arguments: object, **named: object) -> object:
            async with self._heard():
                return await attribute(*arguments, **named)

        async def flow(*arguments: object, **named: object) -> AsyncIterator[object]:
            async with aclosing(attribute(*arguments, **named)) as items:
                while True:
                    async with self._heard():
                        item = await anext(items, _END)
                    if item is _END:
                        return
                    yield item

        return flow if inspect.isasyncgenfunction(attribute) else call

    @asynccontextmanager
    async def _heard(self) -> AsyncIterator[None]:
        """The board learns how what is done inside went."""
        part, vendor, board = self._report
        try:
            yield
        except VendorUnavailable as error:
            if error.action not in _OBJECT_ACTIONS:
                await board.bad(part, error)
            raise
        except VendorRefused as error:
            if error.code not in _OBJECT_CODES:
                await board.bad(part, error)
            raise
        await board.good(part, vendor)
