"""Whose each lead of a batch is, who turns out to be one person by it, and where two people only may be one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.identities import CONTACT, Key, reason_of
from storage.joins import are_parted
from storage.matching import EMAIL, LINK, NOBODY, PHONE, have_phones, persons_known


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two people by one lead, each with a phone of their own: ``person`` has the lead, ``other`` its e-mail."""

    place: int  # of the lead in its batch
    person: int
    other: int
    email: str


@dataclass(frozen=True, slots=True)
class Union:
    """``other`` turned out to be ``person``, by this key of a lead."""

    place: int
    person: int
    other: int
    reason: str
    value: str


class Whose:
    """Goes through a batch lead by lead; what one teaches counts for the next."""

    def __init__(self, connection: AsyncConnection, account_id: int) -> None:
        self._connection = connection
        self._account_id = account_id
        self._owners: dict[Key, int] = {}
        self._with_phone: set[int] = set()
        self.learned: list[tuple[int, Key, int]] = []  # place of the lead, key, whose it is
        self.met: list[tuple[int, Key, int]] = []  # the same of keys that were theirs already
        self.unions: list[Union] = []
        self.doubts: list[Doubt] = []

    async def look_up(self, keys: Iterable[Key]) -> None:
        """Who has which of the keys, in one statement a kind."""
        values: dict[str, set[str]] = {}
        for kind, value in keys:
            values.setdefault(kind, set()).add(value)
        for kind, some in values.items():
            known = await persons_known(self._connection, self._account_id, kind, some, hidden=True)
            self._owners |= {(kind, value): person for value, person in known.items()}
        self._with_phone = await have_phones(self._connection, self._owners.values())

    async def decide(self, place: int, keys: Sequence[Key], *, before: int | None, new: int) -> tuple[int | None, str]:
        """Whose the lead with these keys is, and why: whom they name, else whose it was ``before``, else ``new``."""
        by, person = self._named(keys)
        if person is None:
            person = before
        if person is None and keys:
            person = new
        if person is None:
            return None, NOBODY.by
        self._learn(place, keys, person, by)
        await self._unite(place, keys, person, by)
        return person, reason_of(by) if by else NOBODY.by

    def now(self, person: int | None) -> int | None:
        """Who somebody decided upon earlier has turned out to be since."""
        for union in self.unions:
            person = union.person if person == union.other else person
        return person

    def _named(self, keys: Sequence[Key]) -> tuple[str, int | None]:
        """Who has the phone, else the contact, else the e-mail, else the link, and by which of them.

        A phone that nobody has says that it may be somebody new. An e-mail whose person has another phone is shared then, a
        link is forwarded: neither may join two people for ever. A contact of the CRM is one person, whatever is called.
        """
        new_phone = any(kind == PHONE for kind, _ in keys)
        for kind, value in keys:
            person = self._owners.get((kind, value))
            if person is None or (new_phone and (kind == LINK or (kind == EMAIL and person in self._with_phone))):
                continue
            return kind, person
        return "", None

    def _learn(self, place: int, keys: Sequence[Key], person: int, by: str) -> None:
        """What belongs to this person from now on; who came by a link alone may be somebody it was forwarded to."""
        for key in keys if by != LINK else ():
            if key not in self._owners:
                self._owners[key] = person
                self.learned.append((place, key, person))
            elif self._owners[key] == person:
                self.met.append((place, key, person))
            if key[0] == PHONE and self._owners[key] == person:
                self._with_phone.add(person)

    async def _unite(self, place: int, keys: Sequence[Key], person: int, by: str) -> None:
        """Others whom the lead's contact or e-mail names are this person; by an e-mail not where each has a phone."""
        for kind, value in keys if by != LINK else ():
            other, reason = self._owners[kind, value], reason_of(kind)
            if other == person or reason not in {CONTACT, EMAIL}:
                continue
            if reason == EMAIL and {person, other} <= self._with_phone:
                self.doubts.append(Doubt(place, person, other, value))
            elif not await are_parted(self._connection, person, other):
                self.unions.append(Union(place, person, other, reason, value))
                self._owners = {key: person if owner == other else owner for key, owner in self._owners.items()}
                if other in self._with_phone:
                    self._with_phone.add(person)
