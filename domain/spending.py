"""Money that people of the team tell of in words: what, for which ad, over which days, and how a sum is spread over them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

_Said = tuple[int, ...]  # places of the parts of an ad
_Parts = tuple[str, ...]


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


class Ads:
    """Many ads at once: whether any of them may be another one, as ``Ad.may_be`` says of two, without asking each."""

    def __init__(self, ads: Iterable[Ad]) -> None:
        self._told: dict[_Said, set[_Parts]] = defaultdict(set)  # by which parts they say
        self._shared: dict[tuple[_Said, _Said], set[_Parts]] = {}  # of those that say so, these parts alone
        for ad in ads:
            said, parts = _folded(ad)
            self._told[said].add(parts)

    def may_be(self, other: Ad) -> bool:
        said, parts = _folded(other)
        return any(self._share(mine, said, parts) for mine in self._told)

    def _share(self, mine: _Said, said: _Said, parts: _Parts) -> bool:
        both = tuple(place for place in mine if place in said)
        if not both:
            return not mine and not said
        if (mine, both) not in self._shared:
            self._shared[mine, both] = {_alone(ad, both) for ad in self._told[mine]}
        return _alone(parts, both) in self._shared[mine, both]


def _folded(ad: Ad) -> tuple[_Said, _Parts]:
    parts = tuple(part.casefold() for part in ad.parts)
    return tuple(place for place, part in enumerate(parts) if part), parts


def _alone(parts: _Parts, places: _Said) -> _Parts:
    return tuple(parts[place] for place in places)


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
