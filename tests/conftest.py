"""What every test gets: no connection leaves this machine, and a way to serve an aiohttp app on a real socket."""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.postgres import postgres, postgres_url  # noqa: F401  fixtures are found by their names here
from tests.room import in_memory

Serve = Callable[[web.Application], Awaitable[str]]


def pytest_configure() -> None:
    if memory := in_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)  # pytest's own name for where tmp_path is


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches past 127.0.0.0/8 fails at once and says where it wanted to go."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise AssertionError(f"a test tried to connect to {address[0]}")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """``await serve(app)`` → "http://127.0.0.1:PORT"."""
    servers: list[TestServer] = []

    async def start(app: web.Application) -> str:
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()
