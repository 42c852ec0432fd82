"""The company in figures, which add up: those without a managing company and those without a department are in them."""

from collections.abc import Iterator

from domain.messages import Button, Message, Section, bold, bullet, plain
from domain.plural import spaced
from handlers.calls.screens import ANSWER, action
from handlers.directory.ages import Sight, age_lines, refresh_row
from handlers.wording import Reader, shortened
from storage.queries.directory_figures import CompanyCount, DepartmentCount, Statistics

MOST_LINES = 12  # of companies, and of departments; the others are one line with their sum
NAME_LIMIT = 60


def statistics_screen(reader: Reader, figures: Statistics, houses: Sight, staff: Sight, *, pipelines: str = "") -> Message:
    """``houses`` and ``staff``: how old these lists are. ``pipelines``: where houses come from several, what is said."""
    sections = [Section(title=bold(reader.say("stats.title")))]
    sections += _houses(reader, figures) if figures.houses else []
    sections += _staff(reader, figures) if figures.employees else []
    foot = (*filter(None, (pipelines,)), *_ages(reader, houses, staff))
    sections.append(Section(lines=tuple(plain(line) for line in foot)))
    rows = (
        _doors(reader, figures),
        (action(reader.say("directory.button.tree"), "dp:0"),),
        refresh_row(reader, houses, "dst"),
    )
    return Message(key=ANSWER, sections=tuple(sections), buttons=tuple(row for row in rows if row))


def _ages(reader: Reader, houses: Sight, staff: Sight) -> Iterator[str]:
    """One line where both were read together, else each by its name."""
    ages = [list(age_lines(reader, sight)) for sight in (houses, staff)]
    if ages[0] != ages[1]:
        ages = [list(age_lines(reader, sight, named=True)) for sight in (houses, staff)]
    yield from dict.fromkeys((*ages[0], *ages[1]))


def _houses(reader: Reader, figures: Statistics) -> Iterator[Section]:
    flats = reader.say("stats.flats", count=spaced(figures.flats))
    entrances = reader.say("stats.entrances", count=spaced(figures.entrances))
    lines = [bullet(_unsaid(reader, flats, figures.without_flats))]
    lines.append(bullet(_unsaid(reader, entrances, figures.without_entrances)))
    if figures.without_address:
        lines.append(bullet(reader.say("stats.without_address", count=figures.without_address)))
    yield Section(title=bold(reader.say("stats.houses", count=spaced(figures.houses))), lines=tuple(lines))
    companies = tuple(bullet(line) for line in _companies(reader, figures.by_company))
    yield Section(title=bold(reader.say("stats.companies")), lines=companies)


def _companies(reader: Reader, counted: tuple[CompanyCount, ...]) -> Iterator[str]:
    named, without = [one for one in counted if one.key], [one for one in counted if not one.key]
    shown = named if len(named) <= MOST_LINES else named[: MOST_LINES - 1]
    for one in shown:
        yield reader.say("stats.company", name=shortened(one.name, NAME_LIMIT), **_sums(reader, [one]))
    if rest := named[len(shown) :]:
        yield reader.say("stats.other_companies", count=len(rest), **_sums(reader, rest))
    if without:
        yield reader.say("stats.without_company", **_sums(reader, without))


def _sums(reader: Reader, some: list[CompanyCount]) -> dict[str, str]:
    return {
        "houses": reader.count(sum(one.houses for one in some), "house"),
        "flats": reader.count(sum(one.flats for one in some), "flat"),
    }


def _staff(reader: Reader, figures: Statistics) -> Iterator[Section]:
    state = bullet(reader.say("stats.active", active=figures.active, fired=figures.fired))
    yield Section(title=bold(reader.say("stats.staff", count=figures.employees)), lines=(state,))
    lines = [bullet(line) for line in _departments(reader, figures.by_department)]
    if figures.in_several:
        lines.append(plain(reader.say("stats.in_several", count=figures.in_several)))
    yield Section(title=bold(reader.say("stats.departments", count=figures.departments)), lines=tuple(lines))


def _departments(reader: Reader, counted: tuple[DepartmentCount, ...]) -> Iterator[str]:
    named, without = [one for one in counted if one.name], [one for one in counted if not one.name]
    shown = named if len(named) <= MOST_LINES else named[: MOST_LINES - 1]
    for one in shown:
        people = reader.count(one.people, "employee")
        yield reader.say("stats.department", name=shortened(one.name, NAME_LIMIT), people=people)
    if rest := named[len(shown) :]:
        people = reader.count(sum(one.people for one in rest), "employee")
        yield reader.say("stats.other_departments", departments=reader.count(len(rest), "department"), people=people)
    for one in without:
        yield reader.say("stats.without_department", people=reader.count(one.people, "employee"))


def _unsaid(reader: Reader, what: str, lacking: int) -> str:
    return reader.say("stats.unsaid", what=what, count=reader.count(lacking, "among_houses")) if lacking else what


def _doors(reader: Reader, figures: Statistics) -> tuple[Button, ...]:
    doors = [action(reader.say("directory.button.houses"), "hs:0"), action(reader.say("directory.button.staff"), "em:0")]
    without = next((one for one in figures.by_company if not one.key), None)
    if without is not None:
        doors.insert(1, action(reader.say("directory.button.without_company", count=without.houses), "hsu:0"))
    return tuple(doors)
