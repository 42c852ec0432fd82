"""Who may ask over HTTP: a key that was made in the chat, and what it opens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a key opens; each key names its own."""

    DIRECTORY = "directory"  # houses, employees, departments
    STATISTICS = "statistics"
    METRICS = "metrics"


class KeyState(StrEnum):
    """How a key that somebody shows stands."""

    LIVE = "live"
    REPLACED = "replaced"  # its time after the replacement has run out
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its secret: ``prefix`` is how it begins. Times are aware UTC.

    ``old_prefix`` is that of the one it replaced, which opens the same until ``old_until``; None where there is none.
    """

    id: int
    account_id: int
    name: str
    scopes: frozenset[Scope]
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None
    old_prefix: str = ""
    old_until: datetime | None = None
    old_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """The key that somebody has shown. ``old``: it is the one that was replaced, and still has time."""

    key: ApiKey
    state: KeyState
    old: bool = False
