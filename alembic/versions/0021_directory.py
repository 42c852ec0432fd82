"""Houses, employees and departments as the CRM lists them, and which fields of a deal say what of a house."""

import sqlalchemy as sa
from alembic import op

from storage.models.types import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLES = ("house_mappings", "departments", "employee_departments", "employees", "houses", "directory_lists")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _row() -> list[sa.Column[int] | sa.Column[str]]:
    """What every row of a list begins with."""
    return [
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "directory_lists",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("newest", sa.Integer(), server_default="0", nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.String(length=64), server_default="", nullable=False),
        sa.Column("hint", sa.Text(), server_default="", nullable=False),
        sa.Column("problem_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_directory_lists")),
    )
    _create_houses()
    _create_people()
    op.create_table(
        "house_mappings",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chosen", sa.Text(), server_default="{}", nullable=False),
        sa.Column("pipeline_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("fields", sa.Text(), server_default="[]", nullable=False),
        sa.Column("pipelines", sa.Text(), server_default="[]", nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_house_mappings")),
    )


def _create_houses() -> None:
    op.create_table(
        "houses",
        *_row(),
        *_texts("title", "address", "flats", "entrances", "floors"),
        sa.Column("flats_count", sa.Integer(), nullable=True),
        sa.Column("entrances_count", sa.Integer(), nullable=True),
        sa.Column("floors_count", sa.Integer(), nullable=True),
        *_texts("company", "company_key", "schedule", "brigade"),
        sa.Column("stage_id", sa.String(length=64), nullable=False),
        sa.Column("responsible_id", sa.String(length=64), nullable=False),
        *_texts("url", "search"),
        sa.PrimaryKeyConstraint("account_id", "generation", "external_id", name=op.f("pk_houses")),
    )
    with op.batch_alter_table("houses", schema=None) as batch_op:
        batch_op.create_index("ix_houses_number", ["account_id", "generation", "number"], unique=False)


def _create_people() -> None:
    op.create_table(
        "employees",
        *_row(),
        *_texts("full_name", "position"),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_texts("phone", "email", "extension", "search"),
        sa.PrimaryKeyConstraint("account_id", "generation", "external_id", name=op.f("pk_employees")),
    )
    op.create_table(
        "employee_departments",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("department_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "generation", "employee_id", "department_id", name=op.f("pk_employee_departments")
        ),
    )
    op.create_table(
        "departments",
        *_row(),
        *_texts("name"),
        sa.Column("parent_id", sa.String(length=64), nullable=False),
        sa.Column("head_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "generation", "external_id", name=op.f("pk_departments")),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
