"""Houses know their pipeline, and their place in a list by street and number; both come with the next reading."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("houses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pipeline_id", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("place", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("houses", schema=None) as batch_op:
        batch_op.drop_column("place")
        batch_op.drop_column("pipeline_id")
