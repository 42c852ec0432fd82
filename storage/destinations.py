"""Where messages go: bound chats and topics, and what happens to them when Telegram moves or closes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Destination
from domain.ports import Clock
from storage.engine import Database
from storage.fsm import move_conversations
from storage.models import destinations, posts, settings, telegram_updates
from storage.outbox import revived
from storage.posts import GONE
from storage.schedules import leave_topic, move_chat, open_chat, shut_chat

DEFAULT_KINDS = ("call", "missed", "webinar", "registration", "lead", "notice")
REVIVE_MAX_AGE = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundChat:
    """A destination as it is kept. ``source``: env or chat; ``state``: active or dead, with ``error`` saying why."""

    id: int
    account_id: int
    chat_id: int
    topic_id: int | None
    title: str
    kinds: tuple[str, ...]
    silent: bool
    source: str
    state: str
    error: str


class Destinations:
    """Bound chats of all accounts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def all(self, account_id: int) -> list[BoundChat]:
        statement = select(destinations).where(destinations.c.account_id == account_id).order_by(destinations.c.id)
        async with self._database.read() as connection:
            return [_bound(row) for row in await connection.execute(statement)]

    async def is_bound(self, chat_id: int) -> bool:
        """Some account sends to this chat, or to a topic of it."""
        async with self._database.read() as connection:
            found = await connection.scalar(select(destinations.c.id).where(destinations.c.chat_id == chat_id).limit(1))
        return found is not None

    async def bind(
        self,
        account_id: int,
        place: Destination,
        *,
        title: str = "",
        kinds: Sequence[str] = DEFAULT_KINDS,
        silent: bool = False,
        source: str = "chat",
    ) -> BoundChat:
        """Send ``kinds`` to ``place`` from now on; a place that is bound already takes the new kinds."""
        values = {"title": title, "kinds": ",".join(kinds), "silent": silent, "state": "active", "error": ""}

        async def job(connection: AsyncConnection) -> BoundChat:
            await open_chat(connection, place.chat_id, self._clock.now())
            mine = _at(account_id, place)
            known = (await connection.execute(select(destinations.c.id).where(mine))).first()
            if known is not None:
                changed = update(destinations).where(destinations.c.id == known.id).values(**values)
                return _bound((await connection.execute(changed.returning(*destinations.c))).one())
            row = values | {
                "account_id": account_id,
                "chat_id": place.chat_id,
                "topic_id": place.topic_id,
                "source": source,
                "created_at": self._clock.now(),
            }
            return _bound((await connection.execute(insert(destinations).values(**row).returning(*destinations.c))).one())

        return await self._database.write(job)

    async def unbind(self, account_id: int, place: Destination) -> bool:
        """Nothing goes to ``place`` any more; False when nothing did."""

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(delete(destinations).where(_at(account_id, place)))).rowcount)

        return await self._database.write(job)

    async def set_from_environment(self, account_id: int, place: Destination | None) -> BoundChat | None:
        """Make TELEGRAM_TARGET_CHAT_ID the one destination of its kind. A group that has moved is found where it is now."""
        place = await self._where_now(account_id, place) if place is not None else None

        async def job(connection: AsyncConnection) -> None:
            stale = (destinations.c.account_id == account_id) & (destinations.c.source == "env")
            if place is not None:
                stale &= ~_same(place)
            await connection.execute(delete(destinations).where(stale))

        await self._database.write(job)
        if place is None:
            return None
        known = next(
            (b for b in await self.all(account_id) if (b.chat_id, b.topic_id) == (place.chat_id, place.topic_id)), None
        )
        return known if known is not None else await self.bind(account_id, place, source="env")

    async def _where_now(self, account_id: int, place: Destination) -> Destination:
        """Follow remembered moves: .env may keep the old number, and a topic that was deleted, for ever."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(settings.c.name, settings.c.value).where(settings.c.account_id == account_id)
            )
            remembered = {row.name: row.value for row in rows}
        chat_id = int(remembered.get(_moved(place.chat_id), place.chat_id))
        lost = place.topic_id is not None and _lost(chat_id, place.topic_id) in remembered
        return Destination(chat_id=chat_id, topic_id=None if lost else place.topic_id)

    async def bury(self, chat_id: int, error: str) -> int:
        """The chat cannot be written to: what goes there, digests too, rests until it can. How many of both there are."""

        async def job(connection: AsyncConnection) -> int:
            await connection.execute(
                update(posts)
                .where(posts.c.chat_id == chat_id, posts.c.state.in_(("wanted", "sending")))
                .values(state="dead", error=GONE)
            )
            result = await connection.execute(
                update(destinations)
                .where(destinations.c.chat_id == chat_id, destinations.c.state == "active")
                .values(state="dead", error=error[:500])
            )
            return int(result.rowcount) + await shut_chat(connection, chat_id)

        return await self._database.write(job)

    async def revive(self, chat_id: int) -> int:
        """The chat can be written to again; what it missed in the last 24 hours goes out. Returns how many posts."""

        async def job(connection: AsyncConnection) -> int:
            await connection.execute(
                update(destinations).where(destinations.c.chat_id == chat_id).values(state="active", error="")
            )
            await open_chat(connection, chat_id, self._clock.now())
            return int((await connection.execute(revived(chat_id, self._clock.now(), REVIVE_MAX_AGE))).rowcount)

        return await self._database.write(job)

    async def move(self, old: int, new: int) -> bool:
        """A group became a supergroup: everything we hold about ``old`` is about ``new``, and stays so over restarts.

        False when it was no destination of ours, or had been moved already.
        """
        now = self._clock.now()

        async def job(connection: AsyncConnection) -> bool:
            accounts = await _move_destinations(connection, old, new)
            await _move_posts(connection, old, new)
            await connection.execute(
                update(telegram_updates)
                .where(telegram_updates.c.chat_id == old, telegram_updates.c.state.like("received%"))
                .values(chat_id=new)
            )
            await move_conversations(connection, old, new)
            await move_chat(connection, old, new)
            await _move_settings(connection, old, new, now)
            for account_id in accounts:
                await _remember(connection, account_id, _moved(old), str(new), now)
            await connection.execute(revived(new, now, REVIVE_MAX_AGE))
            return bool(accounts)

        return await self._database.write(job)

    async def lose_topic(self, chat_id: int, topic_id: int) -> None:
        """The topic is gone: what went there goes to General."""
        now = self._clock.now()

        async def job(connection: AsyncConnection) -> None:
            there = (destinations.c.chat_id == chat_id) & (destinations.c.topic_id == topic_id)
            rows = (await connection.execute(select(destinations).where(there))).all()
            for row in rows:
                general = _at(row.account_id, Destination(chat_id=chat_id))
                taken = (await connection.execute(select(destinations.c.id).where(general))).first()
                mine = destinations.c.id == row.id
                await connection.execute(
                    delete(destinations).where(mine) if taken else update(destinations).where(mine).values(topic_id=None)
                )
                await _remember(connection, row.account_id, _lost(chat_id, topic_id), "1", now)
            await connection.execute(
                update(posts).where(posts.c.chat_id == chat_id, posts.c.topic_id == topic_id).values(topic_id=None)
            )
            await leave_topic(connection, chat_id, topic_id)

        await self._database.write(job)


def _same(place: Destination) -> Any:
    return (destinations.c.chat_id == place.chat_id) & destinations.c.topic_id.is_not_distinct_from(
        literal(place.topic_id, destinations.c.topic_id.type)
    )


def _at(account_id: int, place: Destination) -> Any:
    return (destinations.c.account_id == account_id) & _same(place)


def _moved(chat_id: int) -> str:
    return f"telegram.moved:{chat_id}"


def _lost(chat_id: int, topic_id: int) -> str:
    return f"telegram.lost:{chat_id}:{topic_id}"


async def _move_destinations(connection: AsyncConnection, old: int, new: int) -> list[int]:
    """Where the new number is bound already (somebody was quicker), the old row goes. Returns the accounts."""
    rows = (await connection.execute(select(destinations).where(destinations.c.chat_id == old))).all()
    for row in rows:
        target = _at(row.account_id, Destination(chat_id=new, topic_id=row.topic_id))
        taken = (await connection.execute(select(destinations.c.id).where(target))).first()
        mine = destinations.c.id == row.id
        moved = update(destinations).where(mine).values(chat_id=new, state="active", error="")
        await connection.execute(delete(destinations).where(mine) if taken else moved)
    return sorted({row.account_id for row in rows})


async def _move_posts(connection: AsyncConnection, old: int, new: int) -> None:
    """Message numbers of the old group mean other messages in the new one: what changes later is sent anew."""
    there = posts.alias("there")
    taken = select(there.c.key).where(there.c.chat_id == new, there.c.account_id == posts.c.account_id)
    await connection.execute(delete(posts).where(posts.c.chat_id == old, posts.c.key.in_(taken)))
    await connection.execute(update(posts).where(posts.c.chat_id == old).values(chat_id=new, message_id=None))


async def _move_settings(connection: AsyncConnection, old: int, new: int, now: datetime) -> None:
    """Settings whose value is the chat, alone or with a topic behind a colon."""
    mine = (settings.c.value == str(old)) | settings.c.value.startswith(f"{old}:", autoescape=True)
    for row in (await connection.execute(select(settings).where(mine))).all():
        await connection.execute(
            update(settings)
            .where(settings.c.account_id == row.account_id, settings.c.name == row.name)
            .values(value=str(new) + row.value[len(str(old)) :], changed_at=now)
        )


async def _remember(connection: AsyncConnection, account_id: int, name: str, value: str, now: datetime) -> None:
    mine = (settings.c.account_id == account_id) & (settings.c.name == name)
    await connection.execute(delete(settings).where(mine))
    await connection.execute(insert(settings).values(account_id=account_id, name=name, value=value, changed_at=now))


def _bound(row: Row[Any]) -> BoundChat:
    return BoundChat(
        id=row.id,
        account_id=row.account_id,
        chat_id=row.chat_id,
        topic_id=row.topic_id,
        title=row.title,
        kinds=tuple(kind for kind in row.kinds.split(",") if kind),
        silent=row.silent,
        source=row.source,
        state=row.state,
        error=row.error,
    )
