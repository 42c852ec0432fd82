"""What the models' SDK sends over our connections, as it is on the wire."""

import asyncio

import httpx2
import pytest

from integrations.openai.transport import Transport

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"{}")])
async def test_only_a_request_with_a_body_announces_one(method: str, body: bytes | None) -> None:
    heard = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = (await reader.readuntil(b"\r\n\r\n")).lower()
        writer.write(REPLY)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/models"
    way = Transport(connect_s=60, read_s=60, proxy="", trusted=False, ca_bundle="")
    async with server, httpx2.AsyncClient(transport=way) as client:
        assert (await client.request(method, url, content=body)).json() == {}
    assert b"transfer-encoding" not in heard
    assert (b"content-length: 2" in heard) is (body is not None)
