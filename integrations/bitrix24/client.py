"""A thin client of one portal's REST interface: paced, classified, never repeating, never naming its address."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from domain.errors import VendorBusy, VendorError, VendorRefused, VendorUnavailable
from domain.ports import Clock
from integrations.bitrix24.codes import VENDOR_NAME
from integrations.bitrix24.faults import OPERATION_PAUSE_S, OPERATION_TIME, OVERLOAD, RATE, RATE_PAUSE_S, Fault, error_of
from integrations.bitrix24.settings import Settings
from integrations.kit.http import Answer, Approve, Classify, Downloaded, HttpClient
from integrations.kit.pacing import Sleep, TokenBucket
from integrations.kit.values import clean

PAGE = 50
BURST = 40  # the cloud's bucket holds 50, and other applications on our address drink from it too
CLOUD_RATE = 5.0  # no cloud portal takes more a second
CONCURRENT, CONCURRENT_DOWNLOADS = 4, 2
CONCURRENT_BOX, CONCURRENT_DOWNLOADS_BOX = 64, 8
CIRCUIT_S = 900.0
ANSWER_WITHIN_S = 70.0  # the portal gives a request 60 seconds
LONGEST_PAUSE_S = 660.0

# Bitrix24's nginx answers 404 to a download that does not look like a browser's (general-principles of its docs).
DOWNLOAD_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; Svodka)",
    "Accept": "*/*",
    "Accept-Language": "ru,en;q=0.8",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A good answer. ``next`` is the offset of the next page, None on the last; ``total`` is 0 when not counted."""

    result: object
    next: int | None = None
    total: int = 0


class Client:
    """All requests to one portal go through one Client, so that they share its limit."""

    def __init__(
        self, settings: Settings, clock: Clock, *, sleep: Sleep = asyncio.sleep, answer_within_s: float = ANSWER_WITHIN_S
    ) -> None:
        self._base = settings.webhook_url
        self._referer = f"{settings.origin}/"
        self._clock = clock
        self._http = HttpClient(
            VENDOR_NAME,
            secrets=(settings.secret, *settings.application_tokens),
            read_s=answer_within_s,
            trust_env=not settings.on_loopback,
        )
        box = settings.rate > CLOUD_RATE
        self._bucket = TokenBucket(rate=settings.rate, burst=BURST, clock=clock, sleep=sleep)
        self._slots = asyncio.Semaphore(CONCURRENT_BOX if box else CONCURRENT)
        self._downloads = asyncio.Semaphore(CONCURRENT_DOWNLOADS_BOX if box else CONCURRENT_DOWNLOADS)
        self._paused: dict[str, float] = {}
        self._reset_at: dict[str, float] = {}
        self._circuit: tuple[float, VendorRefused] | None = None

    async def call(self, method: str, params: Mapping[str, object] | None = None, *, idempotent: bool = True) -> Reply:
        """One request. A write passes ``idempotent=False``: then a failure after sending is ``uncertain``.

        VendorUnavailable, VendorRefused; while a method is paused or the portal has blocked us, without a request.
        """
        async with self._turn(method):
            answer = await self._http.request(
                method, "POST", self._base + method, json=dict(params or {}), writes=not idempotent
            )
        return self._read(method, answer, writes=not idempotent)

    async def iterate(self, method: str, params: Mapping[str, object], *, pages: int = 200) -> AsyncIterator[object]:
        """Page after page by offset; stops at the last page, at an offset that does not grow, or after ``pages``."""
        start = 0
        for _ in range(pages):
            reply = await self.call(method, {**params, "start": start})
            yield reply.result
            if reply.next is None or reply.next <= start:
                return
            start = reply.next

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
    ) -> Downloaded | None:
        """GET to disk with the headers Bitrix24 asks for; None when it would be more than ``max_bytes``."""
        headers = {**DOWNLOAD_HEADERS, "Referer": self._referer}
        async with self._downloads, self._turn(action):
            return await self._http.download(
                action,
                url,
                into,
                approve=approve,
                classify=classify,
                max_bytes=max_bytes,
                whole_size=whole_size,
                headers=headers,
            )

    def fault_of(self, method: str, answer: Answer, *, writes: bool = False) -> VendorError | None:
        """The error that an answer is, None for a good one. A body that is no JSON is judged by its status alone."""
        body = _object(answer)
        if body is None:
            return self._bad_body(method, answer, writes=writes)
        if "error" not in body and answer.status < 300:
            return None
        code = clean(str(body.get("error") or "")).lower()
        fault = Fault(
            method=method,
            status=answer.status,
            code=code,
            description=self._http.masked(clean(str(body.get("error_description") or ""))),
            retry_after=self._pause(method, code) or answer.retry_after,
            writes=writes,
        )
        error = error_of(fault)
        if code == OVERLOAD and isinstance(error, VendorRefused):
            self._circuit = (self._clock.monotonic() + CIRCUIT_S, error)
        return error

    async def close(self) -> None:
        await self._http.close()

    @asynccontextmanager
    async def _turn(self, method: str) -> AsyncIterator[None]:
        self._check_open(method)
        async with self._slots:
            await self._bucket.take()
            self._check_open(method)  # the wait may have been long enough for the portal to change its mind
            yield

    def _check_open(self, method: str) -> None:
        now = self._clock.monotonic()
        if self._circuit is not None:
            until, refusal = self._circuit
            if now < until:
                raise VendorRefused(VENDOR_NAME, method, refusal.code, hint=refusal.hint)
            self._circuit = None
        wait = self._paused.get(method, 0.0) - now
        if wait > 0:
            raise VendorBusy(VENDOR_NAME, method, "the method is paused", retry_after=wait)

    def _read(self, method: str, answer: Answer, *, writes: bool) -> Reply:
        fault = self.fault_of(method, answer, writes=writes)
        if fault is not None:
            raise fault
        body = _object(answer) or {}
        self._remember_reset(method, body.get("time"))
        following, total = body.get("next"), body.get("total")
        return Reply(result=body.get("result"), next=_whole(following), total=_whole(total) or 0)

    def _bad_body(self, method: str, answer: Answer, *, writes: bool) -> VendorError:
        if answer.status < 300:
            return VendorUnavailable(VENDOR_NAME, method, "the answer is no JSON", uncertain=writes)
        fault = Fault(method=method, status=answer.status, code="", retry_after=answer.retry_after, writes=writes)
        return error_of(fault)

    def _pause(self, method: str, code: str) -> float | None:
        """Slow down as the portal asks; seconds until it makes sense to come again."""
        if code == RATE:
            self._bucket.drain()
            return RATE_PAUSE_S + random.uniform(0, RATE_PAUSE_S)  # noqa: S311 - spreading, not secrecy
        if code != OPERATION_TIME:
            return None
        left = self._reset_at.get(method, 0.0) - self._clock.now().timestamp()
        wait = min(left, LONGEST_PAUSE_S) if left > 0 else OPERATION_PAUSE_S
        self._paused[method] = self._clock.monotonic() + wait
        return wait

    def _remember_reset(self, method: str, timing: object) -> None:
        """When the method's working time is released is told only in good answers, as unix seconds."""
        reset_at = timing.get("operating_reset_at") if isinstance(timing, Mapping) else None
        if isinstance(reset_at, (int, float)):
            self._reset_at[method] = float(reset_at)


def _object(answer: Answer) -> Mapping[str, object] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _whole(value: object) -> int | None:
    """An offset or a count, which PHP may write as a string."""
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10 else None


def iso(at: datetime) -> str:
    """A time as Bitrix24's filters take it: ISO-8601 with an offset, whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
