"""Tokens of OAuth, and which states of its callbacks were used."""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, false

from storage.models.types import UtcDateTime, metadata

vendor_tokens = Table(
    "vendor_tokens",
    metadata,
    Column("connection_id", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),  # domain.ports.TokenPair, encrypted
    Column("version", Integer, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
    Column("claimed_until", UtcDateTime),  # a process renews it, until then no other one does
    Column("revoked", Boolean, nullable=False, server_default=false()),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_sha256", String(64), primary_key=True),
    Column("used_at", UtcDateTime, nullable=False),
)
