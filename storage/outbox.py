"""The sender's view of ``posts``: what is due, what is on its way, and how it went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.messages import Message
from domain.ports import Clock
from storage.codec import loads
from storage.engine import Database
from storage.models import posts
from storage.posts import GONE

UNCERTAIN = "uncertain"  # it may be in the chat, and is not repeated
PLAIN = "plain"  # refused with its markup: goes once more without
FLOOD = "flood"
WINDOW_PER_CHAT = 20  # a chat takes one message a second: more of its rows need not be in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePost:
    """A post that may go now, by the order it should go in: higher ``priority`` first, then older ``not_before``, ``id``."""

    id: int
    chat_id: int
    priority: int
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedPost:
    """A post on its way. ``message_id`` is set when there is something to edit; ``attempts`` counts this one.

    ``repeats``: how often it may be in the chat already; ``plain``: Telegram refused it with its markup and buttons.
    """

    id: int
    account_id: int
    key: str
    chat_id: int
    topic_id: int | None
    message: Message
    revision: int
    message_id: int | None
    reply_to_message_id: int | None
    silent: bool
    attempts: int
    repeats: int
    plain: bool

    @property
    def audio(self) -> bool:
        return any(file.kind == "audio" for file in self.message.files) and not self.message.sections


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCounts:
    """``waiting``: due or on its way; ``late``: due for over a minute; ``held``: not yet allowed; ``dead``: given up.

    ``uncertain``: those of the dead that may be in the chat; ``repeats``: messages that may be in a chat twice.
    """

    waiting: int
    late: int
    held: int
    dead: int
    uncertain: int
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPost:
    """A post that was given up, with why."""

    id: int
    key: str
    chat_id: int
    error: str
    created_at: datetime


class Outbox:
    """Reads and settles posts. Times are aware UTC."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def due(self) -> list[DuePost]:
        """What may go now, best first, at most WINDOW_PER_CHAT of each chat, so that a hot chat hides no other."""
        async with self._database.read() as connection:
            rows = await connection.execute(_due(self._clock.now()))
            return [DuePost(id=r.id, chat_id=r.chat_id, priority=r.priority, not_before=r.not_before) for r in rows]

    async def next_due(self) -> datetime | None:
        """When the next held post may go, None when none is held."""
        statement = select(func.min(posts.c.not_before)).where(
            posts.c.state == "wanted", posts.c.not_before > self._clock.now()
        )
        async with self._database.read() as connection:
            earliest: datetime | None = await connection.scalar(statement)
        return earliest

    async def frozen(self) -> dict[int, datetime]:
        """Chats that Telegram told to wait, and until when: known again after a restart."""
        statement = (
            select(posts.c.chat_id, func.max(posts.c.not_before).label("until"))
            .where(posts.c.state == "wanted", posts.c.error == FLOOD, posts.c.not_before > self._clock.now())
            .group_by(posts.c.chat_id)
        )
        async with self._database.read() as connection:
            return {row.chat_id: row.until for row in await connection.execute(statement)}

    async def recover(self) -> int:
        """After a crash: what was on its way may have arrived. Returns how many such posts there were."""
        statement = select(posts).where(posts.c.state == "sending").order_by(posts.c.id)

        async def job(connection: AsyncConnection) -> int:
            rows = (await connection.execute(statement)).all()
            for row in rows:
                await connection.execute(
                    update(posts).where(posts.c.id == row.id).values(**_after_uncertain(_claimed(row, None)))
                )
            return len(rows)

        return await self._database.write(job)

    async def claim(self, post_id: int) -> ClaimedPost | None:
        """Commit that the post is about to be sent; None when it no longer wants to be."""
        now = self._clock.now()
        statement = (
            update(posts)
            .where(posts.c.id == post_id, posts.c.state == "wanted", posts.c.not_before <= now)
            .values(state="sending", attempts=posts.c.attempts + 1)
            .returning(*posts.c)
        )

        async def job(connection: AsyncConnection) -> ClaimedPost | None:
            row = (await connection.execute(statement)).one_or_none()
            if row is None:
                return None
            return _claimed(row, await _reply_target(connection, row))

        return await self._database.write(job)

    async def sent(self, post: ClaimedPost, message_id: int | None) -> bool:
        """The claimed revision is in the chat. None: it is, under a number we could not read.

        True when the post was changed meanwhile and is due again.
        """
        now = self._clock.now()
        unreadable = message_id is None
        state = await self._settle(
            post,
            sent_revision=post.revision,
            message_id=message_id,
            sent_at=func.coalesce(posts.c.sent_at, now),
            attempts=0,
            error=UNCERTAIN if unreadable else "",
            possible_repeats=posts.c.possible_repeats + int(unreadable),
            state=case((posts.c.revision > post.revision, "wanted"), else_="sent"),
        )
        return state == "wanted"

    async def put_back(self, post: ClaimedPost, *, tried: bool, not_before: datetime | None = None, error: str = "") -> None:
        """Surely not delivered: try again at ``not_before`` (unchanged when None). ``tried`` counts the attempt."""
        values: dict[str, object] = {"state": "wanted", "attempts": post.attempts if tried else post.attempts - 1}
        if not_before is not None:
            values["not_before"] = not_before
        kept = PLAIN if post.plain else error
        await self._settle(post, error=kept, **values)

    async def anew(self, post: ClaimedPost) -> None:
        """The message to edit is no more: send it again as a new one."""
        await self._settle(post, state="wanted", message_id=None, sent_revision=0)

    async def without_reply(self, post: ClaimedPost) -> None:
        """The message it answers is no more: it goes by itself."""
        await self._settle(post, state="wanted", reply_to_key=None)

    async def without_markup(self, post: ClaimedPost) -> None:
        """Refused as it was: go once more as bare text."""
        await self._settle(post, state="wanted", error=PLAIN)

    async def uncertain(self, post: ClaimedPost) -> bool:
        """It may have arrived. Text goes once more, marked; a recording never. True when it goes once more."""
        values = _after_uncertain(post)
        await self._settle(post, **values)
        return bool(values["state"] == "wanted")

    async def maybe_repeated(self, post: ClaimedPost) -> None:
        """A gateway failed on the way: most likely not delivered, so it goes again, but it says that it may be a repeat."""
        repeats = max(post.repeats, int(post.message_id is None))
        await self._settle(post, state="wanted", possible_repeats=repeats)

    async def bury(self, post: ClaimedPost, error: str) -> None:
        """Given up, unless it was changed meanwhile: new content gets its own chance."""
        changed = posts.c.revision > post.revision
        await self._settle(post, state=case((changed, "wanted"), else_="dead"), error=case((changed, ""), else_=error[:500]))

    async def _settle(self, post: ClaimedPost, **values: object) -> str | None:
        """The state the row is in now; None when it was settled otherwise meanwhile."""
        mine = (posts.c.id == post.id) & (posts.c.state == "sending")
        statement = update(posts).where(mine).values(**values).returning(posts.c.state)

        async def job(connection: AsyncConnection) -> str | None:
            state: str | None = await connection.scalar(statement)
            return state

        return await self._database.write(job)

    async def counts(self) -> PostCounts:
        """For /status."""
        now = self._clock.now()
        wanted = posts.c.state == "wanted"

        def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
            return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

        statement = select(
            number((wanted & (posts.c.not_before <= now)) | (posts.c.state == "sending")).label("waiting"),
            number(wanted & (posts.c.not_before <= now - timedelta(minutes=1))).label("late"),
            number(wanted & (posts.c.not_before > now)).label("held"),
            number(posts.c.state == "dead").label("dead"),
            number((posts.c.state == "dead") & (posts.c.error == UNCERTAIN)).label("uncertain"),
            number(posts.c.possible_repeats > 0).label("repeats"),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one()
        return PostCounts(**{name: int(value) for name, value in row._mapping.items()})  # noqa: SLF001 # its public name

    async def dead(self, limit: int = 20) -> list[DeadPost]:
        """What was given up, newest first, for /errors."""
        statement = select(posts).where(posts.c.state == "dead").order_by(posts.c.id.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
            return [DeadPost(id=r.id, key=r.key, chat_id=r.chat_id, error=r.error, created_at=r.created_at) for r in rows]

    async def retry(self, post_id: int) -> bool:
        """A person wants a given-up post sent after all. False when it was not given up."""
        statement = (
            update(posts)
            .where(posts.c.id == post_id, posts.c.state == "dead")
            .values(state="wanted", not_before=self._clock.now(), attempts=0, error="")
        )

        async def job(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(statement)).rowcount)

        return await self._database.write(job)


def _due(now: datetime) -> Select[Any]:
    main = posts.alias("main")
    unsent_main = exists().where(
        main.c.account_id == posts.c.account_id,
        main.c.chat_id == posts.c.chat_id,
        main.c.key == posts.c.reply_to_key,
        main.c.message_id.is_(None),
        main.c.state.in_(("wanted", "sending")),
    )
    order = (posts.c.priority.desc(), posts.c.not_before, posts.c.id)
    place = func.row_number().over(partition_by=posts.c.chat_id, order_by=order).label("place")
    due = (
        select(posts.c.id, posts.c.chat_id, posts.c.priority, posts.c.not_before, place)
        .where(posts.c.state == "wanted", posts.c.not_before <= now)
        .where(posts.c.reply_to_key.is_(None) | ~unsent_main)
        .subquery()
    )
    return select(due).where(due.c.place <= WINDOW_PER_CHAT).order_by(due.c.priority.desc(), due.c.not_before, due.c.id)


async def _reply_target(connection: AsyncConnection, row: Row[Any]) -> int | None:
    if row.reply_to_key is None:
        return None
    target: int | None = await connection.scalar(
        select(posts.c.message_id).where(
            and_(
                posts.c.account_id == row.account_id,
                posts.c.key == row.reply_to_key,
                posts.c.chat_id == row.chat_id,
            )
        )
    )
    return target


def _claimed(row: Row[Any], reply_to: int | None) -> ClaimedPost:
    return ClaimedPost(
        id=row.id,
        account_id=row.account_id,
        key=row.key,
        chat_id=row.chat_id,
        topic_id=row.topic_id,
        message=loads(Message, row.content),
        revision=row.revision,
        message_id=row.message_id,
        reply_to_message_id=reply_to,
        silent=row.silent,
        attempts=row.attempts,
        repeats=row.possible_repeats,
        plain=row.error == PLAIN,
    )


def _after_uncertain(post: ClaimedPost) -> dict[str, Any]:
    """An edit may be made twice; a text is repeated once and says so; a recording is not repeated."""
    if post.message_id is not None:
        return {"state": "wanted"}
    if post.audio or post.repeats > 0:
        return {"state": "dead", "error": UNCERTAIN}
    return {"state": "wanted", "possible_repeats": 1}


def revived(chat_id: int, now: datetime, max_age: timedelta) -> Any:
    """The statement that brings back what a chat missed while it could not be written to, unless it is too old."""
    return (
        update(posts)
        .where(
            posts.c.chat_id == chat_id,
            posts.c.state == "dead",
            posts.c.error == GONE,
            posts.c.created_at >= now - max_age,
        )
        .values(state="wanted", error="", attempts=0, not_before=now)
    )
