"""A thin client of one account's API, either version: paced, classified, never repeating, the token only in its header."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from domain.errors import VendorError, VendorUnavailable
from domain.ports import Clock
from integrations.bizon365.faults import RATE_PAUSE_S, SAID, VENDOR_NAME, Fault, error_of
from integrations.bizon365.settings import Settings
from integrations.kit.http import Answer, HttpClient
from integrations.kit.pacing import Sleep, TokenBucket
from integrations.kit.values import list_of, mapping_of, text_of

BURST = 1  # two more by the rate: three in any second, which is said to pass; more is answered 429
CONCURRENT = 2
ANSWER_WITHIN_S = 30.0


class Client:
    """All requests with one token go through one Client, so that they share its pace."""

    def __init__(
        self, settings: Settings, clock: Clock, *, sleep: Sleep = asyncio.sleep, answer_within_s: float = ANSWER_WITHIN_S
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._headers = {"X-Token": settings.token, "Accept": "application/json"}
        self._http = HttpClient(
            VENDOR_NAME, secrets=(settings.token,), read_s=answer_within_s, trust_env=not settings.on_loopback
        )
        self._bucket = TokenBucket(rate=settings.rate, burst=BURST, clock=clock, sleep=sleep)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._paused_until = 0.0

    async def get(self, action: str, **query: str | int) -> Mapping[str, object]:
        """One read, for example ``get("reports/getlist", limit=1)``. VendorUnavailable, VendorRefused."""
        return await self._ask(action, self._settings.api + action, query=query)

    async def post(self, action: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """One write; a failure after sending is ``uncertain``."""
        return await self._ask(action, self._settings.api + action, body=body)

    async def projects(self) -> Mapping[str, object]:
        """The projects of the token, which only v2 has; also of a token whose project we do not know yet."""
        action = "user/getProjects"
        return await self._ask(action, f"{self._settings.base_url}/api/v2/{action}", query={}, version="v2")

    async def close(self) -> None:
        await self._http.close()

    async def _ask(
        self,
        action: str,
        url: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
        version: str = "",
    ) -> Mapping[str, object]:
        writes = body is not None
        given = {name: str(value) for name, value in (query or {}).items()}
        async with self._turn(action):
            answer = await self._http.request(
                action,
                "POST" if writes else "GET",
                url,
                json=body,
                query=given or None,
                headers=self._headers,
                writes=writes,
            )
        return self._read(action, answer, version=version or self._settings.version, writes=writes)

    @asynccontextmanager
    async def _turn(self, action: str) -> AsyncIterator[None]:
        self._check_open(action)
        async with self._slots:
            await self._bucket.take()
            self._check_open(action)  # another request may have been told meanwhile that we are too fast
            yield

    def _check_open(self, action: str) -> None:
        wait = self._paused_until - self._clock.monotonic()
        if wait > 0:
            raise VendorUnavailable(VENDOR_NAME, action, "paused after too many requests", retry_after=wait)

    def _read(self, action: str, answer: Answer, *, version: str, writes: bool) -> Mapping[str, object]:
        """The object of a good answer. Bizon365 tells failures by the status, or by ``errors`` inside a 200."""
        body = _object(answer)
        errors = _errors_in(body)
        if answer.status >= 300 or errors:
            raise self._failure(
                Fault(
                    action=action,
                    version=version,
                    status=answer.status if answer.status >= 300 else 200,
                    said=self._http.masked(errors or _message_in(body))[:SAID],
                    retry_after=answer.retry_after,
                    writes=writes,
                )
            )
        if body is None:
            raise VendorUnavailable(VENDOR_NAME, action, "the answer is no JSON", uncertain=writes)
        return body

    def _failure(self, fault: Fault) -> VendorError:
        if fault.status == 429:
            self._bucket.drain()
            self._paused_until = self._clock.monotonic() + (fault.retry_after or RATE_PAUSE_S)
        return error_of(fault)


def _object(answer: Answer) -> Mapping[str, object] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _errors_in(body: Mapping[str, object] | None) -> str:
    """The words of ``errors``: a list of texts or of objects, one text, or an object; "" when there are none."""
    errors = (body or {}).get("errors")
    if isinstance(errors, list):
        return "; ".join(_words(item) for item in errors)
    return _words(errors) if errors else ""


def _words(error: object) -> str:
    if isinstance(error, dict):
        told = [text_of(error.get(name)) for name in ("message", "error", "text", "code")]
        return next((word for word in told if word), "ошибка без текста")
    return text_of(error) or "ошибка без текста"


def _message_in(body: Mapping[str, object] | None) -> str:
    found = mapping_of(body)
    for name in ("message", "error", "error_description"):
        if word := text_of(found.get(name)) or text_of(mapping_of(found.get(name)).get("message")):
            return word
    return "; ".join(filter(None, map(text_of, list_of(found.get("messages")))))
