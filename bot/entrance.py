"""The way in: the connections the environment sets and their hooks. All that the first accepted event needs, and no more."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.hooks import Endpoint, Hooks
from bot.http.limits import RateLimit
from bot.keys import Keys
from bot.settings import Settings
from bot.vendors import VENDORS
from domain.ports import Clock
from domain.webhooks import Receiver
from integrations.kit.vendor import Vendor
from storage.engine import Database
from storage.inbox import Inbox
from storage.models import accounts, connections
from storage.vault import Vault

ACCOUNT = 1  # the default account: what the environment sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A vendor the environment sets, and its row in vendor_connections (0: it sends nothing)."""

    vendor: Vendor[Any]
    settings: Any = field(repr=False)
    connection_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """What accepts events. The ports of the vendors are not built yet: their clients take longer to import than all this."""

    settings: Settings
    keys: Keys
    database: Database
    clock: Clock
    configured: Mapping[str, Configured]
    hooks: Hooks
    inbox: Inbox
    vault: Vault


async def build_entrance(settings: Settings, keys: Keys, database: Database, clock: Clock) -> Entrance:
    """The database is open and its schema is ours. ConfigError for what a vendor cannot work with."""
    configured: dict[str, Configured] = {}
    for vendor in VENDORS:
        own = vendor.read_settings(settings.env)
        if own is not None:
            row = await connection_row(database, vendor.name, keys, settings, clock.now()) if vendor.build_receiver else 0
            configured[vendor.name] = Configured(vendor=vendor, settings=own, connection_id=row)
    return Entrance(
        settings=settings,
        keys=keys,
        database=database,
        clock=clock,
        configured=configured,
        hooks=_hooks(configured, keys, clock),
        inbox=Inbox(database),
        vault=Vault(keys.secret_keys),
    )


async def connection_row(database: Database, vendor: str, keys: Keys, settings: Settings, now: datetime) -> int:
    """The row that keeps a connection's cursor and public id, made where there is none; the id follows the keys."""
    public_id = keys.public_id(vendor)

    async def job(connection: AsyncConnection) -> int:
        if await connection.scalar(select(func.count()).select_from(accounts)) == 0:
            row = {"id": ACCOUNT, "name": "default", "timezone": settings.timezone.key, "created_at": now}
            await connection.execute(insert(accounts).values(**row))
        mine = (connections.c.account_id == ACCOUNT) & (connections.c.vendor == vendor)
        known = (await connection.execute(select(connections.c.id, connections.c.public_id).where(mine))).one_or_none()
        if known is not None:
            if known.public_id != public_id:
                await connection.execute(update(connections).where(mine).values(public_id=public_id))
            return int(known.id)
        values = {"account_id": ACCOUNT, "vendor": vendor, "public_id": public_id}
        added = await connection.execute(insert(connections).values(**values, created_at=now).returning(connections.c.id))
        return int(added.scalar_one())

    return await database.write(job)


def _hooks(configured: Mapping[str, Configured], keys: Keys, clock: Clock) -> Hooks:
    return Hooks(
        endpoint
        for name, part in configured.items()
        if part.vendor.build_receiver is not None
        for endpoint in _endpoints(name, part, part.vendor.build_receiver(part.settings), keys, clock)
    )


def _endpoints(name: str, part: Configured, receiver: Receiver, keys: Keys, clock: Clock) -> Iterator[Endpoint]:
    """One for each secret that its address may carry: several while one is being replaced."""
    intake = part.vendor.intake
    limit = RateLimit(clock, per_minute=intake.per_minute, burst=intake.per_minute) if intake.per_minute else None
    for secret in hook_secrets(part.vendor, part.settings, keys):
        yield Endpoint(
            account_id=ACCOUNT,
            connection_id=part.connection_id,
            vendor=name,
            receiver=receiver,
            secret=secret,
            public_id=keys.public_id(name),
            authenticated=bool(getattr(part.settings, "application_tokens", True)),
            answer=intake.answer,
            limit=limit,
            keyed=intake.keyed,
            max_body=intake.max_body,
        )


def hook_secrets(vendor: Vendor[Any], settings: Any, keys: Keys) -> tuple[str, ...]:
    """The secrets of a vendor's address, newest first: its own where its settings name them, else the one we derive."""
    return (vendor.intake.secrets(settings) if settings is not None else ()) or (keys.hook(vendor.name),)
