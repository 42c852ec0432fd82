"""The digests that people have set: when, what of, and where to."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from storage.models.types import UtcDateTime, metadata

schedules = Table(
    "schedules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # domain.digests.DigestKind
    Column("days", String(7), nullable=False),  # «01234»: Monday is 0
    Column("at", String(5), nullable=False),  # «09:00» by the clocks of the zone
    Column("zone", String(64), nullable=False, server_default=""),  # "": the account's
    Column("parts", Text, nullable=False),  # comma separated: domain.digests.DigestPart
    Column("chat_id", BigInteger, nullable=False),
    Column("topic_id", BigInteger),
    Column("picture", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("obstacle", String(16), nullable=False, server_default=""),  # domain.schedules.Obstacle: nothing can be sent
    Column("handled_at", UtcDateTime, nullable=False),  # slots up to here are settled
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("changed_by", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),  # the row stays: work and messages are named by its id, which must not come again
    Index(
        "ix_schedules_kept",
        "account_id",
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
)
