"""What a CRM tells ends as the CRM has it: in any order, in parts, twice, with the phone before or after its lead."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.crm import ContactChange, CrmAction, CrmContact, CrmLead, LeadChange
from domain.ports import Tx
from domain.webinars import Marks
from storage.crm import Applied, CrmStore
from storage.engine import Database
from storage.leads import LeadStore
from storage.models import leads

T0 = datetime(2026, 11, 20, 9, tzinfo=UTC)
HEARD = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def told(action: CrmAction, number: str = "7", **values: Any) -> LeadChange:
    return LeadChange(action=action, lead=CrmLead(external_id=number, **values))


def contact(number: str = "70", action: CrmAction = CrmAction.UPDATED, **values: Any) -> ContactChange:
    return ContactChange(action=action, contact=CrmContact(external_id=number, **values))


async def save(database: Database, *changes: LeadChange | ContactChange) -> Applied:
    """As the pipeline does: contacts, then leads."""
    people = [change for change in changes if isinstance(change, ContactChange)]
    deals = [change for change in changes if isinstance(change, LeadChange)]

    store = CrmStore("amocrm", LeadStore(database))

    async def job(connection: AsyncConnection) -> Applied:
        tx = cast("Tx", connection)
        if people:
            await store.contacts(tx, 1, people, heard_at=HEARD)
        return await store.leads(tx, 1, deals, heard_at=HEARD) if deals else Applied()

    return await database.write(job)


async def rows(database: Database) -> Sequence[Any]:
    async with database.read() as connection:
        return (await connection.execute(select(leads).order_by(leads.c.external_id))).all()


async def only(database: Database) -> Any:
    (row,) = await rows(database)
    return row


async def test_a_lead_is_added_once_and_changed_in_part(database: Database) -> None:
    marks = Marks(source="google")
    added = told(CrmAction.ADDED, name="Новый лид", status="new", marks=marks, value=100, currency="RUB", created_at=at(0))
    assert (await save(database, added)).new == ("7",)
    assert (await save(database, added)).new == ()
    await save(database, told(CrmAction.UPDATED, status="contacted"))
    row = await only(database)
    assert (row.name, row.status, row.created_at, row.updated_at) == ("Новый лид", "contacted", at(0), at(0))
    assert (row.first_utm_source, row.value, row.source) == ("google", 100, "amocrm")


async def test_an_update_of_an_unknown_lead_makes_it(database: Database) -> None:
    assert (await save(database, told(CrmAction.UPDATED, name="Из обновления", updated_at=at(5)))).new == ("7",)
    assert (await only(database)).name == "Из обновления"


async def test_out_of_order_updates_end_as_the_newest(database: Database) -> None:
    changes = [told(CrmAction.UPDATED, status=f"stage {n}", created_at=at(0), updated_at=at(n)) for n in (1, 2, 3)]
    for number, order in enumerate(permutations(changes)):
        named = [
            LeadChange(action=one.action, lead=CrmLead(external_id=f"{number}", status=one.lead.status, created_at=at(0),
                                                       updated_at=one.lead.updated_at))
            for one in order
        ]  # fmt: skip
        for one in named[:2]:
            await save(database, one)
        await save(database, named[2])
    assert {row.status for row in await rows(database)} == {"stage 3"}


async def test_parts_told_together_are_put_together(database: Database) -> None:
    await save(
        database,
        told(CrmAction.UPDATED, status="deal", updated_at=at(2)),
        told(CrmAction.ADDED, name="Имя", status="new", created_at=at(0), updated_at=at(1)),
        told(CrmAction.UPDATED, commission=5),
    )
    row = await only(database)
    assert (row.name, row.status, row.commission, row.updated_at) == ("Имя", "deal", 5, at(2))


async def test_a_deletion_marks_and_only_a_restoration_takes_the_mark_away(database: Database) -> None:
    await save(database, told(CrmAction.ADDED, name="Имя", created_at=at(0), updated_at=at(1)))
    await save(database, told(CrmAction.DELETED))
    assert (await only(database)).deleted_at == HEARD
    await save(database, told(CrmAction.UPDATED, updated_at=at(3), name="Позже"))
    row = await only(database)
    assert (row.deleted_at, row.name) == (HEARD, "Позже")
    await save(database, told(CrmAction.RESTORED, updated_at=at(4)))
    assert (await only(database)).deleted_at is None


async def test_a_deletion_before_its_lead_is_remembered(database: Database) -> None:
    assert (await save(database, told(CrmAction.DELETED))).new == ()
    await save(database, told(CrmAction.ADDED, name="Имя", created_at=at(0), updated_at=HEARD + timedelta(1)))
    row = await only(database)
    assert (row.deleted_at, row.created_at, row.name) == (HEARD, at(0), "Имя")


async def test_the_first_touch_stays_and_the_last_one_follows(database: Database) -> None:
    await save(database, told(CrmAction.DELETED), told(CrmAction.RESTORED))
    for minutes, source in ((1, "google"), (2, "vk")):
        await save(
            database, told(CrmAction.UPDATED, marks=Marks(source=source), updated_at=HEARD + timedelta(minutes=minutes))
        )
    row = await only(database)
    assert (row.first_utm_source, row.last_utm_source) == ("google", "vk")


@pytest.mark.parametrize("contact_first", [True, False])
async def test_a_phone_finds_its_lead_whichever_comes_first(database: Database, contact_first: bool) -> None:
    person = contact(phones=("8 999 123-45-67",), emails=("a@example.com",), name="Анна", lead_ids=("7",), updated_at=at(1))
    deal = told(CrmAction.ADDED, name="Сделка", created_at=at(0))
    for change in (person, deal) if contact_first else (deal, person):
        await save(database, change)
    row = await only(database)
    assert (row.phone_key, row.email_key, row.name) == ("79991234567", "a@example.com", "Анна")
    assert row.person_id is not None


async def test_the_main_contact_is_whose_lead_it_is(database: Database) -> None:
    await save(
        database,
        contact("71", phones=("+79990000071",), lead_ids=("7",), updated_at=at(1)),
        contact("72", phones=("+79990000072",), updated_at=at(1)),
        contact("73", emails=("third@example.com",), updated_at=at(1)),
        told(CrmAction.ADDED, created_at=at(0), contact_ids=("72", "73")),
    )
    row = await only(database)
    assert (row.phone_key, row.email_key) == ("79990000072", "third@example.com")


async def test_a_contact_changes_its_phone_and_an_older_telling_does_not_change_it_back(database: Database) -> None:
    await save(database, told(CrmAction.ADDED, created_at=at(0)))
    for minutes, phone in ((2, "+79990000002"), (1, "+79990000001")):
        await save(database, contact(phones=(phone,), lead_ids=("7",), updated_at=at(minutes)))
    assert (await only(database)).phone_key == "79990000002"


async def test_a_contact_makes_no_lead(database: Database) -> None:
    await save(database, contact(phones=("+79990000001",), lead_ids=("7",)), contact("71", CrmAction.DELETED))
    assert await rows(database) == []
