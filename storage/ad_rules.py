"""The rules by which leads get their direction and creative: all of an account together, every earlier version kept."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ads import AdRule, AdRules
from domain.roles import Person
from storage.codec import dumps, loads
from storage.engine import Database
from storage.models import ad_rules, audit
from storage.sets import fetch

_NEWEST = "SELECT version, rules FROM ad_rules WHERE account_id = :account ORDER BY version DESC LIMIT 1"


class AdRuleStore:
    """The rules of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, account_id: int) -> AdRules:
        async with self._database.read() as connection:
            return await read_rules(connection, account_id)

    async def version(self, account_id: int, version: int) -> AdRules:
        """The rules as they were; none for a version there never was, or 0."""
        mine = (ad_rules.c.account_id == account_id) & (ad_rules.c.version == version)
        async with self._database.read() as connection:
            text = await connection.scalar(select(ad_rules.c.rules).where(mine))
        return AdRules(version=version, rules=_rules(text) if text else ())

    async def change(self, by: Person, rules: Sequence[AdRule], *, since: int, now: datetime) -> bool:
        """All of them from now on; False when somebody else has changed version ``since`` meanwhile."""

        async def job(connection: AsyncConnection) -> bool:
            if (await read_rules(connection, by.account_id)).version != since:
                return False
            text = dumps(tuple[AdRule, ...], tuple(rules))
            row = {"account_id": by.account_id, "version": since + 1, "rules": text}
            await connection.execute(insert(ad_rules).values(**row, changed_by=by.telegram_id, changed_at=now))
            note = {"account_id": by.account_id, "at": now, "actor": by.telegram_id, "action": "ad_rules"}
            await connection.execute(insert(audit).values(**note, detail=f"version {since + 1}: {len(rules)} rules"))
            return True

        return await self._database.write(job)


async def read_rules(connection: AsyncConnection, account_id: int) -> AdRules:
    """Those that hold now."""
    rows = await fetch(connection, _NEWEST, {"account": account_id})
    return AdRules(version=rows[0][0], rules=_rules(rows[0][1])) if rows else AdRules()


@lru_cache(maxsize=64)
def _rules(text: str) -> tuple[AdRule, ...]:
    """Read at every lead that comes in, and the same for weeks."""
    return loads(tuple[AdRule, ...], text)
