"""The one way integrations speak HTTP: kept-alive, bounded in time and size, never repeating, never naming an address."""

import asyncio
import hashlib
import json
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from urllib.parse import quote, urlencode, urljoin, urlsplit

import aiohttp
from yarl import URL

from domain.errors import VendorError, VendorUnavailable
from integrations.kit.connections import NOT_SENT, Connections
from integrations.kit.proxies import Proxies

MAX_ANSWER = 32 * 1024 * 1024
HEAD_BYTES = 8 * 1024
HELD_BYTES = 1024 * 1024  # of a download in memory, so that disks are written in few trips to a thread
MAX_HOPS = 4
REDIRECTS = frozenset((301, 302, 303, 307, 308))
_AS_IT_IS = "!$%&'()*+,/:;=?@[\\]^`{|}~"


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
        self._total_s = total_s
        self._connections = Connections(proxies=Proxies(trusted=trust_env), connect_s=connect_s, read_s=read_s)

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
                kind, body = _body(json, form)
                whole = {**self._headers, **kind, **(headers or {})}
                async with await self._connections.send(method, _address(url, query), whole, body=body) as response:
                    return Answer(status=response.status, headers=_lower(response), body=await _read(response))
        except (aiohttp.ClientError, TimeoutError) as exc:
            failure = self._unavailable(action, exc, writes=writes)
        raise failure  # outside the handler: the library's exception, which knows the address, does not travel along

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
                    target = await approve(url)
                    whole = {**self._headers, **(headers or {})}
                    sent = self._connections.send("GET", _address(target.url), whole, pinned=target.pinned)
                    async with await sent as response:
                        if response.status in REDIRECTS and "Location" in response.headers:
                            url = urljoin(url, response.headers["Location"])
                            continue
                        head = await _save(response, sink, classify, max_bytes)
                        if head is None:
                            return None
                        if whole_size in {None, sink.size}:
                            return Downloaded(size=sink.size, sha256=await asyncio.to_thread(sink.keep), head=head)
                        raise VendorUnavailable(self._vendor, action, "the file is not whole")
            failure = VendorUnavailable(self._vendor, action, "too many redirects")
        except (aiohttp.ClientError, TimeoutError) as exc:
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
        await self._connections.close()

    def _unavailable(self, action: str, exc: Exception, *, writes: bool) -> VendorUnavailable:
        uncertain = writes and not isinstance(exc, NOT_SENT)
        return VendorUnavailable(self._vendor, action, _reason(exc), uncertain=uncertain)


def silence_address_logs() -> None:
    """httpx logs whole addresses at INFO, and ours carry credentials; its own level wins over any LOG_LEVEL."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))


class _Sink:
    """A file that appears under its name only when it is whole. ``flush`` and ``keep`` are for a thread."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._part = into.with_name(into.name + ".part")
        self._hash = hashlib.sha256()
        self._held: list[bytes] = []
        self._held_size = 0
        self._file: BinaryIO | None = None
        self._busy = Lock()  # a download that is cancelled leaves its thread at work, or about to begin
        self._over = False
        self.size = 0

    @property
    def full(self) -> bool:
        return self._held_size >= HELD_BYTES

    def write(self, chunk: bytes) -> None:
        self._held.append(chunk)
        self._held_size += len(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        with self._busy:
            self._to_disk()

    def keep(self) -> str:
        """Bytes on disk first, name second; returns the hash."""
        with self._busy:
            file = self._to_disk()
            file.flush()
            os.fsync(file.fileno())
            file.close()
            self._part.replace(self._into)
            self._file = None
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Nothing is left of an unfinished file; harmless after ``keep``."""
        with self._busy:
            self._over = True
            if self._file is not None:
                self._file.close()
                self._part.unlink(missing_ok=True)

    def _to_disk(self) -> BinaryIO:
        if self._over:
            raise ValueError("nobody waits for this file")
        if self._file is None:
            self._into.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
        held, self._held, self._held_size = self._held, [], 0
        for chunk in held:
            self._file.write(chunk)
            self._hash.update(chunk)
        return self._file


async def _save(response: aiohttp.ClientResponse, sink: _Sink, classify: Classify, max_bytes: int) -> bytes | None:
    """The body into ``sink``; its first bytes, or None when it is too much."""
    if response.status == 200 and _declared(response) > max_bytes:
        return None
    head = b""
    judged = False
    async for chunk in response.content.iter_chunked(64 * 1024):
        head = head if len(head) >= HEAD_BYTES else (head + chunk)[:HEAD_BYTES]
        if not judged and len(head) >= HEAD_BYTES:
            judged = _judge(response, head, classify)
        if sink.size + len(chunk) > max_bytes:
            return None
        sink.write(chunk)
        if sink.full:
            await asyncio.to_thread(sink.flush)
    if not judged:
        _judge(response, head, classify)
    return head


def _judge(response: aiohttp.ClientResponse, head: bytes, classify: Classify) -> bool:
    fault = classify(Answer(status=response.status, headers=_lower(response), body=head))
    if fault is not None:
        raise fault
    return True


def _declared(response: aiohttp.ClientResponse) -> int:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and "Content-Encoding" not in response.headers else 0


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_ANSWER:
            raise aiohttp.ClientPayloadError("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _lower(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _address(url: str, query: Mapping[str, str] | None = None) -> URL:
    """The address as it is, but for signs that no request may hold: a vendor's own escapes are signed at times."""
    try:
        parts = urlsplit(url)
        asked = "&".join(filter(None, (quote(parts.query, _AS_IT_IS), urlencode(query or {}))))
        host = URL(f"{parts.scheme}://{parts.netloc}").raw_authority
        path = quote(parts.path, _AS_IT_IS) or "/"
        return URL.build(scheme=parts.scheme, authority=host, path=path, query_string=asked, encoded=True)
    except ValueError:
        raise aiohttp.InvalidURL("") from None


def _body(value: object, form: Mapping[str, str] | None) -> tuple[dict[str, str], bytes | None]:
    """The header that names it, and the body."""
    if form is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
    if value is None:
        return {}, None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return {"Content-Type": "application/json"}, text.encode()


def _reason(exc: Exception) -> str:
    """What went wrong in stable words; never ``str(exc)``, which may hold the address."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "host name not found"
        if isinstance(cause, ssl.SSLError):
            return "TLS certificate not accepted"
        cause = cause.__cause__ or cause.__context__
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    if isinstance(exc, NOT_SENT):
        return "no connection"
    return f"connection broken ({type(exc.__cause__ or exc).__name__})"
