"""Who may ask: users, the first owner's code, invitations."""

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import BadInput
from domain.ports import Clock, Tx
from domain.roles import Person, Role
from storage.engine import Database
from storage.models import audit, invitations, users

INVITATION_TTL = timedelta(minutes=15)
OWNER_TRIES = 5
_OWNER_CODE_TTL = timedelta(days=3650)  # until it is claimed, or the next start makes another
_OWNER_CODE = re.compile(r"[0-9A-Fa-f]{12}")  # what can be one: a greeting or a link's payload is no guess
_RANK = {Role.MANAGER: 0, Role.ADMIN: 1, Role.OWNER: 2}
_RUNS_THE_BOT = (Role.OWNER.value, Role.ADMIN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson:
    """A person as the list of users shows them."""

    person: Person
    username: str
    created_at: datetime
    disabled: bool


class People:
    """Users of all accounts. A person whom nobody let in, or who was shut out, does not exist here."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, telegram_id: int) -> Person | None:
        """The person behind a Telegram user, in the account that knew them first."""
        statement = (
            select(users)
            .where(users.c.telegram_id == telegram_id, users.c.disabled_at.is_(None))
            .order_by(users.c.account_id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return _person(row) if row is not None else None

    async def introduce(self, person: Person, *, name: str, username: str = "") -> Person:
        """Remember what somebody is called whom TELEGRAM_ADMIN_IDS lets in by number only."""

        async def job(connection: AsyncConnection) -> None:
            values = {"name": name, "username": username}
            await connection.execute(update(users).where(users.c.id == person.user_id, users.c.name == "").values(**values))

        await self._database.write(job)
        return replace(person, name=name)

    async def all(self, account_id: int) -> list[ListedPerson]:
        statement = select(users).where(users.c.account_id == account_id).order_by(users.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            ListedPerson(
                person=_person(row),
                username=row.username,
                created_at=row.created_at,
                disabled=row.disabled_at is not None,
            )
            for row in rows
        ]

    async def admins(self, account_id: int) -> list[Person]:
        """Those who run the bot: whom notices go to."""
        return [
            listed.person for listed in await self.all(account_id) if listed.person.role.runs_the_bot and not listed.disabled
        ]

    async def let_in(self, account_id: int, telegram_ids: tuple[int, ...]) -> None:
        """TELEGRAM_ADMIN_IDS: each is an admin at least, shut out or not; the first becomes the owner if there is none."""
        now = self._clock.now()

        async def job(connection: AsyncConnection) -> None:
            for telegram_id in telegram_ids:
                owned = await _has(connection, account_id, (Role.OWNER.value,))
                role = Role.ADMIN if owned else Role.OWNER
                await _admit(connection, account_id, telegram_id, role, now=now)

        await self._database.write(job)

    async def owner_code(self, account_id: int) -> str | None:
        """A new code for the first owner, for `/start CODE`; earlier ones are void. None when somebody runs the bot."""
        code = secrets.token_hex(6)
        now = self._clock.now()

        async def job(connection: AsyncConnection) -> bool:
            await connection.execute(delete(invitations).where(_open_owner_code(account_id)))
            if await _has(connection, account_id, _RUNS_THE_BOT):
                return False
            invitation = {"role": Role.OWNER.value, "created_by": None, "expires_at": now + _OWNER_CODE_TTL}
            await _invite(connection, account_id, code, created_at=now, **invitation)
            return True

        return code if await self._database.write(job) else None

    async def invite(self, by: Person, role: Role) -> str:
        """A code that lets one person in as ``role`` within 15 minutes. Only its hash is kept."""
        if not by.role.runs_the_bot or role is Role.OWNER:
            raise BadInput("role", "Приглашать может администратор: менеджера или администратора.")
        code = secrets.token_urlsafe(18)
        now = self._clock.now()

        async def job(connection: AsyncConnection) -> None:
            invitation = {"role": role.value, "created_by": by.telegram_id, "expires_at": now + INVITATION_TTL}
            await _invite(connection, by.account_id, code, created_at=now, **invitation)
            await _note(connection, by.account_id, actor=by.telegram_id, action="invite", detail=role.value, at=now)

        await self._database.write(job)
        return code

    async def accept(self, code: str, *, telegram_id: int, name: str, username: str = "") -> Person | None:
        """Let the holder of ``code`` in; None for a code that is wrong, used or too old.

        The same person with the same code again is let in again: their first message may have been handled twice. A wrong
        code that looks like the owner's uses up one of its five tries.
        """
        now = self._clock.now()

        async def job(connection: AsyncConnection) -> Person | None:
            row = (
                await connection.execute(select(invitations).where(invitations.c.code_sha256 == _sha256(code)))
            ).one_or_none()
            if row is None:
                if _OWNER_CODE.fullmatch(code):
                    await _count_wrong_try(connection)
                return None
            if not _valid(row, telegram_id, now):
                return None
            await connection.execute(
                update(invitations).where(invitations.c.id == row.id).values(used_by=telegram_id, used_at=now)
            )
            who = {"name": name, "username": username}
            person = await _admit(connection, row.account_id, telegram_id, Role(row.role), now=now, **who)
            await _note(connection, row.account_id, actor=telegram_id, action="accept", detail=row.role, at=now)
            return person

        return await self._database.write(job)

    async def disable(self, by: Person, telegram_id: int) -> bool:
        """Shut a person out at once; False when there is nobody to shut out. BadInput for the last who runs the bot."""
        now = self._clock.now()
        mine = (users.c.account_id == by.account_id) & (users.c.telegram_id == telegram_id) & users.c.disabled_at.is_(None)

        async def job(connection: AsyncConnection) -> bool:
            row = (await connection.execute(select(users).where(mine))).one_or_none()
            if row is None:
                return False
            if row.role in _RUNS_THE_BOT and not await _has(connection, by.account_id, _RUNS_THE_BOT, except_id=row.id):
                raise BadInput("person", "Это единственный администратор: сначала пригласите другого.")
            if _RANK[Role(row.role)] > _RANK[by.role]:
                raise BadInput("person", "Владельца может отключить только владелец.")
            await connection.execute(update(users).where(users.c.id == row.id).values(disabled_at=now))
            await _note(connection, by.account_id, actor=by.telegram_id, action="disable", detail=str(telegram_id), at=now)
            return True

        return await self._database.write(job)


def _sha256(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def _valid(row: Row[Any], telegram_id: int, now: datetime) -> bool:
    if row.used_by is not None:
        return bool(row.used_by == telegram_id)
    return bool(row.tries_left > 0 and row.expires_at > now)


def _open_owner_code(account_id: int | None = None) -> Any:
    condition = (
        (invitations.c.role == Role.OWNER.value) & invitations.c.used_at.is_(None) & invitations.c.created_by.is_(None)
    )
    return condition if account_id is None else condition & (invitations.c.account_id == account_id)


async def _count_wrong_try(connection: AsyncConnection) -> None:
    await connection.execute(
        update(invitations)
        .where(_open_owner_code(), invitations.c.tries_left > 0)
        .values(tries_left=invitations.c.tries_left - 1)
    )


async def _has(connection: AsyncConnection, account_id: int, roles: tuple[str, ...], *, except_id: int = 0) -> bool:
    statement = select(func.count()).where(
        users.c.account_id == account_id, users.c.role.in_(roles), users.c.disabled_at.is_(None), users.c.id != except_id
    )
    return bool(await connection.scalar(statement))


async def _invite(connection: AsyncConnection, account_id: int, code: str, **values: object) -> None:
    hashed = {"account_id": account_id, "code_sha256": _sha256(code), "tries_left": OWNER_TRIES}
    await connection.execute(insert(invitations).values(**hashed, **values))


async def _admit(
    connection: AsyncConnection,
    account_id: int,
    telegram_id: int,
    role: Role,
    *,
    now: datetime,
    name: str = "",
    username: str = "",
) -> Person:
    """A new user, or a known one with this role if it is the higher one, or if they had been shut out."""
    mine = (users.c.account_id == account_id) & (users.c.telegram_id == telegram_id)
    row = (await connection.execute(select(users).where(mine))).one_or_none()
    if row is None:
        fresh = {"account_id": account_id, "telegram_id": telegram_id, "role": role.value, "created_at": now}
        added = insert(users).values(**fresh, name=name, username=username).returning(*users.c)
        return _person((await connection.execute(added)).one())
    keeps = row.disabled_at is None and _RANK[Role(row.role)] >= _RANK[role]
    values = {
        "role": row.role if keeps else role.value,
        "disabled_at": None,
        "name": name or row.name,
        "username": username or row.username,
    }
    changed = update(users).where(users.c.id == row.id).values(**values).returning(*users.c)
    return _person((await connection.execute(changed)).one())


async def role_of(tx: Tx, account_id: int, user_id: int) -> Role | None:
    """As it is at this moment of a write; None for somebody who is let in no more."""
    mine = (users.c.account_id == account_id) & (users.c.id == user_id) & users.c.disabled_at.is_(None)
    role = await cast("AsyncConnection", tx).scalar(select(users.c.role).where(mine))
    return Role(role) if role is not None else None


async def _note(connection: AsyncConnection, account_id: int, **values: object) -> None:
    await connection.execute(insert(audit).values(account_id=account_id, **values))


def _person(row: Row[Any]) -> Person:
    return Person(user_id=row.id, account_id=row.account_id, telegram_id=row.telegram_id, role=Role(row.role), name=row.name)
