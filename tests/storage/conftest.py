"""Every test of the ground runs on SQLite and on PostgreSQL."""

from tests.ground import clock, database, lite
from tests.postgres import postgres
from tests.storage.bench import store

__all__ = ["clock", "database", "lite", "postgres", "store"]
