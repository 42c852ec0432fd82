"""The ground under the process's own parts."""

from tests.bot.api_door import api
from tests.ground import clock, database, lite

__all__ = ["api", "clock", "database", "lite"]
