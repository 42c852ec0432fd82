"""The token of a request: the long-lived one as it was set, or a pair of OAuth that is renewed by one process at a time.

A refresh token works once, for everybody. So a pair is renewed under a lock of ours and of the database, and is stored
before it is used; who finds another at it waits for what that one brings.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from domain.errors import NOT_CONNECTED, VendorRefused, VendorUnavailable
from domain.ports import Clock, StoredPair, TokenPair, TokenStore
from integrations.amocrm.faults import BAD_REQUEST, BAD_TOKEN, REVOKED, VENDOR_NAME, refusal
from integrations.kit.pacing import Sleep

ACTION = "oauth2/access_token"
CLAIM = timedelta(seconds=150)  # longer than any request may take
MARGIN = timedelta(minutes=2)  # a token that ends while its request is on the way is no token
OF_LIFE = 0.8
AT_LEAST_EVERY = timedelta(days=7)  # a refresh token lives three months, and a quiet bot asks nothing
WAIT_S = 1.0

Renew = Callable[[str], Awaitable[TokenPair]]


class Access(Protocol):
    async def token(self) -> str:
        """What goes into the header now. VendorRefused, VendorUnavailable."""
        ...

    async def instead_of(self, refused: str) -> str:
        """Another one after amoCRM refused this one; "" where there is no other."""
        ...

    async def upkeep(self) -> None:
        """Called every hour: renewed long before it would end."""
        ...


class LongLived:
    """A token that is good for years and renewed by nobody."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token

    async def instead_of(self, refused: str) -> str:  # noqa: ARG002 - there is only one
        return ""

    async def upkeep(self) -> None:
        """Nothing to do."""


class Pairs:
    """OAuth. ``renew`` asks amoCRM for a new pair in exchange for a refresh token."""

    def __init__(self, store: TokenStore, renew: Renew, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> None:
        self._store = store
        self._renew = renew
        self._clock = clock
        self._sleep = sleep
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        stored = await self._stored()
        fresh = self._clock.now() < stored.pair.expires_at - MARGIN
        return stored.pair.access if fresh else await self._renewed(stored)

    async def instead_of(self, refused: str) -> str:
        stored = await self._stored()
        return stored.pair.access if stored.pair.access != refused else await self._renewed(stored)

    async def upkeep(self) -> None:
        stored = await self._store.read()
        if stored is None or stored.revoked:
            return
        life = stored.pair.expires_at - stored.renewed_at
        if self._clock.now() >= stored.renewed_at + min(life * OF_LIFE, AT_LEAST_EVERY):
            await self._renewed(stored)

    async def _stored(self) -> StoredPair:
        stored = await self._store.read()
        if stored is None:
            raise refusal(ACTION, NOT_CONNECTED)
        if stored.revoked:
            raise refusal(ACTION, REVOKED)
        return stored

    async def _renewed(self, seen: StoredPair) -> str:
        async with self._lock:
            until = self._clock.monotonic() + CLAIM.total_seconds()
            while (now := await self._stored()).version == seen.version:
                if await self._store.claim(now.version, now=self._clock.now(), until=self._clock.now() + CLAIM):
                    return await self._exchange(now)
                if self._clock.monotonic() >= until:
                    raise VendorUnavailable(VENDOR_NAME, ACTION, "another process renews the token")
                await self._sleep(WAIT_S)
            return now.pair.access

    async def _exchange(self, stored: StoredPair) -> str:
        try:
            pair = await self._renew(stored.pair.refresh)
        except VendorRefused as error:
            if error.code not in {BAD_TOKEN, BAD_REQUEST}:
                await self._store.release(stored.version)
                raise
            await self._store.revoke(stored.version)
            raise refusal(ACTION, REVOKED) from None
        except BaseException:
            await self._store.release(stored.version)
            raise
        await self._store.save(pair, now=self._clock.now(), after=stored.version)
        return pair.access
