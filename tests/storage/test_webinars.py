"""Reports become rows of people: matched by phone, e-mail or link, once each, the same after every run."""

import json
import sqlite3
from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy.exc import DatabaseError

from domain.attendance import Yardstick
from domain.errors import BadInput
from domain.ports import Tx
from domain.webinars import Interval, Marks
from storage.engine import Database
from storage.models import conversion_dirty, identities, leads, webinar_records, webinars
from storage.webinars import WebinarStore
from tests.storage.hall import REPORT, START, Hall, after, another, lead, viewer

IVAN, OLGA, PETR = "+7 (999) 123-45-67", "8 916 000 11 22", "+7 903 555 66 77"


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


async def test_three_spellings_of_a_phone_find_three_leads(hall: Hall) -> None:
    saved = await hall.save(lead("89991234567"), lead("79160001122@c.us"), lead("+7 903 555-66-77"))
    assert (saved.added, saved.people) == (3, 3)
    await hall.hold([viewer(IVAN), viewer("9160001122"), viewer("8(903)5556677"), viewer("+7 911 111 22 33")])
    rows = await hall.attendees()
    assert [row["phone_number"] for row in rows] == ["79991234567", "79160001122", "79035556677", "79111112233"]
    assert [row["matched_by"] for row in rows] == ["phone", "phone", "phone", "none"]
    assert [row["lead_id"] is None for row in rows] == [False, False, False, True]


async def test_a_row_says_all_the_field_asks_for(hall: Hall) -> None:
    await hall.save(lead(IVAN, first=Marks(source="google", medium="cpc", partner="p7")))
    own = Marks(source="vk", term="т", content="c", campaign="k", medium="m", partner="p1")
    webinar = await hall.hold(
        [
            viewer(IVAN, "Ivan@Example.ru", name="Иван 👋", minutes=(1, 31), city="Казань", country="RU", link_ids=("l1",)),
            viewer(OLGA, minutes=(0, 1), marks=own, messages=2),
            viewer(minutes=None, name="Гость"),
        ]
    )
    ivan, olga, guest = await hall.attendees()
    assert (ivan["session_id"], ivan["webinar_id"], ivan["webinar_title"]) == (webinar, REPORT.external_id, "Вебинар")
    assert (ivan["webinar_date"], ivan["joined_at"], ivan["left_at"]) == (START, after(1), after(31))
    assert (ivan["phone"], ivan["username"], ivan["email"]) == (IVAN, "Иван 👋", "ivan@example.ru")
    assert (ivan["watch_duration_sec"], ivan["attended"], ivan["presence"], ivan["warmth"]) == (
        1800,
        True,
        "attended",
        "warm",
    )
    assert json.loads(ivan["intervals"]) == [[int(after(1).timestamp()), int(after(31).timestamp())]]
    assert (ivan["utm_source"], ivan["utm_medium"], ivan["url_marker"], ivan["marks_from"]) == (
        "google",
        "cpc",
        "p7",
        "lead",
    )
    assert json.loads(ivan["link_ids"]) == ["l1"]
    shown = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "url_marker", "marks_from")
    assert [olga[name] for name in shown] == ["vk", "m", "k", "т", "c", "p1", "viewer"]
    assert (olga["attended"], olga["presence"], olga["warmth"]) == (False, "looked_in", "hot")
    assert (guest["watch_duration_sec"], guest["attended"], guest["presence"]) == (None, False, "unknown")


async def test_the_same_report_again_changes_nothing(hall: Hall) -> None:
    await hall.save(lead(IVAN), lead(email="olga@example.ru"))
    viewers = [viewer(IVAN), viewer(email="olga@example.ru"), viewer(IVAN, minutes=(10, 40)), viewer()]
    await hall.hold(viewers)
    before = [await hall.attendees(), await hall.rows(webinar_records), await hall.rows(webinars)]
    marks = await hall.rows(conversion_dirty)
    await hall.hold(viewers, page=1)
    assert [await hall.attendees(), await hall.rows(webinar_records), await hall.rows(webinars)] == before
    assert await hall.rows(conversion_dirty) == marks
    assert len(before[0]) == 3


async def test_another_report_of_the_same_webinar_replaces_the_first(hall: Hall) -> None:
    await hall.save(lead(IVAN))
    await hall.hold([viewer(email="ivan@example.ru"), viewer(OLGA), viewer(PETR)])
    await hall.hold([viewer(IVAN, "ivan@example.ru", minutes=(0, 50)), viewer(OLGA)])
    rows = await hall.attendees()
    assert sorted(row["person_key"] for row in rows) == ["phone:79160001122", "phone:79991234567"]
    assert [row["position"] for row in await hall.rows(webinar_records)] == [0, 1]
    (webinar,) = await hall.rows(webinars)
    assert (webinar["records"], webinar["attendees"], webinar["state"]) == (2, 2, "complete")


async def test_what_a_database_refuses_is_left_out_of_texts(hall: Hall) -> None:
    await hall.hold([viewer(name="И\0ван\ud83d", city="Ка\0зань", raw='{"a": "\ud83d\0"}', marks=Marks(source="g\0"))])
    (row,) = await hall.attendees()
    assert (row["username"], row["city"], row["utm_source"]) == ("Иван?", "Казань", "g")


async def test_phone_goes_before_email_and_both_are_kept_where_they_disagree(hall: Hall) -> None:
    await hall.save(lead(IVAN), lead(email="olga@example.ru"), lead(link_ids=("l9",), number="9"))
    await hall.hold([viewer(IVAN, "olga@example.ru"), viewer(OLGA, "olga@example.ru"), viewer(link_ids=("x", "l9"))])
    people = {row["value"]: row["person_id"] for row in await hall.rows(identities)}
    both, email, link = await hall.attendees()
    assert (both["matched_by"], both["person_id"]) == ("phone", people["79991234567"])
    assert both["other_person_id"] == people["olga@example.ru"]
    assert (email["matched_by"], email["person_id"], email["other_person_id"]) == ("email", people["olga@example.ru"], None)
    assert (link["matched_by"], link["person_id"]) == ("link", people["l9"])


async def test_junk_joins_nobody(hall: Hall) -> None:
    saved = await hall.save(
        lead("9999999999", "test@test.ru", number="1"), lead("8-800-555-35-35", number="2"), lead("1", "1", number="3")
    )
    assert (saved.added, saved.people) == (3, 0)
    await hall.hold([viewer("+7 999 999-99-99", "test@test.ru"), viewer("8 800 555-35-35"), viewer("1", "1")])
    assert {row["matched_by"] for row in await hall.attendees()} == {"none"}


async def test_a_short_phone_falls_to_the_email(hall: Hall) -> None:
    await hall.save(lead(email="IVAN@example.ru"))
    await hall.hold([viewer("+7911111111", "ivan@example.ru")])
    (row,) = await hall.attendees()
    assert (row["phone_number"], row["phone"], row["matched_by"]) == ("", "+7911111111", "email")


async def test_the_newest_lead_before_the_end_counts_else_the_oldest_after(hall: Hall) -> None:
    await hall.save(
        lead(IVAN, number="old", days=-30), lead(IVAN, number="new", days=-1), lead(IVAN, number="later", days=1)
    )
    await hall.save(lead(OLGA, number="first", days=2), lead(OLGA, number="second", days=3))
    await hall.hold([viewer(IVAN), viewer(OLGA)])
    names = {row["id"]: row["external_id"] for row in await hall.rows(leads)}
    assert [names[row["lead_id"]] for row in await hall.attendees()] == ["new", "first"]
    await hall.save(lead(IVAN, number="newest", days=-0.1))
    assert [names.get(row["lead_id"], "newest") for row in await hall.attendees()] == ["newest", "first"]


async def test_the_log_says_who_is_not_found_and_hides_the_number(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await hall.save(lead(IVAN))
    await hall.hold([viewer(IVAN), viewer(OLGA), viewer(email="olga@example.ru")])
    told = [record.getMessage() for record in caplog.records if "No matching lead" in record.getMessage()]
    assert told == [f"No matching lead in webinar {REPORT.external_id}, phone +7 916 ···-··-22"]
    await hall.hold([viewer(f"7999{number:07d}") for number in range(30)], another())
    assert caplog.text.count("No matching lead") == 11


async def test_rows_that_cannot_be_written_are_told_of(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    webinar = await hall.register()
    await hall.webinars.begin_load(webinar)
    await hall.webinars.add_viewers(webinar, [viewer(IVAN)], first=0)
    await hall.database.write(
        lambda connection: connection.exec_driver_sql("ALTER TABLE webinar_attendees RENAME warmth TO heat")
    )
    with pytest.raises((DatabaseError, sqlite3.DatabaseError)):
        await hall.webinars.finish_load(webinar, records=1, skipped=0)
    assert f"Error inserting attendees of webinar {REPORT.external_id}" in caplog.text
    await hall.database.write(
        lambda connection: connection.exec_driver_sql("ALTER TABLE webinar_attendees RENAME heat TO warmth")
    )
    await hall.load(webinar, [viewer(IVAN)])
    assert len(await hall.attendees()) == 1


async def test_a_load_that_broke_off_goes_on_in_another_process(hall: Hall) -> None:
    people = [viewer(f"7999{number % 400:07d}", minutes=(number % 7, 20 + number % 11)) for number in range(700)]
    people = [replace(one, raw=str(number)) for number, one in enumerate(people)]
    await hall.save(lead("79990000007"))
    await hall.hold(people)
    whole = await hall.attendees()
    webinar = await hall.register()
    await hall.webinars.begin_load(webinar)
    await hall.webinars.add_viewers(webinar, people[:600], first=0)
    other = WebinarStore(hall.database)
    await other.begin_load(webinar, stored=600, reread=lambda raw: [people[int(number)] for number in raw])
    await other.add_viewers(webinar, people[600:], first=600)
    await other.finish_load(webinar, records=700, skipped=0, missing=3)
    assert await hall.attendees() == whole
    assert (await other.turnout(webinar)).missing == 3


async def test_leads_that_come_later_find_their_visits(hall: Hall) -> None:
    await hall.hold(
        [viewer(IVAN), viewer(email="olga@example.ru"), viewer(PETR, "petr@example.ru", marks=Marks(source="vk"))]
    )
    await hall.save(lead(IVAN, days=1, first=Marks(source="ya")), lead(email="Olga@Example.ru", days=1), lead(PETR, days=1))
    ivan, olga, petr = await hall.attendees()
    assert [row["matched_by"] for row in (ivan, olga, petr)] == ["phone", "email", "phone"]
    assert (ivan["utm_source"], ivan["marks_from"]) == ("ya", "lead")
    assert (petr["utm_source"], petr["marks_from"]) == ("vk", "viewer")


async def test_a_lead_that_goes_leaves_the_visit_to_the_other_one(hall: Hall) -> None:
    await hall.save(lead(IVAN, number="a", days=-3), lead(IVAN, number="b", days=-2))
    await hall.hold([viewer(IVAN)])
    gone = replace(lead(IVAN, number="b", days=-2), updated_at=after(100), deleted_at=after(100))
    await hall.save(gone)
    names = {row["id"]: row["external_id"] for row in await hall.rows(leads)}
    assert [names[row["lead_id"]] for row in await hall.attendees()] == ["a"]


async def test_a_lead_between_two_pages_is_not_missed(hall: Hall) -> None:
    webinar = await hall.register()
    await hall.webinars.begin_load(webinar)
    await hall.webinars.add_viewers(webinar, [viewer(IVAN)], first=0)
    await hall.webinars.finish_load(webinar, records=1, skipped=0)
    await hall.save(lead(IVAN))
    await hall.webinars.match(webinar)
    assert [row["matched_by"] for row in await hall.attendees()] == ["phone"]


async def test_matching_again_after_a_restart_looks_at_everybody(hall: Hall, database: Database) -> None:
    await hall.save(lead(IVAN))
    webinar = await hall.hold([viewer(IVAN), viewer(OLGA)])
    await database.write(lambda connection: connection.exec_driver_sql("UPDATE webinar_attendees SET person_id = NULL"))
    await WebinarStore(database).match(webinar)
    assert [row["person_id"] is None for row in await hall.attendees()] == [False, True]


async def test_what_a_person_has_said_is_obeyed(hall: Hall) -> None:
    await hall.save(lead(IVAN, first=Marks(source="ya")), lead(OLGA))
    webinar = await hall.hold([viewer(IVAN), viewer(PETR)])
    ivan, petr = await hall.attendees()
    people = {row["value"]: row["person_id"] for row in await hall.rows(identities)}

    async def say(attendee: int, person: int | None) -> None:
        await hall.database.write(lambda tx: hall.webinars.decide(cast("Tx", tx), 1, attendee, person))

    await say(ivan["id"], None)
    await say(petr["id"], people["79160001122"])
    for run in (hall.webinars.match, WebinarStore(hall.database).match):
        await run(webinar)
        await hall.save(lead(IVAN, number="again", days=-0.5))
        await hall.hold([viewer(IVAN), viewer(PETR, minutes=(0, 30))])
        ivan, petr = await hall.attendees()
        assert (ivan["matched_by"], ivan["person_id"], ivan["lead_id"], ivan["utm_source"]) == ("hand", None, None, "")
        assert (petr["matched_by"], petr["person_id"]) == ("hand", people["79160001122"])
        assert petr["lead_id"] is not None
        assert petr["watch_duration_sec"] == 1800
    with pytest.raises(BadInput):
        await say(999, None)


async def test_an_undone_key_is_not_joined_again(hall: Hall) -> None:
    await hall.save(lead(IVAN, "office@example.ru"))
    await hall.hold([viewer(email="office@example.ru")])
    email = next(row for row in await hall.rows(identities) if row["kind"] == "email")
    await hall.leads.undo_identity(1, email["id"], now=after(200))
    assert [row["matched_by"] for row in await hall.attendees()] == ["none"]
    await hall.save(lead(IVAN, "office@example.ru", number="again"))
    await hall.hold([viewer(email="office@example.ru")])
    assert [row["matched_by"] for row in await hall.attendees()] == ["none"]
    with pytest.raises(BadInput):
        await hall.leads.undo_identity(1, email["id"], now=after(200))
    await hall.leads.add_identity(1, email["person_id"], "email", "office@example.ru", source="hand", now=after(201))
    assert [row["matched_by"] for row in await hall.attendees()] == ["email"]


async def test_a_key_given_to_another_takes_its_visits_along(hall: Hall) -> None:
    await hall.save(lead(IVAN, "a@example.ru"), lead(OLGA))
    await hall.hold([viewer(email="a@example.ru")])
    people = {row["value"]: row["person_id"] for row in await hall.rows(identities)}
    await hall.leads.add_identity(1, people["79160001122"], "email", "a@example.ru", source="hand", now=after(200))
    assert [row["person_id"] for row in await hall.attendees()] == [people["79160001122"]]


async def test_one_account_knows_nothing_of_another(hall: Hall) -> None:
    await Hall(hall.database, account_id=2).save(lead(IVAN))
    await hall.hold([viewer(IVAN)])
    assert [row["matched_by"] for row in await hall.attendees()] == ["none"]


async def test_many_people_are_written_in_parts(hall: Hall) -> None:
    phones = [f"7999{number:07d}" for number in range(2300)]
    await hall.save(*(lead(phone) for phone in phones[::2]))
    webinar = await hall.hold([viewer(phone) for phone in phones], page=700)
    turnout = await hall.webinars.turnout(webinar)
    assert (turnout.came, turnout.matched, turnout.unmatched) == (2300, 1150, 1150)
    assert len(await hall.rows(webinar_records)) == 2300


async def test_a_webinar_is_registered_once_and_keeps_what_is_not_told_again(hall: Hall) -> None:
    first = await hall.register()
    assert await hall.register(replace(REPORT, title="", minutes=0, started_at=None, peak=5)) == first
    (row,) = await hall.rows(webinars)
    assert (row["title"], row["minutes"], row["started_at"], row["peak"]) == ("Вебинар", 60, START, 5)
    assert (row["state"], row["ended_at"]) == ("pending_report", after(60))
    await hall.webinars.begin_load(first)
    assert (await hall.rows(webinars))[0]["state"] == "loading"
    nameless = replace(REPORT, external_id="x", started_at=None, minutes=0)
    await hall.register(nameless)
    assert (await hall.rows(webinars))[1]["ended_at"] == after(120)


async def test_a_complete_webinar_stays_in_sight_while_it_is_loaded_again(hall: Hall) -> None:
    webinar = await hall.hold([viewer(IVAN)])
    await hall.webinars.begin_load(webinar)
    assert (await hall.rows(webinars))[0]["state"] == "complete"


async def test_another_yardstick_is_applied_to_what_is_stored(hall: Hall) -> None:
    minutes = (None, 0.5, 3, 20, 31, 43, 55)
    viewers = [viewer(chat_user_id=f"u{n}", minutes=None if m is None else (0, m)) for n, m in enumerate(minutes)]
    viewers += [replace(one, chat_user_id=f"{one.chat_user_id}f", finished=True) for one in viewers]
    viewers += [replace(one, chat_user_id=f"{one.chat_user_id}m", messages=1) for one in viewers]
    await hall.hold(viewers)
    other = Yardstick(attended_s=600, stayed_share=0.7, early_share=0.4, hot_share=0.6)
    words = ("attended", "presence", "warmth")
    assert await WebinarStore(hall.database, other).recount(1) == len(viewers)
    recounted = [[row[word] for word in words] for row in await hall.attendees()]
    fresh = Hall(hall.database, account_id=2)
    fresh.webinars = WebinarStore(hall.database, other)
    await fresh.hold(viewers)
    assert [[row[word] for word in words] for row in await fresh.attendees()][len(viewers) :] == recounted
    assert await hall.webinars.recount(1) == len(viewers)


async def test_presence_by_the_minute(hall: Hall) -> None:
    twice = viewer(IVAN, minutes=(0, 2))
    webinar = await hall.hold(
        [
            replace(twice, intervals=(*twice.intervals, Interval(start=after(5), end=after(70)))),
            viewer(OLGA, minutes=(-10, 3.5)),
            viewer(PETR, minutes=(1.2, 1.8)),
            viewer(minutes=(61, 65)),
        ]
    )
    present = await hall.webinars.present(webinar)
    assert len(present) == 60
    assert present[:8] == [2, 2, 1, 1, 0, 1, 1, 1]
    assert present[-1] == 1
    timeless = await hall.hold([viewer()], replace(another(), started_at=None))
    assert await hall.webinars.present(timeless) == []


async def test_ids_of_the_platform_that_begin_alike_are_not_taken_for_one(hall: Hall) -> None:
    long = [viewer(name=name, chat_user_id="u" * 400 + name, raw=f'{{"n": "{name}"}}') for name in ("Анна", "Борис")]
    await hall.hold(long)
    assert [row["username"] for row in await hall.attendees()] == ["Анна", "Борис"]
