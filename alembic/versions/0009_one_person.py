"""What a lead says of its form and its person, people taken for one, and who took a new lead; chats of calls take leads."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import BigId, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_into", sa.BigInteger(), nullable=True))
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index("ix_people_merged_into", "people", ["merged_into"], sqlite_where=merged, postgresql_where=merged)
    with op.batch_alter_table("leads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contact_id", sa.String(64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("form", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("url", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("extra", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("matched_by", sa.String(16), nullable=False, server_default="none"))
    op.create_table(
        "person_joins",
        sa.Column("id", BigId, nullable=False, autoincrement=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("value", sa.String(254), nullable=False, server_default=""),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_joins")),
    )
    op.create_index("ix_person_joins_person_id", "person_joins", ["person_id"])
    op.create_index("ix_person_joins_other_id", "person_joins", ["other_id"])
    op.create_table(
        "lead_claims",
        sa.Column("lead_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_by_name", sa.Text(), nullable=False, server_default=""),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_lead_claims")),
    )
    op.execute(sa.text("UPDATE destinations SET kinds = kinds || ',lead' WHERE kinds LIKE '%call%'"))


def downgrade() -> None:
    op.execute(sa.text("UPDATE destinations SET kinds = replace(kinds, ',lead', '')"))
    op.drop_table("lead_claims")
    op.drop_index("ix_person_joins_other_id", table_name="person_joins")
    op.drop_index("ix_person_joins_person_id", table_name="person_joins")
    op.drop_table("person_joins")
    with op.batch_alter_table("leads", schema=None) as batch_op:
        for name in ("matched_by", "extra", "url", "form", "contact_id"):
            batch_op.drop_column(name)
    op.drop_index("ix_people_merged_into", table_name="people")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_column("merged_into")
