"""Contacts of a CRM and the leads they belong to: a hook of a lead holds no phone, and one of a contact may come first."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from storage.models.types import UtcDateTime, metadata

crm_contacts = Table(
    "crm_contacts",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("source", String(32), nullable=False),
    Column("external_id", String(32), nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),  # the first one that is given, as written
    Column("email", Text, nullable=False, server_default=""),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    PrimaryKeyConstraint("account_id", "source", "external_id"),
)

crm_links = Table(
    "crm_links",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("source", String(32), nullable=False),
    Column("lead_id", String(32), nullable=False),
    Column("contact_id", String(32), nullable=False),
    Column("place", Integer, nullable=False),  # 0: the lead's main contact; LAST_PLACE: nobody has said
    PrimaryKeyConstraint("account_id", "source", "lead_id", "contact_id"),
    Index("ix_crm_links_contact", "account_id", "source", "contact_id"),
)
