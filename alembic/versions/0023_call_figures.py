"""The index that counting calls reads in place of the calls themselves."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

COLUMNS = ["account_id", "rehearsal", "started_at", "direction", "outcome", "duration_s", "tone", "summary_source"]


def upgrade() -> None:
    op.create_index("ix_calls_figures", "calls", COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_calls_figures", table_name="calls")
