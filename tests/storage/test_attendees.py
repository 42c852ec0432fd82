"""Who was at a webinar, as people ask: by segment, the newest of all, one person's own, and «был ли»."""

import json
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.webinars import RoomId
from storage.engine import Database
from storage.models import creatives, directions, identities
from storage.queries.attendees import (
    Segment,
    Visited,
    attendee_slices,
    find_attendees,
    is_visitor,
    last_attendances,
    raw_records,
    visits_of_person,
)
from storage.queries.webinars import list_webinars, webinar_line
from tests.storage.hall import REPORT, START, Hall, after, another, lead, viewer

STAYED, LEFT, SHORT, ASKED, GUEST = (f"8999000000{n}" for n in range(5))


@pytest.fixture
async def hall(database: Database) -> Hall:
    async def names(connection: AsyncConnection) -> None:
        row = {"account_id": 1, "created_at": START, "id": 1}
        await connection.execute(insert(directions).values(name="Ипотека", **row))
        await connection.execute(insert(creatives).values(title="Креатив", **row))

    await database.write(names)
    hall = Hall(database)
    await hall.save(
        lead(STAYED, direction_id=1, creative_id=1, manager="Анна", status="Новый"), lead(LEFT, manager="Борис"), lead(ASKED)
    )
    return hall


def people() -> list:  # type: ignore[type-arg]
    return [
        viewer(STAYED, "stayed@example.ru", minutes=(0, 58), raw='{"city": "Краснодар", "new_key": 1}'),
        viewer(LEFT, minutes=(0, 20)),
        viewer(SHORT, minutes=(0, 1)),
        viewer(ASKED, minutes=(0, 31), messages=1),
        viewer(name="Гость", minutes=(0, 40)),
    ]


async def test_segments(hall: Hall) -> None:
    before = [viewer(LEFT), viewer(email="stayed@example.ru"), viewer(SHORT, minutes=(0, 1)), viewer(name="Гость")]
    await hall.hold(before, another(days=-7))
    webinar = await hall.hold(people())
    found = {}
    for segment in Segment:
        page = await find_attendees(hall.database, 1, webinar, segment, limit=10)
        assert page.total == len(page.rows)
        found[segment] = {row.phone_number[-1:] or "guest" for row in page.rows}
    assert found == {
        Segment.ALL: {"0", "1", "2", "3", "guest"},
        Segment.ATTENDED: {"0", "1", "3", "guest"},
        Segment.STAYED: {"0"},
        Segment.LEFT_EARLY: {"1"},
        Segment.LOOKED_IN: {"2"},
        Segment.AGAIN: {"0", "1"},
        Segment.LONG: {"0", "3", "guest"},
        Segment.HOT: {"0", "3"},
        Segment.WARM: {"1", "guest"},
        Segment.MATCHED: {"0", "1", "3"},
        Segment.UNMATCHED: {"2", "guest"},
        Segment.NO_PHONE: {"guest"},
    }


async def test_hot_people_come_first_and_a_manager_sees_their_own(hall: Hall) -> None:
    webinar = await hall.hold(people())
    page = await find_attendees(hall.database, 1, webinar, limit=2, offset=1)
    assert (page.total, [row.phone_number[-1:] for row in page.rows]) == (5, ["3", ""])
    (row,) = (await find_attendees(hall.database, 1, webinar, manager="Анна", limit=9)).rows
    assert (row.direction, row.creative, row.lead_status, row.lead_phone) == ("Ипотека", "Креатив", "Новый", "79990000000")
    assert (await find_attendees(hall.database, 1, webinar, manager="", limit=9)).total == 3
    assert (await find_attendees(hall.database, 2, webinar, limit=9)).total == 0


async def test_all_of_them_come_in_slices_in_the_same_order(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.queries.attendees.SLICE", 2)
    webinar = await hall.hold(people())
    slices = [some async for some in attendee_slices(hall.database, 1, webinar)]
    assert [len(some) for some in slices] == [2, 2, 1]
    for segment in Segment:
        page = await find_attendees(hall.database, 1, webinar, segment, limit=10)
        assert page.rows == tuple(
            [row async for some in attendee_slices(hall.database, 1, webinar, segment) for row in some]
        )


async def test_whoever_stops_in_the_middle_leaves_the_connection_usable(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.queries.attendees.SLICE", 1)
    webinar = await hall.hold(people())
    for _ in range(20):  # more often than there are connections
        async with aclosing(attendee_slices(hall.database, 1, webinar)) as slices:
            assert [row.phone_number[-1:] for row in await anext(slices)] == ["0"]
    assert (await find_attendees(hall.database, 1, webinar, limit=1)).total == 5


async def test_the_newest_twenty_of_all(hall: Hall) -> None:
    await hall.hold([viewer(f"8912000{n:04d}", minutes=(n, 50)) for n in range(30)])
    await hall.hold([viewer(STAYED), viewer(LEFT, minutes=(5, 20))], another())
    loading = await hall.register(another(days=14))
    await hall.load(loading, [viewer(SHORT)])
    rows = await last_attendances(hall.database, 1)
    assert len(rows) == 20
    assert [row.phone_number[-1] for row in rows[:2]] == ["1", "0"]
    assert [row.phone_number for row in rows[2:4]] == ["79120000029", "79120000028"]
    first = rows[1]
    assert (first.webinar_title, first.username, first.watch_duration_sec, first.attended) == ("Вебинар", "", 1200, True)
    assert (first.lead_phone, first.direction_id, first.creative_id) == ("79990000000", 1, 1)
    assert await last_attendances(hall.database, 2) == ()


async def test_one_persons_visits_and_what_was_said_of_them(hall: Hall) -> None:
    webinar = await hall.hold(people())
    await hall.hold([viewer(STAYED)], another())
    person = next(row["person_id"] for row in await hall.rows(identities) if row["value"] == "79990000000")
    newest, first = await visits_of_person(hall.database, 1, person)
    assert (newest.webinar_date, first.webinar_date) == (START + timedelta(days=7), START)
    (raw,) = await raw_records(hall.database, 1, first.id)
    assert json.loads(raw) == {"city": "Краснодар", "new_key": 1}
    assert await raw_records(hall.database, 2, first.id) == ()
    twice = await hall.hold([viewer(STAYED, raw="1"), viewer(LEFT, raw="2"), viewer(STAYED, raw="3")], another(days=8))
    assert webinar != twice
    (mine,) = (await find_attendees(hall.database, 1, twice, Segment.MATCHED, manager="Анна", limit=5)).rows
    assert await raw_records(hall.database, 1, mine.id) == ("1", "3")


async def test_was_there_yes_no_and_nobody_knows(hall: Hall) -> None:
    await hall.hold(people())
    yes = await is_visitor(hall.database, 1, room_id="111:room", phone="+7 (999) 000-00-00")
    assert (yes.visited, yes.has_phones, yes.has_emails) == (Visited.YES, True, True)
    assert yes.attendee is not None
    assert (yes.attendee.joined_at, yes.attendee.left_at, yes.attendee.watch_duration_sec) == (START, after(58), 3480)
    assert yes.webinar is not None
    assert yes.webinar.started_at == START
    no = await is_visitor(hall.database, 1, room_id="111:room", phone="89995556677", email="1")
    assert (no.visited, no.attendee) == (Visited.NO, None)
    by_email = await is_visitor(hall.database, 1, phone="1", email="STAYED@example.ru")
    assert by_email.visited is Visited.YES
    assert by_email.attendee is not None
    person = await is_visitor(hall.database, 1, person_id=by_email.attendee.person_id)
    assert person.attendee == by_email.attendee
    nothing = await is_visitor(hall.database, 1, phone="1", email="1")
    assert nothing.visited is Visited.NO
    assert (await is_visitor(hall.database, 1, room_id="111:other", phone=STAYED)).visited is Visited.NO_REPORT
    assert (await is_visitor(hall.database, 2, phone=STAYED)).visited is Visited.NO_REPORT


async def test_the_last_report_is_looked_into_or_the_one_of_the_day(hall: Hall) -> None:
    await hall.hold([viewer(STAYED)])
    await hall.hold([viewer(LEFT)], another())
    await hall.register(another(days=14))
    assert (await is_visitor(hall.database, 1, room_id="111:room", phone=STAYED)).visited is Visited.NO
    day = {"since": START - timedelta(hours=1), "until": START + timedelta(hours=1)}
    assert (await is_visitor(hall.database, 1, phone=STAYED, **day)).visited is Visited.YES
    later = {name: at + timedelta(days=14) for name, at in day.items()}
    waiting = await is_visitor(hall.database, 1, phone=STAYED, **later)
    assert waiting.visited is Visited.NO_REPORT
    assert waiting.webinar is not None
    assert waiting.webinar.state == "pending_report"


async def test_only_complete_webinars_are_listed(hall: Hall) -> None:
    first = await hall.hold([viewer(STAYED)])
    second = await hall.hold([], replace(another(), room_id=RoomId("111:second")))
    await hall.register(another(days=14))
    found = await list_webinars(hall.database, 1, limit=10)
    assert [(line.id, line.attendees) for line in found] == [(second, 0), (first, 1)]
    assert [line.id for line in await list_webinars(hall.database, 1, limit=10, room_id=REPORT.room_id)] == [first]
    assert [line.id for line in await list_webinars(hall.database, 1, limit=10, until=after(1))] == [first]
    assert [line.id for line in await list_webinars(hall.database, 1, limit=1, offset=1)] == [first]
    line = await webinar_line(hall.database, 1, first)
    assert line is not None
    assert (line.title, line.minutes) == ("Вебинар", 60)
    assert await webinar_line(hall.database, 2, first) is None


async def test_who_is_two_rows_is_answered_by_the_fuller_one(hall: Hall) -> None:
    await hall.save(lead("+79990000055", "two@p.ru"))
    seen = [viewer("+79990000055", minutes=(0, 5)), viewer("", "two@p.ru", minutes=(0, 40))]
    await hall.hold(seen, another(days=3))
    for asked in ({"phone": "89990000055"}, {"email": "two@p.ru"}):
        found = await is_visitor(hall.database, 1, **asked)
        assert found.attendee is not None
        assert found.attendee.watch_duration_sec == 40 * 60
