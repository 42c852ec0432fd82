"""Presses of buttons and inline queries that wait for the bot's answer, for as long as Telegram would wait."""

import secrets
from dataclasses import dataclass, field

from sandbox.telegram.clock import Pulse
from sandbox.telegram.wire import Json
from sandbox.telegram.world import Person


def _new_id() -> str:
    return str(secrets.randbelow(9 * 10**17) + 10**17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """The bot's answer to a press; ``alert`` is a window to close, else a line that fades."""

    text: str = ""
    alert: bool = False
    url: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Press:
    """A press of a callback button. ``at`` monotonic seconds; ``toast`` is None until answered."""

    id: str
    person: Person
    chat_id: int
    message_id: int
    data: str
    at: float
    pulse: Pulse
    toast: Toast | None = None

    async def answered(self, timeout_s: float = 5.0) -> Toast:
        """The answer; TimeoutError when none comes in ``timeout_s`` seconds."""
        if not await self.pulse.until(lambda: self.toast is not None, timeout_s) or self.toast is None:
            raise TimeoutError(f"the press {self.data!r} was not answered")
        return self.toast


@dataclass(slots=True, kw_only=True, eq=False)
class InlineQuery:
    """Something typed after @bot. ``results`` is None until answered; ``button`` as in answerInlineQuery."""

    id: str
    person: Person
    text: str
    at: float
    pulse: Pulse
    results: tuple[Json, ...] | None = None
    button: Json | None = None
    personal: bool = False
    cache_time: int = 300
    next_offset: str = ""

    async def answered(self, timeout_s: float = 5.0) -> tuple[Json, ...]:
        """The results; TimeoutError when none come in ``timeout_s`` seconds."""
        if not await self.pulse.until(lambda: self.results is not None, timeout_s) or self.results is None:
            raise TimeoutError(f"the inline query {self.text!r} was not answered")
        return self.results


@dataclass(slots=True, kw_only=True)
class Queries:
    """Everything asked. An answer later than ``patience_s`` seconds is refused as too old."""

    pulse: Pulse
    patience_s: float = 15.0
    presses: dict[str, Press] = field(default_factory=dict)
    inline: dict[str, InlineQuery] = field(default_factory=dict)
    inline_messages: dict[str, tuple[int, int]] = field(default_factory=dict)

    def press(self, person: Person, place: tuple[int, int], data: str, at: float) -> Press:
        """A new press on the message ``place`` = (chat id, message id)."""
        press = Press(id=_new_id(), person=person, chat_id=place[0], message_id=place[1], data=data, at=at, pulse=self.pulse)
        self.presses[press.id] = press
        return press

    def ask(self, person: Person, text: str, at: float) -> InlineQuery:
        query = InlineQuery(id=_new_id(), person=person, text=text, at=at, pulse=self.pulse)
        self.inline[query.id] = query
        return query

    def inline_message(self, place: tuple[int, int]) -> str:
        """A new inline_message_id for the message ``place`` = (chat id, message id)."""
        identifier = f"local-inline-{secrets.token_hex(8)}"
        self.inline_messages[identifier] = place
        return identifier
