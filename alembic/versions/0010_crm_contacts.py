"""Contacts of a CRM, and whose leads they are."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_contacts",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "source", "external_id", name=op.f("pk_crm_contacts")),
    )
    op.create_table(
        "crm_links",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("lead_id", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "source", "lead_id", "contact_id", name=op.f("pk_crm_links")),
    )
    op.create_index("ix_crm_links_contact", "crm_links", ["account_id", "source", "contact_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_crm_links_contact", table_name="crm_links")
    op.drop_table("crm_links")
    op.drop_table("crm_contacts")
