"""What an examination of the house found, and who makes one: joined by the composition root."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One line. ``code`` names the kind of it, ``hint`` (Russian) says what to press; ``warning``: works, but look.

    ``subscribe``: the vendor whose hook can be set from here.
    """

    code: str
    title: str
    ok: bool
    detail: str = ""
    hint: str = ""
    warning: bool = False
    subscribe: str = ""

    @property
    def off(self) -> bool:
        """Nothing is wrong: it is not connected."""
        return self.ok and self.code.endswith(".off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the house and what was found in it, in the order it was looked at."""

    title: str
    found: Sequence[Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``name`` is what a button asks for it by; ``only`` is the vendor that was examined, "" for the whole house."""

    name: str
    only: str
    parts: Sequence[Part]

    def __iter__(self) -> Iterator[Found]:
        return (found for part in self.parts for found in part.found)

    @property
    def faults(self) -> list[Found]:
        return [found for found in self if not found.ok and not found.warning]

    @property
    def warnings(self) -> list[Found]:
        return [found for found in self if not found.ok and found.warning]

    @property
    def good(self) -> list[Found]:
        return [found for found in self if found.ok and not found.off]

    @property
    def off(self) -> list[Found]:
        return [found for found in self if found.off]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """How a rehearsal of one part went: a call where ``vendor`` is "", else a lead of that vendor.

    ``steps``: names and milliseconds, None for one that did not work out; ``fault``: why it did not come to its end.
    """

    vendor: str = ""
    steps: tuple[tuple[str, float | None], ...] = ()
    fault: str = ""
    micro_usd: int = 0


class Audience(Protocol):
    """Who is told how a rehearsal goes: ``rehearsing``, then ``rehearsed``, with None where it was broken off."""

    async def rehearsing(self) -> None: ...
    async def rehearsed(self, parts: Sequence[Rehearsed] | None) -> None: ...


class Listener(Protocol):
    """Who is told how an examination goes: ``begun``, then one of the others."""

    async def begun(self) -> None: ...
    async def ended(self, report: Report) -> None: ...
    async def broken(self) -> None: ...


class Doctor(Protocol):
    """Examines the house beside everything else it does, one examination of an account at a time."""

    def begin(self, account_id: int, only: str, listener: Listener) -> bool:
        """False when one is under way. ``only``: the name of a vendor, "" for everything."""
        ...

    def report(self, account_id: int, name: str) -> Report | None:
        """A report made not long ago; None when it is no longer kept."""
        ...

    async def price(self) -> int:
        """What a rehearsal will cost, in micro-dollars."""
        ...

    def rehearse(self, account_id: int, audience: Audience) -> bool:
        """A marked call and leads through the whole chain; False when one is under way."""
        ...
