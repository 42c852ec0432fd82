"""What is kept of a CRM besides its leads: contacts and whose leads they are, the names of its stages and of its people.

A hook of a lead holds no phone, and one of a contact may come first.
"""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, UniqueConstraint

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

# One that was met in a lead is here before the CRM has told its name; one that the CRM no longer lists keeps its name.
crm_stages = Table(
    "crm_stages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("source", String(32), nullable=False),
    Column("pipeline_id", String(32), nullable=False),
    Column("status_id", String(32), nullable=False),
    Column("pipeline", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),  # "": nobody has told it
    Column("place", Integer, nullable=False, server_default="0"),  # among all stages, as the CRM orders them
    Column("chosen", String(32), nullable=False, server_default=""),  # a LeadStatus, OWN_NAME, "": nobody has chosen
    Column("status", Text, nullable=False),  # what its leads are said to be in: domain.crm.StageMap
    Column("heard_at", UtcDateTime),  # when the CRM last listed it
    Column("hinted_at", UtcDateTime),  # when people were told that nobody knows it
    UniqueConstraint("account_id", "source", "pipeline_id", "status_id"),
)

crm_people = Table(
    "crm_people",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("source", String(32), nullable=False),
    Column("external_id", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("heard_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("account_id", "source", "external_id"),
)
