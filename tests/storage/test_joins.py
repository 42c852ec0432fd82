"""One person: whatever order leads come in they make the same people, and what somebody says of people can be taken back."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import select

from domain.errors import BadInput
from domain.leads import Lead
from domain.ports import Tx
from domain.webinars import PageId, Registration
from storage.engine import Database
from storage.models import audit, identities, leads, links, person_joins, registrations, webinar_attendees
from storage.pairs import By, PairStore
from storage.registrations import RegistrationStore
from tests.storage.hall import REPORT, Hall, lead, viewer

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
BY = By(user=7, now=NOW)
PHONES = tuple(f"8999{number:07}" for number in range(1, 5))
EMAILS = tuple(f"{name}@example.ru" for name in ("anna", "boris", "vera"))
ROUNDS = 30


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


@pytest.fixture
def pairs(hall: Hall) -> PairStore:
    return PairStore(hall.database)


def rounds(hall: Hall) -> int:
    """The rules are the same on both; PostgreSQL is there for its own SQL."""
    return ROUNDS if hall.database.is_sqlite else ROUNDS // 5


async def persons(hall: Hall) -> dict[str, int]:
    """Whose each lead is."""
    return {row["external_id"]: row["person_id"] for row in await hall.rows(leads) if row["account_id"] == hall.account_id}


async def groups(hall: Hall) -> set[frozenset[str]]:
    """Leads of one person together."""
    together: dict[int, set[str]] = {}
    for name, person in (await persons(hall)).items():
        together.setdefault(person, set()).add(name)
    return {frozenset(names) for names in together.values()}


async def said(hall: Hall) -> list[tuple[str, str]]:
    return [(row["reason"], row["state"]) for row in await hall.rows(person_joins)]


def two(number: str, phone: str = "", email: str = "", **values: Any) -> Lead:
    return lead(phone, email, number=number, **values)


async def test_an_email_and_a_phone_become_one_by_the_lead_that_has_both(hall: Hall) -> None:
    await hall.save(two("e", email=EMAILS[0]), two("p", PHONES[0]))
    assert len(await groups(hall)) == 2
    await hall.save(two("both", PHONES[0], EMAILS[0]))
    assert await groups(hall) == {frozenset({"e", "p", "both"})}
    assert await said(hall) == [("email", "united")]
    (pair,) = await hall.rows(person_joins)
    assert (pair["value"], pair["lead_id"]) == (EMAILS[0], 3)


async def test_two_who_each_have_a_phone_stay_two_and_somebody_is_asked(hall: Hall) -> None:
    await hall.save(two("a", PHONES[0], EMAILS[0]), two("b", PHONES[1]), two("doubt", PHONES[1], EMAILS[0]))
    assert await groups(hall) == {frozenset({"a"}), frozenset({"b", "doubt"})}
    assert await said(hall) == [("email", "suggested")]
    await hall.save(two("again", PHONES[1], EMAILS[0]))
    assert await said(hall) == [("email", "suggested")]


async def test_a_contact_of_the_crm_is_one_person_with_all_their_phones(hall: Hall) -> None:
    await hall.save(two("form", PHONES[1]))
    contact = {"source": "amocrm", "contact_id": "501"}
    await hall.save(two("1", PHONES[0], **contact), two("2", "", "", **contact), two("3", PHONES[1], **contact))
    assert await groups(hall) == {frozenset({"form", "1", "2", "3"})}
    assert await said(hall) == [("contact", "united")]
    assert [row["matched_by"] for row in await hall.rows(leads)] == ["none", "none", "contact", "phone"]


async def test_an_email_is_whose_phone_left_it_first(hall: Hall) -> None:
    """By when the leads were made: which of them reaches us first is chance."""
    later, first, alone = two("later", PHONES[0], EMAILS[0], days=-1), two("first", PHONES[1], EMAILS[0], days=-9), None
    alone = two("alone", email=EMAILS[0], days=-5)
    await hall.save(alone)
    await hall.save(later)
    await hall.hold([viewer(email=EMAILS[0])])
    assert await groups(hall) == {frozenset({"alone", "later"})}
    await hall.save(first)
    assert await groups(hall) == {frozenset({"alone", "first"}), frozenset({"later"})}
    (visit,) = await hall.attendees()
    assert visit["person_id"] == (await persons(hall))["first"]


def random_leads(dice: random.Random, count: int) -> list[Lead]:
    made = []
    for number in range(count):
        phone, email = dice.choice(["", *PHONES]), dice.choice(["", *EMAILS])
        if phone or email:
            made.append(two(str(number), phone, email, days=-dice.randint(1, 10_000) / 10_000))
    return made


async def test_every_order_of_leads_ends_in_the_same_people(hall: Hall) -> None:
    dice = random.Random(4)
    for number in range(rounds(hall)):
        made, found = random_leads(dice, 8), []
        for account in (1, 2, 3):
            hall.account_id = number * 10 + account
            dice.shuffle(made)
            size = dice.choice([1, 3, len(made) or 1])
            for start in range(0, len(made), size):
                await hall.save(*made[start : start + size])
            found.append(await groups(hall))
        assert found[0] == found[1] == found[2], [(one.external_id, one.phone, one.email, one.created_at) for one in made]


async def state(hall: Hall) -> list[object]:
    """All that says whose something is; people made meanwhile, who have nothing, left out."""
    kept: list[object] = []
    for table, columns in (
        (identities, ("id", "kind", "value", "person_id", "undone_at")),
        (leads, ("id", "person_id", "matched_by")),
        (registrations, ("id", "person_id", "other_person_id", "lead_id", "matched_by")),
        (webinar_attendees, tuple(webinar_attendees.columns.keys())),
        (links, ("id", "person_id")),
    ):
        mine = select(*(table.c[name] for name in columns)).where(table.c.account_id == hall.account_id)
        async with hall.database.read() as connection:
            kept.append([tuple(row) for row in await connection.execute(mine.order_by(table.c.id))])
    return kept


async def register(hall: Hall, phone: str, email: str) -> None:
    async def job(connection: Any) -> None:
        page = Registration(sublist_id=PageId("page"), phone=phone, email=email, name="Кто-то")
        store = RegistrationStore()
        await store.add_registration(cast("Tx", connection), hall.account_id, "bizon365", page, source="hook", heard_at=NOW)

    await hall.database.write(job)


async def make_history(hall: Hall, dice: random.Random, number: int) -> None:
    """Leads, a webinar where some of them were, registrations, and what somebody has said already."""
    made = random_leads(dice, 7)
    await hall.save(*made[:4])
    at_webinar = [viewer(dice.choice(["", *PHONES]), dice.choice(["", *EMAILS])) for _ in range(4)]
    await hall.hold(at_webinar, replace(REPORT, external_id=f"room*{number}"))
    await register(hall, dice.choice(PHONES), dice.choice(EMAILS))
    await hall.save(*made[4:])


async def mine(hall: Hall, table: Any) -> list[dict[str, Any]]:
    return [row for row in await hall.rows(table) if row["account_id"] == hall.account_id]


async def say_something(hall: Hall, pairs: PairStore, dice: random.Random) -> int | None:
    """A random join, split or parting; the id of the pair, None where there was nothing to say."""
    known = [row for row in await mine(hall, identities) if row["undone_at"] is None]
    united = [row["id"] for row in await mine(hall, person_joins) if row["state"] == "united"]
    owners = sorted({row["person_id"] for row in known})
    act = dice.choice(["join", "split", "part"])
    try:
        if act == "join" and len(owners) > 1:
            return await pairs.join(hall.account_id, *dice.sample(owners, 2), BY)
        if act == "split":
            return await pairs.split(hall.account_id, dice.choice(known)["id"], BY)
        if act == "part" and united:
            pair = dice.choice(united)
            await pairs.part(hall.account_id, pair, BY)
            return int(pair)
    except BadInput:
        return None
    return None


async def take_back(hall: Hall, pairs: PairStore, pair: int) -> None:
    row = next(row for row in await mine(hall, person_joins) if row["id"] == pair)
    await (pairs.part if row["state"] == "united" else pairs.unite)(hall.account_id, pair, BY)


async def test_whatever_is_said_and_taken_back_leaves_all_as_it_was(hall: Hall, pairs: PairStore) -> None:
    dice, taken_back = random.Random(7), 0
    for number in range(rounds(hall)):
        hall.account_id = 1000 + number
        await make_history(hall, dice, number)
        undo: list[tuple[int, list[object]]] = []
        for _ in range(3):
            before = await state(hall)
            if (pair := await say_something(hall, pairs, dice)) is not None:
                undo.append((pair, before))
        for pair, before in reversed(undo):
            await take_back(hall, pairs, pair)
            assert await state(hall) == before, (number, pair)
            taken_back += 1
    assert taken_back > rounds(hall)


async def test_who_was_parted_is_not_united_by_what_comes_later(hall: Hall, pairs: PairStore) -> None:
    await hall.save(two("e", email=EMAILS[0]), two("p", PHONES[0]), two("both", PHONES[0], EMAILS[0]))
    await hall.hold([viewer(email=EMAILS[0])])
    (pair,) = await hall.rows(person_joins)
    await pairs.part(1, pair["id"], BY)
    apart = {frozenset({"e"}), frozenset({"p", "both"})}
    assert await groups(hall) == apart
    whose = await persons(hall)
    assert (await hall.attendees())[0]["person_id"] == whose["e"] != whose["p"]
    await hall.save(two("both", PHONES[0], EMAILS[0], days=0), two("later", PHONES[0], EMAILS[0], days=0))
    await register(hall, PHONES[0], EMAILS[0])
    assert len({person for name, person in (await persons(hall)).items() if name in {"e", "p"}}) == 2
    # and not by way of somebody whom one of them turns out to be
    await hall.save(two("third", PHONES[2]))
    whose = await persons(hall)
    await pairs.join(1, whose["third"], whose["p"], BY)
    await hall.save(two("more", PHONES[0], EMAILS[0], days=0))
    whose = await persons(hall)
    assert whose["third"] == whose["p"] == whose["more"] != whose["e"]
    await pairs.unite(1, pair["id"], BY)
    assert len(set((await persons(hall)).values())) == 1


async def test_a_key_of_somebody_else_takes_what_is_known_by_it(hall: Hall, pairs: PairStore) -> None:
    await hall.save(two("a", PHONES[0]), two("b", PHONES[0], EMAILS[0]), two("c", email=EMAILS[0]))
    await hall.hold([viewer(PHONES[0]), viewer(email=EMAILS[0])])
    key = next(row for row in await hall.rows(identities) if row["kind"] == "email")
    before = await state(hall)
    pair = await pairs.split(1, key["id"], BY)
    assert await groups(hall) == {frozenset({"a", "b"}), frozenset({"c"})}
    by_phone, by_email = await hall.attendees()
    whose = await persons(hall)
    assert (by_phone["person_id"], by_email["person_id"]) == (whose["a"], whose["c"])
    await pairs.unite(1, pair, BY)
    assert await state(hall) == before


async def test_what_was_said_is_in_the_audit_and_twice_is_refused(hall: Hall, pairs: PairStore) -> None:
    await hall.save(two("a", PHONES[0]), two("b", PHONES[1]))
    whose = await persons(hall)
    pair = await pairs.join(1, whose["a"], whose["b"], BY)
    with pytest.raises(BadInput):
        await pairs.join(1, whose["a"], whose["b"], BY)
    with pytest.raises(BadInput):
        await pairs.unite(1, pair, BY)
    await pairs.part(1, pair, BY)
    with pytest.raises(BadInput):
        await pairs.part(1, pair, BY)
    with pytest.raises(BadInput):
        await pairs.part(2, pair, BY)  # somebody else's account
    lonely = (await hall.rows(identities))[0]
    with pytest.raises(BadInput):
        await pairs.split(1, lonely["id"], BY)
    assert [(row["action"], row["actor"], row["detail"]) for row in await hall.rows(audit)] == [
        ("person.join", 7, str(pair)),
        ("person.parted", 7, str(pair)),
    ]


async def test_a_suggestion_may_be_followed_or_refused(hall: Hall, pairs: PairStore) -> None:
    await hall.save(two("a", PHONES[0], EMAILS[0]), two("b", PHONES[1], EMAILS[0]))
    (asked,) = await hall.rows(person_joins)
    await pairs.unite(1, asked["id"], BY)
    assert len(await groups(hall)) == 1
    await pairs.part(1, asked["id"], BY)
    assert len(await groups(hall)) == 2
    await hall.save(two("c", PHONES[1], EMAILS[0]))
    assert await said(hall) == [("email", "parted")]


async def test_a_registration_that_goes_counts_for_a_lead_of_its_own_person(hall: Hall, pairs: PairStore) -> None:
    await hall.save(two("a", PHONES[0], days=-1), two("b", PHONES[1], days=-2))
    whose = await persons(hall)
    pair = await pairs.join(1, whose["a"], whose["b"], BY)
    page = Registration(sublist_id=PageId("p"), room="r", name="", email="", phone=PHONES[1], session_at=NOW)

    async def register(connection: Any) -> None:
        await RegistrationStore().add_registration(cast("Tx", connection), 1, "bizon365", page, source="hook", heard_at=NOW)

    await hall.database.write(register)
    await pairs.part(1, pair, BY)
    (row,) = await hall.rows(registrations)
    assert row["person_id"] == whose["b"]
    assert {one["id"]: one["external_id"] for one in await hall.rows(leads)}[row["lead_id"]] == "b"
