"""The company as files: its houses, people and departments as the CRM has them, what they add up to, and its figures."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from decimal import Decimal

from domain.people import phone_key
from handlers.analytics.company import Indicator, Measured, Unit, count_company, definition, name_of, shown
from handlers.exports.columns import Row
from handlers.exports.ground import Ground, period_of
from storage.queries import directory, directory_figures
from storage.queries.directory import EmployeeLine
from storage.queries.listings import Days
from storage.queries.settings import min_duration_s

HOUSES = (
    "house_id", "house_title", "address", "flats", "entrances", "floors", "company", "schedule", "brigade", "card_url",
)  # fmt: skip
EMPLOYEES = (
    "employee_id", "full_name", "position", "departments", "active", "employee_phone", "employee_email", "extension",
)  # fmt: skip
DEPARTMENTS = ("department_id", "department", "parent", "head", "people", "depth")
STATISTICS = ("section", "line", "houses", "flats", "entrances", "people")
FIGURES = ("figure", "number", "unit", "shown", "how")

Slices = AsyncGenerator[Sequence[Row]]


async def houses(ground: Ground, days: Days) -> Slices:
    """In the CRM's order, as they were read last."""
    del days
    yield [
        (one.external_id, one.title, one.address, one.flats, one.entrances, one.floors, one.company, one.schedule,
         one.brigade, one.url)
        for one in await directory.houses(ground.database, ground.account_id)
    ]  # fmt: skip


async def employees(ground: Ground, days: Days) -> Slices:
    """By name, who was fired after the others."""
    del days
    yield [_employee(one) for one in await directory.employees(ground.database, ground.account_id)]


def _employee(one: EmployeeLine) -> Row:
    phone = phone_key(one.phone) or one.phone
    about = (one.external_id, one.full_name, one.position, ", ".join(one.departments), one.active)
    return (*about, phone, one.email, one.extension)


async def departments(ground: Ground, days: Days) -> Slices:
    """Each above its children."""
    del days
    yield [
        (one.external_id, one.name, one.parent, one.head, one.people, one.depth)
        for one in await directory.departments(ground.database, ground.account_id)
    ]


async def statistics(ground: Ground, days: Days) -> Slices:
    """Sums first, then what they are made of."""
    del days
    found, say = await directory_figures.statistics(ground.database, ground.account_id), ground.reader.say
    if not (found.houses or found.employees or found.departments):
        yield []
        return
    names = {name: say(f"export.section.{name}") for name in ("houses", "companies", "people", "departments")}
    rows: list[Row] = [(names["houses"], say("export.line.all"), found.houses, found.flats, found.entrances, None)]
    rows += [
        (names["companies"], one.name or say("export.line.no_company"), one.houses, one.flats, one.entrances, None)
        for one in found.by_company
    ]
    rows += [(names["people"], say("export.line.active"), None, None, None, found.active)]
    rows += [(names["people"], say("export.line.fired"), None, None, None, found.fired)]
    rows += [
        (names["departments"], one.name or say("export.line.no_department"), None, None, None, one.people)
        for one in found.by_department
    ]
    yield rows


async def figures(ground: Ground, days: Days) -> Slices:
    """As the digest counts and words them, with how each is counted."""
    reader, database, account_id = ground.reader, ground.database, ground.account_id
    found = await count_company(
        database, account_id, await period_of(ground, days), zone=reader.zone, now=reader.now,
        short_s=await min_duration_s(database, account_id, ground.short_s, fixed=ground.short_fixed),
    )  # fmt: skip
    rows: list[Row] = []
    for indicator, measured in found.values.items():
        told = (shown(reader, indicator, measured), definition(reader, found, indicator, attended_s=ground.attended_s))
        rows += [(name_of(reader, indicator), *number, *told) for number in _numbers(ground, indicator, measured)]
    yield rows


def _numbers(ground: Ground, indicator: Indicator, measured: Measured) -> Iterator[tuple[Decimal | int | None, str]]:
    """The number and its unit; of money one for each currency, and a line without a number where there is none."""
    unit = ground.reader.say(f"export.unit.{indicator.unit}")
    if indicator.unit is Unit.MONEY:
        yield from ((Decimal(cost.amount).scaleb(-2), cost.currency) for cost in measured.money)
        if not measured.money:
            yield None, unit
        return
    dollars = indicator.unit is Unit.DOLLARS and measured.number is not None
    yield (Decimal(measured.number or 0).scaleb(-6) if dollars else measured.number), unit
