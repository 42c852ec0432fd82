"""Tokens at rest: encrypted, renewed by one of all processes, and states of callbacks that count once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from domain.ports import TokenPair
from storage.engine import Database
from storage.models import oauth_states, vendor_tokens
from storage.tokens import StoredTokens, use_state
from storage.vault import Vault

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAIR = TokenPair(access="secret-access", refresh="secret-refresh", expires_at=NOW + timedelta(days=1))
LIFE = timedelta(hours=1)


@pytest.fixture
def tokens(database: Database) -> StoredTokens:
    return StoredTokens(database, Vault(["a key long enough"]), 7)


async def test_a_pair_is_kept_encrypted(tokens: StoredTokens, database: Database) -> None:
    assert await tokens.read() is None
    await tokens.save(PAIR, now=NOW, after=None)
    stored = await tokens.read()
    assert stored is not None
    assert (stored.pair, stored.version, stored.renewed_at, stored.revoked) == (PAIR, 1, NOW, False)
    async with database.read() as connection:
        sealed = await connection.scalar(select(vendor_tokens.c.sealed))
    assert b"secret" not in sealed
    assert await StoredTokens(database, Vault(["another key, as long"]), 7).read() is None
    assert await StoredTokens(database, Vault(["a key long enough"]), 8).read() is None


async def test_one_of_many_renews(tokens: StoredTokens) -> None:
    await tokens.save(PAIR, now=NOW, after=None)
    until = NOW + timedelta(minutes=2)
    assert sum(await asyncio.gather(*(tokens.claim(1, now=NOW, until=until) for _ in range(5)))) == 1
    assert not await tokens.claim(2, now=NOW, until=until)
    assert await tokens.claim(1, now=until, until=until + LIFE)  # who claimed it first did not live to tell
    await tokens.release(1)
    assert await tokens.claim(1, now=NOW, until=until)
    await tokens.save(PAIR, now=NOW, after=1)
    stored = await tokens.read()
    assert stored is not None
    assert stored.version == 2
    assert await tokens.claim(2, now=NOW, until=until)


async def test_a_pair_that_was_replaced_meanwhile_is_not_written_over(tokens: StoredTokens) -> None:
    for _ in range(2):
        await tokens.save(PAIR, now=NOW, after=None)
    await tokens.save(TokenPair(access="late", refresh="late", expires_at=NOW), now=NOW, after=1)
    stored = await tokens.read()
    assert stored is not None
    assert (stored.version, stored.pair.access) == (2, "secret-access")


async def test_revoked_until_somebody_connects_anew(tokens: StoredTokens) -> None:
    await tokens.save(PAIR, now=NOW, after=None)
    await tokens.revoke(1)
    revoked = await tokens.read()
    await tokens.save(PAIR, now=NOW, after=None)
    again = await tokens.read()
    assert revoked is not None
    assert again is not None
    assert (revoked.revoked, again.revoked) == (True, False)


async def test_a_state_counts_once_and_is_forgotten(database: Database) -> None:
    assert await use_state(database, "a", now=NOW, life=LIFE)
    assert not await use_state(database, "a", now=NOW, life=LIFE)
    assert await use_state(database, "b", now=NOW + 3 * LIFE, life=LIFE)
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(oauth_states)) == 1
