"""Connections that are kept: one that was hung up is never what a write is put on."""

import asyncio

import pytest

from domain.errors import VendorUnavailable
from integrations.kit.http import HttpClient

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
async def hangs_up() -> tuple[asyncio.Server, str, list[bytes]]:
    """A server that answers one request a connection and closes it without having said so."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(REPLY)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heard


async def test_a_write_is_not_put_on_a_connection_that_was_hung_up(
    hangs_up: tuple[asyncio.Server, str, list[bytes]],
) -> None:
    server, url, heard = hangs_up
    client = HttpClient("acme", trust_env=False)
    uncertain = 0
    async with server:
        for _ in range(30):
            try:
                await client.request("add", "POST", url, form={}, writes=True)
            except VendorUnavailable as error:
                uncertain += error.uncertain
    await client.close()
    assert uncertain == 0
    assert len(heard) == 30
