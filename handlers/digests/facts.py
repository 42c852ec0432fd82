"""What a digest tells, gathered and not yet in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from domain.attendance import Turnout
from domain.digests import DigestKind, DigestPart
from handlers.analytics.company import CompanyFigures
from handlers.calls.periods import Period
from handlers.digests.usual import Cause, Unusual
from storage.engine import Database
from storage.queries.company import Subject
from storage.queries.crm_reckoning import CrmReckoning
from storage.queries.reckoning import Reckoning
from storage.queries.spend import Costs
from storage.queries.waiting import Waiters
from storage.queries.webinar_reckoning import WebinarReckoning
from storage.queries.webinars import WebinarLine

WORSE_WHEN_MORE = frozenset({Subject.MISSED, Subject.NEGATIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSources:
    """Where it is all read from. ``default_short_s``: a call has to be longer to be a talk, unless the chat sets another.

    ``short_fixed``: the chat cannot.
    """

    database: Database
    default_short_s: int = 10
    short_fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What is not as it usually is, and what explains most of it, the best first. ``day``: of several, this one alone."""

    subject: Subject
    found: Unusual
    causes: tuple[Cause, ...] = ()
    day: date | None = None

    @property
    def worse(self) -> bool:
        return (self.found.far > 0) == (self.subject in WORSE_WHEN_MORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ads:
    """What was spent from ``since`` to the day of a webinar, both included, one cost of each currency."""

    since: date
    costs: Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWebinar:
    """``waiting``: hot people of it whom nobody has called or taken.

    Of a webinar's own digest: ``sources`` brought those who were there, the most first; ``ads`` since the webinar before it.
    """

    line: WebinarLine
    turnout: Turnout
    waiting: int
    sources: tuple[tuple[str, int], ...] = ()
    ads: Ads | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debts:
    """What waits for somebody now, of the last days."""

    calls: Waiters = field(default_factory=Waiters)
    leads: Waiters = field(default_factory=Waiters)
    hot: tuple[HeldWebinar, ...] = ()

    @property
    def hot_people(self) -> int:
        return sum(one.waiting for one in self.hot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A bar of the picture."""

    day: date
    incoming: int
    missed: int
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """``so_far``: the day is not over. ``compared``: there were enough days before to say what is ``usual``."""

    kind: DigestKind
    parts: frozenset[DigestPart]
    figures: CompanyFigures
    so_far: bool = False
    compared: bool = False
    deviations: tuple[Deviation, ...] = ()
    usual: Mapping[Subject, int] = field(default_factory=dict)
    webinars: tuple[HeldWebinar, ...] = ()
    debts: Debts = field(default_factory=Debts)
    calls_reckoned: tuple[Reckoning, ...] = ()
    webinars_reckoned: tuple[WebinarReckoning, ...] = ()
    crm_reckoned: tuple[CrmReckoning, ...] = ()
    days: tuple[Day, ...] = ()

    @property
    def period(self) -> Period:
        return self.figures.period

    def tells(self, part: DigestPart) -> bool:
        return part in self.parts
