"""What polls find: work for events that never came, together with the cursor that covers it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.http.ingress import seed_of
from domain.events import Event
from domain.ports import Clock
from storage.arrivals import WorkSeed
from storage.bulk import insert_work, new_work
from storage.engine import Database
from storage.models import connections, work
from storage.vault import Vault

CLOCKS_DIFFER = timedelta(minutes=1)  # the vendor's clock and ours


class Finds:
    """Of one connection. Hook and poll compute the same object of work, so whichever is first makes it.

    ``vault``: for events that are sealed.
    """

    def __init__(
        self, database: Database, clock: Clock, *, account_id: int, connection_id: int, vault: Vault | None = None
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._account_id = account_id
        self._connection_id = connection_id
        self._insert = insert_work(database)

    async def cursor(self) -> str:
        """Where the last poll ended, "" before the first."""
        async with self._database.read() as connection:
            mine = select(connections.c.cursor).where(connections.c.id == self._connection_id)
            return str(await connection.scalar(mine) or "")

    async def connected_at(self) -> datetime:
        """What ended before is history, which is loaded only on request."""
        async with self._database.read() as connection:
            mine = select(connections.c.created_at).where(connections.c.id == self._connection_id)
            connected_at: datetime = (await connection.execute(mine)).scalar_one()
        return connected_at

    async def keep(self, cursor: str | None, events: Sequence[Event]) -> int:
        """New work and the cursor that covers it, in one commit. Returns how many were new."""
        now = self._clock.now()
        rows = [self._row(seed_of(event, self._vault), now) for event in events]
        names = [str(row["object"]) for row in rows]
        kinds = {str(row["kind"]) for row in rows}

        async def job(connection: AsyncConnection) -> int:
            known = select(work.c.object).where(
                work.c.account_id == self._account_id, work.c.kind.in_(kinds), work.c.object.in_(names)
            )
            taken = set(await connection.scalars(known)) if names else set()
            found = await self._insert.run(connection, [row for row in rows if row["object"] not in taken])
            if cursor is not None:
                await connection.execute(
                    update(connections).where(connections.c.id == self._connection_id).values(cursor=cursor, polled_at=now)
                )
            return found

        return await self._database.write(job)

    def _row(self, seed: WorkSeed, now: datetime) -> dict[str, object]:
        return new_work(
            self._database,
            account_id=self._account_id,
            kind=seed.kind,
            object_=seed.object,
            payload=seed.payload,
            source="poll",
            delivery_id=None,
            now=now,
        )
