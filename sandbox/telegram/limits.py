"""The published limits as a server would keep them: windows over time, and a ban until retry_after has passed."""

import math
from collections import deque
from dataclasses import dataclass, field

from sandbox.telegram.wire import too_many


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many messages and edits are taken: overall in any second, in any minute in a group, and per chat.

    A chat takes one a second; ``chat_burst`` of them may come at once after a quiet time (1 = none).
    """

    per_second: int = 30
    group_per_minute: int = 20
    chat_burst: int = 3


@dataclass(slots=True)
class _Window:
    """At most ``most`` in any ``seconds``; ``pause`` says how long until the next one fits."""

    most: int
    seconds: float
    times: deque[float] = field(default_factory=deque)

    def pause(self, now: float) -> float:
        while self.times and now - self.times[0] >= self.seconds:
            self.times.popleft()
        return 0.0 if len(self.times) < self.most else self.times[0] + self.seconds - now

    def add(self, now: float) -> None:
        self.times.append(now)


@dataclass(slots=True)
class _Bucket:
    """One a second with a burst: a token bucket that starts full."""

    size: int
    tokens: float = 0.0
    since: float | None = None

    def _level(self, now: float) -> float:
        return float(self.size) if self.since is None else min(self.size, self.tokens + now - self.since)

    def pause(self, now: float) -> float:
        return max(0.0, 1.0 - self._level(now) - 1e-9)

    def add(self, now: float) -> None:
        self.tokens, self.since = self._level(now) - 1.0, now


class Gate:
    """Off until limits are set. A refused chat stays refused until its retry_after is over, as in life."""

    def __init__(self) -> None:
        self._limits: Limits | None = None
        self._all: _Window | None = None
        self._chats: dict[int, list[_Window | _Bucket]] = {}
        self._banned: dict[int | None, float] = {}

    def set(self, limits: Limits | None) -> None:
        """Start counting afresh by ``limits``; None takes everything."""
        self._limits = limits
        self._all = None if limits is None else _Window(limits.per_second, 1.0)
        self._chats.clear()
        self._banned.clear()

    def ban(self, chat_id: int | None, until: float) -> None:
        """Refuse a chat (None: everything) until ``until``, monotonic seconds."""
        self._banned[chat_id] = until

    def check(self, chat_id: int, *, group: bool, now: float) -> None:
        """Count one message or edit. Refusal 429 when it does not fit; a refused one is not counted."""
        left = max(self._banned.get(key, now) - now for key in (None, chat_id))
        if left > 0:
            raise too_many(math.ceil(left))
        if self._limits is None or self._all is None:
            return
        of_chat = self._chats.setdefault(chat_id, self._new(group=group))
        for key, guard in ((None, self._all), *((chat_id, guard) for guard in of_chat)):
            pause = guard.pause(now)
            if pause > 0:
                retry_after = max(1, math.ceil(pause))
                self.ban(key, now + retry_after)
                raise too_many(retry_after)
        for guard in (self._all, *of_chat):
            guard.add(now)

    def _new(self, *, group: bool) -> list[_Window | _Bucket]:
        limits = self._limits or Limits()
        guards: list[_Window | _Bucket] = [_Bucket(limits.chat_burst)]
        return [*guards, _Window(limits.group_per_minute, 60.0)] if group else guards
