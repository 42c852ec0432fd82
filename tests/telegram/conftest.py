"""Fixtures of the Telegram tests: a bench for the sender, a town for the whole."""

from tests.telegram.bench import bench, database, quick
from tests.telegram.town import town

__all__ = ["bench", "database", "quick", "town"]
