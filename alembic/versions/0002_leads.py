"""Leads: people and how they are known, what brought them, and what that cost."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "creatives",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=160), server_default="", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("direction_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creatives")),
        sa.UniqueConstraint("account_id", "title", "external_id", name=op.f("uq_creatives_account_id_title_external_id")),
    )
    op.create_table(
        "directions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directions")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_directions_account_id_name")),
    )
    op.create_table(
        "identities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index("ix_identities_person_id", ["person_id"], unique=False)
        batch_op.create_index(
            "ix_identities_undone",
            ["account_id", "kind", "value"],
            unique=False,
            sqlite_where=sa.text("undone_at IS NOT NULL"),
            postgresql_where=sa.text("undone_at IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_identities_active",
            ["account_id", "kind", "value"],
            unique=True,
            sqlite_where=sa.text("undone_at IS NULL"),
            postgresql_where=sa.text("undone_at IS NULL"),
        )
    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=160), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_key", sa.String(length=20), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("email_key", sa.String(length=254), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("manager_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("manager", sa.Text(), server_default="", nullable=False),
        sa.Column("direction_id", sa.Integer(), nullable=True),
        sa.Column("creative_id", sa.Integer(), nullable=True),
        sa.Column("first_utm_source", sa.Text(), server_default="", nullable=False),
        sa.Column("first_utm_medium", sa.Text(), server_default="", nullable=False),
        sa.Column("first_utm_campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("first_utm_term", sa.Text(), server_default="", nullable=False),
        sa.Column("first_utm_content", sa.Text(), server_default="", nullable=False),
        sa.Column("first_url_marker", sa.Text(), server_default="", nullable=False),
        sa.Column("last_utm_source", sa.Text(), server_default="", nullable=False),
        sa.Column("last_utm_medium", sa.Text(), server_default="", nullable=False),
        sa.Column("last_utm_campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("last_utm_term", sa.Text(), server_default="", nullable=False),
        sa.Column("last_utm_content", sa.Text(), server_default="", nullable=False),
        sa.Column("last_url_marker", sa.Text(), server_default="", nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("commission", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), server_default="", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
    )
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.create_index("ix_leads_account_id_created_at", ["account_id", "created_at", "direction_id"], unique=False)
        batch_op.create_index("ix_leads_person_id", ["person_id", "created_at"], unique=False)
        batch_op.create_index(
            "uq_leads_external_id",
            ["account_id", "source", "external_id"],
            unique=True,
            sqlite_where=sa.text("external_id <> ''"),
            postgresql_where=sa.text("external_id <> ''"),
        )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_table(
        "spend",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("direction_id", sa.Integer(), nullable=True),
        sa.Column("creative_id", sa.Integer(), nullable=True),
        sa.Column("utm_source", sa.Text(), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spend")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_spend_account_id_key")),
    )
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.create_index("ix_spend_account_id_day", ["account_id", "day"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("spend", schema=None) as batch_op:
        batch_op.drop_index("ix_spend_account_id_day")
    op.drop_table("spend")
    op.drop_table("people")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_leads_external_id", sqlite_where=sa.text("external_id <> ''"), postgresql_where=sa.text("external_id <> ''")
        )
        batch_op.drop_index("ix_leads_person_id")
        batch_op.drop_index("ix_leads_account_id_created_at")
    op.drop_table("leads")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_identities_active", sqlite_where=sa.text("undone_at IS NULL"), postgresql_where=sa.text("undone_at IS NULL")
        )
        batch_op.drop_index(
            "ix_identities_undone",
            sqlite_where=sa.text("undone_at IS NOT NULL"),
            postgresql_where=sa.text("undone_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_identities_person_id")
    op.drop_table("identities")
    op.drop_table("directions")
    op.drop_table("creatives")
