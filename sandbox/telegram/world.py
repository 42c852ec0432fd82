"""The people, chats and messages of the local Telegram."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.telegram.files import StoredFile
from sandbox.telegram.wire import Json


class Role(StrEnum):
    CREATOR = "creator"
    ADMIN = "administrator"
    MEMBER = "member"
    LEFT = "left"
    KICKED = "kicked"


class ChatKind(StrEnum):
    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


PRESENT = frozenset({Role.CREATOR, Role.ADMIN, Role.MEMBER})
LEADING = frozenset({Role.CREATOR, Role.ADMIN})
GENERAL_TOPIC = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a Telegram account; the bot is one too."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language: str = "ru"
    is_bot: bool = False

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it is now. ``text`` is the caption when there is a file. Times are Unix seconds.

    ``service`` holds the extra fields of a service message; ``anonymous`` marks an admin who writes as the group.
    """

    chat_id: int
    message_id: int
    date: int
    author: Person
    text: str = ""
    entities: tuple[Json, ...] = ()
    file: StoredFile | None = None
    markup: Json | None = None
    thread_id: int | None = None
    reply_to: int | None = None
    edited_at: int | None = None
    service: Json | None = None
    preview: Json | None = None
    silent: bool = False
    protected: bool = False
    via_bot: bool = False
    anonymous: bool = False
    reactions: tuple[str, ...] = ()

    @property
    def keyboard(self) -> Json | None:
        """The inline keyboard, the only markup that a message carries for ever."""
        return self.markup if self.markup is not None and "inline_keyboard" in self.markup else None


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """A chat and what is in it now: state, so it changes. ``members`` holds people and the bot."""

    id: int
    kind: ChatKind
    title: str = ""
    username: str = ""
    forum: bool = False
    members: dict[int, Role] = field(default_factory=dict)
    topics: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    pinned: list[int] = field(default_factory=list)
    migrated_to: int | None = None
    migrated_from: int | None = None

    @property
    def private(self) -> bool:
        return self.kind is ChatKind.PRIVATE

    def role(self, person_id: int) -> Role:
        return self.members.get(person_id, Role.LEFT)

    def has(self, person_id: int) -> bool:
        return self.role(person_id) in PRESENT

    def newest(self) -> Message | None:
        return next(reversed(self.messages.values()), None)


@dataclass(slots=True, kw_only=True, eq=False)
class World:
    """Everybody and every chat. Message numbers run per supergroup; private chats and small groups share one run."""

    bot: Person
    people: dict[int, Person] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    _shared_number: int = 0
    _numbers: dict[int, int] = field(default_factory=dict)

    def next_number(self, chat: Chat) -> int:
        """The next message_id of a chat."""
        if chat.kind is ChatKind.SUPERGROUP:
            self._numbers[chat.id] = self._numbers.get(chat.id, 0) + 1
            return self._numbers[chat.id]
        self._shared_number += 1
        return self._shared_number

    def user(self, person_id: int) -> Person | None:
        return self.bot if person_id == self.bot.id else self.people.get(person_id)

    def find_chat(self, name: str) -> Chat | None:
        """A chat by its id or by @username of a public group."""
        if name.startswith("@"):
            wanted = name[1:].lower()
            return next((chat for chat in self.chats.values() if wanted and chat.username.lower() == wanted), None)
        return self.chats.get(int(name)) if name.lstrip("-").isdecimal() else None

    def shared(self, person_id: int) -> Iterator[Chat]:
        """Groups where both this person and the bot are."""
        for chat in self.chats.values():
            if not chat.private and chat.has(person_id) and chat.has(self.bot.id):
                yield chat
