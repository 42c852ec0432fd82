"""Is Telegram reachable: how long to wait before the next try, and when to say so, once each way."""

BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
TOLD_AFTER = 2  # failures in a row: a single refused connection is not worth a word


class Outage:
    """Counts failures in a row of requests that surely did nothing. Moments are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._failures = 0
        self._told = False
        self.since: float | None = None

    @property
    def active(self) -> bool:
        return self._failures > 0

    def failed(self, now: float) -> float:
        """Seconds to wait before trying again."""
        if self.since is None:
            self.since = now
        pause = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
        self._failures += 1
        return pause

    def must_tell(self) -> bool:
        """True once per outage, when it has proved to be one."""
        if self._told or self._failures < TOLD_AFTER:
            return False
        self._told = True
        return True

    def over(self, now: float) -> float | None:
        """Telegram answered. Seconds the outage took, if it had been told; None when there is nothing to say."""
        since, told = self.since, self._told
        self._failures, self._told, self.since = 0, False, None
        return now - since if told and since is not None else None
