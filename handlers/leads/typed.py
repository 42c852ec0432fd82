"""A lead, a direction or a creative in one typed line; whatever is wrong with it is named by its field."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo

from domain.imports import AnyRow, ImportKind, LeadRow
from handlers.leads.cells import Fault, Numbered, read_row
from handlers.leads.columns import field_of

LONGEST_LINE = 1000
_PARTS = re.compile(r"[;\n]|,(?!\d)")
_LABEL = re.compile(r"\s*([^:=]{2,30}?)\s*[:=]\s*(.+)", re.DOTALL)
_EMAIL = re.compile(r"\S+@\S+")
_PHONE = re.compile(r"\+?\d[\d ()\-\u2011\u2013]{7,}\d")
_ARROW = re.compile(r"\s*(?:→|->|=>)\s*")
_LOOSE = {
    ImportKind.LEADS: ("name", "direction", "utm_source"),
    ImportKind.CREATIVES: ("creative", "direction", "utm_content"),
    ImportKind.DIRECTIONS: ("direction",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a line says. ``rows`` are empty where it has ``faults``. ``renames``: the direction that gets this name."""

    kind: ImportKind
    rows: tuple[AnyRow, ...] = ()
    faults: tuple[Fault, ...] = ()
    renames: str = ""


def read_line(kind: ImportKind, text: str, *, zone: tzinfo, now: datetime) -> Typed:
    """Parts are parted by commas; «источник: vk» may stand anywhere, what has no label is known by its form and place."""
    text = text.strip()[:LONGEST_LINE]
    renames = ""
    if kind is ImportKind.DIRECTIONS and len(found := _ARROW.split(text, maxsplit=1)) > 1:
        renames, text = found
    today = now.astimezone(zone).date()
    cells, loose = _labelled(text)
    if kind is ImportKind.LEADS:
        loose = [_contacts(cells, part) for part in loose]
    free = iter(field for field in _LOOSE[kind] if field not in cells)
    cells |= dict(zip(free, (part for part in loose if part), strict=False))
    one = read_row(kind, 0, cells, zone=zone, now=now)
    return _typed(kind, one, today=today, now=now, renames=renames)


def _typed(kind: ImportKind, one: Numbered, *, today: date, now: datetime, renames: str) -> Typed:
    faults = one.faults or one.doubts  # who types can put it right
    if faults or one.row is None:
        return Typed(kind=kind, faults=faults)
    row = one.row
    if isinstance(row, LeadRow) and row.created_at is None:
        row = replace(row, created_at=now, day=today)
    return Typed(kind=kind, rows=(row,), renames=renames)


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
