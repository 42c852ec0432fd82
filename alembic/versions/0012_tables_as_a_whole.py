"""Tables become visible as a whole, and what they did is remembered for as long as it can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_leads",
        sa.Column("import_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("told", sa.Text(), server_default="", nullable=False),
        sa.Column("was", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("import_id", "lead_id", name=op.f("pk_import_leads")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("import_leads", schema=None) as batch_op:
        batch_op.create_index("ix_import_leads_lead_id", ["lead_id"], unique=False)
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("done", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("was", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("undone", sa.Text(), server_default="", nullable=False))
        batch_op.create_index("ix_imports_state", ["state"], unique=False)
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("import_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_column("import_id")
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.drop_index("ix_imports_state")
        batch_op.drop_column("undone")
        batch_op.drop_column("was")
        batch_op.drop_column("done")
    op.drop_table("import_leads")
