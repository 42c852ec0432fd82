"""Notes on leads of a CRM: asked for in the commit that gives the reason, written by work of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.events import NoteAsked
from domain.ports import Tx


class NoteBook(Protocol):
    """Where notes are asked for; storage.notes.NoteStore is the real one."""

    async def ask(self, tx: Tx, account_id: int, asked: Sequence[NoteAsked], *, now: datetime) -> int:
        """How many were not asked for yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDesk:
    """How the rest of the house asks for notes. ``vendor``: whose leads take them; ``come``: there may be work."""

    vendor: str
    book: NoteBook
    come: Callable[[], None]

    def of_taking(self, lead_id: int, lead: str) -> NoteAsked:
        """Who has taken our lead ``lead_id``, on the CRM's ``lead``."""
        return NoteAsked(vendor=self.vendor, external_id=f"take:{lead}", occurred_at=None, taken_id=lead_id, lead=lead)

    def of_call(self, row_id: int) -> NoteAsked:
        """What a call was about, on the lead of its person."""
        return NoteAsked(vendor=self.vendor, external_id=f"call:{row_id}", occurred_at=None, call_id=row_id)
