"""Tokens of OAuth, encrypted, with one process at a time allowed to renew them; and states that were used."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import StoredPair, TokenPair
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import oauth_states, vendor_tokens
from storage.upsert import upsert
from storage.vault import UnknownKeyError, Vault


class StoredTokens:
    """Implements TokenStore of domain.ports for one connection. A pair that no key opens counts as none."""

    def __init__(self, database: Database, vault: Vault, connection_id: int) -> None:
        self._database = database
        self._vault = vault
        self._connection_id = connection_id
        self._mine = vendor_tokens.c.connection_id == connection_id

    async def read(self) -> StoredPair | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(vendor_tokens).where(self._mine))).one_or_none()
        if row is None:
            return None
        try:
            pair = loads(TokenPair, self._vault.decrypt(row.sealed).decode())
        except UnknownKeyError:
            return None
        return StoredPair(pair=pair, version=row.version, renewed_at=row.renewed_at, revoked=row.revoked)

    async def claim(self, version: int, *, now: datetime, until: datetime) -> bool:
        """Compare and set: of all who ask, the database lets one."""
        free = or_(vendor_tokens.c.claimed_until.is_(None), vendor_tokens.c.claimed_until <= now)
        claimed = update(vendor_tokens).where(self._mine, vendor_tokens.c.version == version, free)

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(claimed.values(claimed_until=until))).rowcount)

        return await self._database.write(job)

    async def release(self, version: int) -> None:
        await self._change(version, claimed_until=None)

    async def revoke(self, version: int) -> None:
        await self._change(version, claimed_until=None, revoked=True)

    async def save(self, pair: TokenPair, *, now: datetime, after: int | None) -> None:
        sealed = self._vault.encrypt(dumps(TokenPair, pair).encode())
        values = {"sealed": sealed, "renewed_at": now, "claimed_until": None, "revoked": False}
        row = upsert(self._database, vendor_tokens).values(connection_id=self._connection_id, version=1, **values)
        same = None if after is None else vendor_tokens.c.version == after
        saved = row.on_conflict_do_update(
            index_elements=["connection_id"], set_={**values, "version": vendor_tokens.c.version + 1}, where=same
        )

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(saved)

        await self._database.write(job)

    async def _change(self, version: int, **values: object) -> None:
        changed = update(vendor_tokens).where(self._mine, vendor_tokens.c.version == version).values(**values)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(changed)

        await self._database.write(job)


async def use_state(database: Database, state_sha256: str, *, now: datetime, life: timedelta) -> bool:
    """Whether nobody has come with this state before. What is too old to be accepted anyway is forgotten."""
    used = upsert(database, oauth_states).values(state_sha256=state_sha256, used_at=now).on_conflict_do_nothing()
    told = used.returning(oauth_states.c.used_at)

    async def job(connection: AsyncConnection) -> bool:
        await connection.execute(delete(oauth_states).where(oauth_states.c.used_at < now - 2 * life))
        return await connection.scalar(told) is not None

    return await database.write(job)
