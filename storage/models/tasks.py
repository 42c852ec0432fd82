"""Tasks of a CRM: who of the team is who there, what was read last, and what was said in calls."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from storage.models.types import BigId, UtcDateTime, metadata

# Who somebody of the team is in the CRM.
employee_links = Table(
    "employee_links",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),  # users.id
    Column("account_id", Integer, nullable=False),
    Column("employee_id", String(64), nullable=False),
    Column("employee_name", Text, nullable=False, server_default=""),
    Column("linked_by", Integer, nullable=False),  # users.id
    Column("linked_at", UtcDateTime, nullable=False),
    Index("ix_employee_links_account_id", "account_id"),
)

# Open tasks of those people, as they were read last.
board_tasks = Table(
    "board_tasks",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("external_id", String(64), primary_key=True),
    Column("employee_id", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("state", String(16), nullable=False),  # domain.tasks.BoardState
    Column("deadline", UtcDateTime),
    Column("changed_at", UtcDateTime),
    Column("may_move", Boolean, nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("asked", String(8), nullable=False, server_default=""),  # done | move: on its way to the CRM
    Column("asked_at", UtcDateTime),
    Column("problem", Text, nullable=False, server_default=""),  # why the CRM refused that
    Index("ix_board_tasks_account_id_employee_id", "account_id", "employee_id"),
)

# When, and what kept us from it; the meetings of one day stand here whole.
board_reads = Table(
    "board_reads",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("employee_id", String(64), primary_key=True),
    Column("tasks_at", UtcDateTime),
    Column("tasks_problem", Text, nullable=False, server_default=""),
    Column("meetings_at", UtcDateTime),
    Column("meetings_day", String(10), nullable=False, server_default=""),
    Column("meetings", Text, nullable=False, server_default="[]"),  # JSON of domain.tasks.Meeting
    Column("meetings_problem", Text, nullable=False, server_default=""),
)

# What was promised in a call, from the moment somebody looked at it as a task to be set.
call_tasks = Table(
    "call_tasks",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("call_id", BigInteger, nullable=False),  # calls.id
    Column("task_key", String(32), nullable=False),  # of its words
    Column("title", Text, nullable=False),
    Column("employee_id", String(64), nullable=False, server_default=""),
    Column("employee_name", Text, nullable=False, server_default=""),
    Column("deadline", UtcDateTime),
    Column("state", String(16), nullable=False),  # draft | asked | set | refused
    Column("external_id", String(64), nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    Column("asked_by", BigInteger),  # users.telegram_id
    Column("asked_at", UtcDateTime),
    UniqueConstraint("account_id", "call_id", "task_key"),
)
