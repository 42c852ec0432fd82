"""Calls: the facts, what was said, what came of it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.models.types import BigId, UtcDateTime, metadata

_UNNAMED = text("employee_name = '' AND employee_id <> ''")

calls = Table(
    "calls",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("vendor", String(32), nullable=False),
    Column("call_id", String(160), nullable=False),
    Column("vendor_row_id", String(32), nullable=False, server_default=""),
    Column("delivery_id", String(20)),
    # heard | short | missed | old, then carded | drafted | unheard | no_recording | no_speech
    Column("state", String(32), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("failed_code", String(16), nullable=False, server_default=""),
    Column("client_phone_raw", Text, nullable=False, server_default=""),
    Column("client_phone", String(20), nullable=False, server_default=""),
    Column("line", Text, nullable=False, server_default=""),
    Column("employee_id", String(32), nullable=False, server_default=""),
    Column("employee_name", Text, nullable=False, server_default=""),
    Column("client_name", Text, nullable=False, server_default=""),
    Column("crm_url", Text, nullable=False, server_default=""),
    Column("people_search", Text, nullable=False, server_default=""),  # both names folded for search
    Column("started_at", UtcDateTime, nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("recording_path", Text, nullable=False, server_default=""),
    Column("recording_name", Text, nullable=False, server_default=""),
    Column("recording_sha256", String(64), nullable=False, server_default=""),
    Column("recording_size", BigInteger, nullable=False, server_default="0"),
    Column("stereo", Boolean, nullable=False, server_default="0"),
    Column("transcript", Text),  # JSON of domain.calls.Transcript
    Column("transcript_search", Text, nullable=False, server_default=""),
    Column("summary", Text),  # JSON of domain.calls.Summary
    Column("summary_key", String(200), nullable=False, server_default=""),  # what it was made from and by
    Column("summary_source", String(16), nullable=False, server_default=""),
    Column("kind", String(16), nullable=False, server_default=""),
    Column("tone", String(16), nullable=False, server_default=""),
    Column("comment_target", String(64), nullable=False, server_default=""),
    Column("comment_id", String(32), nullable=False, server_default=""),
    Column("cost_micro_usd", BigInteger, nullable=False, server_default="0"),
    Column("possible_repeats", Integer, nullable=False, server_default="0"),
    Column("rehearsal", Boolean, nullable=False, server_default="0"),
    Column("heard_at", UtcDateTime, nullable=False),
    Column("carded_at", UtcDateTime),
    UniqueConstraint("account_id", "vendor", "call_id"),
    Index("ix_calls_account_id_started_at", "account_id", "started_at"),
    Index("ix_calls_account_id_client_phone", "account_id", "client_phone", "started_at"),
    Index("ix_calls_unnamed", "account_id", "employee_id", sqlite_where=_UNNAMED, postgresql_where=_UNNAMED),
    # Counting reads no rows, whose transcripts are long. ``rehearsal`` stands before the time, so that nobody who looks for
    # a number is led here; what has no bound to its length is left out.
    Index(
        "ix_calls_figures", "account_id", "rehearsal", "started_at", "direction", "outcome", "duration_s", "tone",
        "summary_source",
    ),
)  # fmt: skip
