"""The company as its CRM lists it: houses, people and departments, each list as it was read last in whole.

A reading writes under a generation of its own and is seen when it is complete; the one before it is deleted then.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from storage.models.types import UtcDateTime, metadata

directory_lists = Table(
    "directory_lists",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("name", String(16), nullable=False),  # storage.directory.List
    Column("generation", Integer, nullable=False, server_default="0"),  # the complete one; 0: never read
    Column("newest", Integer, nullable=False, server_default="0"),  # the one that was begun last
    Column("read_at", UtcDateTime),  # when the complete one was
    Column("count", Integer, nullable=False, server_default="0"),
    Column("problem", String(64), nullable=False, server_default=""),  # why the last reading came to nothing: its code
    Column("hint", Text, nullable=False, server_default=""),
    Column("problem_at", UtcDateTime),
    PrimaryKeyConstraint("account_id", "name"),
)

houses = Table(
    "houses",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("external_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),  # external_id where it is a number: the CRM's order
    Column("title", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("flats", Text, nullable=False),  # as people read them; the next three are what can be added up
    Column("entrances", Text, nullable=False),
    Column("floors", Text, nullable=False),
    Column("flats_count", Integer),
    Column("entrances_count", Integer),
    Column("floors_count", Integer),
    Column("company", Text, nullable=False),
    Column("company_key", Text, nullable=False),  # folded: one company, however it is written
    Column("schedule", Text, nullable=False),
    Column("brigade", Text, nullable=False),
    Column("pipeline_id", String(64), nullable=False, server_default=""),
    Column("stage_id", String(64), nullable=False),
    Column("responsible_id", String(64), nullable=False),
    Column("url", Text, nullable=False),
    Column("search", Text, nullable=False),  # storage.finding.searchable
    Column("place", Text, nullable=False, server_default=""),  # storage.finding.place_of
    PrimaryKeyConstraint("account_id", "generation", "external_id"),
    Index("ix_houses_number", "account_id", "generation", "number"),
)

employees = Table(
    "employees",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("external_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("called", Text, nullable=False, server_default=""),  # as a call names its employee
    Column("position", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("extension", Text, nullable=False),
    Column("search", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "generation", "external_id"),
)

# Who is in which department, by the CRM's numbers: one may be in several.
employee_departments = Table(
    "employee_departments",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False),  # of the list of employees
    Column("employee_id", String(64), nullable=False),
    Column("department_id", String(64), nullable=False),
    Column("place", Integer, nullable=False),
    PrimaryKeyConstraint("account_id", "generation", "employee_id", "department_id"),
)

departments = Table(
    "departments",
    metadata,
    Column("account_id", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("external_id", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_id", String(64), nullable=False),
    Column("head_id", String(64), nullable=False),
    Column("place", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "generation", "external_id"),
)

# Which field of a deal's card says what of a house: what people have chosen, and what the CRM has told to choose from.
house_mappings = Table(
    "house_mappings",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("chosen", Text, nullable=False, server_default="{}"),  # JSON: HouseField → code, "" for none of them
    Column("pipeline_id", String(64), nullable=False, server_default=""),
    Column("fields", Text, nullable=False, server_default="[]"),  # JSON: domain.directory.CardField
    Column("pipelines", Text, nullable=False, server_default="[]"),  # JSON: domain.directory.CardPipeline
    Column("heard_at", UtcDateTime),
)
