"""One person's rows of one webinar counted as one: which row is part of which, and what each was by itself.

Rows that are there are joined by the next measuring of all visits, which begins by itself within a minute of the start.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_VISITS = ["person_id", "lead_id", "attended", "watch_duration_sec", "session_id"]
_KNOWN, _PARTS = sa.text("person_id IS NOT NULL"), sa.text("part_of IS NOT NULL")
_TIMES = ("joined_at", "left_at")


def upgrade() -> None:
    op.add_column("webinars", sa.Column("yardstick", sa.Text(), server_default="", nullable=False))
    op.add_column("webinar_attendees", sa.Column("part_of", sa.BigInteger(), nullable=True))
    op.add_column("webinar_attendees", sa.Column("own", sa.Text(), nullable=True))
    _index_visits([*_VISITS, "part_of"])
    op.create_index(
        "ix_webinar_attendees_parts", "webinar_attendees", ["session_id", "part_of"], sqlite_where=_PARTS,
        postgresql_where=_PARTS,
    )  # fmt: skip
    _measure_anew()


def downgrade() -> None:
    _give_back()
    op.drop_index("ix_webinar_attendees_parts", "webinar_attendees")
    _index_visits(_VISITS)
    op.drop_column("webinar_attendees", "own")
    op.drop_column("webinar_attendees", "part_of")
    op.drop_column("webinars", "yardstick")
    _measure_anew()


def _index_visits(columns: list[str]) -> None:
    name = "ix_webinar_attendees_person_id"
    op.drop_index(name, "webinar_attendees")
    op.create_index(name, "webinar_attendees", columns, sqlite_where=_KNOWN, postgresql_where=_KNOWN)


def _measure_anew() -> None:
    """The process measures all visits, and counts their days, when it finds that it has not done so."""
    op.execute("DELETE FROM settings WHERE name = 'yardstick'")


def _give_back() -> None:
    """Each row as it was by itself; whether that is «attended» is measured anew."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for id_, own in connection.execute(sa.text("SELECT id, own FROM webinar_attendees WHERE own IS NOT NULL")).all():
        values = json.loads(own)
        names = [f"{name} = {_as(name, sqlite=sqlite)}" for name in values]
        sql = f"UPDATE webinar_attendees SET {', '.join(names)} WHERE id = :id"  # noqa: S608 - names of columns
        connection.execute(sa.text(sql), {"id": id_, **values})


def _as(name: str, *, sqlite: bool) -> str:
    return f":{name}" if sqlite or name not in _TIMES else f"CAST(:{name} AS timestamptz)"
