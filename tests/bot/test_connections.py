"""Who opens a connection and never asks is let go; who asks is not."""

import asyncio
import resource
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.http.connections import OPEN_FILES, FirstRequests, allow_many_files

SECONDS = 1.0  # for a first request; a busy machine may need a part of it to ask
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(SECONDS * 1.2)  # an answer may take longer
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    first = FirstRequests(seconds=SECONDS, every=0.02)
    first.watch(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = runner.server
    assert server is not None
    sweeping = asyncio.create_task(first.run(lambda: server.connections))
    yield runner.addresses[0][1]
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    await runner.cleanup()


@pytest.mark.parametrize("begun", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_an_unfinished_first_request_is_not_waited_for(port: int, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    started = asyncio.get_running_loop().time()
    assert await asyncio.wait_for(reader.read(), 60) == b""
    assert asyncio.get_running_loop().time() - started > SECONDS / 2
    writer.close()


async def test_who_asked_keeps_the_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):  # and so may the pause between two requests
        writer.write(REQUEST)
        assert (await asyncio.wait_for(reader.readuntil(b"ok"), 60)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(SECONDS * 1.2)
    writer.close()


def test_the_limit_of_open_files_is_raised() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = 512
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
        allow_many_files()
        raised, kept = resource.getrlimit(resource.RLIMIT_NOFILE)
        allow_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (raised, kept)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert kept == hard
    assert raised == (OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES))
    assert raised > low
