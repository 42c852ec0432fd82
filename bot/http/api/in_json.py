"""The company in JSON: a house, somebody who works there, a department, and the figures of all."""

import json
from functools import partial

from storage.queries.directory import DepartmentLine, EmployeeLine, HouseLine
from storage.queries.directory_figures import Statistics

_compact = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
_NUMBERS = ("flats", "entrances", "floors")


def to_bytes(value: object) -> bytes:
    return _compact(value).encode()


def house(line: HouseLine) -> bytes:
    """What is not known is null. ``unread``: what the card says in the place of a number, where it is none."""
    written = {str(name): text for name, text in line.values.items()}
    counts = {name: getattr(line, name) for name in _NUMBERS}
    return to_bytes(
        {
            "id": line.id,
            "title": line.title,
            "address": line.address or None,
            **counts,
            "management_company": line.company or None,
            "cleaning_schedule": line.schedule or None,
            "brigade": line.brigade or None,
            "url": line.url or None,
            "unread": {name: written[name] for name in _NUMBERS if counts[name] is None and written.get(name)},
        }
    )


def employee(line: EmployeeLine) -> bytes:
    return to_bytes(
        {
            "id": line.external_id,
            "name": line.full_name or None,
            "position": line.position or None,
            "departments": line.departments,
            "active": line.active,
            "phone": line.phone or None,
            "email": line.email or None,
            "extension": line.extension or None,
        }
    )


def department(line: DepartmentLine) -> bytes:
    return to_bytes(
        {
            "id": line.external_id,
            "name": line.name,
            "parent_id": line.parent_id or None,
            "parent": line.parent or None,
            "depth": line.depth,
            "head_id": line.head_id or None,
            "head": line.head or None,
            "head_active": line.head_active if line.head_id else None,
            "people": line.people,
        }
    )


def figures(said: Statistics) -> dict[str, object]:
    """The same that /stats shows; sums by company are the totals, those without one under null."""
    companies = [
        {"name": one.name or None, "houses": one.houses, "flats": one.flats, "entrances": one.entrances}
        for one in said.by_company
    ]
    missing = {"address": said.without_address, "flats": said.without_flats, "entrances": said.without_entrances}
    people = [{"name": one.name or None, "people": one.people} for one in said.by_department]
    return {
        "houses": {"total": said.houses, "flats": said.flats, "entrances": said.entrances, "without": missing},
        "management_companies": companies,
        "employees": {"total": said.employees, "active": said.active, "fired": said.fired, "in_several": said.in_several},
        "departments": {"total": said.departments, "people": people},
    }
