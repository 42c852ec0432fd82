"""What is not as usual on the days a digest tells of, and what explains it: the hours, the line, the person, the source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from domain.digests import DigestKind, DigestPart
from handlers.calls.periods import Period
from handlers.digests.days import Told, compared_with
from handlers.digests.facts import WORSE_WHEN_MORE, Deviation
from handlers.digests.usual import Cause, Unusual, explained_by_name, explained_by_stretch, unusual
from storage.engine import Database
from storage.queries.company import Share, Span, Subject, call_counts, counts_of, days_of, lead_counts, shares

HOUR, DAY = "hour", "day"
_BY: Mapping[Subject, tuple[Share, ...]] = {
    Subject.CALLS: (Share.LINE,),
    Subject.MISSED: (Share.LINE, Share.EMPLOYEE),
    Subject.NEGATIVE: (Share.EMPLOYEE, Share.LINE),
    Subject.LEADS: (Share.SOURCE, Share.DIRECTION),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The days that are told of, those ``before`` them that they are compared with, and when the first of them came."""

    database: Database
    account_id: int
    told: Told
    before: tuple[Span, ...]
    begun: date | None
    zone: ZoneInfo

    @property
    def spans(self) -> tuple[Span, ...]:
        return (self.told.span, *self.before)


async def deviations_of(
    compared: Comparison, parts: frozenset[DigestPart]
) -> tuple[tuple[Deviation, ...], dict[Subject, int]]:
    """The worst first, and what is usual of each; of several days that are as usual together, the worst of them."""
    if not compared.before:
        return (), {}
    numbers = await _numbers(compared, parts)
    found = await _found(compared, numbers)
    if not compared.told.one_day and not any(one.worse for one in found):
        found = [*await _worst_day(compared, parts), *found]
    return tuple(found), {subject: round(median(usual)) for subject, (_, *usual) in numbers.items()}


async def _found(compared: Comparison, numbers: Mapping[Subject, Sequence[int]]) -> list[Deviation]:
    """Fewer missed calls than usual are no news."""
    found: list[Deviation] = []
    for subject, (now, *usual) in numbers.items():
        far = unusual(now, usual)
        if far is None or (far.far < 0 and subject in WORSE_WHEN_MORE):
            continue
        found.append(Deviation(subject=subject, found=far, causes=_that_fit(await _causes(compared, subject), far)))
    return sorted(found, key=lambda one: (not one.worse, -abs(one.found.far)))


async def _worst_day(compared: Comparison, parts: frozenset[DigestPart]) -> list[Deviation]:
    """A bad day that the days around it have made up for, as its own digest has told of it; none, or one."""
    period, bad = compared.told.period, list[Deviation]()
    for span in days_of(period.first, period.last, compared.zone):
        day = span.since.astimezone(compared.zone).date()
        told = Told(period=Period(first=day, last=day), span=span)
        before = compared_with(DigestKind.DAILY, told, compared.zone, compared.begun)
        if not before:
            continue
        alone = replace(compared, told=told, before=before)
        bad += [replace(one, day=day) for one in await _found(alone, await _numbers(alone, parts)) if one.worse]
    return sorted(bad, key=lambda one: -abs(one.found.far))[:1]


async def _numbers(compared: Comparison, parts: frozenset[DigestPart]) -> dict[Subject, list[int]]:
    numbers: dict[Subject, list[int]] = {}
    if DigestPart.CALLS in parts:
        counts = await call_counts(compared.database, compared.account_id, compared.spans)
        numbers[Subject.MISSED] = [one.missed for one in counts]
        numbers[Subject.NEGATIVE] = [one.negative for one in counts]
        numbers[Subject.CALLS] = [one.incoming for one in counts]
    if DigestPart.LEADS in parts:
        numbers[Subject.LEADS] = list(await lead_counts(compared.database, compared.account_id, compared.spans))
    return numbers


async def _causes(compared: Comparison, subject: Subject) -> list[Cause]:
    found = [await _stretch(compared, subject)]
    for by in _BY[subject]:
        now, *usual = await shares(compared.database, compared.account_id, subject, by, compared.spans)
        found.append(explained_by_name(by.value, now, usual))
    return [cause for cause in found if cause is not None]


def _that_fit(causes: Sequence[Cause], found: Unusual) -> tuple[Cause, ...]:
    """In the order of how much they explain; those only that go the same way as the whole."""
    same = [one for one in causes if (one.number > one.usual) == (found.far > 0)]
    return tuple(sorted(same, key=lambda one: -one.part))


async def _stretch(compared: Comparison, subject: Subject) -> Cause | None:
    """Hours of a day, days of a week."""
    one_day = compared.told.one_day
    step = timedelta(hours=1) if one_day else timedelta(days=1)
    pieces = [_pieces(span, step, compared.zone) for span in compared.spans]
    size = min(map(len, pieces))
    spans = [piece for some in pieces for piece in some[:size]]
    counts = await counts_of(compared.database, compared.account_id, subject, spans)
    now, *usual = [counts[start : start + size] for start in range(0, len(counts), size)]
    return explained_by_stretch(HOUR if one_day else DAY, now, usual)


def _pieces(span: Span, step: timedelta, zone: ZoneInfo) -> list[Span]:
    """By the clock of the zone: an hour that a change of the clock leaves out is empty."""
    local, last = span.since.astimezone(zone), span.until.astimezone(zone)
    edges = []
    while local < last:
        edges.append(local.astimezone(span.since.tzinfo))
        local += step
    return [Span(since, until) for since, until in zip(edges, [*edges[1:], span.until], strict=True)]
