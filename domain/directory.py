"""The company as its CRM knows it: houses that are looked after, the people who work there, and their departments."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class DirectoryList(StrEnum):
    """What is read of a company, each list by itself: one may be refused where another is not."""

    HOUSES = "houses"
    EMPLOYEES = "employees"
    DEPARTMENTS = "departments"


class HouseField(StrEnum):
    """What is known of a house. Which field of a deal holds it differs from portal to portal: see HouseMapping."""

    ADDRESS = "address"
    FLATS = "flats"
    ENTRANCES = "entrances"
    FLOORS = "floors"
    COMPANY = "company"  # the managing company («УК»)
    SCHEDULE = "schedule"  # when it is cleaned
    BRIGADE = "brigade"  # who cleans it


class NotHouses(StrEnum):
    """Why deals are not taken for houses, as the problem of their list is kept."""

    UNMAPPED = "unmapped"  # no field is of a house, and no pipeline is chosen
    ADDRESSLESS = "addressless"  # thousands of deals, most of which tell of no house, and no pipeline is chosen


# A deal that tells of one of these is a house; where there is no address, its name stands for it.
OF_A_HOUSE = frozenset({HouseField.ADDRESS, HouseField.FLATS, HouseField.ENTRANCES, HouseField.FLOORS})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardField:
    """A field of a deal's card as the CRM describes it: its code, the label people see, and a type of the CRM's own.

    ``options``: what each id of a list's value is called.
    """

    code: str
    label: str
    type: str = ""
    multiple: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPipeline:
    """A pipeline of deals. Houses often have one of their own, apart from sales."""

    external_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseMapping:
    """Where houses are: the code of the card's field for each HouseField, and the pipeline, "" for deals of all of them.

    A HouseField without a code is not known of any house.
    """

    codes: Mapping[HouseField, str] = field(default_factory=dict)
    pipeline_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A house. ``values`` as people read them (a list's value, not its id), several joined by «, »; none that is empty.

    ``title`` is the deal's name, ``url`` its card. ``stage_id`` and ``responsible_id`` are the CRM's.
    """

    external_id: str
    title: str
    values: Mapping[HouseField, str] = field(default_factory=dict)
    pipeline_id: str = ""
    stage_id: str = ""
    responsible_id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """Somebody who works in the company, or did: ``active`` False for who was fired. ``department_ids`` may be several.

    ``phone`` and ``email`` as written, "" where the right to see them is missing; ``extension``: the inner number.
    """

    external_id: str
    name: str
    last_name: str = ""
    second_name: str = ""
    position: str = ""
    department_ids: tuple[str, ...] = ()
    active: bool = True
    phone: str = ""
    email: str = ""
    extension: str = ""

    @property
    def full_name(self) -> str:
        """«Петрова Анна Сергеевна»; "" of somebody without any name."""
        return " ".join(part for part in (self.last_name, self.name, self.second_name) if part)

    @property
    def called(self) -> str:
        """«Анна Петрова», as cards of calls name people."""
        return " ".join(part for part in (self.name, self.last_name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department or a brigade. ``parent_id`` is "" at the root, ``head_id`` where nobody heads it; sorted by ``place``."""

    external_id: str
    name: str
    parent_id: str = ""
    head_id: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HousePage:
    """Some houses in the CRM's order; ``cursor`` is where the next page begins, "" after the last."""

    houses: tuple[House, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeePage:
    """Some employees; ``cursor`` as of HousePage."""

    employees: tuple[Employee, ...]
    cursor: str = ""


MOST_OF_A_HOUSE = 100_000  # flats, entrances or floors: what is more is something else
_NUMBER = re.compile(r"\D*?(\d[\d\s\u00a0]*?)(?:[.,]0+)?(?:[^\d.,]\D*|[.,])?")


def number_of(text: str) -> int | None:
    """The one whole number that ``text`` says («120», «1 200 кв.», «5.0»); None where it says none, or several."""
    found = _NUMBER.fullmatch(text.strip())
    number = int(re.sub(r"\s", "", found[1])) if found is not None and len(found[1]) < len("100 000 000") else None
    return number if number is not None and number <= MOST_OF_A_HOUSE else None


def in_tree_order(departments: Sequence[Department]) -> tuple[tuple[Department, int], ...]:
    """Each once, with its depth, children below their parent. One whose parent is nowhere, or below itself, is a root."""
    listed = sorted(departments, key=lambda one: (one.place, one.name.casefold(), one.external_id))
    known = {one.external_id for one in listed}
    children: dict[str, list[Department]] = defaultdict(list)
    for one in listed:
        children[one.parent_id if one.parent_id in known else ""].append(one)
    ordered: dict[str, tuple[Department, int]] = {}
    for root in (*children[""], *listed):  # who is left after the roots goes round in a circle
        waiting = [(root, 0)]
        while waiting:
            one, depth = waiting.pop()
            if one.external_id not in ordered:
                ordered[one.external_id] = (one, depth)
                waiting += [(child, depth + 1) for child in reversed(children[one.external_id])]
    return tuple(ordered.values())
