"""Rules that give leads their direction and creative, and who has said which a lead has."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("leads", schema=None) as batch_op:
        for name in ("direction_by", "creative_by"):
            batch_op.add_column(sa.Column(name, sa.String(length=8), server_default="", nullable=False))
    for name in ("direction", "creative"):
        by = "CASE WHEN source = 'chat' THEN 'hand' ELSE 'table' END"
        op.execute(f"UPDATE leads SET {name}_by = {by} WHERE {name}_id IS NOT NULL")  # noqa: S608 - our own names
    with op.batch_alter_table("creatives", schema=None) as batch_op:
        batch_op.create_index("ix_creatives_external_id", ["account_id", "external_id"], unique=False)
    op.create_table(
        "ad_rules",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "version", name=op.f("pk_ad_rules")),
    )
    op.create_table(
        "ad_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("restored", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ad_runs")),
    )
    with op.batch_alter_table("ad_runs", schema=None) as batch_op:
        batch_op.create_index("ix_ad_runs_account_id", ["account_id", "state"], unique=False)
    op.create_table(
        "ad_changes",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("now", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "lead_id", name=op.f("pk_ad_changes")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("ad_changes")
    op.drop_table("ad_runs")
    op.drop_table("ad_rules")
    with op.batch_alter_table("creatives", schema=None) as batch_op:
        batch_op.drop_index("ix_creatives_external_id")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_column("creative_by")
        batch_op.drop_column("direction_by")
