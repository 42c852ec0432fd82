"""Spend is found by the entry it is of, by the entry that stands for it, and its sources without reading its rows."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("entry_id", "replaced_by"):
        told = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_spend_{column}", "spend", ["account_id", column], sqlite_where=told, postgresql_where=told
        )  # fmt: skip
    op.create_index("ix_spend_utm_source", "spend", ["account_id", "utm_source"])


def downgrade() -> None:
    for column in ("utm_source", "replaced_by", "entry_id"):
        op.drop_index(f"ix_spend_{column}", table_name="spend")
