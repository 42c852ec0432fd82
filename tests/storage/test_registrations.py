"""Whose a registration is: phone over all, then e-mail over all, then somebody new; and personal links."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from domain.webinars import Marks, MatchedBy, PageId, Registrant, Registration, RoomId
from storage.engine import Database
from storage.links import LinkStore, new_code
from storage.models import identities, leads, link_clicks, people, person_joins, registrations
from storage.queries.attendees import find_no_shows
from storage.registrations import RegistrationStore
from tests.storage.hall import REPORT, START, Hall, after, lead, viewer

NOW = after(-600)
SESSION = datetime(2021, 9, 16, 9, tzinfo=UTC)
FULL = Registration(
    sublist_id=PageId("222:page"), room=RoomId("111:room"), name="Иван", email="Ivan@example.ru", phone="8 999 123 45 67",
    session_at=SESSION, secret="invented", marker_name="Партнёр",
    marks=Marks(
        source="s", medium="m", campaign="c", term="t", content="n", keyword="k", banner="b", phrase="p", group="g",
        partner="p7",
    ),
)  # fmt: skip


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


async def add(hall: Hall, registration: Registration, *, source: str = "hook", link: str = "") -> Registrant:
    async def job(connection: AsyncConnection) -> Registrant:
        tx = cast("Tx", connection)
        return await RegistrationStore().add_registration(
            tx, 1, "bizon365", registration, source=source, heard_at=NOW, link=link
        )

    return await hall.database.write(job)


async def newest(hall: Hall) -> tuple[int, Sequence[Registrant]]:
    """The two newest of the page, and how many there are."""

    async def ask(connection: AsyncConnection) -> tuple[int, Sequence[Registrant]]:
        tx = cast("Tx", connection)
        return await RegistrationStore().recent_registrations(tx, 1, PageId("222:page"), since=NOW, limit=2)

    return await hall.database.write(ask)


async def owners(hall: Hall) -> dict[str, int]:
    return {row["value"]: row["person_id"] for row in await hall.rows(identities)}


async def test_the_phone_wins_over_the_email_of_somebody_with_another_phone(hall: Hall) -> None:
    await hall.save(lead("89991234567"), lead("89160001122", "ivan@example.ru"))
    found = await add(hall, FULL)
    (row,) = await hall.rows(registrations)
    assert (found.matched_by, found.created) == (MatchedBy.PHONE, False)
    assert row["person_id"] == (await owners(hall))["79991234567"] != (await owners(hall))["ivan@example.ru"]
    assert len(await hall.rows(people)) == 2


async def test_who_was_known_by_the_email_alone_turns_out_to_be_who_has_the_phone(hall: Hall) -> None:
    await hall.save(lead("89991234567"), lead(email="ivan@example.ru"))
    await add(hall, FULL)
    (row,) = await hall.rows(registrations)
    owned = await owners(hall)
    assert row["person_id"] == owned["79991234567"] == owned["ivan@example.ru"]
    assert row["other_person_id"] is None
    (pair,) = await hall.rows(person_joins)
    assert (pair["reason"], pair["value"], pair["state"]) == ("email", "ivan@example.ru", "united")


async def test_then_the_email_and_the_phone_is_learnt(hall: Hall) -> None:
    await hall.save(lead(email="ivan@example.ru"))
    await hall.hold([viewer("+7 999 123-45-67")])
    found = await add(hall, FULL)
    assert found.matched_by is MatchedBy.EMAIL
    keys = await owners(hall)
    assert keys["79991234567"] == keys["ivan@example.ru"]
    assert [row["matched_by"] for row in await hall.attendees()] == ["phone"]


@pytest.mark.parametrize("shared", ["link", "email"])
async def test_a_forwarded_link_or_an_offices_email_joins_nobody(hall: Hall, shared: str) -> None:
    await hall.save(lead("89990000001", "office@example.ru" if shared == "email" else "anna@example.ru", name="Анна"))
    anna = (await owners(hall))["79990000001"]
    await LinkStore(hall.database).add(1, "code12345", "https://example.ru", now=NOW, person_id=anna)
    boris = replace(FULL, name="Борис", phone="89990000002")
    told = {"email": "boris@example.ru", "link_ids": ("code12345",)} if shared == "link" else {"email": "office@example.ru"}
    found = await add(hall, replace(boris, **told))
    assert (found.matched_by, found.created) == (MatchedBy.NONE, True)
    keys = await owners(hall)
    assert anna == keys["code12345"] != keys["79990000002"]
    assert keys.get("boris@example.ru", keys["79990000002"]) == keys["79990000002"]
    assert keys.get("office@example.ru", anna) == anna
    (row,) = await hall.rows(registrations)
    assert (row["person_id"], row["other_person_id"]) == (keys["79990000002"], anna)
    assert [row["name"] for row in await hall.rows(leads)] == ["Анна", "Борис"]
    assert [one.other for one in (await newest(hall))[1]] == ["Анна"]


async def test_leads_that_share_an_email_are_two_people(hall: Hall) -> None:
    mail = "office@example.ru"
    await hall.save(lead("89990000001", mail))
    await hall.save(lead("89990000002", mail), lead("89990000003", mail), lead(email=mail, number="7"))
    keys = await owners(hall)
    assert len(await hall.rows(people)) == 3
    assert keys[mail] == keys["79990000001"]
    assert [row["person_id"] for row in await hall.rows(leads)][-1] == keys[mail], (
        "without a phone the e-mail is all there is"
    )


async def test_who_comes_by_a_link_alone_gives_its_owner_no_keys(hall: Hall) -> None:
    await hall.save(lead("89990000001"))
    anna = (await owners(hall))["79990000001"]
    await LinkStore(hall.database).add(1, "code12345", "https://example.ru", now=NOW, person_id=anna)
    found = await add(hall, replace(FULL, phone="", email="boris@example.ru", link_ids=("code12345",)))
    await hall.save(lead(email="vera@example.ru", link_ids=("code12345",)))
    assert found.matched_by is MatchedBy.LINK
    assert set(await owners(hall)) == {"79990000001", "code12345"}


async def test_a_partners_mark_is_nobodys_link(hall: Hall) -> None:
    """All who come by a partner bring the same mark, and it may be taken for a link's id."""
    await add(hall, replace(FULL, link_ids=("p7",)))
    found = await add(hall, replace(FULL, phone="", email="vera@example.ru", link_ids=("p7",)))
    assert (found.matched_by, found.created) == (MatchedBy.NONE, False)
    assert (await add(hall, replace(FULL, phone="89990000003", email="", link_ids=("p7",)))).created


async def test_a_parameter_too_long_to_be_a_link_is_left_out(hall: Hall) -> None:
    await add(hall, replace(FULL, link_ids=("x" * 255, "я" * 300)))
    await hall.save(lead("89990000009", link_ids=("x" * 255, "x" * 254)))
    assert len(await hall.rows(registrations)) == 1
    assert {row["value"] for row in await hall.rows(identities) if row["kind"] == "link"} == {"x" * 254}


async def test_a_phone_that_nobody_has_makes_a_person_and_a_lead(hall: Hall) -> None:
    found = await add(hall, FULL)
    assert (found.matched_by, found.created, found.phone) == (MatchedBy.NONE, True, "79991234567")
    assert (await add(hall, FULL)).created
    (made,) = await hall.rows(leads)
    assert (made["source"], made["first_utm_source"], made["first_url_marker"], made["name"]) == (
        "bizon365",
        "s",
        "p7",
        "Иван",
    )
    (row,) = await hall.rows(registrations)
    assert (row["person_id"], row["lead_id"]) == (made["person_id"], made["id"])


async def test_without_a_phone_nothing_is_made(hall: Hall) -> None:
    for phone in ("", "1", "+7911111111"):
        found = await add(hall, replace(FULL, phone=phone))
        assert (found.matched_by, found.created, found.phone) == (MatchedBy.NONE, False, "")
    assert await hall.rows(people) == []
    assert len(await hall.rows(registrations)) == 1
    await hall.save(lead(email="ivan@example.ru"))
    assert [row["matched_by"] for row in await hall.rows(registrations)] == ["email"]


async def test_all_values_are_kept_and_a_replay_empties_none(hall: Hall) -> None:
    await add(hall, FULL, link="https://example.ru/1")
    await add(hall, replace(FULL, secret="", name="", marks=Marks(source="other")), source="api")
    (row,) = await hall.rows(registrations)
    shown = {
        "sublist_id": "222:page", "room": "111:room", "name": "Иван", "email": "Ivan@example.ru", "phone": "8 999 123 45 67",
        "webinar_datetime": SESSION, "webinar_time": "12:00", "webinar_date": "16.09.2021", "secret": "invented",
        "url_marker": "p7", "url_marker_name": "Партнёр", "utm_source": "other", "utm_medium": "m", "utm_campaign": "c",
        "utm_term": "t", "utm_content": "n", "utm_keyword": "k", "utm_banner": "b", "utm_phrase": "p", "utm_group": "g",
        "source": "hook", "link": "https://example.ru/1",
    }  # fmt: skip
    assert {name: row[name] for name in shown} == shown


async def test_what_a_database_refuses_is_left_out(hall: Hall) -> None:
    await add(hall, replace(FULL, name="И\0ван\ud83d", email="\ud83d"))
    assert [row["name"] for row in await hall.rows(registrations)] == ["Иван?"]
    assert [row["name"] for row in await hall.rows(leads)] == ["Иван?"]


async def test_the_newest_of_a_page_and_how_many(hall: Hall) -> None:
    for number in range(3):
        await add(hall, replace(FULL, phone=f"8999123450{number}", email=""))
    await add(hall, replace(FULL, sublist_id=PageId("222:other")))

    total, found = await newest(hall)
    assert (total, [one.phone for one in found]) == (3, ["79991234502", "79991234501"])


async def test_who_registered_and_did_not_come(hall: Hall) -> None:
    await hall.save(lead("89990000001", manager="Анна"))
    base = replace(FULL, session_at=START, email="")
    await add(hall, replace(base, phone="89990000001"))
    await add(hall, replace(base, phone="89990000001", sublist_id=PageId("222:second")))
    await add(hall, replace(base, phone="89990000002"))
    await add(hall, replace(base, phone="", email="came@example.ru"))
    await add(hall, replace(base, phone="", email="missed@example.ru", room=RoomId("")))
    await add(hall, replace(base, phone="89990000009", session_at=after(60 * 24)))
    await add(hall, replace(base, phone="89990000008", room=RoomId("111:other")))
    webinar = await hall.hold([viewer("89990000002"), viewer(email="Came@example.ru")])
    turnout = await hall.webinars.turnout(webinar)
    assert (turnout.registered, turnout.no_show) == (4, 2)
    missing = await find_no_shows(hall.database, 1, webinar, limit=10)
    assert [(one.phone, one.email, one.manager) for one in missing] == [
        ("89990000001", "", "Анна"), ("89990000001", "", "Анна"), ("", "missed@example.ru", ""),
    ]  # fmt: skip
    assert await find_no_shows(hall.database, 2, webinar, limit=10) == ()


async def test_two_evenings_of_a_room_are_not_one(hall: Hall) -> None:
    """The report carries the moment somebody pressed the button; another session of the room is an hour later."""
    pressed = START + timedelta(minutes=17)
    for phone, minutes in (("89990000001", 0), ("89990000002", 0), ("89990000003", 60)):
        await add(hall, replace(FULL, phone=phone, email="", session_at=after(minutes)))
    webinar = await hall.hold([viewer("89990000002")], replace(REPORT, started_at=pressed))
    turnout = await hall.webinars.turnout(webinar)
    assert (turnout.registered, turnout.no_show) == (2, 1)


async def test_clicks_are_kept_one_by_one_up_to_a_number(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.links.MOST_CLICKS", 2)
    store, code = LinkStore(hall.database), new_code()
    await store.add(1, code, "https://example.ru/", now=NOW)
    counts = [followed.clicks for n in range(4) if (followed := await store.follow(code, now=after(n)))]
    assert counts == [1, 2, 3, 4]
    assert len(await hall.rows(link_clicks)) == 2


async def test_a_personal_link_knows_its_person_and_its_clicks(hall: Hall) -> None:
    await hall.save(lead("89991234567"))
    store, code = LinkStore(hall.database), new_code()
    person = (await owners(hall))["79991234567"]
    await store.add(1, code, f"https://example.ru/?id={code}", now=NOW, person_id=person, title="Вебинар")
    await store.add(1, new_code(), "https://example.ru/all", now=NOW)
    assert await store.follow("nothing", now=after(0)) is None
    followed = await store.follow(code, now=after(1))
    assert followed is not None
    assert (followed.clicks, followed.clicked_at, followed.url) == (1, after(1), f"https://example.ru/?id={code}")
    (mine,) = await store.of_person(1, person)
    assert mine == followed
    assert [row["at"] for row in await hall.rows(link_clicks)] == [after(1)]
    await hall.hold([viewer(link_ids=("x", code))])
    assert [(row["matched_by"], row["person_id"]) for row in await hall.attendees()] == [("link", person)]


async def test_nobody_is_made_of_those_whom_only_the_platforms_list_names(hall: Hall) -> None:
    await hall.save(lead("89160001122"))
    stranger = replace(FULL, email="new@p.ru", phone="8 900 000 00 01")
    for registration in (FULL, stranger, replace(FULL, email="known@p.ru", phone="8 916 000 11 22")):
        await add(hall, registration, source="api")
    rows = {row["email"]: row for row in await hall.rows(registrations)}
    assert [rows[email]["person_id"] for email in ("Ivan@example.ru", "new@p.ru")] == [None, None]
    assert rows["known@p.ru"]["person_id"] is not None
    assert len(await hall.rows(leads)) == 1
    again = await add(hall, stranger)  # the page told of it after all
    assert (again.created, len(await hall.rows(leads))) == (True, 2)
    await add(hall, stranger, source="api")
    assert {row["email"]: row["created"] for row in await hall.rows(registrations)}["new@p.ru"]
    assert len(await hall.rows(leads)) == 2
