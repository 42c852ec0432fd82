"""What the SDK sends, over our own connections: its HTTP library takes 1.5 ms of processor for a request, ours 0.4."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx2
from yarl import URL

from integrations.kit.connections import NOT_SENT, Connections
from integrations.kit.proxies import Proxies

_TOGETHER = 256 * 1024
"""A form no larger than this leaves in one piece instead of one for each of its lines."""


class Transport(httpx2.AsyncBaseTransport):
    """``proxy`` is used for everything; without one the environment decides, if it is ``trusted``."""

    def __init__(self, *, connect_s: float, read_s: float, proxy: str, trusted: bool, ca_bundle: str) -> None:
        def authorities() -> ssl.SSLContext:
            return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else httpx2.create_ssl_context()

        self._connections = Connections(
            proxies=Proxies(trusted=trusted, given=proxy),
            connect_s=connect_s,
            read_s=read_s,
            authorities=authorities,
            decoded=False,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        with _in_its_words():
            response = await self._connections.send(
                request.method,
                URL(str(request.url), encoded=True),
                dict(request.headers),
                body=await _body_of(request),
            )
        return httpx2.Response(response.status, headers=response.raw_headers, stream=_Body(response), request=request)

    async def aclose(self) -> None:
        await self._connections.close()


class _Body(httpx2.AsyncByteStream):
    """The body as it comes, compressed if it is."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_its_words():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        self._response.release()


async def _body_of(request: httpx2.Request) -> bytes | AsyncIterator[bytes] | None:
    """None for a request that announces no body: a strict gateway refuses a GET with an empty one in pieces."""
    length = request.headers.get("Content-Length")
    if length is None and "Transfer-Encoding" not in request.headers:
        return None
    small = length is not None and int(length) <= _TOGETHER
    return await request.aread() if small else _stream(request)


async def _stream(request: httpx2.Request) -> AsyncIterator[bytes]:
    if not isinstance(request.stream, httpx2.AsyncByteStream):
        raise TypeError("a body that can only be read with blocking")
    async for chunk in request.stream:
        yield chunk
        await asyncio.sleep(0)  # a quick server would take a large file without the loop ever going round


@contextmanager
def _in_its_words() -> Iterator[None]:
    """The SDK knows the errors of its own library only."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as exc:
        timed_out = isinstance(exc, TimeoutError)
        if isinstance(exc, NOT_SENT):
            raise (httpx2.ConnectTimeout if timed_out else httpx2.ConnectError)("") from exc
        raise (httpx2.ReadTimeout if timed_out else httpx2.ReadError)("") from exc
