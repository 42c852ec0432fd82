"""The tables, in one metadata."""

from storage.models.calls import calls
from storage.models.chat import destinations, fsm, posts, telegram_updates
from storage.models.core import accounts, audit, connections, counters, notices, requests, settings
from storage.models.people import invitations, users
from storage.models.types import UtcDateTime, metadata
from storage.models.work import charges, inbox, work, work_steps

__all__ = [
    "UtcDateTime",
    "accounts",
    "audit",
    "calls",
    "charges",
    "connections",
    "counters",
    "destinations",
    "fsm",
    "inbox",
    "invitations",
    "metadata",
    "notices",
    "posts",
    "requests",
    "settings",
    "telegram_updates",
    "users",
    "work",
    "work_steps",
]
