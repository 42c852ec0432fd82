"""Rows of tables that people send: leads, what was spent, and what the ads behind them are called."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from domain.webinars import Marks


class ImportKind(StrEnum):
    """What the rows of a table are."""

    LEADS = "leads"
    SPEND = "spend"
    CREATIVES = "creatives"
    DIRECTIONS = "directions"


class State(StrEnum):
    """Where a table is: looked through; on its way in, seen by nobody; seen, with visits to follow; in; on its way out."""

    SHOWN = "shown"
    LEFT = "left"
    LOADING = "loading"
    SETTLING = "settling"
    COMPLETE = "complete"
    DROPPING = "dropping"  # never seen, and taken away again
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


UNDER_WAY = (State.LOADING, State.SETTLING, State.DROPPING, State.UNDOING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of a table that was taken out: rows that went away, rows that are as they were before it.

    Some stay: ``known``, because another table says the same; ``used``, because somebody has worked with them since;
    ``changed``, because somebody has changed them since.
    """

    removed: int = 0
    restored: int = 0
    known: int = 0
    used: int = 0
    changed: int = 0

    def __add__(self, other: "Undone") -> "Undone":
        sums = {name: getattr(self, name) + getattr(other, name) for name in Undone.__slots__}
        return Undone(**sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """A lead as a table tells it. ``phone`` as written, a WhatsApp id too; the keys are "" where there is none.

    ``chat_id`` is a messenger's id that hides the number. ``created_at`` aware UTC, None where the source does not say;
    ``day`` is its date in the account's zone. ``external_id`` is the source's own id.
    """

    name: str = ""
    phone: str = ""
    phone_key: str = ""
    email: str = ""
    email_key: str = ""
    chat_id: str = ""
    direction: str = ""
    creative: str = ""
    marks: Marks = field(default_factory=Marks)
    status: str = ""
    manager: str = ""
    created_at: datetime | None = None
    day: date | None = None
    external_id: str = ""

    @property
    def contact(self) -> str:
        """The strongest thing this person can be known by; "" when there is none."""
        if self.phone_key:
            return f"phone:{self.phone_key}"
        return f"email:{self.email_key}" if self.email_key else self.link

    @property
    def link(self) -> str:
        """The messenger's id as a key of its own; "" for none."""
        return f"whatsapp:{self.chat_id}" if self.chat_id else ""

    @property
    def key(self) -> str:
        """What the same lead of another copy of the table has again: its own id, else one contact on one day."""
        if self.external_id:
            return f"id:{self.external_id}"
        return digest(self.contact, str(self.day or ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRow:
    """Money spent on a day of the account's zone. ``amount`` in minor units of ``currency``, never negative."""

    day: date
    amount: int
    currency: str
    direction: str = ""
    creative: str = ""
    source: str = ""

    @property
    def key(self) -> str:
        """The same day, the same ad: a later amount takes the place of the earlier one."""
        return digest(self.day.isoformat(), self.currency, *map(str.casefold, (self.direction, self.creative, self.source)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreativeRow:
    """``rule`` is the utm_content by which its leads are known, "" for none."""

    title: str
    direction: str = ""
    rule: str = ""

    @property
    def key(self) -> str:
        return digest(self.title.casefold(), self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionRow:
    title: str

    @property
    def key(self) -> str:
        return self.title.casefold()


def digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


AnyRow = LeadRow | SpendRow | CreativeRow | DirectionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A table somebody sent. ``path`` is relative to DATA_DIR.

    ``rows`` can be loaded, ``done`` have been gone through; ``added``, ``changed`` and ``same`` are what became of them,
    ``undone`` what became of those when it was taken out. Times aware UTC. ``asked_by`` is a user of ours, 0 the command
    line; the place is where the answer goes.
    """

    id: int
    account_id: int
    kind: ImportKind
    name: str
    path: str
    sha256: str
    state: State
    rows: int
    done: int
    added: int
    changed: int
    same: int
    asked_by: int
    chat_id: int
    shown_at: datetime
    loaded_at: datetime | None
    undone: Undone
