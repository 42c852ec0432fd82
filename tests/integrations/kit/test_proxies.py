"""Proxies of the environment: which requests take them, and what their failures mean, against real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from yarl import URL

from domain.errors import VendorUnavailable
from integrations.kit.http import HttpClient
from integrations.kit.proxies import Proxies
from tests.conftest import Serve

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def socks() -> AsyncIterator[str]:
    """A SOCKS5 proxy that refuses every connection."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\x05\x00")
        await reader.read(256)
        writer.write(b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield f"socks5h://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_each_scheme_has_its_proxy_and_some_hosts_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.example:3128")
    monkeypatch.setenv("ALL_PROXY", "any.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,.inner.example")
    known = Proxies(trusted=True)
    assert known.of(URL("https://portal.example/")) == "http://secure.example:3128"
    assert known.of(URL("http://portal.example/")) == "http://any.example:3128"
    assert known.of(URL("https://pbx.inner.example/")) == ""
    assert Proxies(trusted=False).of(URL("https://portal.example/")) == ""


async def test_a_request_goes_through_the_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    async def proxy(request: web.BaseRequest) -> web.Response:
        seen.append((request.host, request.headers.get("Proxy-Authorization", "")))
        return web.Response(text="through")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", proxy)
    monkeypatch.setenv("http_proxy", (await serve(app)).replace("//", "//user:word@"))
    client = HttpClient("acme")
    answer = await client.request("go", "GET", "http://portal.example/x")
    await client.close()
    assert (answer.body, seen) == (b"through", [("portal.example", "Basic dXNlcjp3b3Jk")])


async def test_a_proxy_that_does_not_connect_us_has_sent_nothing(socks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", socks)
    client = HttpClient("acme", total_s=60)
    with pytest.raises(VendorUnavailable) as caught:
        await client.request("go", "POST", "http://portal.example/x", json={}, writes=True)
    await client.close()
    assert (caught.value.uncertain, caught.value.message) == (False, "no connection")
