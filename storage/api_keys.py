"""Keys of the HTTP API: made, replaced and revoked in the chat, kept as hashes alone."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access import ApiKey, KeyState, Scope, ShownKey
from domain.errors import BadInput
from domain.roles import Person
from storage.engine import Database
from storage.models import api_keys, audit
from storage.remembered import Remembered
from storage.sets import glance, moment

MOST_KEYS = 20
LONGEST_NAME = 40
GRACE = timedelta(days=1)  # what a replaced key still opens, for those who have to change it elsewhere
USE_NOTED_EVERY = timedelta(minutes=1)
_SHAPE = re.compile(r"svk_[A-Za-z0-9_-]{32,64}", re.ASCII)
_PREFIX = 8  # of a key is shown: four that all have, four that tell one from another
_COLUMNS = (
    "id", "account_id", "name", "scopes", "prefix", "created_at", "last_used_at", "rotated_at", "revoked_at", "old_prefix",
    "old_until", "old_used_at", "key_sha256", "old_sha256",
)  # fmt: skip
_FOUND = f"SELECT {', '.join(_COLUMNS)} FROM api_keys WHERE key_sha256 = :digest OR old_sha256 = :digest"  # noqa: S608


class ApiKeys:
    """Keys of all accounts. Whoever changes one runs the bot: the caller has looked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shown = Remembered[_Stored | None](database)

    async def all(self, account_id: int) -> tuple[ApiKey, ...]:
        """Those that open something, the oldest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(api_keys).where(*_live(account_id)).order_by(api_keys.c.id))
            return tuple(_key(row) for row in rows)

    async def find(self, account_id: int, key_id: int) -> ApiKey | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(api_keys).where(*_live(account_id, key_id)))).one_or_none()
        return _key(row) if row is not None else None

    async def make(self, by: Person, name: str, scopes: Iterable[Scope], *, now: datetime) -> tuple[ApiKey, str]:
        """A new key and its secret, which nobody can be told again. BadInput: the name, no scope, too many keys."""
        name, chosen = " ".join(name.split()), frozenset(scopes)
        secret = new_secret()
        row = {"account_id": by.account_id, "name": name, "scopes": " ".join(sorted(chosen)), "created_by": by.telegram_id}
        row |= {"created_at": now, "key_sha256": hashed(secret), "prefix": secret[:_PREFIX]}

        async def job(connection: AsyncConnection) -> ApiKey:
            await _check_new(connection, by.account_id, name, chosen)
            added = await connection.execute(insert(api_keys).values(**row).returning(*api_keys.c))
            key = _key(added.one())
            await _note(connection, by, "api_key_made", f"{key.id} {name}: {row['scopes']}", now)
            return key

        return await self._database.write(job), secret

    async def replace(self, by: Person, key_id: int, *, now: datetime, grace: bool) -> tuple[ApiKey, str] | None:
        """The same key with a new secret; the old one ends at once, or with ``grace`` in a day. None: there is none."""
        secret = new_secret()
        mine = _live(by.account_id, key_id)
        old = {"old_sha256": api_keys.c.key_sha256, "old_prefix": api_keys.c.prefix, "old_used_at": api_keys.c.last_used_at}
        fresh = {"key_sha256": hashed(secret), "prefix": secret[:_PREFIX], "last_used_at": None, "rotated_at": now}
        changed = update(api_keys).where(*mine).values(**old, **fresh, old_until=now + GRACE if grace else now)

        async def job(connection: AsyncConnection) -> ApiKey | None:
            row = (await connection.execute(changed.returning(*api_keys.c))).one_or_none()
            if row is None:
                return None
            await _note(connection, by, "api_key_replaced", f"{key_id} {'in a day' if grace else 'at once'}", now)
            return _key(row)

        key = await self._database.write(job)
        return (key, secret) if key is not None else None

    async def revoke(self, by: Person, key_id: int, *, now: datetime) -> ApiKey | None:
        """Neither it nor the one it replaced opens anything from now on. None: there is none."""
        ended = update(api_keys).where(*_live(by.account_id, key_id)).values(revoked_at=now).returning(*api_keys.c)

        async def job(connection: AsyncConnection) -> ApiKey | None:
            row = (await connection.execute(ended)).one_or_none()
            if row is None:
                return None
            await _note(connection, by, "api_key_revoked", str(key_id), now)
            return _key(row)

        return await self._database.write(job)

    async def look_up(self, secret: str, *, now: datetime) -> ShownKey | None:
        """The key of this secret, whatever became of it; None for what never was one. What another process did to it holds
        here at once."""
        if not is_key(secret):
            return None
        digest = hashed(secret)
        stored = await self._shown.get(digest, lambda: self._read(digest))
        if stored is None:
            return None
        newest = hmac.compare_digest(stored.newest, digest)
        if not newest and not hmac.compare_digest(stored.replaced, digest):
            return None
        return ShownKey(key=stored.key, state=_state(stored.key, newest=newest, now=now), old=not newest)

    async def _read(self, digest: str) -> "_Stored | None":
        rows = await glance(self._database, _FOUND, {"digest": digest})
        if not rows:
            return None
        row = SimpleNamespace(**dict(zip(_COLUMNS, rows[0], strict=True)))
        return _Stored(_key(row), row.key_sha256, row.old_sha256 or "")

    async def note_use(self, shown: ShownKey, *, now: datetime) -> None:
        """That it was used about now; whoever used it waits."""
        at = api_keys.c.old_used_at if shown.old else api_keys.c.last_used_at
        older = or_(at.is_(None), at <= now - USE_NOTED_EVERY)
        noted = update(api_keys).where(api_keys.c.id == shown.key.id, older).values({at: now})

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(noted)

        await self._database.write(job, urgent=True)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A key with the hashes of its secret and of the one before it, "" where there was none."""

    key: ApiKey
    newest: str
    replaced: str


def is_key(text: str) -> bool:
    """It looks like one: what does not is not worth asking the database about."""
    return _SHAPE.fullmatch(text) is not None


def without_keys(text: str) -> str:
    """``text`` with a mark in the place of every key in it."""
    return _SHAPE.sub("svk_***", text) if "svk_" in text else text


def new_secret() -> str:
    """256 random bits behind «svk_», by which a key is known wherever it is seen."""
    return f"svk_{secrets.token_urlsafe(32)}"


def hashed(secret: str) -> str:
    """256 random bits need no salt and no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _live(account_id: int, key_id: int | None = None) -> list[Any]:
    conditions = [api_keys.c.account_id == account_id, api_keys.c.revoked_at.is_(None)]
    return conditions if key_id is None else [*conditions, api_keys.c.id == key_id]


async def _check_new(connection: AsyncConnection, account_id: int, name: str, scopes: frozenset[Scope]) -> None:
    if not name or len(name) > LONGEST_NAME:
        raise BadInput("name", f"Название ключа — от 1 до {LONGEST_NAME} знаков.")
    if not scopes:
        raise BadInput("scopes", "Отметьте хотя бы одно право.")
    names = set(await connection.scalars(select(api_keys.c.name).where(*_live(account_id))))
    if name.casefold() in {known.casefold() for known in names}:
        raise BadInput("name", f"Ключ «{name}» уже есть. Назовите иначе или замените прежний.")
    count = await connection.scalar(select(func.count()).select_from(api_keys).where(*_live(account_id)))
    if int(count or 0) >= MOST_KEYS:
        raise BadInput("name", f"Ключей уже {MOST_KEYS}. Отзовите ненужные.")


async def _note(connection: AsyncConnection, by: Person, action: str, detail: str, now: datetime) -> None:
    row = {"account_id": by.account_id, "at": now, "actor": by.telegram_id, "action": action, "detail": detail}
    await connection.execute(insert(audit).values(**row))


def _state(key: ApiKey, *, newest: bool, now: datetime) -> KeyState:
    if key.revoked_at is not None:
        return KeyState.REVOKED
    return KeyState.LIVE if newest or (key.old_until is not None and key.old_until > now) else KeyState.REPLACED


def _key(row: Row[Any] | SimpleNamespace) -> ApiKey:
    """A scope of a newer version is none here."""
    known = {scope.value: scope for scope in Scope}
    created_at = moment(row.created_at)
    assert created_at is not None  # noqa: S101 - the column allows no NULL
    return ApiKey(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        scopes=frozenset(known[name] for name in row.scopes.split() if name in known),
        prefix=row.prefix,
        created_at=created_at,
        last_used_at=moment(row.last_used_at),
        rotated_at=moment(row.rotated_at),
        revoked_at=moment(row.revoked_at),
        old_prefix=row.old_prefix,
        old_until=moment(row.old_until),
        old_used_at=moment(row.old_used_at),
    )
