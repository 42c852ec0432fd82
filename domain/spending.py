"""Money that people of the team tell of in words: what, for which ad, over which days, and how a sum is spread over them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum


class EntryState(StrEnum):
    """A draft is counted nowhere until somebody agrees to it; what was taken out is counted nowhere any more."""

    DRAFT = "draft"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ad:
    """What money went to; "" for what is not said."""

    source: str = ""
    direction: str = ""
    creative: str = ""

    @property
    def parts(self) -> tuple[str, str, str]:
        return (self.source, self.direction, self.creative)

    def may_be(self, other: "Ad") -> bool:
        """Money of one could be the other's: they share what both say, or neither says anything."""
        pairs = [(one.casefold(), two.casefold()) for one, two in zip(self.parts, other.parts, strict=True)]
        if not any(self.parts) or not any(other.parts):
            return self.parts == other.parts
        both = [one == two for one, two in pairs if one and two]
        return bool(both) and all(both)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendEntry:
    """``amount`` in minor units of ``currency``; ``first`` and ``last`` are local days, both included.

    ``edits``: the entry it takes the place of, once it is in. ``told_by`` is a user of ours; ``changed_at`` aware UTC.
    ``replaced``: how much of it a later entry stands for.
    """

    amount: int
    currency: str
    first: date
    last: date
    ad: Ad = field(default_factory=Ad)
    edits: int | None = None
    told_by: int = 0
    id: int = 0
    state: EntryState = EntryState.DRAFT
    changed_at: datetime | None = None
    replaced: int = 0

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def spread(amount: int, first: date, last: date) -> list[tuple[date, int]]:
    """The amount in equal parts, to the kopeck: what does not divide goes to the first days, one each."""
    count = (last - first).days + 1
    each, more = divmod(amount, count)
    return [(first + timedelta(days=number), each + (number < more)) for number in range(count)]
