"""Who of the team took whom from a webinar; chats that take calls take webinars and registrations too."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEW = ",webinar,registration"


def upgrade() -> None:
    op.create_table(
        "webinar_claims",
        sa.Column("session_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_key", sa.String(length=300), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_by_name", sa.Text(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "person_key", name=op.f("pk_webinar_claims")),
    )
    op.execute(sa.text("UPDATE destinations SET kinds = kinds || :new WHERE kinds LIKE '%call%'").bindparams(new=_NEW))


def downgrade() -> None:
    op.execute(sa.text("UPDATE destinations SET kinds = replace(kinds, :new, '')").bindparams(new=_NEW))
    op.drop_table("webinar_claims")
