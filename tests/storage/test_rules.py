"""Rules for registrations: a page's own before the common one, carried out once, the lead moved in the same write."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ports import Tx
from domain.roles import Person, Role
from domain.webinars import ALL_PAGES, PageId, Reaction, Rule
from storage.engine import Database
from storage.models import audit, leads, registrations
from storage.rules import RuleStore
from tests.storage.hall import START, Hall, after, lead
from tests.storage.test_registrations import FULL, add

ADMIN = Person(user_id=1, account_id=1, telegram_id=10, role=Role.ADMIN, name="Анна")
COMMON = Rule(message="Здравствуйте", status="Записан")


@pytest.fixture
def hall(database: Database) -> Hall:
    return Hall(database)


async def carry_out(database: Database, registration_id: int) -> Reaction:
    async def job(connection: AsyncConnection) -> Reaction:
        return await RuleStore(database).carry_out(cast("Tx", connection), 1, registration_id, now=START)

    return await database.write(job)


async def status_of(hall: Hall) -> list[str]:
    return [row["status"] for row in await hall.rows(leads)]


async def test_without_a_rule_nothing_happens(hall: Hall) -> None:
    one = await add(hall, FULL)
    assert await carry_out(hall.database, one.id) == Reaction()
    await RuleStore(hall.database).keep(ADMIN, COMMON, START)
    assert await carry_out(hall.database, one.id) == Reaction(), "it came before there was a rule"


async def test_the_lead_is_moved_once(hall: Hall) -> None:
    await RuleStore(hall.database).keep(ADMIN, COMMON, START)
    await hall.save(lead("89991234567", number="42", status="Новый", source="amocrm"))
    one = await add(hall, FULL)
    first = await carry_out(hall.database, one.id)
    assert first == Reaction(message="Здравствуйте", status="Записан", source="amocrm", lead="42")
    assert await status_of(hall) == ["Записан"]
    await hall.save(lead("89991234567", number="42", status="Продан", source="amocrm"))
    assert await status_of(hall) == ["Продан"], "what the source tells next still counts"
    await add(hall, replace(FULL, name="Иван снова"))  # the hook is repeated with other words
    assert await carry_out(hall.database, one.id) == Reaction()
    assert await status_of(hall) == ["Продан"]
    notes = [row["detail"] for row in await hall.rows(audit) if row["action"] == "lead_status"]
    assert len(notes) == 1


async def test_two_nodes_at_once_carry_it_out_once(hall: Hall) -> None:
    await RuleStore(hall.database).keep(ADMIN, COMMON, START)
    one = await add(hall, FULL)
    other = Database(hall.database.url.render_as_string(hide_password=False))
    other.open()
    try:
        outcomes = await asyncio.gather(*(carry_out(node, one.id) for node in (hall.database, other) * 3))
    finally:
        await other.close()
    assert sorted(outcome.message for outcome in outcomes) == ["", "", "", "", "", "Здравствуйте"]


async def test_the_pages_own_rule_takes_the_place_of_the_common_one(hall: Hall) -> None:
    store = RuleStore(hall.database)
    await store.keep(ADMIN, COMMON, START)
    await store.keep(ADMIN, Rule(page_id=PageId("222:page"), message="Своё"), START)
    one, other = await add(hall, FULL), await add(hall, replace(FULL, sublist_id=PageId("222:other")))
    assert await carry_out(hall.database, one.id) == Reaction(message="Своё")
    assert (await carry_out(hall.database, other.id)).message == "Здравствуйте"
    assert [rule.page_id for rule in await store.all(1)] == [ALL_PAGES, "222:page"]
    await store.drop(ADMIN, PageId("222:page"), START)
    assert await store.all(1) == [COMMON]
    assert await store.find(1, PageId("222:page")) == Rule(page_id=PageId("222:page"))


async def test_a_registration_of_nobody_moves_nothing(hall: Hall) -> None:
    await RuleStore(hall.database).keep(ADMIN, COMMON, START)
    one = await add(hall, replace(FULL, phone=""))
    assert await carry_out(hall.database, one.id) == Reaction(message="Здравствуйте")
    assert [row["reacted_at"] for row in await hall.rows(registrations)] == [START]
    assert await carry_out(hall.database, 999) == Reaction()


async def test_the_words_for_statuses_are_those_in_use(hall: Hall) -> None:
    await hall.save(*(lead(f"8999000000{n}", status="Новый" if n < 3 else "Продан") for n in range(4)), lead("89990000009"))
    gone = lead("89990000008", number="8", status="Удалён")
    await hall.save(replace(gone, deleted_at=after(1)))
    assert await RuleStore(hall.database).statuses(1, limit=5) == ["Новый", "Продан"]
    assert await RuleStore(hall.database).statuses(2, limit=5) == []
