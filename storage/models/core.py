"""Accounts, their vendor connections, and small facts the process keeps about itself."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from storage.models.types import BigId, UtcDateTime, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

connections = Table(
    "vendor_connections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("vendor", String(32), nullable=False),
    Column("public_id", String(36), nullable=False, unique=True),  # shown in addresses (Bizon365's user_id)
    Column("credentials", LargeBinary),  # encrypted; empty for what the environment sets
    Column("api_version", String(16), nullable=False, server_default=""),
    Column("cursor", Text, nullable=False, server_default=""),
    Column("polled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "vendor"),
)

counters = Table(
    "counters",
    metadata,
    Column("day", String(10), primary_key=True),  # UTC date
    Column("name", String(128), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("key", String(128), primary_key=True),  # "vendor:bitrix24", "limit:day", …
    Column("active", Boolean, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
)

RESTORED = "restored"  # the notice that a restore leaves: what ended before it is quiet

settings = Table(
    "settings",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_by", BigInteger),
    Column("changed_at", UtcDateTime, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),  # replay, rehearse: what the command line asks of the leader
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),  # asked | done | failed
    Column("answer", Text, nullable=False, server_default=""),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", BigInteger),
    Column("action", String(64), nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
)
