"""What tests of digests share."""

from tests.ground import clock, database, lite
from tests.handlers.conftest import golden, pytest_addoption, reader
from tests.postgres import postgres

__all__ = ["clock", "database", "golden", "lite", "postgres", "pytest_addoption", "reader"]
