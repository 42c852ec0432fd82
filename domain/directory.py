"""The company as its CRM knows it: houses that are looked after, the people who work there, and their departments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class HouseField(StrEnum):
    """What is known of a house. Which field of a deal holds it differs from portal to portal: see HouseMapping."""

    ADDRESS = "address"
    FLATS = "flats"
    ENTRANCES = "entrances"
    FLOORS = "floors"
    COMPANY = "company"  # the managing company («УК»)
    SCHEDULE = "schedule"  # when it is cleaned
    BRIGADE = "brigade"  # who cleans it


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
