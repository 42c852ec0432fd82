"""Connections that cost us a file each: room for many, and an end for those that never ask anything."""

import asyncio
import resource
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

from aiohttp import web

KEEPALIVE_SECONDS = 75.0  # between requests; longer than nginx keeps its side (60 s), so that it is the one to close
FIRST_REQUEST_SECONDS = 30.0
SWEEP_SECONDS = 5.0
OPEN_FILES = 65536

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Connection(Protocol):
    """What is needed of aiohttp's RequestHandler."""

    def force_close(self) -> None: ...


class FirstRequests:
    """Closes connections whose first request does not come: aiohttp waits an hour for the end of its headers."""

    def __init__(self, *, seconds: float = FIRST_REQUEST_SECONDS, every: float = SWEEP_SECONDS) -> None:
        self._seconds = seconds
        self._every = every
        self._asked: set[Connection] = set()
        self._waiting: dict[Connection, float] = {}

    def watch(self, app: web.Application) -> None:
        """Before the application is set up."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._asked.add(request.protocol)
            return await handler(request)

        app.middlewares.insert(0, note)

    async def run(self, connections: Callable[[], Iterable[Connection]]) -> None:
        """Until cancelled."""
        while True:
            self._sweep(set(connections()), asyncio.get_running_loop().time())
            await asyncio.sleep(self._every)

    def _sweep(self, present: set[Connection], now: float) -> None:
        self._asked &= present
        self._waiting = {connection: self._waiting.get(connection, now) for connection in present - self._asked}
        for connection, since in self._waiting.items():
            if now - since >= self._seconds:
                connection.force_close()


def allow_many_files() -> None:
    """Raise our own limit of open files, often 1024, towards what the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(OSError, ValueError):  # macOS has one more limit, which it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
