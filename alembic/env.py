"""Alembic's entry: runs the migrations on the connection that storage.migrate hands over."""

from alembic import context
from sqlalchemy import Connection

from storage.models import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
