"""Employees as calls name them, and the calls whose employee has no name yet."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("employees", sa.Column("called", sa.Text, nullable=False, server_default=""))
    unnamed = sa.text("employee_name = '' AND employee_id <> ''")
    op.create_index(
        "ix_calls_unnamed", "calls", ["account_id", "employee_id"], sqlite_where=unnamed, postgresql_where=unnamed
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_calls_unnamed", table_name="calls")
    op.drop_column("employees", "called")
