"""What came in, what is to be done about it, what was done, and what it cost."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.models.types import BigId, UtcDateTime, metadata

inbox = Table(
    "inbox",
    metadata,
    Column("id", String(20), primary_key=True),  # ours, sorts by time
    Column("account_id", Integer, nullable=False),
    Column("connection_id", Integer, nullable=False),
    Column("vendor", String(32), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("dedup_key", String(200), nullable=False),
    Column("state", String(16), nullable=False),  # received | done | ignored | dead
    Column("body_sha256", String(64), nullable=False),
    Column("request", LargeBinary),  # redacted, encrypted; emptied after INBOX_DAYS
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("connection_id", "dedup_key"),
    Index("ix_inbox_received_at", "received_at"),
)

work = Table(
    "work",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("object", String(200), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    Column("source", String(16), nullable=False),  # hook | poll | replay | rehearsal | tick
    Column("delivery_id", String(20)),
    Column("state", String(16), nullable=False),  # ready | running | done | dead
    Column("due_at", UtcDateTime, nullable=False),
    Column("runs", Integer, nullable=False, server_default="0"),  # how often it was taken
    Column("attempts", Integer, nullable=False, server_default="0"),  # failures in a row
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("waiting_for", Text, nullable=False, server_default=""),
    Column("error_code", String(64), nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("account_id", "kind", "object", "generation"),
    Index("ix_work_ready", "due_at", sqlite_where=text("state = 'ready'"), postgresql_where=text("state = 'ready'")),
    Index("ix_work_state_finished_at", "state", "finished_at"),
    Index("ix_work_created_at", "created_at"),
)

work_steps = Table(
    "work_step",
    metadata,
    Column("work_id", BigId, ForeignKey("work.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("state", String(16), nullable=False),  # intent | done
    Column("result", Text),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("possible_repeats", Integer, nullable=False, server_default="0"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("took_ms", Float),
)

charges = Table(
    "charges",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(16), nullable=False),  # stt | llm
    Column("model", String(128), nullable=False),
    Column("object", String(200), nullable=False),
    Column("micro_usd", BigInteger, nullable=False),
    Column("units", Float, nullable=False),
    Column("unit", String(8), nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("possible_repeat", Boolean, nullable=False),
    Index("ix_charges_account_id_at", "account_id", "at"),
)
