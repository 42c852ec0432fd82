"""What the chats should show, what they showed us, and where messages go."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.models.types import BigId, UtcDateTime, metadata

posts = Table(
    "posts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("key", String(200), nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("topic_id", BigInteger),
    Column("kind", String(16), nullable=False),
    Column("content", Text, nullable=False),  # JSON of domain.messages.Message
    Column("content_sha256", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sent_revision", Integer, nullable=False, server_default="0"),
    Column("message_id", BigInteger),
    Column("reply_to_key", String(200)),
    Column("silent", Boolean, nullable=False, server_default="0"),
    Column("priority", Integer, nullable=False, server_default="0"),  # higher first among what may go now
    Column("state", String(16), nullable=False),  # wanted | sending | sent | dead | held
    Column("not_before", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("possible_repeats", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    UniqueConstraint("account_id", "key", "chat_id"),
    Index(
        "ix_posts_wanted",
        "not_before",
        sqlite_where=text("state IN ('wanted', 'sending')"),
        postgresql_where=text("state IN ('wanted', 'sending')"),
    ),
    Index("ix_posts_held", "account_id", sqlite_where=text("state = 'held'"), postgresql_where=text("state = 'held'")),
    Index(
        "ix_posts_repeated",
        "account_id",
        "created_at",
        sqlite_where=text("possible_repeats > 0"),
        postgresql_where=text("possible_repeats > 0"),
    ),
)

destinations = Table(
    "destinations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("topic_id", BigInteger),
    Column("title", Text, nullable=False, server_default=""),
    Column("kinds", Text, nullable=False),  # comma separated: call,missed,…
    Column("silent", Boolean, nullable=False, server_default="0"),
    Column("source", String(16), nullable=False),  # env | chat
    Column("state", String(16), nullable=False),  # active | dead
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
)

telegram_updates = Table(
    "telegram_updates",
    metadata,
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),  # received | running | done | dropped | dead
    Column("received_at", UtcDateTime, nullable=False),
    Index("ix_telegram_updates_state", "state", "update_id"),
)

fsm = Table(
    "fsm",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("state", String(128)),
    Column("data", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
