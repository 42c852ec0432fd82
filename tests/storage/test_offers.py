"""Offers on both databases: one a person and story, told of by a CRM's own ids, with one claim for all of its cards."""

from datetime import timedelta
from typing import Any, cast

from domain.crm import ContactChange, CrmAction, CrmContact, CrmLead, LeadChange
from domain.leads import Lead
from domain.ports import Tx
from domain.roles import Person, Role
from storage.crm import CrmStore
from storage.engine import Database
from storage.leads import LeadStore
from storage.offers import OfferedLead, OfferStore
from tests.storage.test_crm import T0


async def test_two_leads_of_one_person_are_one_offer_and_one_claim(database: Database) -> None:
    leads, offers = LeadStore(database), OfferStore(database)
    deal = LeadChange(action=CrmAction.ADDED, lead=CrmLead(external_id="7", status="new", created_at=T0))
    contact = CrmContact(external_id="70", phones=("+7 999 123-45-67",), lead_ids=("7",))
    form = Lead(source="tilda", external_id="1:1", created_at=T0, updated_at=T0, phone="8 (999) 123-45-67", form="Показ")

    async def come(connection: Any) -> int:
        tx = cast("Tx", connection)
        crm = CrmStore("amocrm", leads)
        await crm.leads(tx, 1, [deal], heard_at=T0)
        await crm.contacts(tx, 1, [ContactChange(action=CrmAction.UPDATED, contact=contact)], heard_at=T0)
        new = (await leads.arrive(tx, 1, [form])).new
        begun = [await offers.begin(tx, 1, ids, now=T0, fresh=T0 - timedelta(days=1)) for ids in ((1, *new), new, (1,))]
        assert begun == [1, 0, 0]
        return new[0]

    filled = await database.write(come)
    assert await offers.told(1, "amocrm", ["7"], []) == await offers.told(1, "amocrm", [], ["70"]) == (1,)
    assert await offers.shown(1, [1, filled], T0) == ()

    async def take(connection: Any, by: int, lead_id: int) -> OfferedLead | None:
        person = Person(account_id=1, telegram_id=by, role=Role.MANAGER, name="Анна", user_id=by)
        return await offers.take(cast("Tx", connection), person, lead_id, T0)

    first = await database.write(lambda connection: take(connection, 501, filled))
    second = await database.write(lambda connection: take(connection, 502, 1))
    assert first is not None
    assert second is not None
    assert first.sources == second.sources == ("amocrm", "tilda")
    assert (second.phone, second.form, second.stage) == ("79991234567", "Показ", "new")
    assert (first.taken and first.taken.mine, second.taken and second.taken.mine) == (True, False)
