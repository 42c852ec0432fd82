"""A local Telegram: the Bot API over HTTP, people who write and press, and a page to watch it all."""

from sandbox.telegram.clock import Clocks
from sandbox.telegram.double import TelegramDouble
from sandbox.telegram.faults import Fault
from sandbox.telegram.limits import Limits
from sandbox.telegram.queries import InlineQuery, Press, Toast
from sandbox.telegram.world import Chat, ChatKind, Message, Person, Role

__all__ = [
    "Chat",
    "ChatKind",
    "Clocks",
    "Fault",
    "InlineQuery",
    "Limits",
    "Message",
    "Person",
    "Press",
    "Role",
    "TelegramDouble",
    "Toast",
]
