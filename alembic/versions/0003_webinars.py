"""Webinars: sessions, registrations, attendance, links, and conversions added up by day."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversion_dirty",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("session_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", "session_id", name=op.f("pk_conversion_dirty")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conversion_rollups",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.Column("came", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("watch_sec", sa.BigInteger(), nullable=False),
        sa.Column("long_visits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "zone", "dimension", "period", "key", name=op.f("pk_conversion_rollups")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("room_id", sa.String(length=160), server_default="", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("clicks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clicked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("code", name=op.f("uq_links_code")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index("ix_links_person_id", ["person_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("dedup_key", sa.String(length=400), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("sublist_id", sa.String(length=160), server_default="", nullable=False),
        sa.Column("room", sa.String(length=160), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("email_key", sa.String(length=254), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_key", sa.String(length=20), server_default="", nullable=False),
        sa.Column("webinar_datetime", UtcDateTime(), nullable=True),
        sa.Column("webinar_time", sa.String(length=8), server_default="", nullable=False),
        sa.Column("webinar_date", sa.String(length=10), server_default="", nullable=False),
        sa.Column("secret", sa.Text(), server_default="", nullable=False),
        sa.Column("url_marker", sa.Text(), server_default="", nullable=False),
        sa.Column("url_marker_name", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_source", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_medium", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_term", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_content", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_keyword", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_banner", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_phrase", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_group", sa.Text(), server_default="", nullable=False),
        sa.Column("link", sa.Text(), server_default="", nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("matched_by", sa.String(length=8), server_default="none", nullable=False),
        sa.Column("created", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("registered_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("account_id", "dedup_key", name=op.f("uq_registrations_account_id_dedup_key")),
    )
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_registrations_email_key",
            ["account_id", "email_key"],
            unique=False,
            sqlite_where=sa.text("email_key <> ''"),
            postgresql_where=sa.text("email_key <> ''"),
        )
        batch_op.create_index(
            "ix_registrations_person_id",
            ["person_id"],
            unique=False,
            sqlite_where=sa.text("person_id IS NOT NULL"),
            postgresql_where=sa.text("person_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_registrations_phone_key",
            ["account_id", "phone_key"],
            unique=False,
            sqlite_where=sa.text("phone_key <> ''"),
            postgresql_where=sa.text("phone_key <> ''"),
        )
        batch_op.create_index("ix_registrations_session", ["account_id", "webinar_datetime"], unique=False)
        batch_op.create_index("ix_registrations_sublist_id", ["account_id", "sublist_id", "created_at"], unique=False)
    op.create_table(
        "webinar_attendees",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("person_key", sa.String(length=300), nullable=False),
        sa.Column("webinar_id", sa.String(length=200), nullable=False),
        sa.Column("webinar_title", sa.Text(), nullable=False),
        sa.Column("webinar_date", UtcDateTime(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("matched_by", sa.String(length=8), server_default="none", nullable=False),
        sa.Column("other_person_id", sa.BigInteger(), nullable=True),
        sa.Column("phone_number", sa.String(length=20), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("username", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=True),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("watch_duration_sec", sa.Integer(), nullable=True),
        sa.Column("attended", sa.Boolean(), nullable=False),
        sa.Column("presence", sa.String(length=16), nullable=False),
        sa.Column("warmth", sa.String(length=8), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("clicked", sa.Boolean(), nullable=False),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("intervals", sa.Text(), server_default="[]", nullable=False),
        sa.Column("link_ids", sa.Text(), server_default="[]", nullable=False),
        sa.Column("city", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_source", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_medium", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_campaign", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_term", sa.Text(), server_default="", nullable=False),
        sa.Column("utm_content", sa.Text(), server_default="", nullable=False),
        sa.Column("url_marker", sa.Text(), server_default="", nullable=False),
        sa.Column("marks_from", sa.String(length=8), server_default="", nullable=False),
        sa.Column("positions", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webinar_attendees")),
        sa.UniqueConstraint("session_id", "person_key", name=op.f("uq_webinar_attendees_session_id_person_key")),
    )
    with op.batch_alter_table("webinar_attendees", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webinar_attendees_email",
            ["account_id", "email"],
            unique=False,
            sqlite_where=sa.text("email <> ''"),
            postgresql_where=sa.text("email <> ''"),
        )
        batch_op.create_index(
            "ix_webinar_attendees_person_id",
            ["person_id", "lead_id", "attended", "watch_duration_sec", "session_id"],
            unique=False,
            sqlite_where=sa.text("person_id IS NOT NULL"),
            postgresql_where=sa.text("person_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_webinar_attendees_phone",
            ["account_id", "phone_number"],
            unique=False,
            sqlite_where=sa.text("phone_number <> '' AND matched_by <> 'phone'"),
            postgresql_where=sa.text("phone_number <> '' AND matched_by <> 'phone'"),
        )
    op.create_table(
        "webinar_records",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "position", name=op.f("pk_webinar_records")),
    )
    op.create_table(
        "webinars",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("vendor", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("room_id", sa.String(length=160), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("live", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("peak", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("report_at", UtcDateTime(), nullable=True),
        sa.Column("heard_at", UtcDateTime(), nullable=False),
        sa.Column("records", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attendees", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webinars")),
        sa.UniqueConstraint("account_id", "vendor", "external_id", name=op.f("uq_webinars_account_id_vendor_external_id")),
    )
    with op.batch_alter_table("webinars", schema=None) as batch_op:
        batch_op.create_index("ix_webinars_account_id_room_id", ["account_id", "room_id", "started_at"], unique=False)
        batch_op.create_index("ix_webinars_account_id_started_at", ["account_id", "started_at"], unique=False)
    op.create_table(
        "link_clicks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_clicks_link_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_clicks")),
    )
    with op.batch_alter_table("link_clicks", schema=None) as batch_op:
        batch_op.create_index("ix_link_clicks_link_id", ["link_id", "at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("link_clicks", schema=None) as batch_op:
        batch_op.drop_index("ix_link_clicks_link_id")
    op.drop_table("link_clicks")
    with op.batch_alter_table("webinars", schema=None) as batch_op:
        batch_op.drop_index("ix_webinars_account_id_started_at")
        batch_op.drop_index("ix_webinars_account_id_room_id")
    op.drop_table("webinars")
    op.drop_table("webinar_records")
    with op.batch_alter_table("webinar_attendees", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_webinar_attendees_phone",
            sqlite_where=sa.text("phone_number <> '' AND matched_by <> 'phone'"),
            postgresql_where=sa.text("phone_number <> '' AND matched_by <> 'phone'"),
        )
        batch_op.drop_index(
            "ix_webinar_attendees_person_id",
            sqlite_where=sa.text("person_id IS NOT NULL"),
            postgresql_where=sa.text("person_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_webinar_attendees_email", sqlite_where=sa.text("email <> ''"), postgresql_where=sa.text("email <> ''")
        )
    op.drop_table("webinar_attendees")
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.drop_index("ix_registrations_sublist_id")
        batch_op.drop_index("ix_registrations_session")
        batch_op.drop_index(
            "ix_registrations_phone_key",
            sqlite_where=sa.text("phone_key <> ''"),
            postgresql_where=sa.text("phone_key <> ''"),
        )
        batch_op.drop_index(
            "ix_registrations_person_id",
            sqlite_where=sa.text("person_id IS NOT NULL"),
            postgresql_where=sa.text("person_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_registrations_email_key",
            sqlite_where=sa.text("email_key <> ''"),
            postgresql_where=sa.text("email_key <> ''"),
        )
    op.drop_table("registrations")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_index("ix_links_person_id")
    op.drop_table("links")
    op.drop_table("conversion_rollups")
    op.drop_table("conversion_dirty")
