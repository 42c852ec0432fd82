"""What the bot did, kept whole for assertions: every call, every message sent, every edit with what was there before."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.telegram.wire import Json
from sandbox.telegram.world import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of the bot as answered. ``at`` monotonic seconds; ``status`` 0 when the connection was cut."""

    at: float
    method: str
    chat_id: int | None
    status: int
    description: str
    params: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message as it was when the bot sent it."""

    at: float
    method: str
    message: Message

    @property
    def chat_id(self) -> int:
        return self.message.chat_id

    @property
    def text(self) -> str:
        return self.message.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit by the bot: the message before and after."""

    at: float
    method: str
    before: Message
    after: Message

    @property
    def chat_id(self) -> int:
        return self.after.chat_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A message the bot deleted."""

    at: float
    message: Message


@dataclass(slots=True)
class Journal:
    """Everything in order. Refused calls appear in ``calls`` only."""

    calls: list[Call] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    removed: list[Removal] = field(default_factory=list)

    def times(self, chat_id: int | None = None) -> list[float]:
        """When messages were sent and edited, ascending, monotonic seconds; of one chat or of all."""
        events: list[Sent | Edit] = [*self.sent, *self.edits]
        return sorted(event.at for event in events if chat_id is None or event.chat_id == chat_id)

    def per_second(self, chat_id: int | None = None) -> dict[int, int]:
        """How many were sent and edited in each whole second of the monotonic clock."""
        return dict(Counter(int(at) for at in self.times(chat_id)))

    def busiest(self, seconds: float, chat_id: int | None = None) -> int:
        """The most that fell into any stretch of ``seconds``, its end not included."""
        times, most, first = self.times(chat_id), 0, 0
        for last, at in enumerate(times):
            while at - times[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    def history(self, chat_id: int, message_id: int) -> list[Message]:
        """Every version of a message of the bot, the first one first."""
        start = [one.message for one in self.sent if (one.chat_id, one.message.message_id) == (chat_id, message_id)]
        edits = [one.after for one in self.edits if (one.chat_id, one.after.message_id) == (chat_id, message_id)]
        return [*start, *edits]
