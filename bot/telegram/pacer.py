"""When Telegram may be spoken to: pure arithmetic over a given clock, no I/O.

Measured: even spacing on an absolute schedule is the one limiter that never bursts above its rate at the receiver; a
bucket of 30 lets 60 through in a second. A chat's own pace is kept apart, so a hot chat delays no other.
"""

import heapq
import secrets
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count

PER_SECOND = 28.4  # sustains 28 and stays under 30 in any second, jitter included
CHAT_INTERVAL = 1.05  # seconds between messages of one chat; the rest over 1 s is for the network's jitter
GROUP_LIMIT = 18  # messages of one group in a minute; Telegram refuses the 21st
GROUP_WINDOW = 60.5
SWEEP_ABOVE = 1000  # chats in memory before the quiet ones are forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that wants to go to a chat. Of two that may go, the higher ``priority`` goes first, then lower ``order``."""

    key: Hashable
    chat_id: int
    priority: int = 0
    order: float = 0.0


class Spacing:
    """Evenly spaced moments on an absolute schedule. What was missed by more than ``slack`` is never caught up."""

    def __init__(self, per_second: float = PER_SECOND, slack: float = 0.010) -> None:
        self.interval = 1.0 / per_second
        self._slack = slack
        self._slot = float("-inf")

    def delay(self, now: float) -> float:
        """Seconds until the next moment; 0 when it is here."""
        return max(self._slot + self.interval - now, 0.0)

    def passed(self, now: float) -> None:
        """One went at ``now``."""
        planned = self._slot + self.interval
        self._slot = planned if now - planned <= self._slack else now


class _Chat:
    """One chat's queue and pace. At most one request is under way, or an answer would overtake its question."""

    __slots__ = ("busy", "chat_id", "frozen_until", "last", "queue", "recent", "stamp")

    def __init__(self, chat_id: int) -> None:
        self.chat_id = chat_id
        self.queue: list[tuple[int, float, int, Item]] = []
        self.recent: deque[float] = deque(maxlen=GROUP_LIMIT)
        self.last = float("-inf")
        self.frozen_until = float("-inf")
        self.busy = False
        self.stamp = 0

    def permitted(self) -> float:
        """From when on the next message may go."""
        moment = max(self.last + CHAT_INTERVAL, self.frozen_until)
        if self.chat_id < 0 and len(self.recent) == GROUP_LIMIT:
            moment = max(moment, self.recent[0] + GROUP_WINDOW)
        return moment

    def idle(self, now: float) -> bool:
        """Nothing is known about this chat that would matter later."""
        return not self.queue and not self.busy and self.permitted() <= now and self.last < now - GROUP_WINDOW


class Pacer:
    """Says what goes next. Moments are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._chats: dict[int, _Chat] = {}
        self._known: set[Hashable] = set()
        self._resting: list[tuple[float, int, int]] = []  # (permitted, chat, stamp): an older stamp is out of date
        self._ready: list[tuple[int, float, int, int, int]] = []  # (-priority, order, number, chat, stamp)
        self._numbers = count()
        self._frozen_until = float("-inf")
        self._sweep_above = SWEEP_ABOVE

    def __len__(self) -> int:
        return len(self._known)

    def add(self, item: Item) -> bool:
        """Queue an item; False when its key is queued or under way already."""
        if item.key in self._known:
            return False
        self._known.add(item.key)
        chat = self._chat(item.chat_id)
        heapq.heappush(chat.queue, (-item.priority, item.order, next(self._numbers), item))
        self._place(chat)
        return True

    def take(self, now: float) -> Item | None:
        """The best item that may go now; its chat waits until ``done``. None: see ``wait``."""
        if now < self._frozen_until:
            return None
        self._promote(now)
        while self._ready:
            *_, chat_id, stamp = heapq.heappop(self._ready)
            chat = self._chats.get(chat_id)
            if chat is None or chat.stamp != stamp:
                continue
            chat.busy = True
            chat.stamp += 1
            return heapq.heappop(chat.queue)[-1]
        return None

    def wait(self, now: float) -> float | None:
        """Seconds until ``take`` may have something, None when only new items or a ``done`` can change that."""
        while self._resting and self._outdated(self._resting[0]):
            heapq.heappop(self._resting)
        if self._ready:
            return max(self._frozen_until - now, 0.0)
        if not self._resting:
            return None
        return max(self._resting[0][0] - now, self._frozen_until - now, 0.0)

    def went(self, chat_id: int, now: float) -> None:
        """A request to the chat leaves now, message and edit alike: it uses up the chat's pace."""
        chat = self._chat(chat_id)
        chat.last = now
        chat.recent.append(now)

    def done(self, item: Item, now: float) -> None:
        """The item is settled, one way or the other; the chat may go on at its pace."""
        self._known.discard(item.key)
        chat = self._chat(item.chat_id)
        chat.busy = False
        self._place(chat)
        if len(self._chats) > self._sweep_above:
            self._sweep(now)

    def drop(self, item: Item) -> None:
        """Whoever wanted this gave up waiting; nothing when it is under way already."""
        chat = self._chat(item.chat_id)
        kept = [entry for entry in chat.queue if entry[-1].key != item.key]
        if len(kept) < len(chat.queue):
            chat.queue = kept
            heapq.heapify(chat.queue)
            self._known.discard(item.key)
            self._place(chat)

    def freeze(self, chat_id: int, until: float) -> None:
        """Telegram asked for a pause in this chat."""
        chat = self._chat(chat_id)
        chat.frozen_until = max(chat.frozen_until, until)
        self._place(chat)

    def freeze_all(self, until: float) -> None:
        """Nothing goes anywhere before ``until``."""
        self._frozen_until = max(self._frozen_until, until)

    def thaw_all(self) -> None:
        """The reason for ``freeze_all`` is over before its time."""
        self._frozen_until = float("-inf")

    def held(self, chat_id: int, now: float) -> bool:
        """A pause was asked for since the item was taken."""
        return now < max(self._frozen_until, self._chat(chat_id).frozen_until)

    def frozen_chats(self, now: float) -> list[int]:
        return [chat.chat_id for chat in self._chats.values() if chat.frozen_until > now]

    def _chat(self, chat_id: int) -> _Chat:
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _Chat(chat_id)
        return chat

    def _place(self, chat: _Chat) -> None:
        """Where the chat waits for its turn; what stood for it before is out of date."""
        chat.stamp += 1
        if chat.queue and not chat.busy:
            heapq.heappush(self._resting, (chat.permitted(), chat.chat_id, chat.stamp))

    def _promote(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            entry = heapq.heappop(self._resting)
            if self._outdated(entry):
                continue
            _, chat_id, stamp = entry
            priority, order, number, _ = self._chats[chat_id].queue[0]
            heapq.heappush(self._ready, (priority, order, number, chat_id, stamp))

    def _outdated(self, entry: tuple[float, int, int]) -> bool:
        chat = self._chats.get(entry[1])
        return chat is None or chat.stamp != entry[2]

    def _sweep(self, now: float) -> None:
        for chat in [chat for chat in self._chats.values() if chat.idle(now)]:
            del self._chats[chat.chat_id]
        self._sweep_above = max(SWEEP_ABOVE, 2 * len(self._chats))


def jittered(seconds: float) -> float:
    """A pause a little longer than asked for, so that not everybody comes back at once."""
    return seconds + 0.1 + secrets.SystemRandom().uniform(0.0, min(0.1 * seconds, 1.0))
