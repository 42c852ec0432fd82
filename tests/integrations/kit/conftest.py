"""Servers that only tests of the kit need."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.integrations.kit.certificates import certified

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ServeTls = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve_tls(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServeTls]:
    """``await serve_tls(handler)`` → "https://records.example:PORT/x" on 127.0.0.1, its certificate trusted."""
    ours, theirs = certified("records.example", tmp_path_factory.mktemp("tls"))
    monkeypatch.setattr("integrations.kit.connections.default_authorities", lambda: ours)
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_get("/x", handler)
        server = TestServer(app, host="127.0.0.1", scheme="https")
        await server.start_server(ssl=theirs)
        servers.append(server)
        return f"https://records.example:{server.port}/x"

    yield start
    for server in servers:
        await server.close()
