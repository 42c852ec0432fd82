"""Kept-alive connections to one vendor, straight, through proxies or to a pinned address: no repeats, no cookies."""

import asyncio
import ssl
from collections.abc import AsyncIterable, Callable, Mapping
from functools import cache
from io import BytesIO

import aiohttp
from yarl import URL

from integrations.kit.proxies import Proxies, is_refusal, is_socks, socks_connector

_REPEATABLE = frozenset(("GET", "HEAD"))
AT_ONCE = 256 * 1024  # bytes of a body that are written in one go; a larger one goes in pieces and holds nobody up
IDLE_S = 5.0  # servers close what is idle longer; a write upon a closed connection would be an uncertain one


class Refused(aiohttp.ClientError):
    """A SOCKS proxy did not connect us."""


# Nothing was handed to the other side yet, so even a write has certainly not been carried out.
NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    Refused,
)


class Connections:
    """``connect_s`` and ``read_s`` bound a step in seconds. ``authorities`` gives the certificates to believe, in a thread.

    ``decoded``: a compressed body comes out as it was.
    """

    def __init__(
        self,
        *,
        proxies: Proxies,
        connect_s: float,
        read_s: float,
        authorities: Callable[[], ssl.SSLContext] | None = None,
        decoded: bool = True,
    ) -> None:
        self._proxies = proxies
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=read_s)
        self._authorities = authorities or default_authorities
        self._believed: ssl.SSLContext | None = None
        self._decoded = decoded
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def send(
        self,
        method: str,
        address: URL,
        headers: Mapping[str, str],
        *,
        body: bytes | AsyncIterable[bytes] | None = None,
        pinned: str = "",
    ) -> aiohttp.ClientResponse:
        """The response, its body still to come. ``pinned``: an IP address; the Host header and TLS keep the name.

        What is raised knows the address: it must not travel further.
        """
        if method not in _REPEATABLE:
            await _let_hang_ups_in()
        proxy = self._proxies.of(address)
        try:
            return await self._session(proxy).request(
                method,
                address.with_host(pinned) if pinned else address,
                data=BytesIO(body) if isinstance(body, bytes) and len(body) > AT_ONCE else body,
                headers={"Host": address.host_port_subcomponent or "", **headers} if pinned else headers,
                server_hostname=address.raw_host if pinned else None,
                proxy=None if is_socks(proxy) else proxy or None,
                ssl=await self._trusted() if address.scheme == "https" else True,
                allow_redirects=False,
            )
        except Exception as exc:
            if is_refusal(exc):
                raise Refused from exc
            raise

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _session(self, proxy: str) -> aiohttp.ClientSession:
        """The connections that go one way: straight or through HTTP proxies, or through one SOCKS proxy."""
        way = proxy if is_socks(proxy) else ""
        if way not in self._sessions:
            self._sessions[way] = aiohttp.ClientSession(
                connector=socks_connector(way) if way else aiohttp.TCPConnector(keepalive_timeout=IDLE_S, limit=0),
                timeout=self._timeout,
                auto_decompress=self._decoded,
                # No cookies: a PHP session would make the vendor answer our parallel requests one by one.
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(_only_once,),
            )
        return self._sessions[way]

    async def _trusted(self) -> ssl.SSLContext:
        if self._believed is None:
            self._believed = await asyncio.to_thread(self._authorities)
        return self._believed


async def _let_hang_ups_in() -> None:
    """Two turns of the loop: a connection whose end has come in leaves the pool before a write is put on it.

    A server may close after any answer without saying so, and a write that fails on a dead connection is an uncertain one.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _only_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The library repeats a GET whose connection broke, unless the error is none that it knows."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise aiohttp.ClientConnectionError(type(exc).__name__) from exc


@cache
def default_authorities() -> ssl.SSLContext:
    """Read once for all vendors: it takes 20 ms and an import."""
    import httpx  # knows what to believe: SSL_CERT_FILE and SSL_CERT_DIR, else Mozilla's list

    return httpx.create_ssl_context()
