"""A thousand towns made up at random: what /stats shows and what the API answers are the same sums, and they add up."""

import re
from random import Random

from bot.http.api.in_json import figures
from domain.directory import DirectoryList
from domain.messages import Message, as_text
from handlers.directory.ages import Sight
from handlers.directory.figures import statistics_screen
from storage.queries.directory import ListState
from storage.queries.directory_figures import CompanyCount, DepartmentCount, Statistics
from tests.handlers.test_surfaces_agree import NOW, READER, SETS, lines_of, number_of

SIGHT = Sight(name=DirectoryList.HOUSES, state=ListState(read_at=NOW, count=1), crm="Битрикс24")


def town(chance: Random) -> Statistics:
    keys = [*(f"ук {number}" for number in range(chance.randrange(16))), *([""] if chance.random() < 0.5 else [])]
    companies = tuple(
        CompanyCount(
            key=key, name=key.upper(), houses=chance.choice((1, 7, 1200)), flats=chance.choice((0, 80, 12_345)),
            entrances=chance.randrange(99),
        )
        for key in keys
    )  # fmt: skip
    departments = [
        DepartmentCount(name=f"Отдел {number}", people=chance.randrange(40)) for number in range(chance.randrange(16))
    ]
    people = sum(one.people for one in departments)
    active = people - (chance.randrange(people + 1) if people else 0)
    fired, houses = chance.randrange(9), sum(one.houses for one in companies)
    return Statistics(
        houses=houses, flats=sum(one.flats for one in companies), entrances=sum(one.entrances for one in companies),
        without_address=chance.randint(0, houses), without_flats=chance.randint(0, houses), by_company=companies,
        employees=active + fired, active=active, fired=fired, by_department=tuple(departments), departments=len(departments),
    )  # fmt: skip


def numbers(line: str) -> list[int]:
    """Those that are said after the name: names may hold digits."""
    return [int(number_of(one)) for one in re.findall(r"\d[\d\u00a0]*", line.rpartition(": ")[2])]


def check(told: Statistics) -> None:
    screen = statistics_screen(READER, told, SIGHT, SIGHT)
    said = [lines_of(section) for section in screen.sections]
    by_title = {lines[0].partition(":")[0]: lines for lines in said}
    answer = figures(told)
    totals = answer["houses"]
    assert isinstance(totals, dict)
    if told.houses:
        head, flats, *_ = by_title["Дома"]
        assert numbers(head) == [told.houses] == [totals["total"]]
        assert int(number_of(flats.partition(",")[0])) == told.flats == totals["flats"]
        sums = [numbers(line) for line in by_title["По управляющим компаниям"][1:]]
        assert [sum(column) for column in zip(*sums, strict=True)] == [told.houses, told.flats]
        listed = answer["management_companies"]
        assert isinstance(listed, list)
        assert [sum(one[name] for one in listed) for name in ("houses", "flats", "entrances")] == [
            told.houses, told.flats, told.entrances,
        ]  # fmt: skip
    if told.employees:
        assert numbers(by_title["Сотрудники"][0]) == [told.employees]
        assert re.findall(r"\d+", by_title["Сотрудники"][1]) == [str(told.active), str(told.fired)]
        lines = [line for line in by_title["Отделы"][1:] if line.startswith("• ")]
        assert sum(numbers(line)[0] for line in lines) == told.active + told.in_several
        people = answer["employees"]
        assert people == {
            "total": told.employees, "active": told.active, "fired": told.fired, "in_several": told.in_several,
        }  # fmt: skip
    assert as_text(Message(key="", sections=screen.sections))


def test_houses_and_people_agree() -> None:
    for seed in range(SETS):
        told = town(Random(seed))
        try:
            check(told)
        except AssertionError as error:
            raise AssertionError(f"set {seed}: {told}") from error
