"""Conversations in progress: state and data of a dialogue, with an age and a version."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Clock
from storage.engine import Database
from storage.models import fsm

VERSION = 1  # raised when data of an older conversation would no longer be understood: it then counts as ended
TTL = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """Who talks where about what: every field that tells two conversations apart."""

    bot_id: int
    chat_id: int
    user_id: int
    thread_id: int | None = None
    business_connection_id: str | None = None
    destiny: str = "default"

    def text(self) -> str:
        thread = "" if self.thread_id is None else self.thread_id
        return f"{self.bot_id}:{self.chat_id}:{self.user_id}:{thread}:{self.business_connection_id or ''}:{self.destiny}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What is remembered. ``data`` holds JSON values."""

    state: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class Conversations:
    """Each change is one transaction, so two quick answers cannot overwrite each other's fields."""

    def __init__(self, database: Database, clock: Clock, *, ttl: timedelta = TTL, version: int = VERSION) -> None:
        self._database = database
        self._clock = clock
        self._ttl = ttl
        self._version = version

    async def read(self, key: ConversationKey) -> Conversation:
        """An absent, expired or outdated conversation is an empty one."""
        async with self._database.read() as connection:
            return await self._load(connection, key)

    async def set_state(self, key: ConversationKey, state: str | None) -> None:
        async def job(connection: AsyncConnection) -> None:
            kept = await self._load(connection, key)
            await self._save(connection, key, Conversation(state=state, data=kept.data))

        await self._database.write(job)

    async def set_data(self, key: ConversationKey, data: Mapping[str, Any]) -> None:
        """ValueError or TypeError when ``data`` is not JSON."""
        json.dumps(data)

        async def job(connection: AsyncConnection) -> None:
            kept = await self._load(connection, key)
            await self._save(connection, key, Conversation(state=kept.state, data=data))

        await self._database.write(job)

    async def update_data(self, key: ConversationKey, data: Mapping[str, Any]) -> dict[str, Any]:
        """Merge ``data`` in, in one step; returns what is there now."""
        json.dumps(data)

        async def job(connection: AsyncConnection) -> dict[str, Any]:
            kept = await self._load(connection, key)
            merged = {**kept.data, **data}
            await self._save(connection, key, Conversation(state=kept.state, data=merged))
            return merged

        return await self._database.write(job)

    async def forget_expired(self) -> int:
        """Remove conversations nobody will finish. Returns how many."""
        statement = delete(fsm).where(fsm.c.expires_at < self._clock.now())

        async def job(connection: AsyncConnection) -> int:
            return int((await connection.execute(statement)).rowcount)

        return await self._database.write(job)

    async def _load(self, connection: AsyncConnection, key: ConversationKey) -> Conversation:
        row = (await connection.execute(select(fsm).where(fsm.c.key == key.text()))).one_or_none()
        if row is None or row.version != self._version or row.expires_at < self._clock.now():
            return Conversation()
        return Conversation(state=row.state, data=json.loads(row.data))

    async def _save(self, connection: AsyncConnection, key: ConversationKey, value: Conversation) -> None:
        await connection.execute(delete(fsm).where(fsm.c.key == key.text()))
        if value.state is None and not value.data:
            return
        await connection.execute(
            insert(fsm).values(
                key=key.text(),
                state=value.state,
                data=json.dumps(value.data),
                version=self._version,
                expires_at=self._clock.now() + self._ttl,
            )
        )


async def move_conversations(connection: AsyncConnection, old: int, new: int) -> None:
    """A group got another number: its conversations go on there."""
    rows = (await connection.execute(select(fsm.c.key).where(fsm.c.key.like(f"%:{old}:%")))).all()
    for row in rows:
        bot_id, chat_id, rest = row.key.split(":", 2)
        if chat_id == str(old):
            moved = f"{bot_id}:{new}:{rest}"
            await connection.execute(delete(fsm).where(fsm.c.key == moved))
            await connection.execute(update(fsm).where(fsm.c.key == row.key).values(key=moved))
