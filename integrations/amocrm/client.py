"""A thin client of one account's API v4: paced, classified, never repeating, its tokens only in a header."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from domain.errors import VendorError, VendorRefused, VendorUnavailable
from domain.ports import Clock
from integrations.amocrm.access import Access
from integrations.amocrm.faults import FORBIDDEN, RATE_PAUSE_S, SAID, VENDOR_NAME, Fault, error_of
from integrations.amocrm.settings import Settings
from integrations.kit.http import Answer, HttpClient
from integrations.kit.pacing import Sleep, TokenBucket
from integrations.kit.values import mapping_of, text_of

BURST = 1  # and five more by the rate: six in any second, where seven are let through
CONCURRENT = 4
ANSWER_WITHIN_S = 30.0
CIRCUIT_S = 3600.0
MOST_PAGES = 400
WEBHOOKS, USERS = "webhooks", "users"
_RIGHTS_OF_THEIR_OWN = frozenset({WEBHOOKS, USERS})  # an administrator's: refused, they say nothing of the rest

Query = Sequence[tuple[str, str]]
Json = Mapping[str, object]


class Client:
    """All requests of one integration to one account go through one Client: the limit is theirs together."""

    def __init__(
        self,
        settings: Settings,
        access: Access,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._base = f"{settings.base_url}/api/v4/"
        self._access = access
        self._clock = clock
        secrets = (settings.access_token, settings.client_secret)
        self._http = HttpClient(VENDOR_NAME, secrets=secrets, read_s=answer_within_s, trust_env=not settings.on_loopback)
        self._bucket = TokenBucket(rate=settings.rate, burst=BURST, clock=clock, sleep=sleep)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._paused_until = 0.0
        self._stopped: tuple[float, VendorRefused] | None = None

    async def get(self, action: str, query: Query = ()) -> Json:
        """One read; {} for an empty list, which is a 204 without a body. VendorUnavailable, VendorRefused."""
        return await self._ask(action, "GET", query=query)

    async def pages(self, action: str, query: Query = (), *, most: int = MOST_PAGES) -> AsyncIterator[Json]:
        """Page after page by ``_links.next``; stops at the last one, at one that repeats, or after ``most``.

        Of the next address only its query is taken: our token goes to no other host.
        """
        seen: set[tuple[tuple[str, str], ...]] = set()
        for _ in range(most):
            seen.add(tuple(query))
            page = await self.get(action, query)
            yield page
            query = next_query(page)
            if not query or tuple(query) in seen:
                return

    async def write(self, action: str, body: object, *, method: str = "POST") -> Json:
        """One write; a failure after sending is ``uncertain`` and repeated by nobody here."""
        return await self._ask(action, method, body=body)

    async def close(self) -> None:
        await self._http.close()

    async def _ask(self, action: str, method: str, *, query: Query = (), body: object = None) -> Json:
        token = await self._access.token()
        answer = await self._send(action, method, token, query, body)
        if answer.status == 401 and (other := await self._access.instead_of(token)):
            answer = await self._send(action, method, other, query, body)  # a 401 was carried out by nobody
        return self._read(action, answer, writes=method != "GET")

    async def _send(self, action: str, method: str, token: str, query: Query, body: object) -> Answer:
        url = self._base + action + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        async with self._turn(action):
            return await self._http.request(action, method, url, json=body, headers=headers, writes=method != "GET")

    @asynccontextmanager
    async def _turn(self, action: str) -> AsyncIterator[None]:
        self._check_open(action)
        async with self._slots:
            await self._bucket.take()
            self._check_open(action)  # another request may have been refused meanwhile
            yield

    def _check_open(self, action: str) -> None:
        now = self._clock.monotonic()
        if self._stopped is not None:
            until, refused = self._stopped
            if now < until:
                raise VendorRefused(VENDOR_NAME, action, refused.code, hint=refused.hint)
            self._stopped = None
        if now < self._paused_until:
            wait = self._paused_until - now
            raise VendorUnavailable(VENDOR_NAME, action, "paused after too many requests", retry_after=wait)

    def _read(self, action: str, answer: Answer, *, writes: bool) -> Json:
        body = _object(answer)
        if answer.status >= 300:
            raise self._failure(
                Fault(
                    action=action,
                    status=answer.status,
                    said=self._http.masked(_words(body or {}))[:SAID],
                    retry_after=answer.retry_after,
                    writes=writes,
                )
            )
        if answer.status == 204 or not answer.body:
            return {}
        if body is None:
            raise VendorUnavailable(VENDOR_NAME, action, "the answer is no JSON", uncertain=writes)
        return body

    def _failure(self, fault: Fault) -> VendorError:
        error = error_of(fault)
        if fault.status == 429:
            self._bucket.drain()
            self._paused_until = self._clock.monotonic() + (fault.retry_after or RATE_PAUSE_S)
        if isinstance(error, VendorRefused) and error.code == FORBIDDEN and fault.action not in _RIGHTS_OF_THEIR_OWN:
            self._stopped = (self._clock.monotonic() + CIRCUIT_S, error)
        return error


def next_query(page: Json) -> Query:
    """What the next page is asked for with; () at the last one."""
    href = text_of(mapping_of(mapping_of(page.get("_links")).get("next")).get("href"))
    return parse_qsl(urlsplit(href).query, keep_blank_values=True) if href else ()


def embedded(page: Json, name: str) -> Sequence[Json]:
    """The objects of a page: HAL keeps them under ``_embedded``."""
    listed = mapping_of(page.get("_embedded")).get(name)
    return [cast("Json", one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else ()


def _object(answer: Answer) -> Json | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _words(problem: Json) -> str:
    """problem+json in one line, with the first field that is wrong."""
    words = [text_of(problem.get(name)) for name in ("detail", "hint", "title")]
    for errors in _dicts(problem.get("validation-errors")):
        words += [f"{text_of(one.get('path'))} {text_of(one.get('detail'))}" for one in _dicts(errors.get("errors"))]
    return "; ".join(dict.fromkeys(word.strip() for word in words if word.strip()))


def _dicts(value: object) -> Sequence[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()
