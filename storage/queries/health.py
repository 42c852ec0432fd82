"""What /status adds up: the queue, the last events, money, dead destinations and what nobody understood."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from storage.engine import Database
from storage.models import charges, connections, counters, destinations, inbox, posts, work
from storage.queries.rows import fill

LATE_SECONDS = 60
_UNSENT = text("posts.state IN ('wanted', 'sending')")  # as the partial index spells it
# "account_id + 0" keeps SQLite from the unique index of the account, which would read every row there ever was.


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """``ready``: due now; ``waiting``: due later; ``late``: due over a minute ago; ``posts``: messages not sent yet."""

    ready: int
    waiting: int
    running: int
    late: int
    dead: int
    posts: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastEvent:
    """When a vendor was last heard: by a hook (``heard_at``) and by our own asking (``polled_at``)."""

    vendor: str
    heard_at: datetime | None
    polled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownKind:
    """A kind of event that came and that nobody handles."""

    vendor: str
    kind: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadDestination:
    id: int
    chat_id: int
    topic_id: int | None
    title: str
    error: str


async def read_queue(database: Database, account_id: int, now: datetime) -> Queue:
    """Counts of what is not done; neither done work nor sent posts are read (indexes on state)."""
    mine = work.c.account_id == account_id
    ready = mine & (work.c.state == "ready")
    async with database.read() as connection:
        states = await connection.execute(
            select(work.c.state, func.count()).where(mine, work.c.state.in_(("running", "dead"))).group_by(work.c.state)
        )
        counts = {str(state): int(count) for state, count in states}
        total = await connection.scalar(select(func.count()).where(ready))
        due = await connection.scalar(select(func.count()).where(ready, work.c.due_at <= now))
        late = await connection.scalar(
            select(func.count()).where(ready, work.c.due_at < now - timedelta(seconds=LATE_SECONDS))
        )
        next_due = await connection.scalar(select(func.min(work.c.due_at)).where(ready, work.c.due_at > now))
        unsent = await connection.scalar(select(func.count()).where(_UNSENT, posts.c.account_id + 0 == account_id))
    return Queue(
        ready=int(due or 0),
        waiting=int(total or 0) - int(due or 0),
        running=counts.get("running", 0),
        late=int(late or 0),
        dead=counts.get("dead", 0),
        posts=int(unsent or 0),
        next_due=next_due,
    )


async def last_events(database: Database, account_id: int) -> tuple[LastEvent, ...]:
    """Each connection's last sign of life, by the vendor's name: the newest delivery is found by the index of times."""
    mine = select(inbox.c.received_at).where(inbox.c.connection_id == connections.c.id)
    newest = mine.order_by(inbox.c.received_at.desc()).limit(1).scalar_subquery()
    statement = (
        select(connections.c.vendor, newest.label("heard_at"), connections.c.polled_at)
        .where(connections.c.account_id == account_id)
        .order_by(connections.c.vendor)
    )
    async with database.read() as connection:
        return tuple(fill(LastEvent, row) for row in await connection.execute(statement))


async def spent(database: Database, account_id: int, since: datetime) -> int:
    """Micro-dollars since then, by (account, time)."""
    statement = select(func.sum(charges.c.micro_usd)).where(charges.c.account_id == account_id, charges.c.at >= since)
    async with database.read() as connection:
        return int(await connection.scalar(statement) or 0)


async def dead_destinations(database: Database, account_id: int) -> tuple[DeadDestination, ...]:
    """Chats that no longer take our messages. A handful of rows: no index is wanted."""
    statement = (
        select(destinations)
        .where(destinations.c.account_id == account_id, destinations.c.state == "dead")
        .order_by(destinations.c.id)
    )
    async with database.read() as connection:
        return tuple(fill(DeadDestination, row) for row in await connection.execute(statement))


async def unknown_kinds(database: Database, account_id: int, since: datetime) -> tuple[UnknownKind, ...]:
    """Kinds of deliveries nobody handles, the most frequent first, by the time index of the inbox."""
    count = func.count().label("count")
    statement = (
        select(inbox.c.vendor, inbox.c.kind, count, func.max(inbox.c.received_at).label("last_at"))
        .where(inbox.c.received_at >= since, inbox.c.account_id == account_id, inbox.c.state == "ignored")
        .group_by(inbox.c.vendor, inbox.c.kind)
        .order_by(count.desc(), inbox.c.kind)
    )
    async with database.read() as connection:
        return tuple(fill(UnknownKind, row) for row in await connection.execute(statement))


async def counted(database: Database, prefix: str, first_day: str) -> dict[str, int]:
    """Counters whose name begins with ``prefix``, summed from ``first_day`` (a UTC date, "2026-11-21"), by primary key."""
    total = func.sum(counters.c.value)
    statement = (
        select(counters.c.name, total)
        .where(counters.c.day >= first_day, func.substr(counters.c.name, 1, len(prefix)) == prefix)
        .group_by(counters.c.name)
        .order_by(total.desc())
    )
    async with database.read() as connection:
        return {str(name): int(value) for name, value in await connection.execute(statement)}
