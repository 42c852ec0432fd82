"""The one way integrations speak HTTP: kept-alive, bounded in time and size, never repeating, never naming an address."""

import asyncio
import hashlib
import json
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx

from domain.errors import VendorError, VendorUnavailable

MAX_ANSWER = 32 * 1024 * 1024
HEAD_BYTES = 8 * 1024
MAX_HOPS = 4

# Nothing was handed to the other side yet, so even a write has certainly not been carried out.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Header names are lower case; ``body`` of a download is only its first HEAD_BYTES."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The decoded body; ValueError when it is not JSON, however it fails to be."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("JSON nested too deeply") from None

    @property
    def retry_after(self) -> float | None:
        """Seconds from Retry-After; None when absent or a date (vendors we know send seconds)."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An approved address of a download. ``pinned``: the IP address to connect to, so that DNS cannot change its mind."""

    url: str
    pinned: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """``sha256`` of the bytes on disk, hex; ``head`` the first HEAD_BYTES."""

    size: int
    sha256: str
    head: bytes


Classify = Callable[[Answer], VendorError | None]
Approve = Callable[[str], Awaitable[Target]]


class HttpClient:
    """One vendor's connections. ``secrets`` are masked in any text passed through ``masked``.

    ``connect_s`` and ``read_s`` bound a step, ``total_s`` a whole call, all in seconds.
    """

    def __init__(
        self,
        vendor: str,
        *,
        secrets: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        connect_s: float = 10,
        read_s: float = 70,
        total_s: float = 120,
        trust_env: bool = True,
    ) -> None:
        self._vendor = vendor
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))
        self._headers = dict(headers or {})
        self._timeout = httpx.Timeout(read_s, connect=connect_s, pool=connect_s)
        self._total_s = total_s
        self._trust_env = trust_env
        self._client: httpx.AsyncClient | None = None

    async def request(
        self,
        action: str,
        method: str,
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        writes: bool = False,
    ) -> Answer:
        """One request, one answer of any status; redirects are not followed.

        Raises VendorUnavailable when there is no whole answer, ``uncertain`` if it ``writes`` and may have been carried out.
        """
        failure: VendorUnavailable
        try:
            async with asyncio.timeout(self._total_s):
                built = self._open().build_request(method, url, json=json, data=form, params=query, headers=headers)
                async with self._stream(built) as response:
                    return Answer(status=response.status_code, headers=_lower(response), body=await _read(response))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as exc:
            failure = self._unavailable(action, exc, writes=writes)
        raise failure  # outside the handler: httpx's exception, which knows the address, does not travel along

    async def download(
        self,
        action: str,
        url: str,
        into: Path,
        *,
        approve: Approve,
        classify: Classify,
        max_bytes: int,
        whole_size: int | None = None,
        headers: Mapping[str, str] | None = None,
        total_s: float = 900,
    ) -> Downloaded | None:
        """Stream to ``into`` through a ``.part`` file beside it; None when more than ``max_bytes`` would come.

        ``approve`` sees the address and each redirect and raises to refuse it; ``classify`` sees the status and the first
        bytes, before more is fetched, and returns the error to raise. VendorUnavailable when the transfer breaks or gives
        another number of bytes than ``whole_size``.
        """
        failure: VendorUnavailable
        sink = _Sink(into)
        try:
            async with asyncio.timeout(total_s):
                for _ in range(MAX_HOPS):
                    built = self._download_request(await approve(url), headers)
                    async with self._stream(built) as response:
                        if response.has_redirect_location:
                            url = str(response.url.join(response.headers["location"]))
                            continue
                        head = await _save(response, sink, classify, max_bytes)
                        if head is None:
                            return None
                        if whole_size in {None, sink.size}:
                            return Downloaded(size=sink.size, sha256=await asyncio.to_thread(sink.keep), head=head)
                        raise VendorUnavailable(self._vendor, action, "the file is not whole")
            failure = VendorUnavailable(self._vendor, action, "too many redirects")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as exc:
            failure = self._unavailable(action, exc, writes=False)
        finally:
            sink.discard()
        raise failure

    def masked(self, text: str) -> str:
        """``text`` without our secrets, whoever put them there."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            silence_address_logs()
            # No cookies: a PHP session would make the vendor answer our parallel requests one by one.
            no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
            self._client = httpx.AsyncClient(
                timeout=self._timeout,
                headers=self._headers,
                cookies=no_cookies,
                trust_env=self._trust_env,
                verify=_authorities(),
            )
        return self._client

    @asynccontextmanager
    async def _stream(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        response = await self._open().send(request, stream=True, follow_redirects=False)
        try:
            yield response
        finally:
            await response.aclose()

    def _download_request(self, target: Target, headers: Mapping[str, str] | None) -> httpx.Request:
        url = httpx.URL(target.url)
        request = self._open().build_request("GET", url, headers=headers)
        if target.pinned:
            request.url = url.copy_with(host=target.pinned)  # the Host header keeps the name, and so does TLS:
            request.extensions["sni_hostname"] = url.host
        return request

    def _unavailable(self, action: str, exc: Exception, *, writes: bool) -> VendorUnavailable:
        uncertain = writes and not isinstance(exc, _NOT_SENT)
        return VendorUnavailable(self._vendor, action, _reason(exc), uncertain=uncertain)


@cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities, read once for all vendors: it takes 20 ms of the event loop."""
    return httpx.create_ssl_context()


def silence_address_logs() -> None:
    """httpx logs whole addresses at INFO, and ours carry credentials; its own level wins over any LOG_LEVEL."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


class _Sink:
    """A file that appears under its name only when it is whole."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._part = into.with_name(into.name + ".part")
        self._hash = hashlib.sha256()
        into.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("wb")
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def keep(self) -> str:
        """Bytes on disk first, name second; returns the hash."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._into)
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Nothing is left of an unfinished file; harmless after ``keep``."""
        self._file.close()
        self._part.unlink(missing_ok=True)


async def _save(response: httpx.Response, sink: _Sink, classify: Classify, max_bytes: int) -> bytes | None:
    """The body into ``sink``; its first bytes, or None when it is too much."""
    if response.status_code == 200 and _declared(response) > max_bytes:
        return None
    head = b""
    judged = False
    async for chunk in response.aiter_bytes(64 * 1024):
        head = head if len(head) >= HEAD_BYTES else (head + chunk)[:HEAD_BYTES]
        if not judged and len(head) >= HEAD_BYTES:
            judged = _judge(response, head, classify)
        if sink.size + len(chunk) > max_bytes:
            return None
        sink.write(chunk)
    if not judged:
        _judge(response, head, classify)
    return head


def _judge(response: httpx.Response, head: bytes, classify: Classify) -> bool:
    fault = classify(Answer(status=response.status_code, headers=_lower(response), body=head))
    if fault is not None:
        raise fault
    return True


def _declared(response: httpx.Response) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() and "content-encoding" not in response.headers else 0


async def _read(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > MAX_ANSWER:
            raise httpx.DecodingError("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _lower(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(exc: Exception) -> str:
    """What went wrong in stable words; never ``str(exc)``, which may hold the address."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "host name not found"
        if isinstance(cause, ssl.SSLError):
            return "TLS certificate not accepted"
        cause = cause.__cause__ or cause.__context__
    if isinstance(exc, (httpx.TimeoutException, TimeoutError)):
        return "no answer in time"
    if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
        return "no connection"
    return f"connection broken ({type(exc).__name__})"
