"""Rules that give leads their direction and creative, and what applying them to earlier leads has changed."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from storage.models.types import UtcDateTime, metadata

# All rules of an account as they were after each change: the newest version holds, an earlier one can come back.
ad_rules = Table(
    "ad_rules",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rules", Text, nullable=False),  # JSON: domain.ads.AdRule, in their order
    Column("changed_by", BigInteger, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

ad_runs = Table(
    "ad_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # domain.ads.RunState
    Column("asked_by", BigInteger, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("after", BigInteger, nullable=False, server_default="0"),
    Column("last", BigInteger, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("changed", Integer, nullable=False, server_default="0"),
    Column("restored", Integer, nullable=False, server_default="0"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_ad_runs_account_id", "account_id", "state"),
)

# What a run did to each lead: kept for as long as it can be undone.
ad_changes = Table(
    "ad_changes",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("was", Text, nullable=False),  # JSON [direction_id, direction_by, creative_id, creative_by]
    Column("now", Text, nullable=False),  # the same as the run left it
    sqlite_with_rowid=False,
)
