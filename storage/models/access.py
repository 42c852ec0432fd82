"""Keys of the HTTP API: their hashes alone."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from storage.models.types import UtcDateTime, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # domain.access.Scope, separated by a blank
    Column("key_sha256", String(64), nullable=False, unique=True),
    Column("prefix", String(16), nullable=False),
    Column("created_by", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),  # to the minute: it is not written at each request
    Column("rotated_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("old_sha256", String(64), unique=True),  # the one it replaced
    Column("old_prefix", String(16), nullable=False, server_default=""),
    Column("old_until", UtcDateTime),
    Column("old_used_at", UtcDateTime),
    Index("ix_api_keys_account_id", "account_id"),
)
