"""Directions and creatives by rule: what the marks of a lead are decided to mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Sign(StrEnum):
    """What of a lead a rule looks at. The marks are those of its first touch; ``form`` as people know it.

    ``pipeline`` is called as in its CRM, by its number until the CRM has told its name.
    """

    SOURCE = "utm_source"
    MEDIUM = "utm_medium"
    CAMPAIGN = "utm_campaign"
    CONTENT = "utm_content"
    TERM = "utm_term"
    FORM = "form"
    PIPELINE = "pipeline"


class How(StrEnum):
    """How a sign is compared with the value of a rule; case never matters."""

    EQUALS = "equals"
    BEGINS = "begins"
    CONTAINS = "contains"


class Part(StrEnum):
    """What a rule sets."""

    DIRECTION = "direction"
    CREATIVE = "creative"


class By(StrEnum):
    """Who has said which direction, or creative, a lead has. What a person or a table has said no rule changes."""

    NOBODY = ""
    TABLE = "table"
    HAND = "hand"
    RULE = "rule"
    NAME = "name"  # the mark is written as the direction or the creative is called


SAID = frozenset({By.TABLE, By.HAND})
Signs = Sequence[str]  # in the order of Sign
PLACES = {sign: place for place, sign in enumerate(Sign)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdRule:
    """``name_id`` is of the direction or the creative that the lead gets."""

    sign: Sign
    how: How
    value: str
    part: Part
    name_id: int

    def fits(self, signs: Signs) -> bool:
        return fits(self.how, self.value, signs[PLACES[self.sign]])


@dataclass(frozen=True, slots=True, kw_only=True)
class AdRules:
    """All rules of an account in their order, the first that fits wins. ``version`` grows with every change of them."""

    version: int = 0
    rules: tuple[AdRule, ...] = ()

    def places(self, part: Part) -> tuple[int, ...]:
        """Which signs the rules for this part look at, by their places."""
        return tuple(sorted({PLACES[rule.sign] for rule in self.rules if rule.part is part}))

    def decide(self, part: Part, signs: Signs) -> int | None:
        return next((rule.name_id for rule in self.rules if rule.part is part and rule.fits(signs)), None)


def fits(how: How, value: str, sign: str) -> bool:
    """An empty sign, or an empty value, fits nothing."""
    wanted, given = plain_sign(value), plain_sign(sign)
    if not wanted or not given:
        return False
    if how is How.EQUALS:
        return given == wanted
    return given.startswith(wanted) if how is How.BEGINS else wanted in given


def plain_sign(text: str) -> str:
    """However its case and spaces were typed."""
    return " ".join(text.split()).casefold()


class RunState(StrEnum):
    """Where the application of rules to earlier leads is."""

    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdRun:
    """One application of the rules of a version to leads that were there already.

    ``last`` is the newest lead of it, ``after`` how far it is; ``done`` leads of ``total`` are looked through, ``changed``
    otherwise now; ``restored`` of them are as before again. Times aware UTC.
    """

    id: int
    account_id: int
    version: int
    state: RunState
    asked_by: int
    chat_id: int
    after: int
    last: int
    total: int
    done: int
    changed: int
    restored: int
    started_at: datetime
    ended_at: datetime | None
