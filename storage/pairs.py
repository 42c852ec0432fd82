"""What somebody of the team says about people: these are one, these are two, this key is another's; and the contrary."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import BadInput
from storage.engine import Database
from storage.identities import next_ids
from storage.joins import FOLLOWED, HAND, PARTED, SUGGESTED, UNITED, Pair, Reason, add_pair, part, unite, who_now
from storage.matching import EMAIL, LINK
from storage.models import audit, people
from storage.models.types import driver_time
from storage.sets import execute, fetch

_PAIR = "SELECT id, person_id, other_id, moved, state FROM person_joins WHERE account_id = :account AND id = :id"
_STATE = "UPDATE person_joins SET state = :state WHERE id = :id"
_SAID = "UPDATE person_joins SET changed_at = :now, changed_by = :by WHERE id = :id"
_KEY = """
SELECT id, kind, person_id, value FROM identities WHERE account_id = :account AND id = :id AND undone_at IS NULL
"""
_OTHERS = "SELECT id, kind FROM identities WHERE person_id = :person AND id <> :id AND undone_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who of the team says so, and when (aware UTC)."""

    user: int | None
    now: datetime


class PairStore:
    """Each method is one write, kept in the audit, and can be taken back by another one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, account_id: int, person: int, other: int, by: By) -> int:
        """These are one; the id of what was said. BadInput where they are one already."""

        async def job(connection: AsyncConnection) -> int:
            one, two = await who_now(connection, person), await who_now(connection, other)
            if one == two:
                raise BadInput("person", "Это уже один человек.")
            reason = Reason(kind=HAND)
            pair = await add_pair(connection, account_id, (one, two), reason, state=UNITED, now=by.now, by=by.user)
            await unite(connection, account_id, pair)
            await _note(connection, account_id, "person.join", pair.id, by)
            return pair.id

        return await self._database.write(job)

    async def split(self, account_id: int, identity_id: int, by: By) -> int:
        """This key is somebody else's: a new person has it, with all that is known by it. The id of what was said."""

        async def job(connection: AsyncConnection) -> int:
            row = next(iter(await fetch(connection, _KEY, {"account": account_id, "id": identity_id})), None)
            if row is None:
                raise BadInput("identity", "Эта связь уже убрана.")
            others = await fetch(connection, _OTHERS, {"person": row[2], "id": identity_id})
            if not others:
                raise BadInput("identity", "Больше об этом человеке ничего не известно: отделять не от кого.")
            new = (await next_ids(connection, "people", 1))[0]
            await connection.execute(insert(people).values(id=new, account_id=account_id, created_at=by.now))
            reason = Reason(kind=HAND, value=row[3])
            pair = await add_pair(connection, account_id, (row[2], new), reason, state=PARTED, now=by.now, by=by.user)
            stays = [other for other, kind in others if kind not in {EMAIL, LINK}]
            moved = {"identities": [identity_id], "kept": stays}
            await part(connection, account_id, Pair(id=pair.id, person=row[2], other=new, moved=moved))
            await _note(connection, account_id, "person.split", pair.id, by)
            return pair.id

        return await self._database.write(job)

    async def part(self, account_id: int, pair_id: int, by: By) -> None:
        """They are two, whatever a rule or somebody said; a suggestion is refused so too. BadInput where they are."""
        await self._say(account_id, pair_id, by, PARTED)

    async def unite(self, account_id: int, pair_id: int, by: By) -> None:
        """They are one after all; a suggestion is followed so too. BadInput where they are."""
        await self._say(account_id, pair_id, by, UNITED)

    async def first_of(self, account_id: int, pair_id: int) -> int | None:
        """Whom the pair is about in the first place."""
        async with self._database.read() as connection:
            rows = await fetch(connection, _PAIR, {"account": account_id, "id": pair_id})
        return int(rows[0][1]) if rows else None

    async def _say(self, account_id: int, pair_id: int, by: By, state: str) -> None:
        async def job(connection: AsyncConnection) -> None:
            row = next(iter(await fetch(connection, _PAIR, {"account": account_id, "id": pair_id})), None)
            if row is None or row[4] == state:
                raise BadInput("pair", "Уже сделано.")
            pair = Pair(id=row[0], person=row[1], other=row[2], moved=json.loads(row[3]))
            if state == UNITED:
                await self._unite(connection, account_id, pair, by)
            elif row[4] == SUGGESTED:
                await execute(connection, _STATE, {"id": pair_id, "state": PARTED})
            else:
                await part(connection, account_id, pair)
            await _note(connection, account_id, f"person.{state}", pair_id, by)

        await self._database.write(job)

    async def _unite(self, connection: AsyncConnection, account_id: int, pair: Pair, by: By) -> None:
        """Whom the other has turned out to be meanwhile comes along, and is parted again by a pair of its own."""
        person, other = await who_now(connection, pair.person), await who_now(connection, pair.other)
        if person == other:
            raise BadInput("pair", "Это уже один человек.")
        if other == pair.other:
            await unite(connection, account_id, pair)
            return
        await execute(
            connection, "UPDATE person_joins SET state = :state WHERE id = :id", {"id": pair.id, "state": FOLLOWED}
        )
        own = await add_pair(
            connection, account_id, (person, other), Reason(kind=HAND), state=UNITED, now=by.now, by=by.user
        )
        await unite(connection, account_id, own)


async def _note(connection: AsyncConnection, account_id: int, action: str, pair_id: int, by: By) -> None:
    said: dict[str, Any] = {"id": pair_id, "by": by.user, "now": driver_time(by.now, connection.dialect.name)}
    await execute(connection, _SAID, said)
    row = {"account_id": account_id, "at": by.now, "actor": by.user, "action": action, "detail": str(pair_id)}
    await connection.execute(insert(audit).values(**row))
