"""Reading the company: a database on SQLite, and the fake portal on a real socket."""

from tests.ground import clock, lite
from tests.integrations.bitrix24.conftest import shop

__all__ = ["clock", "lite", "shop"]
