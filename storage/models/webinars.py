"""Webinars: sessions, who registered, who was there, their links, and what the ads brought, added up by day."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.models.types import BigId, UtcDateTime, metadata

_WITH_PERSON, _EMAILED = text("person_id IS NOT NULL"), text("email <> ''")
_PHONED = text("phone_number <> '' AND matched_by <> 'phone'")  # who may yet be found by it
_PART = text("part_of IS NOT NULL")
_KEYED_PHONE, _KEYED_EMAIL = text("phone_key <> ''"), text("email_key <> ''")

webinars = Table(
    "webinars",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("vendor", String(32), nullable=False),
    Column("external_id", String(200), nullable=False),  # the platform's id of the session
    Column("room_id", String(160), nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("started_at", UtcDateTime),
    Column("minutes", Integer, nullable=False, server_default="0"),
    Column("ended_at", UtcDateTime, nullable=False),  # by its length, or when we knew it to be over
    Column("live", Boolean, nullable=False, server_default="1"),
    Column("peak", Integer, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),  # pending_report | loading | complete
    Column("source", String(16), nullable=False),  # hook | poll | remade | replay | rehearsal
    Column("report_at", UtcDateTime),  # when the platform made the report
    Column("heard_at", UtcDateTime, nullable=False),
    Column("records", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("missing", Integer, nullable=False, server_default="0"),  # of the platform's total, never given
    Column("attendees", Integer, nullable=False, server_default="0"),  # rows; those that are parts of others too
    Column("yardstick", Text, nullable=False, server_default=""),  # JSON: by what its rows were measured; "" the usual one
    UniqueConstraint("account_id", "vendor", "external_id"),
    Index("ix_webinars_account_id_started_at", "account_id", "started_at"),
    Index("ix_webinars_account_id_room_id", "account_id", "room_id", "started_at"),
)

registrations = Table(
    "registrations",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("dedup_key", String(400), nullable=False),  # page, person, session
    Column("source", String(16), nullable=False),  # hook | bot | api
    Column("sublist_id", String(160), nullable=False, server_default=""),
    Column("room", String(160), nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("email_key", String(254), nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),
    Column("phone_key", String(20), nullable=False, server_default=""),
    Column("webinar_datetime", UtcDateTime),  # the session registered for
    Column("webinar_time", String(8), nullable=False, server_default=""),  # the same as the platform shows it
    Column("webinar_date", String(10), nullable=False, server_default=""),
    Column("secret", Text, nullable=False, server_default=""),  # opens the room as this person; shown to admins only
    Column("url_marker", Text, nullable=False, server_default=""),
    Column("url_marker_name", Text, nullable=False, server_default=""),
    Column("utm_source", Text, nullable=False, server_default=""),
    Column("utm_medium", Text, nullable=False, server_default=""),
    Column("utm_campaign", Text, nullable=False, server_default=""),
    Column("utm_term", Text, nullable=False, server_default=""),
    Column("utm_content", Text, nullable=False, server_default=""),
    Column("utm_keyword", Text, nullable=False, server_default=""),
    Column("utm_banner", Text, nullable=False, server_default=""),
    Column("utm_phrase", Text, nullable=False, server_default=""),
    Column("utm_group", Text, nullable=False, server_default=""),
    Column("link", Text, nullable=False, server_default=""),  # their personal link to the room, where it was told
    Column("person_id", BigInteger),
    Column("other_person_id", BigInteger),  # whom the e-mail or the link names, where the phone says it is another
    Column("lead_id", BigInteger),
    Column("matched_by", String(8), nullable=False, server_default="none"),
    Column("created", Boolean, nullable=False, server_default="0"),  # nobody was known: a person and a lead were made of it
    Column("registered_by", BigInteger),  # who of the team did it
    Column("reacted_at", UtcDateTime),  # when the rule for registrations was carried out: it is once for each
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "dedup_key"),
    Index("ix_registrations_session", "account_id", "webinar_datetime"),
    Index("ix_registrations_created_at", "account_id", "created_at"),
    Index("ix_registrations_sublist_id", "account_id", "sublist_id", "created_at"),
    Index("ix_registrations_person_id", "person_id", sqlite_where=_WITH_PERSON, postgresql_where=_WITH_PERSON),
    Index("ix_registrations_phone_key", "account_id", "phone_key", sqlite_where=_KEYED_PHONE, postgresql_where=_KEYED_PHONE),
    Index("ix_registrations_email_key", "account_id", "email_key", sqlite_where=_KEYED_EMAIL, postgresql_where=_KEYED_EMAIL),
)

# What the team wants to happen when somebody registers. A page's own rule takes the place of the one for all pages.
registration_rules = Table(
    "registration_rules",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("page_id", String(160), primary_key=True),  # "" for all pages
    Column("message", Text, nullable=False, server_default=""),  # for the client, sent by a person; "" for none
    Column("status", Text, nullable=False, server_default=""),  # what their lead becomes; "" leaves it
    Column("changed_by", BigInteger, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# A row is a person at a session, by one of their keys. Who came by two has two rows: one says what both come to, the other
# is part of it and counts for nobody (storage/wholes.py). Readers take rows of complete sessions only (webinars.state).
webinar_attendees = Table(
    "webinar_attendees",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("session_id", Integer, nullable=False),  # webinars.id
    Column("person_key", String(300), nullable=False),  # what their records share: phone:…, email:…, user:…, row:…
    Column("webinar_id", String(200), nullable=False),  # the platform's id, as webinars.external_id
    Column("webinar_title", Text, nullable=False),
    Column("webinar_date", UtcDateTime),
    Column("person_id", BigInteger),
    Column("lead_id", BigInteger),
    Column("matched_by", String(8), nullable=False, server_default="none"),  # domain.webinars.MatchedBy
    Column("other_person_id", BigInteger),  # whom the e-mail names, where the phone names another
    Column("phone_number", String(20), nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),  # as written
    Column("username", Text, nullable=False, server_default=""),
    Column("email", String(254), nullable=False, server_default=""),  # lower case
    Column("joined_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    Column("watch_duration_sec", Integer),  # NULL: unknown, not zero
    Column("attended", Boolean, nullable=False),
    Column("presence", String(16), nullable=False),  # domain.attendance.Presence
    Column("warmth", String(8), nullable=False),  # domain.attendance.Warmth
    Column("finished", Boolean, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("clicked", Boolean, nullable=False),
    Column("ordered", Boolean, nullable=False),
    Column("intervals", Text, nullable=False, server_default="[]"),  # JSON [[from, to], …], seconds since 1970 UTC
    Column("link_ids", Text, nullable=False, server_default="[]"),  # JSON [id, …], likeliest first
    Column("city", Text, nullable=False, server_default=""),
    Column("country", Text, nullable=False, server_default=""),
    Column("utm_source", Text, nullable=False, server_default=""),
    Column("utm_medium", Text, nullable=False, server_default=""),
    Column("utm_campaign", Text, nullable=False, server_default=""),
    Column("utm_term", Text, nullable=False, server_default=""),
    Column("utm_content", Text, nullable=False, server_default=""),
    Column("url_marker", Text, nullable=False, server_default=""),
    Column("marks_from", String(8), nullable=False, server_default=""),  # viewer | lead: whose utm it is
    Column("positions", Text, nullable=False, server_default="[]"),  # JSON [n, …]: their webinar_records
    Column("part_of", BigInteger),  # the row of the same person that says what this one says too
    Column("own", Text),  # JSON: what this row says by itself, where it says what several come to
    UniqueConstraint("session_id", "person_key"),
    Index("ix_webinar_attendees_parts", "session_id", "part_of", sqlite_where=_PART, postgresql_where=_PART),
    Index("ix_webinar_attendees_phone", "account_id", "phone_number", sqlite_where=_PHONED, postgresql_where=_PHONED),
    Index("ix_webinar_attendees_email", "account_id", "email", sqlite_where=_EMAILED, postgresql_where=_EMAILED),
    Index(  # each index costs as much as the row: this one is both for a person's visits and for what a lead's come to
        "ix_webinar_attendees_person_id", "person_id", "lead_id", "attended", "watch_duration_sec", "session_id",
        "part_of", sqlite_where=_WITH_PERSON, postgresql_where=_WITH_PERSON,
    ),
)  # fmt: skip

webinar_records = Table(
    "webinar_records",
    metadata,
    Column("session_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # as the platform ordered them, from 0
    Column("raw", Text, nullable=False),  # the viewer's record whole, JSON
)

links = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("code", String(32), nullable=False, unique=True),  # of the short link, and what the personal one carries
    Column("url", Text, nullable=False),  # where it leads
    Column("title", Text, nullable=False, server_default=""),
    Column("person_id", BigInteger),
    Column("lead_id", BigInteger),
    Column("room_id", String(160), nullable=False, server_default=""),
    Column("created_by", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Column("clicks", Integer, nullable=False, server_default="0"),
    Column("clicked_at", UtcDateTime),
    Index("ix_links_person_id", "person_id"),
)

link_clicks = Table(
    "link_clicks",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("link_id", Integer, ForeignKey("links.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_link_clicks_link_id", "link_id", "at"),
)

# Leads of a day or month of the account's zone and what came of them; a day's figures are the sum over its leads.
conversion_rollups = Table(
    "conversion_rollups",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("zone", String(64), primary_key=True),
    Column("dimension", String(16), primary_key=True),  # direction | creative | source | partner
    Column("period", String(10), primary_key=True),  # 2026-11-28, or 2026-11 for the whole month
    Column("key", String(250), primary_key=True),  # the id or the text itself, "" for none
    Column("leads", Integer, nullable=False),
    Column("came", Integer, nullable=False),  # leads with at least one attended visit
    Column("visits", Integer, nullable=False),  # attended webinars: one lead may have several
    Column("watch_sec", BigInteger, nullable=False),
    Column("long_visits", Integer, nullable=False),  # of more than 1800 s
    sqlite_with_rowid=False,
)

# UTC dates of leads whose figures have changed since they were added up; another stamp, another change. What a session
# changed waits until it is complete.
conversion_dirty = Table(
    "conversion_dirty",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    Column("session_id", Integer, primary_key=True, autoincrement=False),  # 0: no session's, a lead itself changed
    Column("stamp", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Webinars some of whose people have become known, or unknown, or registered, since their cards were written; another stamp,
# another change.
webinar_changes = Table(
    "webinar_changes",
    metadata,
    Column("session_id", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Integer, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
