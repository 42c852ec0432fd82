"""The real clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall time in aware UTC for what is stored and shown, monotonic seconds for pacing."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
