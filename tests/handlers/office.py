"""A team that takes leads: a group, an owner, two managers; and steps whose rows are in the database."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from sqlalchemy import select

from domain.messages import Destination
from domain.ports import Tx
from domain.roles import Role
from handlers.desk import Desk
from handlers.leads.services import OfferServices
from storage.models import posts, users
from storage.offers import OfferStore
from tests.calls.world import Crash, MemorySteps
from tests.handlers.chat import PRIVATE_CHAT
from tests.handlers.conftest import MOSCOW
from tests.handlers.seed import NOON, put, seed_accounts

GROUP = -1001
ANNA, BORIS = 501, 502


class Died(Exception):
    """The process died within a write, which is rolled back."""


class StoredWrites(MemorySteps):
    """Results in memory, rows in the database: both or neither, as in one transaction."""

    def __init__(self, desk: Desk, *, die_after: int | None = None) -> None:
        super().__init__(die_after=die_after)
        self._desk = desk

    async def write(self, name: str, fn: Callable[[Tx], Awaitable[Any]], returns: type[Any]) -> Any:
        kept = super().write

        async def job(connection: Any) -> Any:
            async def once(_: Tx) -> Any:
                return await fn(cast("Tx", connection))

            try:
                return await kept(name, once, returns)
            except Crash:  # nothing but an error may come out of a write
                raise Died from None

        try:
            return await self._desk.database.write(job)
        except Died:
            raise Crash(name) from None


async def open_office(desk: Desk) -> Desk:
    """A group that takes leads, an owner and two managers."""
    await seed_accounts(desk.database)
    await desk.people.let_in(1, (PRIVATE_CHAT,))
    people = ((ANNA, "Анна"), (BORIS, "Борис"))
    rows = [
        {"account_id": 1, "telegram_id": id_, "role": Role.MANAGER.value, "name": name, "created_at": NOON}
        for id_, name in people
    ]
    await put(desk.database, users, *rows)
    await desk.destinations.bind(1, Destination(chat_id=GROUP), title="Отдел продаж", kinds=("lead",))
    return desk


def services(desk: Desk) -> OfferServices:
    return OfferServices(
        offers=OfferStore(desk.database), chat=cast("Any", desk.posts), clock=desk.clock, texts=desk.texts, timezone=MOSCOW,
        posted=lambda: None,
    )  # fmt: skip


async def shown(desk: Desk) -> dict[tuple[int, str], str]:
    """What each chat should show, by chat and key."""
    async with desk.database.read() as connection:
        rows = await connection.execute(select(posts.c.chat_id, posts.c.key, posts.c.content))
        return {(row.chat_id, row.key): row.content for row in rows}
