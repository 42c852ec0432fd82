"""The stage of each lead by the CRM's numbers, and what a CRM calls its stages and its people."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_stages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("pipeline_id", sa.String(length=32), nullable=False),
        sa.Column("status_id", sa.String(length=32), nullable=False),
        sa.Column("pipeline", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("place", sa.Integer(), server_default="0", nullable=False),
        sa.Column("chosen", sa.String(length=32), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.Column("hinted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_stages")),
        sa.UniqueConstraint(
            "account_id", "source", "pipeline_id", "status_id",
            name=op.f("uq_crm_stages_account_id_source_pipeline_id_status_id"),
        ),
    )  # fmt: skip
    op.create_table(
        "crm_people",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "source", "external_id", name=op.f("pk_crm_people")),
    )
    # Leads that are here get theirs when they are next heard of.
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pipeline_id", sa.String(length=32), server_default="", nullable=False))
        batch_op.add_column(sa.Column("status_id", sa.String(length=32), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_column("status_id")
        batch_op.drop_column("pipeline_id")
    op.drop_table("crm_people")
    op.drop_table("crm_stages")
