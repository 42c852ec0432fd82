"""People and how they are known, their leads, and what the ads that brought them are called and cost."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from storage.models.types import BigId, UtcDateTime, metadata

_ACTIVE, _UNDONE = text("undone_at IS NULL"), text("undone_at IS NOT NULL")
_MERGED = text("merged_into IS NOT NULL")
_FROM_OUTSIDE = text("external_id <> ''")
_OF_ENTRY, _REPLACED = text("entry_id IS NOT NULL"), text("replaced_by IS NOT NULL")

people = Table(
    "people",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("merged_into", BigInteger),  # who they turned out to be, until somebody says that they are not
    Index("ix_people_merged_into", "merged_into", sqlite_where=_MERGED, postgresql_where=_MERGED),
)

# Two people taken for one, or one for two, and all that moved with it, so that it can be taken back.
person_joins = Table(
    "person_joins",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("person_id", BigInteger, nullable=False),
    Column("other_id", BigInteger, nullable=False),  # who is, or was, united with them
    Column("reason", String(16), nullable=False),  # email | contact | hand: what says that they are one, or two
    Column("value", String(254), nullable=False, server_default=""),  # the key that said so
    Column("lead_id", BigInteger),  # the lead that carried it
    Column("state", String(16), nullable=False),  # storage.joins: suggested | united | parted
    Column("moved", Text, nullable=False, server_default="{}"),  # JSON: ids of the rows that moved, by table
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", BigInteger),
    Column("changed_at", UtcDateTime),
    Column("changed_by", BigInteger),
    Index("ix_person_joins_person_id", "person_id"),
    Index("ix_person_joins_other_id", "other_id"),
)

# A value is one person's at a time. What a person of the team has undone stays, so that nothing joins it again.
identities = Table(
    "identities",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # phone | email | link | a vendor's name
    Column("value", String(254), nullable=False),  # the key: 79991234567, lower-case e-mail, an id
    Column("person_id", BigInteger, nullable=False),
    Column("source", String(32), nullable=False),  # what said so: amocrm, tilda, import, bizon365, hand
    Column("since", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
    Column("import_id", Integer),  # the table that alone says so; hidden as long as that is hidden
    Index(
        "uq_identities_active", "account_id", "kind", "value", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    ),
    Index("ix_identities_undone", "account_id", "kind", "value", sqlite_where=_UNDONE, postgresql_where=_UNDONE),
    Index("ix_identities_person_id", "person_id"),
)

leads = Table(
    "leads",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("account_id", Integer, nullable=False),
    Column("person_id", BigInteger),
    Column("source", String(32), nullable=False),  # amocrm | tilda | import | bizon365 | chat
    Column("external_id", String(160), nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("phone", Text, nullable=False, server_default=""),  # as written, a WhatsApp id too
    Column("phone_key", String(20), nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    Column("email_key", String(254), nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default=""),
    Column("pipeline_id", String(32), nullable=False, server_default=""),  # of the stage that ``status`` was told by
    Column("status_id", String(32), nullable=False, server_default=""),
    Column("manager_id", String(64), nullable=False, server_default=""),
    Column("manager", Text, nullable=False, server_default=""),
    Column("direction_id", Integer),
    Column("creative_id", Integer),
    Column("direction_by", String(8), nullable=False, server_default=""),  # domain.ads.By: who has said it
    Column("creative_by", String(8), nullable=False, server_default=""),
    Column("first_utm_source", Text, nullable=False, server_default=""),
    Column("first_utm_medium", Text, nullable=False, server_default=""),
    Column("first_utm_campaign", Text, nullable=False, server_default=""),
    Column("first_utm_term", Text, nullable=False, server_default=""),
    Column("first_utm_content", Text, nullable=False, server_default=""),
    Column("first_url_marker", Text, nullable=False, server_default=""),
    Column("last_utm_source", Text, nullable=False, server_default=""),
    Column("last_utm_medium", Text, nullable=False, server_default=""),
    Column("last_utm_campaign", Text, nullable=False, server_default=""),
    Column("last_utm_term", Text, nullable=False, server_default=""),
    Column("last_utm_content", Text, nullable=False, server_default=""),
    Column("last_url_marker", Text, nullable=False, server_default=""),
    Column("value", BigInteger),  # minor units of ``currency``
    Column("commission", BigInteger),
    Column("currency", String(3), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),  # when it became a lead, by its source
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("import_id", Integer),  # the table that brought it first: undoing another one leaves it
    Column("contact_id", String(64), nullable=False, server_default=""),  # the source's id of the person
    Column("form", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    Column("extra", Text, nullable=False, server_default=""),  # JSON {name: value} of what has no column
    Column("matched_by", String(16), nullable=False, server_default="none"),  # phone | contact | email | link
    Index(
        "uq_leads_external_id", "account_id", "source", "external_id",
        unique=True, sqlite_where=_FROM_OUTSIDE, postgresql_where=_FROM_OUTSIDE,
    ),
    Index("ix_leads_account_id_created_at", "account_id", "created_at", "direction_id"),
    Index("ix_leads_person_id", "person_id", "created_at"),
)  # fmt: skip

directions = Table(
    "directions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("archived_at", UtcDateTime),
    UniqueConstraint("account_id", "name"),
)

creatives = Table(
    "creatives",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("external_id", String(160), nullable=False, server_default=""),
    Column("title", Text, nullable=False),
    Column("direction_id", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("archived_at", UtcDateTime),
    UniqueConstraint("account_id", "title", "external_id"),
    Index("ix_creatives_external_id", "account_id", "external_id"),
)

spend = Table(
    "spend",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("key", String(200), nullable=False),  # what the same row of the same source has again
    Column("day", String(10), nullable=False),  # a date of the account's zone
    Column("direction_id", Integer),
    Column("creative_id", Integer),
    Column("utm_source", Text, nullable=False, server_default=""),
    Column("amount", BigInteger, nullable=False),  # minor units of ``currency``
    Column("currency", String(3), nullable=False),
    Column("source", String(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("entry_id", Integer),  # what was said in words; None: a table's row
    Column("replaced_by", Integer),  # the entry that stands for it: as long as it does, this is counted nowhere
    UniqueConstraint("account_id", "key"),
    Index("ix_spend_account_id_day", "account_id", "day"),
    Index("ix_spend_utm_source", "account_id", "utm_source"),
    Index("ix_spend_entry_id", "account_id", "entry_id", sqlite_where=_OF_ENTRY, postgresql_where=_OF_ENTRY),
    Index("ix_spend_replaced_by", "account_id", "replaced_by", sqlite_where=_REPLACED, postgresql_where=_REPLACED),
)

# Money told of in words. A draft is kept here, too: its buttons may be pressed after a restart.
spend_entries = Table(
    "spend_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # domain.spending.EntryState
    Column("amount", BigInteger, nullable=False),  # minor units of ``currency``
    Column("currency", String(3), nullable=False),
    Column("first_day", String(10), nullable=False),  # dates of the account's zone, both included
    Column("last_day", String(10), nullable=False),
    Column("utm_source", Text, nullable=False, server_default=""),
    Column("direction", Text, nullable=False, server_default=""),  # names: a draft may bring new ones
    Column("creative", Text, nullable=False, server_default=""),
    Column("edits", Integer),  # the entry it takes the place of
    Column("told_by", BigInteger, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_spend_entries_account_id_state", "account_id", "state"),
)

# Tables that people sent: looked through first, loaded when they say so.
imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # domain.imports.ImportKind
    Column("name", Text, nullable=False),  # of the file, as it was sent
    Column("path", Text, nullable=False),  # relative to DATA_DIR, "" once the file is gone
    Column("sha256", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # domain.imports.State
    Column("rows", Integer, nullable=False),
    Column("added", Integer, nullable=False, server_default="0"),
    Column("changed", Integer, nullable=False, server_default="0"),
    Column("same", Integer, nullable=False, server_default="0"),
    Column("asked_by", BigInteger, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("shown_at", UtcDateTime, nullable=False),
    Column("loaded_at", UtcDateTime),
    Column("done", Integer, nullable=False, server_default="0"),  # rows gone through so far
    Column("was", Text, nullable=False, server_default=""),  # JSON {key: amount before}: of a table of spend
    Column("undone", Text, nullable=False, server_default=""),  # JSON: what became of its rows when it was taken out
    Index("ix_imports_account_id_sha256", "account_id", "sha256"),
    Index("ix_imports_state", "state"),
)

# Which leads a table tells of, and what it did to each: kept for as long as it can be undone.
import_leads = Table(
    "import_leads",
    metadata,
    Column("import_id", Integer, primary_key=True, autoincrement=False),
    Column("lead_id", BigInteger, primary_key=True, autoincrement=False),
    Column("how", String(8), nullable=False),  # added | told | changed | same; told: to be changed once it is shown
    Column("told", Text, nullable=False, server_default=""),  # JSON {column: value}, "" where it brought the lead
    Column("was", Text, nullable=False, server_default=""),  # JSON {column: value}: what stood there before it changed it
    Index("ix_import_leads_lead_id", "lead_id"),
    sqlite_with_rowid=False,
)
