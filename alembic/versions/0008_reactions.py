"""What the team wants to happen when somebody registers, and what a report lacks."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registration_rules",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("page_id", sa.String(length=160), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "page_id", name=op.f("pk_registration_rules")),
    )
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reacted_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE registrations SET reacted_at = created_at")  # no rule is for those who came before it
    with op.batch_alter_table("webinars", schema=None) as batch_op:
        batch_op.add_column(sa.Column("missing", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("webinars", schema=None) as batch_op:
        batch_op.drop_column("missing")
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.drop_column("reacted_at")
    op.drop_table("registration_rules")
