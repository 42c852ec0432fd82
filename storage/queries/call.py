"""One call with everything that is kept of it."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, select

from domain.calls import Summary, Transcript
from storage.codec import loads
from storage.engine import Database
from storage.models import calls, posts
from storage.queries.rows import fill


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDetail:
    """``recording_path`` is relative to DATA_DIR, empty when there is no recording; ``recording_sha256`` outlives the file.

    ``summary`` and ``transcript`` are None where there are none, or where their keeping time is over.
    """

    id: int
    vendor: str
    call_id: str
    state: str
    started_at: datetime
    heard_at: datetime
    carded_at: datetime | None
    duration_s: int
    direction: str
    outcome: str
    failed_code: str
    client_phone: str
    client_phone_raw: str
    client_name: str
    line: str
    employee_name: str
    crm_url: str
    recording_path: str
    recording_name: str
    recording_sha256: str
    recording_size: int
    transcript: Transcript | None
    summary: Summary | None
    kind: str
    tone: str
    comment_target: str
    comment_id: str
    cost_micro_usd: int
    possible_repeats: int
    rehearsal: bool

    @property
    def object(self) -> str:
        """The name of its work."""
        return f"{self.vendor}:{self.call_id}"


async def find_call(database: Database, account_id: int, id_: int) -> CallDetail | None:
    """By the number that buttons and /why carry (primary key); None for another account's call too."""
    return await _one(database, (calls.c.account_id == account_id) & (calls.c.id == id_))


async def find_call_of(database: Database, account_id: int, object_: str) -> CallDetail | None:
    """By the name of its work ("bitrix24:CALL_ID"), by the unique key of calls."""
    vendor, _, call_id = object_.partition(":")
    mine = (calls.c.account_id == account_id) & (calls.c.vendor == vendor) & (calls.c.call_id == call_id)
    return await _one(database, mine)


async def post_key_of(database: Database, account_id: int, chat_id: int, message_id: int) -> str | None:
    """The key of the message a person replied to, None if it is not ours.

    ``posts`` has no index on message ids and a reply is rare: the account's posts are read (8 ms over 100,000).
    """
    statement = select(posts.c.key).where(
        posts.c.account_id == account_id, posts.c.chat_id == chat_id, posts.c.message_id == message_id
    )
    async with database.read() as connection:
        key: str | None = await connection.scalar(statement.order_by(posts.c.id.desc()).limit(1))
    return key


async def _one(database: Database, where: ColumnElement[bool]) -> CallDetail | None:
    statement = select(*(calls.c[field.name] for field in fields(CallDetail)))
    async with database.read() as connection:
        row = (await connection.execute(statement.where(where).order_by(calls.c.id.desc()).limit(1))).one_or_none()
    if row is None:
        return None
    return fill(
        CallDetail,
        row,
        transcript=loads(Transcript, row.transcript) if row.transcript else None,
        summary=loads(Summary, row.summary) if row.summary else None,
    )
