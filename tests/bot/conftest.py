"""The ground under the process's own parts."""

from tests.ground import clock, database, lite

__all__ = ["clock", "database", "lite"]
