"""A lead, an amount, a direction or a creative in one typed line; whatever is wrong with it is named by its field."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from domain.imports import AnyRow, ImportKind, LeadRow, SpendRow
from handlers.calls.periods import Period, find_period
from handlers.leads.cells import Fault, Numbered, read_row
from handlers.leads.columns import field_of
from storage.calls import folded

LONGEST_LINE = 1000
MOST_DAYS = 366
_PARTS = re.compile(r"[;\n]|,(?!\d)")
_LABEL = re.compile(r"\s*([^:=]{2,30}?)\s*[:=]\s*(.+)", re.DOTALL)
_EMAIL = re.compile(r"\S+@\S+")
_PHONE = re.compile(r"\+?\d[\d ()\-\u2011\u2013]{7,}\d")
_SIGN = r"(?:₽|руб\w*\.?|р\b\.?|\$|€|₸|usd|eur|kzt|byn)"
_AMOUNT = re.compile(rf"(?<![\w.,])(?:[$€₽]\s*)?-?\d[\d .,\u00a0]*(?:\s*{_SIGN})?", re.IGNORECASE)
_MAYBE_DAY = re.compile(  # «31.02», «05.11.26» that no period has taken
    rf"(?<![\w.,$€₽])(?:0?[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])(?:\.(?:\d\d){{1,2}})?(?![\w.,]|\s*{_SIGN})", re.IGNORECASE
)
_ARROW = re.compile(r"\s*(?:→|->|=>)\s*")
_LOOSE = {
    ImportKind.LEADS: ("name", "direction", "utm_source"),
    ImportKind.SPEND: ("utm_source", "direction", "creative"),
    ImportKind.CREATIVES: ("creative", "direction", "utm_content"),
    ImportKind.DIRECTIONS: ("direction",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a line says. ``rows`` are empty where it has ``faults``. ``renames``: the direction that gets this name.

    An amount of several days is a row for each, which together are the amount; ``period`` are those days.
    """

    kind: ImportKind
    rows: tuple[AnyRow, ...] = ()
    faults: tuple[Fault, ...] = ()
    period: Period | None = None
    renames: str = ""


def read_line(kind: ImportKind, text: str, *, zone: tzinfo, now: datetime) -> Typed:
    """Parts are parted by commas; «источник: vk» may stand anywhere, what has no label is known by its form and place."""
    text = text.strip()[:LONGEST_LINE]
    renames = ""
    if kind is ImportKind.DIRECTIONS and len(found := _ARROW.split(text, maxsplit=1)) > 1:
        renames, text = found
    today = now.astimezone(zone).date()
    cells, loose = _labelled(text)
    period = None
    if kind is ImportKind.SPEND and "created" not in cells:
        loose, period = _spend(cells, loose, today)
        if doubt := next((day[0] for part in loose if (day := _MAYBE_DAY.search(part))), ""):
            return Typed(kind=kind, faults=(Fault(field="day_or_amount", name="day_or_amount", given=doubt),))
    elif kind is ImportKind.LEADS:
        loose = [_contacts(cells, part) for part in loose]
    free = iter(field for field in _LOOSE[kind] if field not in cells)
    cells |= dict(zip(free, (part for part in loose if part), strict=False))
    one = read_row(kind, 0, cells, zone=zone, now=now)
    return _typed(kind, one, period, today=today, now=now, renames=renames)


def _typed(kind: ImportKind, one: Numbered, period: Period | None, *, today: date, now: datetime, renames: str) -> Typed:
    faults = one.faults or one.doubts  # who types can put it right
    if faults or one.row is None:
        return Typed(kind=kind, faults=faults)
    row = one.row
    if isinstance(row, SpendRow):
        days = period or Period(first=row.day, last=row.day)
        if days.last > today:
            return Typed(kind=kind, faults=(Fault(field="created", name="future", given=f"{days.last:%d.%m.%Y}"),))
        return Typed(kind=kind, rows=tuple(spread(row, days)), period=days)
    if isinstance(row, LeadRow) and row.created_at is None:
        row = replace(row, created_at=now, day=today)
    return Typed(kind=kind, rows=(row,), renames=renames)


def spread(row: SpendRow, days: Period) -> list[SpendRow]:
    """The amount in equal parts, to the kopeck; what does not divide goes to the first days."""
    count = (days.last - days.first).days + 1
    each, more = divmod(row.amount, count)
    return [
        replace(row, day=days.first + timedelta(days=number), amount=each + (number < more)) for number in range(count)
    ]  # fmt: skip


def _labelled(text: str) -> tuple[dict[str, str], list[str]]:
    """Cells that say what they are, and the parts that do not."""
    cells: dict[str, str] = {}
    loose = []
    for part in _PARTS.split(text):
        found = _LABEL.fullmatch(part)
        field = field_of(found[1]) if found is not None else None
        if found is not None and field is not None:
            cells.setdefault(field, found[2].strip())
        else:
            loose.append(part.strip())
    return cells, loose


def _contacts(cells: dict[str, str], part: str) -> str:
    """A part without the phone and the address in it."""
    for field, pattern in (("email", _EMAIL), ("phone", _PHONE)):
        found = pattern.search(part)
        if found is not None and field not in cells:
            cells[field] = found.group().strip()
            part = f"{part[: found.start()]} {part[found.end() :]}"
    return " ".join(part.split())


def _spend(cells: dict[str, str], loose: list[str], today: date) -> tuple[list[str], Period | None]:
    """The days and the amount out of the words; a day alone is a period too, and none at all is today."""
    text = folded(" , ".join(loose))
    period, rest = find_period(text, today)
    cells["created"] = f"{(period.first if period else today):%d.%m.%Y}"
    found = _AMOUNT.search(rest)
    if found is not None and _MAYBE_DAY.search(rest) is None:  # else it is asked which of the two was meant
        cells.setdefault("amount", found.group().strip(" ,"))
        rest = f"{rest[: found.start()]} {rest[found.end() :]}"
    return [" ".join(part.split()) for part in rest.split(",")], period
