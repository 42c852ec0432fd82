"""Posts that a person may have to look at are found without reading all others: held by a restore, possibly repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    held, repeated = sa.text("state = 'held'"), sa.text("possible_repeats > 0")
    op.create_index("ix_posts_held", "posts", ["account_id"], sqlite_where=held, postgresql_where=held)
    op.create_index(
        "ix_posts_repeated", "posts", ["account_id", "created_at"], sqlite_where=repeated, postgresql_where=repeated
    )


def downgrade() -> None:
    op.drop_index("ix_posts_repeated", table_name="posts")
    op.drop_index("ix_posts_held", table_name="posts")
