"""Who registered is asked of the platform once the report is there: without it nobody fails to come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import VendorRefused, VendorUnavailable
from domain.messages import as_text
from domain.webinars import Subscriber
from handlers.webinars.pipeline import webinar_ended
from tests.calls.world import Crash, MemorySteps
from tests.webinars.world import REPORT, TURNOUT, World

SESSION = REPORT.started_at
ANNA = Subscriber(key="s1", email="anna@p.ru", phone="+79990000001", name="Анна", session_at=SESSION)
MANY = [replace(ANNA, key=f"s{n}", email=f"{n}@p.ru", phone="") for n in range(25)]


@pytest.fixture
def asked(world: World) -> World:
    """A page of the webinar's room, with three registered, two of them for this session."""
    assert SESSION is not None
    world.room = REPORT.room_id
    another = replace(ANNA, email="boris@p.ru", session_at=SESSION + timedelta(days=7))
    world.enrolled = [ANNA, replace(ANNA, email="vera@p.ru", phone="", secret="door"), another]
    world.webinars.figures = replace(TURNOUT, registered=0)
    return world


def card(world: World) -> str:
    (message,) = world.posts.values()
    return as_text(message)


async def test_those_registered_for_the_session_are_kept_and_the_card_grows(asked: World) -> None:
    steps = MemorySteps()
    services = asked.services()
    kept = services.registrations.add_registration

    async def add(*values: object, **named: object) -> object:
        asked.webinars.figures = TURNOUT  # whoever is kept is counted
        return await kept(*values, **named)  # type: ignore[arg-type]

    asked.registrations.add_registration = add  # type: ignore[assignment,method-assign]
    await webinar_ended(asked.item(), steps, services)
    assert [(page, person.email) for page, person in asked.registrations.rows] == [
        ("111222:page", "anna@p.ru"), ("111222:page", "vera@p.ru"),
    ]  # fmt: skip
    assert "Записались: 2\N{NO-BREAK SPACE}350" in card(asked)
    assert len(asked.posts) == 1
    (message,) = asked.posts.values()
    assert [file.kind for file in message.files] == ["photo"]


async def test_a_crash_while_they_are_taken_changes_nothing(asked: World) -> None:
    steps = MemorySteps(die_after=11)
    with pytest.raises(Crash):
        await webinar_ended(asked.item(), steps, asked.services())
    steps.die_after = None
    await webinar_ended(asked.item(), steps, asked.services())
    assert {person.email for _, person in asked.registrations.rows} == {"anna@p.ru", "vera@p.ru"}


async def test_all_of_a_long_list_are_taken(asked: World) -> None:
    asked.enrolled = MANY
    await webinar_ended(asked.item(), MemorySteps(), asked.services())
    assert len(asked.registrations.rows) == len(MANY)


async def test_a_token_without_the_right_to_pages_costs_their_figure_alone(asked: World) -> None:
    asked.fails["pages"] = [VendorRefused("bizon365", "pages", code="no_right", hint="Нет права")] * 2
    await webinar_ended(asked.item(), MemorySteps(), asked.services())
    assert asked.registrations.rows == []
    assert "Пришли: 1\N{NO-BREAK SPACE}402" in card(asked)


async def test_a_platform_away_is_asked_later_and_the_card_stands_already(asked: World) -> None:
    asked.fails["subscribers"] = [VendorUnavailable("bizon365", "subscribers", "HTTP 503")]
    steps = MemorySteps()
    with pytest.raises(VendorUnavailable):
        await webinar_ended(asked.item(), steps, asked.services())
    assert "Пришли: 1\N{NO-BREAK SPACE}402" in card(asked)
    await webinar_ended(asked.item(), steps, asked.services())
    assert len(asked.registrations.rows) == 2


async def test_a_page_of_another_room_is_not_asked(asked: World) -> None:
    asked.room = "111222:other"
    await webinar_ended(asked.item(), MemorySteps(), asked.services())
    assert asked.seen["subscribers"] == 0


async def test_one_that_began_late_is_the_session_it_was_planned_as(asked: World) -> None:
    """The nearest session of the room and no other: the next evening begins within the same two hours."""
    assert SESSION is not None
    planned, later = SESSION - timedelta(minutes=14), SESSION + timedelta(minutes=46)
    asked.enrolled = [
        replace(ANNA, email=f"{name}@p.ru", session_at=at)
        for name, at in (("anna", planned), ("next", later), ("boris", planned), ("week", SESSION + timedelta(days=7)))
    ]
    await webinar_ended(asked.item(), MemorySteps(), asked.services())
    assert [person.email for _, person in asked.registrations.rows] == ["anna@p.ru", "boris@p.ru"]


async def test_an_automatic_one_begins_on_the_minute(asked: World) -> None:
    assert SESSION is not None
    asked.report_ = replace(REPORT, live=False)
    asked.enrolled = [replace(ANNA, session_at=SESSION - timedelta(minutes=14))]
    await webinar_ended(asked.item(), MemorySteps(), asked.services())
    assert asked.registrations.rows == []
