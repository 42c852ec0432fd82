"""Telegram's updates, on disk before anything is done about them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Clock
from storage.api_keys import without_keys
from storage.engine import Database
from storage.models import destinations, telegram_updates, users
from storage.upsert import upsert

POISON_CRASHES = 3
# How often the process died over an update is part of its state: received → running → received:1 → running:1 → …
_RECEIVED = ("received", *(f"received:{crashes}" for crashes in range(1, POISON_CRASHES)))
_RUNNING = tuple(state.replace("received", "running") for state in _RECEIVED)
_LATEST = 2**63 - 1
_USERS = select(users.c.telegram_id).where(users.c.disabled_at.is_(None))  # a private chat has its person's number
_PLACES = select(destinations.c.chat_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpdate:
    """One update. ``lane``: the chat (or the person, where there is none) whose updates are handled in order.

    ``crashes``: how often the process died while it was being handled.
    """

    update_id: int
    lane: int
    body: dict[str, Any]
    received_at: datetime
    crashes: int


class MalformedUpdateError(Exception):
    """Not an update: no JSON object with a usable update_id."""


def parse_update(body: bytes | str) -> dict[str, Any]:
    """The update as JSON; MalformedUpdateError for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedUpdateError("not JSON") from None
    return checked_update(value)


def checked_update(value: object) -> dict[str, Any]:
    """``value`` if it is a JSON object with an update_id that fits; MalformedUpdateError otherwise."""
    if not isinstance(value, dict):
        raise MalformedUpdateError("not an object")
    update_id = value.get("update_id")
    if not isinstance(update_id, int) or isinstance(update_id, bool) or not 0 <= update_id <= _LATEST:
        raise MalformedUpdateError("no update_id")
    return value


def lane_of(body: dict[str, Any]) -> int:
    """The chat an update belongs to, else the person behind it, else 0."""
    for name, event in body.items():
        if name == "update_id" or not isinstance(event, dict):
            continue
        message = event.get("message")
        for holder in (event, message if isinstance(message, dict) else {}):
            found = _id(holder.get("chat"))
            if found is not None:
                return found
        found = _id(event.get("from")) or _id(event.get("user"))
        if found is not None:
            return found
    return 0


def _id(value: object) -> int | None:
    number = value.get("id") if isinstance(value, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and -_LATEST <= number <= _LATEST:
        return number
    return None


class Updates:
    """Stores, hands out and settles updates."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, bodies: Sequence[dict[str, Any]]) -> int:
        """Commit updates; those we have already are left as they are. Returns how many were new."""
        if not bodies:
            return 0
        now = self._clock.now()
        rows = [
            {
                "update_id": body["update_id"],
                "chat_id": lane_of(body),
                # Escapes what a database would not take: NUL, lone surrogates. A button below a message brings its text
                # along, and one of ours may show a key.
                "body": without_keys(json.dumps(body)),
                "state": "received",
                "received_at": now,
            }
            for body in sorted(bodies, key=lambda body: int(body["update_id"]))
        ]
        statement = upsert(self._database, telegram_updates).on_conflict_do_nothing(index_elements=["update_id"])

        async def job(connection: AsyncConnection) -> int:
            before = await connection.scalar(_count(rows))
            await connection.execute(statement, rows)
            after = await connection.scalar(_count(rows))
            if not self._database.is_sqlite:
                await connection.exec_driver_sql("NOTIFY svodka_work")
            return int(after or 0) - int(before or 0)

        return await self._database.write(job)

    async def waiting(self, limit: int, *, familiar: bool) -> list[StoredUpdate]:
        """Updates to be handled, oldest first: those from chats we know (a user's, a bound group), or all the others."""
        where_from = telegram_updates.c.chat_id
        known = where_from.in_(_USERS) | where_from.in_(_PLACES)
        statement = (
            select(telegram_updates)
            .where(telegram_updates.c.state.in_(_RECEIVED), known if familiar else ~known)
            .order_by(telegram_updates.c.update_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [
                StoredUpdate(
                    update_id=row.update_id,
                    lane=row.chat_id,
                    body=json.loads(row.body),
                    received_at=row.received_at,
                    crashes=_RECEIVED.index(row.state),
                )
                for row in await connection.execute(statement)
            ]

    async def begin(self, item: StoredUpdate) -> bool:
        """Commit that the update is being handled: should the process die over it, that is counted.

        False when it does not wait any more: it was read before somebody else had finished it.
        """
        statement = (
            update(telegram_updates)
            .where(telegram_updates.c.update_id == item.update_id, telegram_updates.c.state == _RECEIVED[item.crashes])
            .values(state=_RUNNING[item.crashes])
        )

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(statement)).rowcount)

        return await self._database.write(job)

    async def finish(self, item: StoredUpdate, state: str) -> None:
        """``state``: done, dropped or dead. The body goes: nobody needs it any more, and it holds people's words."""
        await self._set(item.update_id, state=state, body="{}")

    async def put_back(self, item: StoredUpdate) -> None:
        """An orderly stop: it goes on after the next start, and no crash is counted."""
        await self._set(item.update_id, state=_RECEIVED[item.crashes])

    async def recover(self) -> tuple[int, int]:
        """After a crash: what was running waits again, or is dead at the third time. Returns (waiting again, dead)."""

        async def job(connection: AsyncConnection) -> tuple[int, int]:
            again = dead = 0
            for running, following in reversed(list(zip(_RUNNING, [*_RECEIVED[1:], "dead"], strict=True))):
                values = {"state": following} | ({"body": "{}"} if following == "dead" else {})
                result = await connection.execute(
                    update(telegram_updates).where(telegram_updates.c.state == running).values(**values)
                )
                if following == "dead":
                    dead += result.rowcount
                else:
                    again += result.rowcount
            return again, dead

        return await self._database.write(job)

    async def forget(self, older_than: timedelta = timedelta(days=3), *, limit: int = 2000) -> int:
        """Remove handled updates: Telegram keeps its own for a day and starts new numbers after a quiet week."""
        old = (
            select(telegram_updates.c.update_id)
            .where(
                telegram_updates.c.state.in_(("done", "dropped", "dead")),
                telegram_updates.c.received_at < self._clock.now() - older_than,
            )
            .limit(limit)
        )

        async def job(connection: AsyncConnection) -> int:
            statement = delete(telegram_updates).where(telegram_updates.c.update_id.in_(old.scalar_subquery()))
            return int((await connection.execute(statement)).rowcount)

        return await self._database.write(job)

    async def counts(self) -> dict[str, int]:
        """How many updates wait, run, or are dead."""
        statement = (
            select(telegram_updates.c.state, func.count())
            .where(telegram_updates.c.state.not_in(("done", "dropped")))
            .group_by(telegram_updates.c.state)
        )
        counted = {"received": 0, "running": 0, "dead": 0}
        async with self._database.read() as connection:
            for state, number in await connection.execute(statement):
                counted[state.partition(":")[0]] += int(number)
        return counted

    async def _set(self, update_id: int, **values: object) -> None:
        statement = update(telegram_updates).where(telegram_updates.c.update_id == update_id).values(**values)

        async def job(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.write(job)


def _count(rows: list[dict[str, Any]]) -> Any:
    ids = [row["update_id"] for row in rows]
    return select(func.count()).select_from(telegram_updates).where(telegram_updates.c.update_id.in_(ids))
