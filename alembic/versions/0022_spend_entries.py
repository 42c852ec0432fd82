"""Money that people tell of in words: entries of their own, and amounts of tables that such an entry stands for."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spend_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("utm_source", sa.Text(), server_default="", nullable=False),
        sa.Column("direction", sa.Text(), server_default="", nullable=False),
        sa.Column("creative", sa.Text(), server_default="", nullable=False),
        sa.Column("edits", sa.Integer(), nullable=True),
        sa.Column("told_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spend_entries")),
    )
    op.create_index("ix_spend_entries_account_id_state", "spend_entries", ["account_id", "state"])
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.add_column(sa.Column("entry_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("replaced_by", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM spend WHERE entry_id IS NOT NULL")
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.drop_column("replaced_by")
        batch_op.drop_column("entry_id")
    op.drop_table("spend_entries")
