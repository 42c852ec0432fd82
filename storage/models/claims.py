"""Who of the team took whom from a webinar."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from storage.models.types import UtcDateTime, metadata

# The first to insert the row has taken the person: there is no other way to.
webinar_claims = Table(
    "webinar_claims",
    metadata,
    Column("session_id", Integer, primary_key=True, autoincrement=False),  # webinars.id
    Column("person_key", String(300), primary_key=True),  # phone:…, email:…, as of webinar_attendees
    Column("account_id", Integer, nullable=False),
    Column("taken_by", BigInteger, nullable=False),  # users.telegram_id
    Column("taken_by_name", Text, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
)

# Who of the team took a new lead; the first press wins.
lead_claims = Table(
    "lead_claims",
    metadata,
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Integer, nullable=False),
    Column("taken_by", BigInteger, nullable=False),
    Column("taken_by_name", Text, nullable=False, server_default=""),
    Column("taken_at", UtcDateTime, nullable=False),
)
