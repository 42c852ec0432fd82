"""What somebody of the team says of a viewer: who they are, who they are not, and the way back. Each is one write.

A decision is about one visit, and later runs of its report obey it; a key taken from a person is about all their visits.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import BadInput
from domain.ports import Tx
from domain.roles import Person
from domain.webinars import MatchedBy
from storage.engine import Database
from storage.joins import who_now
from storage.leads import give_key, take_key
from storage.matching import EMAIL, PHONE, persons_known, rematch
from storage.models import audit, identities, webinar_attendees
from storage.models.leads import people
from storage.webinars import WebinarStore

HAND = "hand"  # the source of a key that a person of the team gave


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """``by`` is who decides, ``now`` when, aware UTC. BadInput where what is decided about is gone."""

    database: Database
    by: Person
    now: datetime

    async def part(self, attendee_id: int) -> None:
        """This viewer is another person than they were taken for. Keys that came with an earlier word go with it."""

        async def job(connection: AsyncConnection) -> None:
            row = await self._attendee(connection, attendee_id)
            if row.matched_by == MatchedBy.HAND.value and row.person_id is not None:
                for identity_id in await self._given_by_hand(connection, row):
                    await take_key(connection, self.by.account_id, identity_id, now=self.now)
            await self._decide(connection, attendee_id, None)
            await self._note(connection, "viewer parted", attendee_id, row.person_id)

        await self.database.write(job)

    async def join(self, attendee_id: int, person_id: int) -> None:
        """This viewer is that person; what they left and nobody has is the person's from now on."""

        async def job(connection: AsyncConnection) -> None:
            whose = await self._found(connection, person_id)
            row = await self._attendee(connection, attendee_id)
            await self._decide(connection, attendee_id, whose)
            for key in _keys(row):
                if not await persons_known(connection, self.by.account_id, key[0], [key[1]]):
                    await give_key(connection, self.by.account_id, whose, key, source=HAND, now=self.now)
            await self._note(connection, "viewer joined", attendee_id, whose)

        await self.database.write(job)

    async def undo(self, attendee_id: int) -> None:
        """Nobody has said anything: they are found by their keys again, or not."""

        async def job(connection: AsyncConnection) -> None:
            row = await self._attendee(connection, attendee_id)
            await self._forget(connection, attendee_id)
            await self._note(connection, "viewer undone", attendee_id, row.person_id)

        await self.database.write(job)

    async def take_key(self, attendee_id: int, kind: str) -> None:
        """The phone or e-mail that this viewer left is not that of the person who has it, at no webinar."""

        async def job(connection: AsyncConnection) -> None:
            row = await self._attendee(connection, attendee_id)
            value = dict(_keys(row)).get(kind, "")
            active = (identities.c.kind == kind) & (identities.c.value == value) & identities.c.undone_at.is_(None)
            mine = (identities.c.account_id == self.by.account_id) & active
            identity_id = await connection.scalar(select(identities.c.id).where(mine))
            await take_key(connection, self.by.account_id, identity_id or 0, now=self.now)
            await self._forget(connection, attendee_id)
            await self._note(connection, "key taken", attendee_id, identity_id)

        await self.database.write(job)

    async def give_key(self, attendee_id: int, identity_id: int) -> None:
        """A key that was taken away is theirs again, and this viewer is found by it. Whoever has it meanwhile keeps it."""

        async def job(connection: AsyncConnection) -> None:
            mine = (identities.c.account_id == self.by.account_id) & (identities.c.id == identity_id)
            row = (await connection.execute(select(identities).where(mine))).one_or_none()
            if row is None or await persons_known(connection, self.by.account_id, row.kind, [row.value]):
                raise BadInput("identity", "Вернуть нельзя: сейчас это чей-то номер или почта.")
            key = (row.kind, row.value)
            await give_key(connection, self.by.account_id, row.person_id, key, source=HAND, now=self.now)
            await self._forget(connection, attendee_id)
            await self._note(connection, "key given", attendee_id, identity_id)

        await self.database.write(job)

    async def _attendee(self, connection: AsyncConnection, attendee_id: int) -> Any:
        of_account = webinar_attendees.c.account_id == self.by.account_id
        mine = select(webinar_attendees).where(of_account, webinar_attendees.c.id == attendee_id)
        row = (await connection.execute(mine)).one_or_none()
        if row is None:
            raise BadInput("attendee", "Этого зрителя больше нет: отчёт загружен заново.")
        return row

    async def _decide(self, connection: AsyncConnection, attendee_id: int, person_id: int | None) -> None:
        store = WebinarStore(self.database)
        await store.decide(cast("Tx", connection), self.by.account_id, attendee_id, person_id)

    async def _forget(self, connection: AsyncConnection, attendee_id: int) -> None:
        mine = webinar_attendees.c.id == attendee_id
        none = {"matched_by": MatchedBy.NONE.value, "person_id": None, "other_person_id": None}
        await connection.execute(update(webinar_attendees).where(mine).values(**none))
        await rematch(connection, self.by.account_id, attendees=[attendee_id])

    async def _given_by_hand(self, connection: AsyncConnection, row: Any) -> list[int]:
        """The keys that their being joined to this person gave."""
        mine = (identities.c.person_id == row.person_id) & (identities.c.source == HAND) & identities.c.undone_at.is_(None)
        found = await connection.execute(select(identities.c.id, identities.c.kind, identities.c.value).where(mine))
        keys = set(_keys(row))
        return [one.id for one in found if (one.kind, one.value) in keys]

    async def _found(self, connection: AsyncConnection, person_id: int) -> int:
        """Whom this one has turned out to be since the button was shown."""
        mine = (people.c.account_id == self.by.account_id) & (people.c.id == person_id)
        if await connection.scalar(select(people.c.id).where(mine)) is None:
            raise BadInput("person", "Этого человека в базе больше нет.")
        return await who_now(connection, person_id)

    async def _note(self, connection: AsyncConnection, action: str, attendee_id: int, other: int | None) -> None:
        row = {"account_id": self.by.account_id, "actor": self.by.telegram_id, "at": self.now}
        await connection.execute(insert(audit).values(**row, action=action, detail=f"{attendee_id} {other or '-'}"))


def _keys(row: Any) -> list[tuple[str, str]]:
    """(kind, value) of what a viewer left."""
    keys = ((PHONE, row.phone_number), (EMAIL, row.email))
    return [(kind, value) for kind, value in keys if value]
