"""What the chats should show: one row per message and chat, wanted content beside what was sent of it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Destination, File, Message
from domain.ports import Clock, Tx
from storage.bulk import Statement
from storage.codec import dumps
from storage.models import posts
from storage.models.types import driver_time

INTERACTIVE = 10  # somebody waits for it
NOTICE = 5
ROUTINE = 0

GONE = "gone"  # the chat cannot be written to: its posts come back with it
LONGEST_KEY = 200

_PLACES = Statement(
    "SELECT chat_id, topic_id, silent, state, kinds FROM destinations WHERE account_id = :account_id ORDER BY id"
)
_INSERT = Statement(
    "INSERT INTO posts (account_id, key, chat_id, topic_id, kind, content, content_sha256, revision, reply_to_key, silent,"
    " priority, state, error, not_before, created_at)"
    " VALUES (:account_id, :key, :chat_id, :topic_id, :kind, :content, :content_sha256, :revision, :reply_to_key, :silent,"
    " :priority, :state, :error, :not_before, :created_at)"
    " ON CONFLICT (account_id, key, chat_id) DO NOTHING RETURNING id"
)


_KNOWN = Statement(
    "SELECT id, content_sha256, state, attempts, revision, message_id, not_before FROM posts"
    " WHERE account_id = :account_id AND key = :key AND chat_id = :chat_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A chat and topic a message goes to. ``shared``: another topic of the same chat wants it too."""

    chat_id: int
    topic_id: int | None
    silent: bool = False
    dead: bool = False
    shared: bool = False


class _Known(NamedTuple):
    """The row of a post as it is; ``not_before`` as the driver has it."""

    id: int
    content_sha256: str
    state: str
    attempts: int
    revision: int
    message_id: int | None
    not_before: Any


class StoredChat:
    """The Chat port over ``posts`` and ``destinations``. Every method works inside the caller's write transaction.

    After the commit somebody has to wake the sender, which otherwise looks every few seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def post(self, tx: Tx, account_id: int, message: Message, *, private: Message | None = None) -> int:
        """Want ``message`` in every destination that takes its kind; returns how many. Writing the same twice is nothing.

        A destination that cannot be reached now keeps the message for the day it can be. ``private``: what a chat of one
        person gets instead; those have positive numbers, groups and channels negative ones.
        """
        connection = cast("AsyncConnection", tx)
        places = await _places(connection, account_id, message.kind)
        for place in places:
            own = private if private is not None and place.chat_id > 0 else message
            await self._want(connection, account_id, place, own, ROUTINE)
        return len(places)

    async def repost(self, tx: Tx, account_id: int, message: Message) -> int:
        """Like ``post``, only where there is such a message already: it is edited, and nobody hears a sound."""
        connection, count = cast("AsyncConnection", tx), 0
        for place in await _places(connection, account_id, message.kind):
            key = await _free_key(connection, account_id, place, _fit(message.key))
            mine = {"account_id": account_id, "key": key, "chat_id": place.chat_id}
            known = [_Known(*row) for row in await _KNOWN.rows(connection, mine)]
            if known and not _is_given_up(known[0], place):
                await self._want(connection, account_id, place, message, ROUTINE)
                count += 1
        return count

    async def post_to(
        self, tx: Tx, account_id: int, destination: Destination, message: Message, *, priority: int = INTERACTIVE
    ) -> int:
        """Want ``message`` in one chat, bound or not: answers and notices. Returns the id of its row.

        ``priority``: INTERACTIVE goes before NOTICE, NOTICE before ROUTINE, among what the chat's pace lets through.
        """
        place = _Place(chat_id=destination.chat_id, topic_id=destination.topic_id)
        return await self._want(cast("AsyncConnection", tx), account_id, place, message, priority)

    async def places_of(self, tx: Tx, account_id: int, key: str) -> tuple[Destination, ...]:
        """Where a message under this key is, or is wanted; each chat once."""
        mine = (posts.c.account_id == account_id) & (posts.c.key == _fit(key))
        found = select(posts.c.chat_id, posts.c.topic_id).where(mine).order_by(posts.c.id)
        rows = await cast("AsyncConnection", tx).execute(found)
        places = {row.chat_id: Destination(chat_id=row.chat_id, topic_id=row.topic_id) for row in rows}
        return tuple(places.values())

    async def take_over(self, tx: Tx, account_id: int, destination: Destination, message: Message, message_id: int) -> int:
        """Want ``message`` in the place of one of ours that is in the chat, and there what comes later under its key."""
        row_id = await self.post_to(tx, account_id, destination, message)
        state = case((posts.c.state == "sending", "sending"), else_="wanted")
        values = {"message_id": message_id, "revision": posts.c.revision + 1, "state": state}
        await cast("AsyncConnection", tx).execute(update(posts).where(posts.c.id == row_id).values(**values))
        return row_id

    async def _want(
        self, connection: AsyncConnection, account_id: int, place: _Place, message: Message, priority: int
    ) -> int:
        """Rows of the message and of its files; the id of the first."""
        ids: list[int] = []
        reply_to = message.reply_to
        key = await _free_key(connection, account_id, place, _fit(message.key))
        if message.sections or not message.files:
            ids.append(await self._upsert(connection, account_id, place, replace(message, key=key), priority))
            reply_to = key
        for file in message.files:
            beside = _file_message(message, file, key=_fit(f"{key}#file:{file.name}"), reply_to=reply_to)
            ids.append(await self._upsert(connection, account_id, place, beside, priority))
        return ids[0]

    async def _upsert(
        self, connection: AsyncConnection, account_id: int, place: _Place, message: Message, priority: int
    ) -> int:
        dialect = connection.dialect.name
        now = driver_time(self._clock.now(), dialect)
        wanted_from = driver_time(message.not_before, dialect) if message.not_before else now
        new = _new_row(account_id, place, message, priority) | {"not_before": wanted_from, "created_at": now}
        if added := await _INSERT.rows(connection, new):
            return int(added[0][0])
        known = _Known(*(await _KNOWN.rows(connection, new))[0])
        changes = _changes(known, new, now=now)
        if changes:
            await _changing(tuple(changes)).run(connection, {"id": known.id, **changes})
        return int(known.id)


async def _places(connection: AsyncConnection, account_id: int, kind: str) -> list[_Place]:
    rows = await _PLACES.rows(connection, {"account_id": account_id})
    taking = [row for row in rows if kind in row[-1].split(",")]
    chats = [row[0] for row in taking]
    return [
        _Place(
            chat_id=chat_id, topic_id=topic_id, silent=bool(silent), dead=state == "dead", shared=chats.count(chat_id) > 1
        )
        for chat_id, topic_id, silent, state, _ in taking
    ]


async def _free_key(connection: AsyncConnection, account_id: int, place: _Place, key: str) -> str:
    """The key of this place's row. Two topics of one chat need two rows: the second one carries its topic in the key."""
    if not place.shared:
        return key
    own = _fit(f"{key}@{place.topic_id or 0}")
    statement = select(posts.c.key, posts.c.topic_id).where(
        posts.c.account_id == account_id,
        posts.c.chat_id == place.chat_id,
        posts.c.key.in_((key, own)),
    )
    topics = {row.key: row.topic_id for row in await connection.execute(statement)}
    return key if key not in topics or topics[key] == place.topic_id else own


def _fit(key: str) -> str:
    if len(key) <= LONGEST_KEY:
        return key
    return key[: LONGEST_KEY - 33] + "~" + hashlib.sha256(key.encode()).hexdigest()[:32]


def _file_message(message: Message, file: File, *, key: str, reply_to: str | None) -> Message:
    """A file is a post of its own: a reply that makes no sound, as its message did."""
    silent = message.silent or bool(message.sections)
    return Message(
        key=key,
        sections=(),
        files=(file,),
        kind=message.kind,
        not_before=message.not_before,
        silent=silent,
        reply_to=reply_to,
    )


def _sha256(message: Message) -> str:
    """Of what people see: the same digest means there is nothing to edit."""
    shown = Message(
        key="", sections=message.sections, buttons=message.buttons, files=() if message.sections else message.files, kind=""
    )
    return hashlib.sha256(dumps(Message, shown).encode()).hexdigest()


def _new_row(account_id: int, place: _Place, message: Message, priority: int) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "key": message.key,
        "chat_id": place.chat_id,
        "topic_id": place.topic_id,
        "kind": message.kind[:16],
        "content": dumps(Message, replace(message, not_before=None)),
        "content_sha256": _sha256(message),
        "revision": 1,
        "reply_to_key": message.reply_to,
        "silent": message.silent or place.silent,
        "priority": priority,
        "state": "dead" if place.dead else "wanted",
        "error": GONE if place.dead else "",
    }


def _is_given_up(known: _Known, place: _Place) -> bool:
    """Never arrived and never will: a change of it would be a new message. What waits for its chat to come back is not."""
    return known.state == "dead" and known.message_id is None and not place.dead


def _changes(known: _Known, new: dict[str, Any], *, now: str | datetime) -> dict[str, object]:
    """What a repeated wish changes: new content makes a revision, the same content can only be allowed earlier."""
    unsent = known.message_id is None
    wanted_from = new["not_before"] if unsent else now
    if known.content_sha256 == new["content_sha256"]:
        lifted = unsent and known.state == "wanted" and known.attempts == 0 and wanted_from < known.not_before
        return {"not_before": wanted_from} if lifted else {}
    return {
        **{name: new[name] for name in ("content", "content_sha256", "silent", "priority", "error")},
        "revision": known.revision + 1,
        "not_before": wanted_from,
        # On its way: the sender sees the new revision when it is back.
        "state": "sending" if known.state == "sending" else new["state"],
        "attempts": 0,
    }


@cache
def _changing(columns: tuple[str, ...]) -> Statement:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    return Statement(f"UPDATE posts SET {changes} WHERE id = :id")  # noqa: S608 - own names
