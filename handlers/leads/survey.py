"""What a table holds and what would become of it: looked through whole before anything is written."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path

from domain.errors import BadInput
from domain.imports import AnyRow, ImportKind, LeadRow, SpendRow
from domain.spending import Ad, Ads
from handlers.leads.cells import Fault, Numbered
from handlers.leads.reading import opened
from storage.engine import Database
from storage.imports import meet
from storage.spend_entries import Spent, spent_between

SHOWN_ROWS = 5
SHOWN_FAULTS = 10
MOST_NAMES = 500  # a column with more different values is no direction and no creative
MOST_AT_ONCE = 5_000  # rows of spend, creatives or directions: they are one write


@dataclass(slots=True)
class Survey:
    """``rows`` can be loaded, ``refused`` cannot.

    Of the former ``repeats`` stand twice in the table, ``stored`` came with an earlier one, and ``known`` are leads of
    another source. ``faults``: the first of those that are refused, by number. ``beside``: amounts of the same ads and days
    that this table would be added to; ``replaced``: its own amounts that an entry of the chat stands for.
    """

    kind: ImportKind
    titles: dict[str, str]
    unknown: tuple[str, ...]
    rows: int = 0
    refused: int = 0
    repeats: int = 0
    stored: int = 0
    known: int = 0
    undated: int = 0
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    doubts: Counter[str] = field(default_factory=Counter)
    first: list[AnyRow] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    sums: Counter[str] = field(default_factory=Counter)
    directions: set[str] = field(default_factory=set)
    creatives: set[str] = field(default_factory=set)
    spent: dict[str, SpendRow] = field(default_factory=dict)
    beside: list[Spent] = field(default_factory=list)
    replaced: int = 0

    @property
    def new(self) -> int:
        """Rows that would be added."""
        return self.rows - self.repeats - self.stored - self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Looks through tables of one account; dates without a zone are of ``zone``."""

    database: Database
    account_id: int
    zone: tzinfo
    now: datetime

    async def look(self, path: Path, kind: ImportKind | None = None) -> Survey:
        """BadInput where the file as a whole is of no use."""
        async with opened(path, kind, zone=self.zone, now=self.now) as reading:
            survey = Survey(kind=reading.columns.kind, titles=reading.columns.titles, unknown=reading.columns.unknown)
            seen: set[str] = set()
            async for piece in reading.pieces():
                fresh = _count(survey, piece, seen)
                await self._compare(survey, fresh)
                _check_size(survey)
        if not survey.rows and not survey.refused:
            raise BadInput("file", "под строкой с названиями колонок нет ни одной строки")
        await self._compare_spend(survey)
        return survey

    async def _compare_spend(self, survey: Survey) -> None:
        """What has been told of the same days already, by tables and in words."""
        told = defaultdict[date, list[Ad]](list)
        for row in survey.spent.values():
            told[row.day].append(Ad(source=row.source, direction=row.direction, creative=row.creative))
        ads = {day: Ads(some) for day, some in told.items()}
        for currency in sorted(survey.sums):
            days = [row.day for row in survey.spent.values() if row.currency == currency]
            for one in await spent_between(self.database, self.account_id, currency, first=min(days), last=max(days)):
                mine = one.key in survey.spent
                survey.stored += mine
                survey.replaced += mine and one.replaced_by is not None
                if not mine and one.replaced_by is None and one.day in ads and ads[one.day].may_be(one.ad):
                    survey.beside.append(one)

    async def _compare(self, survey: Survey, fresh: Sequence[AnyRow]) -> None:
        leads = [row for row in fresh if isinstance(row, LeadRow)]
        if not leads:
            return
        met = await meet(self.database, self.account_id, leads, self.zone)
        survey.stored += len(met.stored)
        survey.known += len(met.known)


def _count(survey: Survey, piece: list[Numbered], seen: set[str]) -> list[AnyRow]:
    """Put a piece into the survey; its rows that were not there yet."""
    fresh = []
    for one in piece:
        if one.row is None:
            survey.refused += 1
            survey.faults += [(one.number, fault) for fault in one.faults][: SHOWN_FAULTS - len(survey.faults)]
            continue
        survey.rows += 1
        survey.doubts.update(fault.name for fault in one.doubts)
        if len(survey.first) < SHOWN_ROWS:
            survey.first.append(one.row)
        _note(survey, one.row)
        if not isinstance(one.row, SpendRow) and one.row.key in seen:  # amounts of one ad are added up
            survey.repeats += 1
            continue
        seen.add(one.row.key)
        fresh.append(one.row)
    return fresh


def _note(survey: Survey, row: AnyRow) -> None:
    """What the table says as a whole."""
    if isinstance(row, LeadRow):
        survey.undated += row.day is None
    if isinstance(row, SpendRow):
        survey.sums[row.currency] += row.amount
        survey.spent[row.key] = row
    day = getattr(row, "day", None)
    if day is not None:
        survey.days.add(day)
    for name, names in (("direction", survey.directions), ("creative", survey.creatives)):
        if title := getattr(row, name, ""):
            names.add(title)


def _check_size(survey: Survey) -> None:
    for names, field_ in ((survey.directions, "direction"), (survey.creatives, "creative")):
        if len(names) > MOST_NAMES and survey.kind in {ImportKind.LEADS, ImportKind.SPEND}:
            title = survey.titles.get(field_, "")
            raise BadInput(
                "file", f"в колонке «{title}» больше {MOST_NAMES} разных значений: переименуйте её, если это не то"
            )
    if survey.kind is not ImportKind.LEADS and survey.rows > MOST_AT_ONCE:
        raise BadInput("file", f"таких строк в файле может быть до {MOST_AT_ONCE}: разделите его на части")
