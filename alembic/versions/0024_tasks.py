"""Tasks and meetings of the team as its CRM keeps them, who is who there, and tasks said in calls."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import BigId, UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "employee_links",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("employee_name", sa.Text(), server_default="", nullable=False),
        sa.Column("linked_by", sa.Integer(), nullable=False),
        sa.Column("linked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_employee_links")),
    )
    op.create_index("ix_employee_links_account_id", "employee_links", ["account_id"])
    op.create_table(
        "board_tasks",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("deadline", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("may_move", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("asked", sa.String(length=8), server_default="", nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("account_id", "external_id", name=op.f("pk_board_tasks")),
    )
    op.create_index("ix_board_tasks_account_id_employee_id", "board_tasks", ["account_id", "employee_id"])
    op.create_table(
        "board_reads",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("tasks_at", UtcDateTime(), nullable=True),
        sa.Column("tasks_problem", sa.Text(), server_default="", nullable=False),
        sa.Column("meetings_at", UtcDateTime(), nullable=True),
        sa.Column("meetings_day", sa.String(length=10), server_default="", nullable=False),
        sa.Column("meetings", sa.Text(), server_default="[]", nullable=False),
        sa.Column("meetings_problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("account_id", "employee_id", name=op.f("pk_board_reads")),
    )
    op.create_table(
        "call_tasks",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("task_key", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("employee_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("employee_name", sa.Text(), server_default="", nullable=False),
        sa.Column("deadline", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("external_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_tasks")),
        sa.UniqueConstraint("account_id", "call_id", "task_key", name=op.f("uq_call_tasks_account_id_call_id_task_key")),
    )


def downgrade() -> None:
    for table in ("call_tasks", "board_reads", "board_tasks", "employee_links"):
        op.drop_table(table)
