"""What is kept of notes runs on SQLite and on PostgreSQL."""

from tests.ground import clock, database
from tests.postgres import postgres

__all__ = ["clock", "database", "postgres"]
