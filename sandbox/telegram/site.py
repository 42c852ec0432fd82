"""The state of one local Telegram with one bot, and the few acts every method shares."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.telegram.clock import Clocks, Pulse
from sandbox.telegram.courier import Courier
from sandbox.telegram.faults import Faults
from sandbox.telegram.files import Shelf
from sandbox.telegram.inbox import Inbox
from sandbox.telegram.journal import Edit, Journal, Removal, Sent
from sandbox.telegram.limits import Gate
from sandbox.telegram.params import Params
from sandbox.telegram.queries import Queries
from sandbox.telegram.render import message_json, user_json
from sandbox.telegram.stream import Stream
from sandbox.telegram.wire import Json
from sandbox.telegram.world import Chat, Message, World


@dataclass(slots=True, kw_only=True)
class Menus:
    """Command lists by (scope, chat, user, language) and menu buttons by chat (0: for all)."""

    commands: dict[tuple[str, int, int, str], list[Json]] = field(default_factory=dict)
    buttons: dict[int, Json] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Site:
    """Everything. ``privacy``: in groups the bot sees only what is meant for it, unless it is an administrator."""

    token: str
    world: World
    clocks: Clocks
    pulse: Pulse
    inbox: Inbox
    courier: Courier
    queries: Queries
    privacy: bool = True
    inline: bool = True
    journal: Journal = field(default_factory=Journal)
    shelf: Shelf = field(default_factory=Shelf)
    gate: Gate = field(default_factory=Gate)
    faults: Faults = field(default_factory=Faults)
    stream: Stream = field(default_factory=Stream)
    menus: Menus = field(default_factory=Menus)

    def now(self) -> float:
        """Monotonic seconds."""
        return self.clocks.monotonic()

    def known_user(self, person_id: int) -> Json | None:
        person = self.world.user(person_id)
        return None if person is None else user_json(person)

    def page_message(self, message: Message, chat: Chat) -> Json:
        """The message as the page wants it: the Bot API's JSON and what only the page shows."""
        return {
            **message_json(message, chat, self.world),
            "thread": message.thread_id,
            "reactions": list(message.reactions),
            "silent": message.silent,
        }

    def store(self, message: Message, chat: Chat) -> None:
        """Put a new message into its chat and tell the page."""
        chat.messages[message.message_id] = message
        self.stream.publish("message", {"chat_id": chat.id, "message": self.page_message(message, chat)})
        self.pulse.beat()

    def admit(self, chat: Chat) -> None:
        """Count one message or edit towards the limits. Refusal 429."""
        self.gate.check(chat.id, group=not chat.private, now=self.now())

    def send(self, method: str, message: Message, chat: Chat) -> None:
        """Keep a new message of the bot, admitted before."""
        self.journal.sent.append(Sent(at=self.now(), method=method, message=message))
        self.store(message, chat)

    def replace(self, message: Message, chat: Chat) -> None:
        """Put the new state of a message in place and tell the page."""
        chat.messages[message.message_id] = message
        self.stream.publish("edit", {"chat_id": chat.id, "message": self.page_message(message, chat)})
        self.pulse.beat()

    def edit(self, method: str, before: Message, after: Message, chat: Chat) -> None:
        """An edit by the bot. Refusal 429."""
        self.admit(chat)
        self.journal.edits.append(Edit(at=self.now(), method=method, before=before, after=after))
        self.replace(after, chat)

    def remove(self, message: Message, chat: Chat) -> None:
        """A deletion by the bot."""
        self.journal.removed.append(Removal(at=self.now(), message=message))
        self.forget(message, chat)

    def forget(self, message: Message, chat: Chat) -> None:
        """Take a message out of its chat and tell the page."""
        chat.messages.pop(message.message_id, None)
        chat.gone.add(message.message_id)
        chat.pinned = [number for number in chat.pinned if number != message.message_id]
        self.stream.publish("delete", {"chat_id": chat.id, "message_id": message.message_id})
        self.pulse.beat()

    def chats_changed(self) -> None:
        """Tell the page that a chat, a member or a menu changed: it reads the state again."""
        self.stream.publish("chats", {})
        self.pulse.beat()


Method = Callable[[Site, Params], object]
